"""What an augmenter knows of epochs, and the callback that tells it."""

import keras
import tensorflow as tf


def epoch_variable():
    """Makes the variable for the number of the epoch.

    Returns:
        An int64 `tf.Variable`, on the processor, where pipelines run.
    """
    with tf.device("CPU:0"):
        return tf.Variable(0, trainable=False, dtype=tf.int64)


class EpochCallback(keras.callbacks.Callback):
    """Does what an augmenter has to do when an epoch begins.

    Args:
        begin_epoch: Callable that gets the number of the epoch.
    """

    def __init__(self, begin_epoch):
        super().__init__()
        self._begin_epoch = begin_epoch

    def on_epoch_begin(self, epoch, logs=None):
        """Tells the augmenter.

        Args:
            epoch: Integer. From 0 on.
        """
        self._begin_epoch(epoch)
