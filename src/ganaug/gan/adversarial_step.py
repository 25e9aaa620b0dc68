"""A training step of a discriminator and a generator against each other."""

import keras
import tensorflow as tf

from ganaug.gan.discriminator_step import DiscriminatorStep
from ganaug.gan.discriminator_watch import DiscriminatorWatch
from ganaug.gan.fakes import Fakes
from ganaug.gan.losses import get_loss
from ganaug.gan.objectives import Objectives
from ganaug.gan.optimizers import scaled


def make_objectives(game, discriminator):
    """Makes the objectives of a game.

    Args:
        game: `Game`.
        discriminator: `keras.Model`.

    Returns:
        `Objectives`.
    """
    return Objectives(
        loss=get_loss(game.loss),
        penalty=game.penalty,
        finite_difference=game.finite_difference,
        diff_augment=game.diff_augment,
        auxiliary_weight=game.auxiliary_weight,
        joined=not _has_batch_statistics(discriminator),
    )


def _has_batch_statistics(layer, seen=()):
    """Also of layers that are parts of a layer of the user's own."""
    if isinstance(layer, keras.layers.BatchNormalization):
        return True
    if not isinstance(layer, keras.Layer) or any(layer is one for one in seen):
        return False
    parts = [*getattr(layer, "layers", ())]
    for value in vars(layer).values():
        parts += value if isinstance(value, (list, tuple)) else [value]
    return any(_has_batch_statistics(part, (*seen, layer)) for part in parts)


class AdversarialStep:
    """The turns of both players in one training step.

    Args:
        model: `ConditionalGAN` that has its game, objectives and optimizers.
        fakes: `Fakes`. By default those of the model's game.
        weight: Function that returns the weight of the discriminator's
            objective. None by default.
    """

    def __init__(self, model, fakes=None, weight=None):
        game = model.game
        if fakes is None:
            fakes = Fakes(
                model.generator, model.latent_dim, game.label_thresholds
            )
        self.model = model
        self.fakes = fakes
        self.watch = DiscriminatorWatch(
            model.d_loss_average,
            model.overfitting,
            model.augment_probability,
            None if game.is_adaptive else game.augment_probability,
            paired=not model.objectives.loss.zero_is_undecided,
        )
        self.discriminator = DiscriminatorStep(
            model.discriminator,
            model.conditioning,
            model.d_optimizer,
            model.objectives,
            game,
            self.watch,
            model.step,
            model.gentleness,
            weight,
        )

    def take(self, images, labels, noise):
        """Takes the step.

        Args:
            images: Float tensor `(batch, height, width, channels)`, a batch
                for each turn of the discriminator.
            labels: Integer tensor `(batch,)`, or `None` without classes.
            noise: `ganaug.gan.noise.Noise` of the step.
        """
        turns = self.model.game.discriminator_steps
        for turn in range(turns):
            # Interleaved, so that replicas share each of the batches.
            real = (
                images[turn::turns],
                None if labels is None else labels[turn::turns],
            )
            self.train_discriminator(real, noise, f"d{turn}")
        self.train_generator(real, noise)

    def train_discriminator(self, real, noise, purpose):
        """Takes a turn of the discriminator.

        Args:
            real: Pair of images and labels.
            noise: `Noise`.
            purpose: String. Tells the draws of one training step apart.
        """
        fake = self.fakes.draw(real, noise, purpose)
        loss = self.discriminator.take(real, fake, noise, purpose)
        self.model.d_loss_tracker.update_state(loss)

    def train_generator(self, real, noise):
        """Takes the generator's turn.

        Args:
            real: Pair of images and labels.
            noise: `Noise`.
        """
        optimizer = self.model.g_optimizer
        variables = self.model.generator.trainable_variables
        with tf.GradientTape() as tape:
            loss, objective = self.generator_objective(real, noise)
            objective = scaled(optimizer, objective)
        gradients = tape.gradient(
            objective, variables, unconnected_gradients="zero"
        )
        optimizer.apply(gradients, variables)
        self.model.g_loss_tracker.update_state(loss)

    def generator_objective(self, real, noise):
        """Computes the adversarial loss and what the generator minimizes.

        Args:
            real: Pair of images and labels.
            noise: `Noise`.

        Returns:
            A pair of scalar tensors.
        """
        fake = self.fakes.draw(real, noise, "g")
        judge = self.discriminator.judge
        if self.model.game.unrolled_steps:
            judge = self.discriminator.judge_ahead(real, fake, noise)
        return self.model.objectives.generator(
            judge, real, fake, noise, "g", self.watch.probability()
        )
