"""The networks: generators, discriminators and encoders by name."""

from ganaug.gan.architectures.architecture import Architecture
from ganaug.gan.architectures.arguments import (
    LIMITS,
    check_conditioning,
    check_image_shape,
    check_num_classes,
    check_sizes,
)
from ganaug.gan.architectures.dcgan import DCGAN
from ganaug.gan.architectures.mlp import MLP
from ganaug.gan.architectures.r3gan import R3GAN
from ganaug.gan.architectures.resnet import RESNET

__all__ = [
    "ARCHITECTURES",
    "LIMITS",
    "Architecture",
    "build_discriminator",
    "build_encoder",
    "build_generator",
    "check_image_shape",
    "fewest_parameters",
]

ARCHITECTURES = {
    "dcgan": DCGAN,
    "mlp": MLP,
    "r3gan": R3GAN,
    "resnet": RESNET,
}


def build_generator(
    architecture,
    image_shape,
    num_classes,
    latent_dim=None,
    width=None,
    depth=None,
):
    """Builds a generator: from latents and labels to images.

    All that a conditional generator knows of the class passes through the
    output of its layer `"class_embedding"`, of shape `(batch, dim)`. A model
    from there to the images can blend classes.

    Args:
        architecture: String. `"dcgan"`, `"mlp"`, `"r3gan"` or `"resnet"`.
        image_shape: Tuple `(height, width, channels)`: sides of at least 4
            pixels, odd and non-square ones too, and 1 to 4 channels.
        num_classes: Integer. Number of classes; `None` for a generator that
            knows no classes.
        latent_dim: Integer. Size of the latents. Defaults to the
            architecture's.
        width: Integer. Channels at the largest size that has features; of
            `"mlp"` the units of the first layer. Defaults to the
            architecture's.
        depth: Integer. Blocks or convolutions at each size; of `"mlp"` the
            number of hidden layers. Defaults to the architecture's.

    Returns:
        A `keras.Model` called as `generator([latents, labels])` with float
        latents `(batch, latent_dim)` and integer labels `(batch,)`, or as
        `generator(latents)` without classes. It returns images `(batch,
        height, width, channels)` in `[-1, 1]`.

    Raises:
        ValueError: The architecture is unknown, `image_shape` is not an
            image's shape, or a size is not a positive integer.

    Example:

    >>> generator = build_generator("r3gan", (9, 12, 3), num_classes=5)
    >>> generator.output_shape
    (None, 9, 12, 3)
    """
    found, arguments = _checked(
        architecture,
        image_shape,
        num_classes,
        latent_dim=latent_dim,
        width=width,
        depth=depth,
    )
    return found.build_generator(**arguments)


def build_discriminator(
    architecture,
    image_shape,
    num_classes,
    width=None,
    depth=None,
    conditioning=None,
    spectral_normalization=False,
):
    """Builds a discriminator: from images and labels to logits.

    The one of `"dcgan"` has batch normalization, unless it has spectral
    normalization; the others have none, so that a gradient penalty on one
    image does not depend on the rest of the batch.

    Args:
        architecture: String. `"dcgan"`, `"mlp"`, `"r3gan"` or `"resnet"`.
        image_shape: Tuple `(height, width, channels)`: sides of at least 4
            pixels, odd and non-square ones too, and 1 to 4 channels.
        num_classes: Integer. Number of classes; `None` for a discriminator
            that knows no classes.
        width: Integer. Channels at the largest size that has features; of
            `"mlp"` twice the units of the last layer. Defaults to the
            architecture's.
        depth: Integer. Blocks or convolutions at each size; of `"mlp"` the
            number of hidden layers. Defaults to the architecture's.
        conditioning: String. What it does with the class:
            `"concatenation"` shows it beside the image, `"projection"`
            multiplies it with the last features, `"auxiliary"` is not told
            it and has to guess it. Defaults to the architecture's; must be
            `None` without classes.
        spectral_normalization: Boolean. Whether each layer's largest singular
            value is kept at 1 in training. Not offered by `"r3gan"`.
            Defaults to `False`.

    Returns:
        A `keras.Model` called as `discriminator([images, labels])` with
        images `(batch, height, width, channels)` in `[-1, 1]` and integer
        labels `(batch,)`, or as `discriminator(images)` without classes. It
        returns raw float32 logits `(batch,)`. With `"auxiliary"` it is called
        as `discriminator(images)` and returns a list of them and of raw
        float32 logits of the classes, `(batch, num_classes)`.

    Raises:
        ValueError: The architecture or the conditioning is unknown, the
            architecture does not offer spectral normalization, `image_shape`
            is not an image's shape, or a size is not a positive integer.

    Example:

    >>> discriminator = build_discriminator("mlp", (9, 12, 3), num_classes=5)
    >>> discriminator.output_shape
    (None,)

    Reference:
        - [Conditional GAN, Mirza and Osindero,
          2014](https://arxiv.org/abs/1411.1784)
        - [Projection, Miyato and Koyama,
          2018](https://arxiv.org/abs/1802.05637)
        - [Auxiliary classifier, Odena et al.,
          2017](https://arxiv.org/abs/1610.09585)
        - [Spectral normalization, Miyato et al.,
          2018](https://arxiv.org/abs/1802.05957)
    """
    found, arguments = _checked(
        architecture, image_shape, num_classes, width=width, depth=depth
    )
    if spectral_normalization and not found.spectral_normalization:
        offered = [
            name
            for name, other in ARCHITECTURES.items()
            if other.spectral_normalization
        ]
        raise ValueError(
            f"{architecture!r} does not offer `spectral_normalization`; "
            f"{offered} do. "
            f"Received: spectral_normalization={spectral_normalization!r}"
        )
    return found.build_discriminator(
        **arguments,
        conditioning=check_conditioning(
            conditioning, arguments["num_classes"], found.default_conditioning
        ),
        spectral_normalization=bool(spectral_normalization),
    )


def build_encoder(
    architecture,
    image_shape,
    num_classes,
    latent_dim=None,
    width=None,
    depth=None,
):
    """Builds an encoder: from images and labels to a Gaussian over latents.

    It has the shape of the architecture's discriminator that sees the class
    beside the image; that of `"mlp"` is its generator in reverse.

    Args:
        architecture: String. `"dcgan"`, `"mlp"`, `"r3gan"` or `"resnet"`.
        image_shape: Tuple `(height, width, channels)`: sides of at least 4
            pixels, odd and non-square ones too, and 1 to 4 channels.
        num_classes: Integer. Number of classes; `None` for an encoder that
            knows no classes.
        latent_dim: Integer. Size of the latents. Defaults to the
            architecture's.
        width: Integer. As in `build_generator`.
        depth: Integer. As in `build_generator`.

    Returns:
        A `keras.Model` called as `encoder([images, labels])` with images
        `(batch, height, width, channels)` in `[-1, 1]` and integer labels
        `(batch,)`, or as `encoder(images)` without classes. It returns a list
        of mean and log variance, each float32 `(batch, latent_dim)`.

    Raises:
        ValueError: The architecture is unknown, `image_shape` is not an
            image's shape, or a size is not a positive integer.

    Example:

    >>> encoder = build_encoder("mlp", (8, 8, 1), num_classes=5, latent_dim=7)
    >>> encoder.output_shape
    [(None, 7), (None, 7)]

    Reference:
        - [Kingma and Welling, 2014](https://arxiv.org/abs/1312.6114)
    """
    found, arguments = _checked(
        architecture,
        image_shape,
        num_classes,
        latent_dim=latent_dim,
        width=width,
        depth=depth,
    )
    return found.build_encoder(**arguments)


def fewest_parameters(
    architecture, image_shape, num_classes, latent_dim, width, depth
):
    """Counts most of a generator's weights without building it.

    Args:
        architecture: String. As in `build_generator`, and so the others.
        image_shape: Tuple of three integers.
        num_classes: Integer or `None`.
        latent_dim: Integer.
        width: Integer.
        depth: Integer.

    Returns:
        An integer: the generator has at least so many weights, and not many
        times more.

    Raises:
        ValueError: The architecture is unknown, `image_shape` is not an
            image's shape, or a size is not a positive integer.

    Example:

    >>> fewest_parameters("mlp", (28, 28, 1), None, 100, 256, 3)
    1483776
    """
    found, arguments = _checked(
        architecture,
        image_shape,
        num_classes,
        latent_dim=latent_dim,
        width=width,
        depth=depth,
    )
    return found.fewest_parameters(**arguments)


def _checked(name, image_shape, num_classes, **sizes):
    """The architecture, and the arguments that all its functions share."""
    if not isinstance(name, str) or name not in ARCHITECTURES:
        raise ValueError(
            f"`architecture` must be one of {sorted(ARCHITECTURES)}. "
            f"Received: architecture={name!r}"
        )
    found = ARCHITECTURES[name]
    return found, {
        "image_shape": check_image_shape(image_shape),
        "num_classes": check_num_classes(num_classes),
        **check_sizes(found, **sizes),
    }
