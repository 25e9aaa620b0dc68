"""What discriminator and generator minimize."""

from dataclasses import dataclass

import tensorflow as tf

from ganaug.gan.diff_augment import NUM_UNIFORMS, diff_augment
from ganaug.gan.losses import AdversarialLoss, auxiliary_classifier_loss
from ganaug.gan.penalties import (
    dragan_perturbation,
    finite_difference_penalty,
    interpolates,
    one_centered_penalty,
    zero_centered_penalty,
)

# Standard deviation of the noise of the finite difference, in pixel values.
SIGMA = 0.01
ZERO_CENTERED = ("r1", "r2", "r1+r2")
PENALTIES = ("none", *ZERO_CENTERED, "wgan_gp", "dragan")


@dataclass(frozen=True)
class Objectives:
    """The two players' objectives, as functions of images and noise.

    Args:
        loss: `AdversarialLoss`.
        penalty: String. One of `PENALTIES`.
        finite_difference: Boolean. Whether R1 and R2 are estimated from one
            more forward pass instead of a gradient of a gradient.
        diff_augment: String. DiffAugment's policy.
        auxiliary_weight: Float. Weight of the auxiliary classifier's loss.
        joined: Boolean. Whether real and fake images go through the
            discriminator together; not where it has batch statistics.
    """

    loss: AdversarialLoss
    penalty: str = "none"
    finite_difference: bool = False
    diff_augment: str = ""
    auxiliary_weight: float = 1.0
    joined: bool = True

    def discriminator(
        self,
        judge,
        real,
        fake,
        noise,
        purpose,
        gamma=0.0,
        probability=1.0,
        penalized=True,
    ):
        """Computes the discriminator's loss and what it minimizes.

        Args:
            judge: Function of images and labels that returns logits
                `(batch,)` and class logits, or `None` in their place.
            real: Pair of images `(batch, height, width, channels)` and labels
                `(batch,)`; the labels may be `None`.
            fake: As `real`.
            noise: `ganaug.gan.noise.Noise` of the step.
            purpose: String. Tells the draws of one step apart.
            gamma: Float or scalar tensor. Weight of the penalty: half of it
                for R1 and R2, as in the literature, and all of it for the
                others.
            probability: Float or scalar tensor. Of DiffAugment's operations.
            penalized: Boolean. Whether to add the penalty.

        Returns:
            A tuple of the loss, the objective, and logits of the real and of
            the fake images.
        """
        real_images, fake_images = self._augmented(
            real[0], fake[0], noise, purpose, probability
        )
        kind = self.penalty if penalized else "none"
        exact = kind in ZERO_CENTERED and not self.finite_difference
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            watched = real_images, fake_images
            if self.joined:
                images, labels = _join(
                    (real_images, real[1]), (fake_images, fake[1])
                )
                watched = (images,)
            if exact:
                tape.watch(watched)
            if self.joined:
                logits, class_logits = judge(images, labels)
                real_logits, fake_logits = tf.split(logits, 2)
                if class_logits is not None:
                    class_logits = tf.split(class_logits, 2)
            else:
                real_logits, real_classes = judge(real_images, real[1])
                fake_logits, fake_classes = judge(fake_images, fake[1])
                class_logits = (
                    None
                    if real_classes is None
                    else (real_classes, fake_classes)
                )
            total = _total(kind, real_logits, fake_logits)
        loss = self.loss.discriminator(real_logits, fake_logits)
        objective = loss
        if class_logits is not None:
            objective += self.auxiliary_weight * (
                auxiliary_classifier_loss(class_logits[0], real[1])
                + auxiliary_classifier_loss(class_logits[1], fake[1])
            )
        if exact:
            gradients = tape.gradient(
                total, watched, unconnected_gradients="zero"
            )
            # The mean over joined images halves what it is the sum of.
            scale = gamma if self.joined else 0.5 * gamma
            objective += scale * sum(
                zero_centered_penalty(gradient) for gradient in gradients
            )
        elif kind in ZERO_CENTERED:
            objective += (
                0.5
                * gamma
                * self._estimated(
                    judge,
                    (real_images, real[1], real_logits),
                    (fake_images, fake[1], fake_logits),
                    noise,
                    purpose,
                )
            )
        elif kind != "none":
            objective += gamma * self._one_centered(
                judge, real_images, fake_images, real[1], noise, purpose
            )
        return loss, objective, real_logits, fake_logits

    def generator(self, judge, real, fake, noise, purpose, probability=1.0):
        """Computes the generator's loss and what it minimizes.

        Args:
            judge: As in `discriminator`, and so the others.
            real: Pair. Used by paired losses alone.
            fake: Pair.
            noise: `Noise`.
            purpose: String.
            probability: Float or scalar tensor.

        Returns:
            A pair of scalars, the loss and the objective.
        """
        real_images, fake_images = self._augmented(
            real[0], fake[0], noise, purpose, probability
        )
        real_logits = None
        if self.loss.paired:
            # A pass of its own: nothing flows back through the real images.
            real_logits = tf.stop_gradient(judge(real_images, real[1])[0])
        fake_logits, class_logits = judge(fake_images, fake[1])
        loss = self.loss.generator(real_logits, fake_logits)
        objective = loss
        if class_logits is not None:
            objective += self.auxiliary_weight * auxiliary_classifier_loss(
                class_logits, fake[1]
            )
        return loss, objective

    def _augmented(self, real_images, fake_images, noise, purpose, probability):
        if not self.diff_augment:
            return real_images, fake_images
        return tuple(
            diff_augment(
                images,
                noise.uniform(
                    f"{purpose} augment {side}",
                    tf.shape(images)[0],
                    NUM_UNIFORMS,
                ),
                self.diff_augment,
                probability,
            )
            for side, images in (("real", real_images), ("fake", fake_images))
        )

    def _estimated(self, judge, real, fake, noise, purpose):
        """R1, R2 or their sum from finite differences."""
        penalty = 0.0
        for side, (images, labels, logits) in (("r1", real), ("r2", fake)):
            if side not in self.penalty:
                continue
            step = noise.normal(
                f"{purpose} {side}", tf.shape(images)[0], *images.shape[1:]
            )
            shifted, _ = judge(images + SIGMA * step, labels)
            penalty += finite_difference_penalty(logits, shifted, SIGMA)
        return penalty

    def _one_centered(
        self, judge, real_images, fake_images, labels, noise, purpose
    ):
        batch_size = tf.shape(real_images)[0]
        if self.penalty == "wgan_gp":
            images = interpolates(
                real_images,
                fake_images,
                noise.uniform(f"{purpose} interpolates", batch_size),
            )
        else:
            images = dragan_perturbation(
                real_images,
                noise.uniform(
                    f"{purpose} dragan", batch_size, *real_images.shape[1:]
                ),
            )
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            total = tf.reduce_sum(judge(images, labels)[0])
        return one_centered_penalty(tape.gradient(total, images))


def _total(kind, real_logits, fake_logits):
    total = 0.0
    if "r1" in kind:
        total += tf.reduce_sum(real_logits)
    if "r2" in kind:
        total += tf.reduce_sum(fake_logits)
    return total


def _join(real, fake):
    labels = None if real[1] is None else tf.concat([real[1], fake[1]], 0)
    return tf.concat([real[0], fake[0]], 0), labels
