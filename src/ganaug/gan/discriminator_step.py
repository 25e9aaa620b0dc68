"""A step of the discriminator, and what it says of images."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import tensorflow as tf

from ganaug.gan.discriminator_watch import DiscriminatorWatch
from ganaug.gan.game import Game
from ganaug.gan.objectives import Objectives
from ganaug.gan.optimizers import scaled
from ganaug.gan.unrolled import unroll


@dataclass(frozen=True, eq=False)
class DiscriminatorStep:
    """Trains a discriminator, and lets the generator ask it.

    Args:
        network: `keras.Model`.
        conditioning: String. With `"auxiliary"` the network is called with
            images alone and returns class logits too.
        optimizer: `keras.optimizers.Optimizer`.
        objectives: `Objectives`.
        game: `Game`.
        watch: `DiscriminatorWatch`.
        step: `keras.Variable`. Training steps taken.
        gentleness: `keras.Variable`. What the penalty's weight is divided by.
        weight: Function that returns the weight of the objective, or `None`.
    """

    network: keras.Model
    conditioning: str | None
    optimizer: keras.optimizers.Optimizer
    objectives: Objectives
    game: Game
    watch: DiscriminatorWatch
    step: keras.Variable
    gentleness: keras.Variable
    weight: Callable | None = None

    def judge(self, images, labels):
        """Judges images, as in training.

        Args:
            images: Float tensor `(batch, height, width, channels)`.
            labels: Integer tensor `(batch,)`, or `None` without classes.

        Returns:
            A pair: logits `(batch,)`, and class logits `(batch, num_classes)`
            or `None`.
        """
        return self._judge_with(
            lambda inputs: self.network(inputs, training=True), images, labels
        )

    def judge_ahead(self, real, fake, noise):
        """Takes steps ahead that change nothing (unrolled GAN).

        Args:
            real: Pair of images and labels.
            fake: As `real`.
            noise: `ganaug.gan.noise.Noise` of the step.

        Returns:
            A function like `judge`, of the discriminator after those steps.
        """

        def loss_of(network):
            return self.objectives.discriminator(
                lambda *batch: self._judge_with(network, *batch),
                real,
                fake,
                noise,
                "unrolled",
                self._strength(),
                self.watch.probability(),
            )[1]

        ahead = unroll(
            self.network, self.optimizer, self.game.unrolled_steps, loss_of
        )
        return lambda *batch: self._judge_with(ahead, *batch)

    def take(self, real, fake, noise, purpose):
        """Takes one step.

        Args:
            real: Pair of images and labels.
            fake: As `real`. No gradient goes back through it.
            noise: `Noise`.
            purpose: String. Tells the draws of one training step apart.

        Returns:
            A scalar tensor, the loss before the step.
        """
        fake = tf.stop_gradient(fake[0]), fake[1]
        variables = self.network.trainable_variables

        def results(gamma, penalized):
            with tf.GradientTape() as tape:
                loss, objective, *logits = self.objectives.discriminator(
                    self.judge,
                    real,
                    fake,
                    noise,
                    purpose,
                    gamma,
                    self.watch.probability(),
                    penalized,
                )
                if self.weight is not None:
                    objective = self.weight() * objective
                objective = scaled(self.optimizer, objective)
            gradients = tape.gradient(
                objective, variables, unconnected_gradients="zero"
            )
            return loss, *logits, *gradients

        loss, real_logits, fake_logits, *gradients = self._as_due(results)
        self.optimizer.apply(gradients, variables)
        self.watch.look(self.step, loss, real_logits, fake_logits)
        return loss

    def _judge_with(self, network, images, labels):
        if self.conditioning == "auxiliary":
            return tuple(network(images))
        if labels is None:
            return network(images), None
        return network([images, labels]), None

    def _strength(self):
        """The penalty's weight by now: rollbacks raise it."""
        return self.game.gamma / tf.convert_to_tensor(self.gentleness)

    def _as_due(self, results):
        """Calls it with the penalty's weight in this step, or without it."""
        if self.game.penalty_interval == 1 or self.game.penalty == "none":
            return results(self._strength(), True)
        interval = float(self.game.penalty_interval)
        due = tf.equal(self.step % self.game.penalty_interval, 0)
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        if replicas > 1:
            # Replicas may not meet inside of a branch.
            weight = tf.where(due, interval, 0.0)
            return results(weight * self._strength(), True)
        return tf.cond(
            due,
            lambda: results(interval * self._strength(), True),
            lambda: results(0.0, False),
        )
