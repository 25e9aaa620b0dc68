"""Fake images of a training step, and the labels they are drawn for."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf


@dataclass(frozen=True, eq=False)
class Fakes:
    """Draws fake images beside a batch of real ones.

    Args:
        generator: `keras.Model`.
        latent_dim: Integer.
        label_thresholds: float32 array of cumulative probabilities of the
            classes, all but the last; `None` gives the fakes the labels of
            the real images.
    """

    generator: keras.Model
    latent_dim: int
    label_thresholds: np.ndarray | None = None

    def draw(self, real, noise, purpose):
        """Draws as many fakes as there are real images.

        Args:
            real: Pair of images `(batch, height, width, channels)` and labels
                `(batch,)`; the labels are `None` without classes.
            noise: `ganaug.gan.noise.Noise` of the step.
            purpose: String. Tells the draws of one step apart.

        Returns:
            A pair of images and labels, as `real`.
        """
        labels = self._labels(real, noise, purpose)
        latents = self.latents(real, noise, purpose)
        inputs = latents if labels is None else [latents, labels]
        return self.generator(inputs, training=True), labels

    def latents(self, real, noise, purpose):
        """Draws their latents, from the prior.

        Args:
            real: As in `draw`, and so the others.
            noise: `Noise`.
            purpose: String.

        Returns:
            A float32 tensor `(batch, latent_dim)`.
        """
        return noise.normal(
            f"{purpose} latents", tf.shape(real[0])[0], self.latent_dim
        )

    def _labels(self, real, noise, purpose):
        if self.label_thresholds is None:
            return real[1]
        uniforms = noise.uniform(f"{purpose} labels", tf.shape(real[1])[0])
        return tf.searchsorted(
            tf.constant(self.label_thresholds), uniforms, side="right"
        )


@dataclass(frozen=True, eq=False)
class EncodedFakes(Fakes):
    """Draws a part of the fakes from encoded images of any class.

    Args:
        generator: As in `Fakes`.
        latent_dim: As in `Fakes`.
        label_thresholds: As in `Fakes`.
        encode: Function of images, labels, noise and purpose that returns
            latents first.
        share: Float in `[0, 1]`. Of the fakes whose latents it returned.
    """

    encode: Callable = None
    share: float = 0.0

    def latents(self, real, noise, purpose):
        latents = super().latents(real, noise, purpose)
        if not self.share:
            return latents
        images, labels = real
        batch_size = tf.shape(images)[0]
        place = tf.range(batch_size + 1)
        # Rounded up: convolutions cannot do with no image at all.
        so_far = tf.math.ceil(self.share * tf.cast(place, tf.float32) - 1e-3)
        rows = tf.cast(tf.where(so_far[1:] > so_far[:-1]), tf.int32)
        # From the image beside it, of any class: batches have no order, and a
        # choice without chance is the same however replicas split the batch.
        sources = tf.minimum(
            tf.bitwise.bitwise_xor(rows[:, 0], 1), batch_size - 1
        )
        encoded, *_ = self.encode(
            tf.gather(images, sources),
            None if labels is None else tf.gather(labels, sources),
            noise,
            f"{purpose} posterior",
        )
        # The encoder does not learn from the discriminator.
        return tf.stop_gradient(
            tf.tensor_scatter_nd_update(
                latents, rows, tf.cast(encoded, latents.dtype)
            )
        )
