"""An architecture: what its networks share, around the layers of its own."""

from collections.abc import Callable
from dataclasses import dataclass

import keras

from ganaug.gan.architectures.conditioning import class_input, logits_of


@dataclass(frozen=True)
class Architecture:
    """The networks of one kind, and the sizes they have by default.

    Its functions make the layers between a network's inputs and its last
    layers. The classes that they take are a
    `ganaug.gan.architectures.conditioning.Classes`, or `None` for a network
    that is not shown any.

    Args:
        generator: Function of `(latents, classes, image_shape, width, depth)`
            that returns images in `[-1, 1]`.
        discriminator: Function of `(images, classes, width, depth)` that
            returns features `(batch, dim)`. It takes
            `spectral_normalization` too, if that is offered.
        encoder: As `discriminator`, without spectral normalization.
        fewest_parameters: Function of the arguments of `build_generator`; see
            `ganaug.gan.architectures.fewest_parameters`.
        default_conditioning: String. How its discriminator learns of the
            class unless something else is said.
        spectral_normalization: Boolean. Whether its discriminator offers it.
        latent_dim: Integer. Default size of the latents.
        width: Integer. Default width.
        depth: Integer. Default depth.
    """

    generator: Callable
    discriminator: Callable
    encoder: Callable
    fewest_parameters: Callable
    default_conditioning: str
    spectral_normalization: bool
    latent_dim: int
    width: int
    depth: int

    def build_generator(
        self, image_shape, num_classes, latent_dim, width, depth
    ):
        """Builds a generator from checked arguments.

        Args:
            image_shape: Tuple `(height, width, channels)`.
            num_classes: Integer or `None`.
            latent_dim: Integer.
            width: Integer.
            depth: Integer.

        Returns:
            A `keras.Model`, see `ganaug.gan.architectures.build_generator`.
        """
        latents = keras.Input((latent_dim,), name="latents")
        classes = class_input(num_classes)
        images = self.generator(latents, classes, image_shape, width, depth)
        return keras.Model(_inputs(latents, classes), images, name="generator")

    def build_discriminator(
        self,
        image_shape,
        num_classes,
        width,
        depth,
        conditioning,
        spectral_normalization,
    ):
        """Builds a discriminator from checked arguments.

        Args:
            image_shape: Tuple `(height, width, channels)`.
            num_classes: Integer or `None`.
            width: Integer.
            depth: Integer.
            conditioning: String, or `None` without classes.
            spectral_normalization: Boolean.

        Returns:
            A `keras.Model`, see
            `ganaug.gan.architectures.build_discriminator`.
        """
        images = keras.Input(image_shape, name="images")
        classes = class_input(num_classes)
        options = {}
        if self.spectral_normalization:
            options["spectral_normalization"] = spectral_normalization
        features = self.discriminator(
            images,
            classes if conditioning == "concatenation" else None,
            width,
            depth,
            **options,
        )
        logits = logits_of(
            features, classes, conditioning, spectral_normalization
        )
        told = None if conditioning == "auxiliary" else classes
        return keras.Model(_inputs(images, told), logits, name="discriminator")

    def build_encoder(self, image_shape, num_classes, latent_dim, width, depth):
        """Builds an encoder, whose variance is 1 at first.

        Args:
            image_shape: Tuple `(height, width, channels)`.
            num_classes: Integer or `None`.
            latent_dim: Integer.
            width: Integer.
            depth: Integer.

        Returns:
            A `keras.Model`, see `ganaug.gan.architectures.build_encoder`.
        """
        images = keras.Input(image_shape, name="images")
        classes = class_input(num_classes)
        features = self.encoder(images, classes, width, depth)
        gaussian = [
            keras.layers.Dense(
                latent_dim,
                kernel_initializer=initializer,
                dtype=keras.config.floatx(),
                name=name,
            )(features)
            for name, initializer in (
                ("mean", "glorot_uniform"),
                ("log_variance", "zeros"),
            )
        ]
        return keras.Model(_inputs(images, classes), gaussian, name="encoder")


def _inputs(tensor, classes):
    return tensor if classes is None else [tensor, classes.labels]
