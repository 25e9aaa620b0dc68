"""Random numbers of a training step: a function of seed, step and replica."""

import zlib

import tensorflow as tf


class Noise:
    """Draws the random numbers of one training step.

    They depend on the seed, the step, the attempt and the purpose alone, so
    training can be resumed and repeated. (XLA has a generator of its own: a
    step that it compiled has other numbers.) Under a distribution strategy
    every replica takes its own part of what one replica with the joined batch
    would draw.

    Args:
        seed: Integer in `[0, 2**31)`.
        step: Integer tensor, the number of the training step.
        attempt: Integer tensor. Another one gives other numbers for the same
            step, for when training was rolled back.
    """

    def __init__(self, seed, step, attempt):
        self._seed = seed
        # Forty bits are left for the steps.
        self._position = tf.cast(step, tf.int64) + (
            tf.cast(attempt, tf.int64) * (1 << 40)
        )

    def normal(self, purpose, batch_size, *tail):
        """Draws from the standard normal distribution.

        Args:
            purpose: String. Each purpose has its own numbers.
            batch_size: Integer or integer tensor. Rows for this replica.
            *tail: Integers. The rest of the shape.

        Returns:
            A float32 tensor of shape `(batch_size, *tail)`.
        """
        return self._draw(tf.random.stateless_normal, purpose, batch_size, tail)

    def uniform(self, purpose, batch_size, *tail):
        """Draws uniformly from `[0, 1)`.

        Args:
            purpose: As in `normal`.
            batch_size: As in `normal`.
            *tail: As in `normal`.

        Returns:
            A float32 tensor of shape `(batch_size, *tail)`.
        """
        return self._draw(
            tf.random.stateless_uniform, purpose, batch_size, tail
        )

    def _draw(self, distribution, purpose, batch_size, tail):
        replica = tf.distribute.get_replica_context()
        key = (self._seed << 32) + zlib.crc32(purpose.encode())
        seed = tf.stack([tf.constant(key, tf.int64), self._position])
        num_replicas = replica.num_replicas_in_sync
        if num_replicas == 1:
            return distribution((batch_size, *tail), seed)
        everyone = distribution((num_replicas * batch_size, *tail), seed)
        start = replica.replica_id_in_sync_group * batch_size
        return everyone[start : start + batch_size]
