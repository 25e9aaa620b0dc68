"""Encoding: what models with an encoder have in common."""

from pathlib import Path

import keras
import numpy as np
import safetensors.numpy
import tensorflow as tf

from ganaug.data.images import check_values, from_unit, to_unit
from ganaug.gan.architectures import build_encoder
from ganaug.gan.generation import check_labels, decode
from ganaug.gan.latents import MAX_IMAGES, LatentBank, choose_images
from ganaug.gan.variational import (
    kl_divergence,
    reconstruction_loss,
    reparameterize,
)
from ganaug.seeds import derive_seed

BANK = "latents.safetensors"
BATCH_SIZE = 256


def check_weight(name, weight):
    """Checks the weight of a loss.

    Args:
        name: String. The argument's name.
        weight: Number.

    Returns:
        A float.

    Raises:
        ValueError: It is negative, infinite or NaN.
    """
    if not 0 <= weight < float("inf"):
        raise ValueError(
            f"`{name}` must be finite and not negative. "
            f"Received: {name}={weight}"
        )
    return float(weight)


class Encoding:
    """Gives a `GenerativeModel` an encoder, and latents of real images.

    A class inherits from it first, and then from the model. It has the
    encoder, the losses that it trains on, and after training a bank of the
    training images' latents. The generator alone is averaged; an averaged
    encoder reconstructed no better.
    """

    def _build_networks(self, generator):
        super()._build_networks(generator)
        self.encoder = build_encoder(**self.generator_arguments)
        self.reconstruction_tracker = keras.metrics.Mean(
            name="reconstruction_loss"
        )
        self.kl_tracker = keras.metrics.Mean(name="kl_loss")

    @property
    def networks(self):
        return {**super().networks, "encoder": self.encoder}

    @property
    def drawing_networks(self):
        return [*super().drawing_networks, self.encoder]

    def _encoded(self, images, labels, noise, purpose):
        """Encodes a batch; gives latents, their means and log variances."""
        inputs = images if labels is None else [images, labels]
        mean, log_variance = self.encoder(inputs, training=True)
        latents = reparameterize(
            mean,
            log_variance,
            noise.normal(purpose, tf.shape(images)[0], self.latent_dim),
        )
        return latents, mean, log_variance

    def _decoded(self, latents, labels):
        inputs = latents if labels is None else [latents, labels]
        return self.generator(inputs, training=True)

    def _variational_losses(self, images, labels, noise):
        """Computes reconstruction and KL loss of a batch."""
        latents, mean, log_variance = self._encoded(
            images, labels, noise, "posterior"
        )
        reconstruction = reconstruction_loss(
            images, self._decoded(latents, labels)
        )
        kl = kl_divergence(mean, log_variance)
        self.reconstruction_tracker.update_state(reconstruction)
        self.kl_tracker.update_state(kl)
        return reconstruction, kl

    def after_fit(self, data):
        """Encodes training images, for latents that are drawn near them.

        Args:
            data: `LabeledImages` that the model was trained on.
        """
        chosen = data.subset(
            choose_images(
                data.labels, MAX_IMAGES, derive_seed(self.seed, "latents")
            )
        )
        self.latent_bank = LatentBank(
            *self._encode_images(
                to_unit(chosen.images, data.value_range).numpy(), chosen.labels
            ),
            chosen.labels,
            self.num_classes,
        )

    def encode(self, images, labels=None):
        """Finds the latents that images may have come from.

        Args:
            images: Array `(num_images, height, width, channels)`, integers or
                floats and in the value range as the images that the model was
                trained on; before training, floats in `[-1, 1]`.
            labels: List or array of integers, the images' classes. `None` for
                a model without classes.

        Returns:
            A pair of float32 NumPy arrays `(num_images, latent_dim)`: mean and
            log variance of a Gaussian for each image.

        Raises:
            ValueError: Images or labels do not fit the model.
        """
        images, labels = self._check_images(images, labels)
        return self._encode_images(images, labels)

    def reconstruct(self, images, labels=None):
        """Encodes images and decodes the means.

        Args:
            images: Array. As in `encode`.
            labels: List or array of integers. As in `encode`.

        Returns:
            A NumPy array of the images' shape, with dtype and value range of
            the images that the model was trained on.

        Raises:
            ValueError: Images or labels do not fit the model.
        """
        images, labels = self._check_images(images, labels)
        mean, _ = self._encode_images(images, labels)
        decoded = decode(
            self.ema_generator,
            tf.constant(mean),
            None if labels is None else tf.constant(labels),
            BATCH_SIZE,
        )
        return from_unit(
            decoded, self.learnt.value_range, self.learnt.image_dtype
        ).numpy()

    def _check_images(self, images, labels):
        images = np.asarray(images)
        if images.shape[1:] != self.image_shape:
            raise ValueError(
                "`images` must have the shape (num_images, "
                f"{', '.join(map(str, self.image_shape))}). "
                f"Received: images.shape={images.shape}"
            )
        learnt = np.dtype(self.learnt.image_dtype)
        if (images.dtype.kind == "f") != (learnt.kind == "f"):
            raise ValueError(
                "`images` must be of the kind that the model was trained on, "
                f"{learnt} in {list(self.learnt.value_range)}. "
                f"Received: images.dtype={images.dtype}"
            )
        if len(images):
            if images.dtype.kind == "f" and not np.isfinite(images).all():
                raise ValueError(
                    "`images` must be finite. Received: NaN or infinity"
                )
            check_values(images, self.learnt.value_range)
        if self.num_classes is None:
            if labels is not None:
                raise ValueError(
                    "`labels` must be None for a model without classes. "
                    f"Received: labels={labels!r}"
                )
        else:
            labels = check_labels(
                [] if labels is None else labels, self.num_classes
            )
            if len(labels) != len(images):
                raise ValueError(
                    "`labels` must name the class of every image. Received: "
                    f"{len(labels)} labels for {len(images)} images"
                )
        return to_unit(images, self.learnt.value_range).numpy(), labels

    def _encode_images(self, images, labels):
        num_images = len(images)
        if not num_images:
            # oneDNN's convolution gets the shape of an empty batch wrong.
            images = np.zeros((1, *self.image_shape), np.float32)
            labels = np.zeros(1, np.int32)
        parts = []
        for start in range(0, len(images), BATCH_SIZE):
            part = slice(start, start + BATCH_SIZE)
            inputs = tf.constant(images[part])
            if self.num_classes is not None:
                inputs = [inputs, tf.constant(labels[part])]
            parts.append(
                [
                    values.numpy()
                    for values in self.encoder(inputs, training=False)
                ]
            )
        mean, log_variance = (
            np.concatenate(values)[:num_images]
            for values in zip(*parts, strict=True)
        )
        return mean, log_variance

    def save_assets(self, dir_path):
        """Writes the latents of training images into a `.keras` file.

        Args:
            dir_path: Folder.
        """
        bank = self.latent_bank
        if bank is not None:
            safetensors.numpy.save_file(bank.tensors(), Path(dir_path) / BANK)

    def load_assets(self, dir_path):
        """Reads what `save_assets` wrote.

        Args:
            dir_path: Folder.
        """
        path = Path(dir_path) / BANK
        if path.exists():
            self.latent_bank = LatentBank(
                **safetensors.numpy.load_file(path),
                num_classes=self.num_classes,
            )
            self.latent_bank.check()
