"""What discriminator and generator minimize."""

from dataclasses import dataclass

import tensorflow as tf

from ganaug.gan.diff_augment import NUM_UNIFORMS, diff_augment
from ganaug.gan.loss_functions import auxiliary_classifier_loss
from ganaug.gan.losses import AdversarialLoss
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
        real, fake = self._augmented(real, fake, noise, purpose, probability)
        kind = self.penalty if penalized else "none"
        exact = kind in ZERO_CENTERED and not self.finite_difference
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            batches = [_join(real, fake)] if self.joined else [real, fake]
            watched = [images for images, _ in batches]
            if exact:
                tape.watch(watched)
            judged = [judge(images, labels) for images, labels in batches]
            if self.joined:
                judged = _split(*judged[0])
            (real_logits, real_classes), (fake_logits, fake_classes) = judged
            total = _total(kind, real_logits, fake_logits)
        loss = self.loss.discriminator(real_logits, fake_logits)
        objective = loss
        if real_classes is not None:
            objective += self.auxiliary_weight * (
                auxiliary_classifier_loss(real_classes, real[1])
                + auxiliary_classifier_loss(fake_classes, fake[1])
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
                    (*real, real_logits),
                    (*fake, fake_logits),
                    noise,
                    purpose,
                )
            )
        elif kind != "none":
            objective += gamma * self._one_centered(
                judge, real, fake[0], noise, purpose
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
        real, fake = self._augmented(real, fake, noise, purpose, probability)
        real_logits = None
        if self.loss.paired:
            # A pass of its own: nothing flows back through the real images.
            real_logits = tf.stop_gradient(judge(*real)[0])
        fake_logits, class_logits = judge(*fake)
        loss = self.loss.generator(real_logits, fake_logits)
        objective = loss
        if class_logits is not None:
            objective += self.auxiliary_weight * auxiliary_classifier_loss(
                class_logits, fake[1]
            )
        return loss, objective

    def _augmented(self, real, fake, noise, purpose, probability):
        if not self.diff_augment:
            return real, fake
        uniforms = [
            noise.uniform(
                f"{purpose} augment {side}", tf.shape(images)[0], NUM_UNIFORMS
            )
            for side, (images, _) in (("real", real), ("fake", fake))
        ]
        # Half as many operations as one after the other.
        images = diff_augment(
            tf.concat([real[0], fake[0]], 0),
            tf.concat(uniforms, 0),
            self.diff_augment,
            probability,
        )
        sides = zip(tf.split(images, 2), (real[1], fake[1]), strict=True)
        return tuple(sides)

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

    def _one_centered(self, judge, real, fake_images, noise, purpose):
        real_images, labels = real
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
                _joined_std(real_images),
            )
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            total = tf.reduce_sum(judge(images, labels)[0])
        return one_centered_penalty(tape.gradient(total, images))


def _joined_std(images):
    """Standard deviation over all pixels of the batch, of all replicas."""
    replica = tf.distribute.get_replica_context()

    def mean(values):
        values = tf.reduce_mean(values)
        if replica.num_replicas_in_sync == 1:
            return values
        return replica.all_reduce(tf.distribute.ReduceOp.MEAN, values)

    images = tf.cast(images, tf.float32)
    return tf.sqrt(mean(tf.square(images - mean(images))))


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


def _split(logits, class_logits):
    """What was judged of joined images, for the real and the fake ones."""
    halves = tf.split(logits, 2)
    if class_logits is None:
        return [(half, None) for half in halves]
    return list(zip(halves, tf.split(class_logits, 2), strict=True))
