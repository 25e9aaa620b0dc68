"""What there is to know of an architecture."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """The networks of one kind, and the sizes they have by default.

    The functions take the checked arguments of those of the same name in
    `ganaug.gan.architectures`, without `architecture`.

    Args:
        build_generator: Function of `(image_shape, num_classes, latent_dim,
            width, depth)`.
        build_discriminator: Function of `(image_shape, num_classes, width,
            depth, conditioning, spectral_normalization)`.
        build_encoder: Function of the arguments of `build_generator`.
        fewest_parameters: Function of the arguments of `build_generator`.
        conditionings: Tuple of strings. How its discriminator may learn of
            the class.
        default_conditioning: String. One of them.
        spectral_normalization: Boolean. Whether its discriminator offers it.
        latent_dim: Integer. Default size of the latents.
        width: Integer. Default width.
        depth: Integer. Default depth.
    """

    build_generator: Callable
    build_discriminator: Callable
    build_encoder: Callable
    fewest_parameters: Callable
    conditionings: tuple
    default_conditioning: str
    spectral_normalization: bool
    latent_dim: int
    width: int
    depth: int
