"""What is followed of a discriminator while it trains, and what it steers."""

from dataclasses import dataclass

import keras
import tensorflow as tf

from ganaug.gan.adaptive_augment import (
    PAIRED_TARGET,
    TARGET,
    adjust_probability,
    overfitting_signal,
)

# Running means over about so many steps.
OVERFITTING_STEPS = 10
LOSS_STEPS = 50


@dataclass(frozen=True, eq=False)
class DiscriminatorWatch:
    """Keeps running means, and steers the augmentation by them (ADA).

    Args:
        loss_average: `keras.Variable`. Running mean of the loss.
        overfitting: `keras.Variable`. Running mean of
            `ganaug.gan.adaptive_augment.overfitting_signal`.
        augment_probability: `keras.Variable`. Where it is steered.
        fixed_probability: Float. The probability of augmenting, or `None` to
            steer it.
        paired: Boolean. Whether logits tell something in pairs alone.
    """

    loss_average: keras.Variable
    overfitting: keras.Variable
    augment_probability: keras.Variable
    fixed_probability: float | None
    paired: bool

    def probability(self):
        """Gives the probability of augmenting.

        Returns:
            A float, or a scalar tensor where it is steered.
        """
        if self.fixed_probability is None:
            return tf.convert_to_tensor(self.augment_probability)
        return self.fixed_probability

    def look(self, step, loss, real_logits, fake_logits):
        """Takes in one step of the discriminator.

        Args:
            step: Integer tensor. Training steps taken before.
            loss: Scalar tensor. The replica's, as the logits are.
            real_logits: Float tensor `(batch,)`.
            fake_logits: Float tensor `(batch,)`.
        """
        replica = tf.distribute.get_replica_context()
        signal = overfitting_signal(real_logits, fake_logits, self.paired)
        if replica.num_replicas_in_sync > 1:
            loss, signal = replica.all_reduce(
                tf.distribute.ReduceOp.MEAN, [loss, signal]
            )
        first = tf.equal(step, 0)
        for average, value, steps in (
            (self.loss_average, loss, LOSS_STEPS),
            (self.overfitting, signal, OVERFITTING_STEPS),
        ):
            share = tf.where(first, 1.0, 1.0 / steps)
            average.assign(average + share * (value - average))
        if self.fixed_probability is None:
            batch_size = tf.shape(real_logits)[0]
            self.augment_probability.assign(
                adjust_probability(
                    self.augment_probability,
                    self.overfitting,
                    PAIRED_TARGET if self.paired else TARGET,
                    batch_size * replica.num_replicas_in_sync,
                )
            )
