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
            with tf.GradientTape() as drawing:
                fake = self.fakes.draw(real, noise, f"d{turn}")
            real_logits = self.train_discriminator(
                real, fake, noise, f"d{turn}"
            )
        # The fakes of the last turn once more: the generator that drew them is
        # still the same.
        self.train_generator(real, fake, real_logits, drawing, noise)

    def train_discriminator(self, real, fake, noise, purpose):
        """Takes a turn of the discriminator.

        Args:
            real: Pair of images and labels.
            fake: As `real`.
            noise: `Noise`.
            purpose: String. Tells the draws of one training step apart.

        Returns:
            A tensor `(batch,)`, the logits of the real images before it.
        """
        loss, real_logits = self.discriminator.take(real, fake, noise, purpose)
        self.model.d_loss_tracker.update_state(loss)
        return real_logits

    def train_generator(self, real, fake, real_logits, drawing, noise):
        """Takes the generator's turn.

        Args:
            real: Pair of images and labels.
            fake: As `real`.
            real_logits: Tensor `(batch,)`. Logits of the real images.
            drawing: `tf.GradientTape` on which the fakes were drawn.
            noise: `Noise`.
        """
        optimizer = self.model.g_optimizer
        variables = self.model.generator.trainable_variables
        loss, gradient = self.image_gradient(
            real,
            fake,
            real_logits,
            noise,
            lambda objective: scaled(optimizer, objective),
        )
        gradients = drawing.gradient(
            fake[0], variables, gradient, unconnected_gradients="zero"
        )
        optimizer.apply(gradients, variables)
        self.model.g_loss_tracker.update_state(loss)

    def image_gradient(self, real, fake, real_logits, noise, scale):
        """Differentiates what the generator minimizes by its images.

        Args:
            real: As in `train_generator`, and so the others.
            fake: As `real`.
            real_logits: Tensor `(batch,)`.
            noise: `Noise`.
            scale: Function of the objective that returns what to
                differentiate.

        Returns:
            A pair: the adversarial loss, and a tensor like the fake images.
        """
        images, labels = fake
        images = tf.stop_gradient(images)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            loss, objective = self.generator_objective(
                real, (images, labels), real_logits, noise
            )
            objective = scale(objective)
        # Zeros, too, where no gradient reaches the images: `None` would stand
        # for ones where the generator is differentiated.
        gradient = tape.gradient(
            objective, images, unconnected_gradients="zero"
        )
        return loss, gradient

    def generator_objective(self, real, fake, real_logits, noise):
        """Computes the adversarial loss and what the generator minimizes.

        Args:
            real: As in `train_generator`, and so the others.
            fake: As `real`.
            real_logits: Tensor `(batch,)`.
            noise: `Noise`.

        Returns:
            A pair of scalar tensors.
        """
        judge = self.discriminator.judge
        if self.model.game.unrolled_steps:
            judge = self.discriminator.judge_ahead(real, fake, noise)
            # The discriminator ahead has not judged them yet.
            real_logits = None
        return self.model.objectives.generator(
            judge,
            real,
            fake,
            noise,
            "g",
            self.watch.probability(),
            real_logits,
        )
