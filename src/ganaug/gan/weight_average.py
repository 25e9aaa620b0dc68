"""The average of a network's weights over training (EMA)."""

import keras
import tensorflow as tf

# It may not look back further than this share of what was seen.
RAMP_UP = 0.05


class WeightAverage:
    """Moves an averaged network after the one that is trained.

    Args:
        average: `keras.Model`. The averaged one.
        network: `keras.Model`. The trained one, of the same form.
        half_life: Float. Number of images after which a weight counts half;
            0 for no average. Early in training it is at most 5 % of the images
            seen, so that the initial weights are soon forgotten.

    Raises:
        ValueError: `half_life` is negative, infinite or NaN.
    """

    def __init__(self, average, network, half_life):
        half_life = float(half_life)
        if not 0 <= half_life < float("inf"):
            raise ValueError(
                "`ema_half_life` must be a number of images, or 0 for no "
                f"average. Received: ema_half_life={half_life}"
            )
        self.average = average
        self.network = network
        self.half_life = half_life

    def follow(self, step, batch_size):
        """Moves it once, at the end of a training step.

        Args:
            step: Integer tensor. Steps taken before this one.
            batch_size: Integer tensor. Images of all replicas in a step.
        """
        images = tf.cast(batch_size, tf.float32)
        seen = tf.cast(step + 1, tf.float32) * images
        half_life = tf.minimum(self.half_life, RAMP_UP * seen)
        decay = tf.pow(0.5, images / half_life)
        if not self.half_life:
            decay = tf.constant(0.0)
        for average, variable in zip(
            self.average.variables, self.network.variables, strict=True
        ):
            if keras.backend.is_float_dtype(variable.dtype):
                average.assign(variable + (average - variable) * decay)
