"""Which class each synthetic image gets, decided in a graph or eagerly."""

import numpy as np
import tensorflow as tf

# Few rounds leave a pattern in the order.
SHUFFLE_ROUNDS = 24


class WeightedChoice:
    """Draws classes with given probabilities.

    Its attribute `classes` has the indices of those that can come.

    Args:
        probabilities: Sequence of floats, one for each class, which add up
            to 1.

    Call arguments:
        labels: Not looked at.
        places: Not looked at.
        uniforms: float32 tensor `(num_synthetic,)` in `[0, 1)`.
        dealt: Not looked at.

    Call returns:
        An int32 tensor `(num_synthetic,)`.
    """

    def __init__(self, probabilities):
        probabilities = np.asarray(probabilities, np.float64)
        self.classes = np.flatnonzero(probabilities)
        # Rounding ends them at 1, which no uniform number reaches.
        self._bounds = np.cumsum(probabilities).astype(np.float32)

    def __call__(self, labels, places, uniforms, dealt=None):
        # What `tf.searchsorted` does, without its ops for other shapes.
        return tf.raw_ops.UpperBound(
            sorted_inputs=tf.constant(self._bounds[None]),
            values=tf.expand_dims(uniforms, 0),
        )[0]


class MatchingChoice:
    """Takes the classes of real examples.

    Those that are replaced, or of examples drawn at random where none are.
    Its attribute `classes` has the indices of those that can come.

    Args:
        num_classes: Integer.

    Call arguments:
        labels: int32 tensor `(num_real,)`.
        places: int32 tensor `(num_synthetic,)` of what is replaced, or `None`.
        uniforms: float32 tensor `(num_synthetic,)` in `[0, 1)`.
        dealt: Not looked at.

    Call returns:
        An int32 tensor `(num_synthetic,)`.
    """

    def __init__(self, num_classes):
        self.classes = np.arange(num_classes)

    def __call__(self, labels, places, uniforms, dealt=None):
        if places is None:
            num_real = tf.size(labels)
            places = tf.cast(uniforms * tf.cast(num_real, tf.float32), tf.int32)
            # The product can round up to the number itself.
            places = tf.minimum(places, num_real - 1)
        return tf.gather(labels, places)


class QuotaChoice:
    """Deals a fixed number of each class out over an epoch.

    Its attribute `classes` has the indices of those that can come.

    Args:
        quotas: Integer array `(num_classes,)`. Synthetic images of each class.

    Call arguments:
        labels: Not looked at.
        places: Not looked at.
        uniforms: Tensor `(num_synthetic,)`, of which the size is looked at.
        dealt: Pair of an int64 tensor, how many were dealt out before, and an
            int64 tensor `(2,)`, the seed of the epoch's order.

    Call returns:
        An int32 tensor `(num_synthetic,)`.
    """

    def __init__(self, quotas):
        self.classes = np.flatnonzero(quotas)
        self._ends = np.cumsum(quotas).astype(np.int64)

    def __call__(self, labels, places, uniforms, dealt=None):
        first, seed = dealt
        number = tf.size(uniforms, tf.int64)
        last = tf.constant(max(self._ends[-1] - 1, 0), tf.int64)
        # Of the shuffled order any part can be computed alone, but not none.
        shuffled = tf.raw_ops.RandomIndexShuffle(
            index=tf.minimum(first + tf.range(tf.maximum(number, 1)), last),
            seed=tf.random.stateless_uniform(
                (3,), seed, minval=None, maxval=None, dtype=tf.uint32
            ),
            max_index=last,
            rounds=SHUFFLE_ROUNDS,
        )
        return tf.searchsorted(
            tf.constant(self._ends), shuffled[:number], side="right"
        )
