"""The noise of each batch: elements and content, no state."""

import tensorflow as tf

from ganaug.seeds import derive_seed

# Numbers of `Dataset.random` are below 2**32, so these offsets part the
# streams of one batch.
DRAWING = 0
MIXING = 2**33
ROUNDING = 2**34
ORDER = 2**35

PHILOX = 1
# The first images of a batch tell which it is; to look at all of them takes
# some of a bank's time where images are large.
FINGERPRINT_BYTES = 2**13


class Noise:
    """Gives every batch a seed of its own.

    One half of it is the next number of `Dataset.random`, or always the same
    if epochs shall not differ; the other is a fingerprint of the first images.
    So two processes that share a dataset, and have the same random numbers, do
    not repeat each other's noise.

    Args:
        seed: Integer.
        rerandomize_each_iteration: Boolean. Whether each iteration has other
            noise. If not, it depends on the first images of the batch alone.
    """

    def __init__(self, seed, rerandomize_each_iteration):
        self._seed = derive_seed(seed, "augmenter")
        self._rerandomize = rerandomize_each_iteration

    def attach(self, batches):
        """Lets batches carry their random number.

        Args:
            batches: `tf.data.Dataset`.

        Returns:
            A dataset of tuples: the batch, and a random number if there is
            one.
        """
        if not self._rerandomize:
            return tf.data.Dataset.zip((batches,))
        numbers = tf.data.Dataset.random(
            self._seed, rerandomize_each_iteration=True
        )
        return tf.data.Dataset.zip((batches, numbers))

    def seed(self, entry, images):
        """Gives the seed of a batch.

        Args:
            entry: An element of what `attach` returned.
            images: Tensor of the batch's images.

        Returns:
            An int64 tensor `(2,)`. To be added to the first half: `DRAWING`
            for what draws images, `MIXING` for what mixes them in, `ROUNDING`
            for how many.
        """
        content = tf.raw_ops.Fingerprint(
            data=tf.reshape(_first(images), (1, -1)), method="farmhash64"
        )
        number = tf.expand_dims(self._number(entry), 0)
        return tf.concat([number, tf.bitcast(content, tf.int64)], 0)

    def epoch_seed(self, entry):
        """Gives the seed of an epoch, from its first entry.

        Args:
            entry: An element of what `attach` returned.

        Returns:
            An int64 tensor `(2,)`.
        """
        return tf.stack([self._number(entry) + ORDER, 0])

    def _number(self, entry):
        if len(entry) > 1:
            return entry[1]
        return tf.constant(self._seed, tf.int64)


def _first(images):
    """The images that belong to a fingerprint, at least one if there is one."""
    shape = images.shape[1:]
    if not shape.is_fully_defined():
        return images[:1]
    num_bytes = shape.num_elements() * images.dtype.size
    return images[: max(1, FINGERPRINT_BYTES // num_bytes)]


def offset(seed, purpose):
    """Splits off the seed for one purpose.

    Args:
        seed: int64 tensor `(2,)` that `Noise.seed` gave.
        purpose: `DRAWING`, `MIXING` or `ROUNDING`.

    Returns:
        An int64 tensor `(2,)`.
    """
    return seed + tf.constant([purpose, 0], tf.int64)


def draw_uniforms(shape, seed):
    """Draws what `tf.random.stateless_uniform` does, with half of its ops.

    What an op costs in a pipeline does not depend on how small its tensors
    are, so a batch's price is the number of its ops.

    Args:
        shape: Integer tensor `(rank,)`.
        seed: int64 tensor `(2,)`.

    Returns:
        A float32 tensor in `[0, 1)`.
    """
    key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(
        seed=tf.cast(seed, tf.int64)
    )
    return tf.raw_ops.StatelessRandomUniformV2(
        shape=shape, key=key, counter=counter, alg=PHILOX
    )
