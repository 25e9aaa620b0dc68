"""Residual networks without normalization, after R3GAN.

Latents and class become one style vector, which modulates every block of the
generator, so that a rare class uses what the network learnt from the frequent
ones. From sixteen pixels on, the full size itself has no blocks, only a pixel
shuffle and its inverse, since that is where convolutions cost most. Each
other size has `depth` blocks: `width` channels at the largest, twice as many
at each half, up to fourfold.

Reference:
    - [R3GAN, Huang et al., 2024](https://arxiv.org/abs/2501.05441)
    - [Miyato and Koyama, 2018](https://arxiv.org/abs/1802.05637)
"""

import math

import keras

from ganaug.gan.architectures.architecture import Architecture
from ganaug.gan.architectures.conditioning import (
    CONDITIONINGS,
    discriminator_model,
    encoder_model,
    label_input,
    logits_of,
    with_label_maps,
)
from ganaug.gan.architectures.ladder import channels_at, crop, half, ladder
from ganaug.gan.layers import SLOPE, Modulation, PixelShuffle, ResidualBlock

STYLE_DIM = 128
SHUFFLE_FROM = 16


def _ladder(size):
    """Sizes that have blocks, largest first, and whether the top is halved."""
    shuffled = max(size) >= SHUFFLE_FROM
    return ladder(half(size) if shuffled else size), shuffled


def _style(latents, labels, num_classes):
    style = latents
    if labels is not None:
        embedding = keras.layers.Embedding(
            num_classes,
            latents.shape[-1],
            embeddings_initializer="random_normal",
            name="class_embedding",
        )
        style = keras.layers.Concatenate()([latents, embedding(labels)])
    for _ in range(2):
        style = keras.layers.Dense(STYLE_DIM, kernel_initializer="he_normal")(
            style
        )
        style = keras.layers.LeakyReLU(SLOPE)(style)
    return style


def _build_generator(image_shape, num_classes, latent_dim, width, depth):
    sizes, shuffled = _ladder(image_shape[:2])
    latents = keras.Input((latent_dim,), name="latents")
    labels = label_input(num_classes)
    style = _style(latents, labels, num_classes)
    shape = (*sizes[-1], channels_at(len(sizes) - 1, width))
    images = keras.layers.Dense(math.prod(shape))(style)
    images = keras.layers.Reshape(shape)(images)
    for level, size in reversed(list(enumerate(sizes))):
        if images.shape[1:3] != size:
            images = crop(keras.layers.UpSampling2D()(images), size)
        for _ in range(depth):
            images = ResidualBlock(channels_at(level, width))(images, style)
    images = Modulation()(images, style)
    images = keras.layers.LeakyReLU(SLOPE)(images)
    if shuffled:
        images = keras.layers.Conv2D(
            2 * width, 3, padding="same", kernel_initializer="he_normal"
        )(images)
        images = crop(PixelShuffle()(images), image_shape[:2])
        images = keras.layers.LeakyReLU(SLOPE)(images)
    images = keras.layers.Conv2D(
        image_shape[2],
        3,
        padding="same",
        activation="tanh",
        dtype=keras.config.floatx(),
    )(images)
    return keras.Model(
        latents if labels is None else [latents, labels],
        images,
        name="generator",
    )


def _features(images, width, depth):
    sizes, shuffled = _ladder(images.shape[1:3])
    images = keras.layers.Conv2D(
        width,
        4 if shuffled else 3,
        strides=2 if shuffled else 1,
        padding="same",
        kernel_initializer="he_normal",
    )(images)
    for level, size in enumerate(sizes):
        if images.shape[1:3] != size:
            images = keras.layers.AveragePooling2D(2, padding="same")(images)
        for _ in range(depth):
            images = ResidualBlock(channels_at(level, width))(images)
    features = keras.layers.LeakyReLU(SLOPE)(images)
    features = keras.layers.Flatten()(features)
    features = keras.layers.Dense(
        channels_at(len(sizes) - 1, width), kernel_initializer="he_normal"
    )(features)
    return keras.layers.LeakyReLU(SLOPE, dtype=keras.config.floatx())(features)


def _build_discriminator(
    image_shape, num_classes, width, depth, conditioning, spectral_normalization
):
    images = keras.Input(image_shape, name="images")
    labels = label_input(num_classes)
    seen = images
    if conditioning == "concatenation":
        seen = with_label_maps(images, labels, num_classes)
    logits = logits_of(
        _features(seen, width, depth),
        labels,
        num_classes,
        conditioning,
        spectral_normalization,
    )
    return discriminator_model(images, labels, conditioning, logits)


def _build_encoder(image_shape, num_classes, latent_dim, width, depth):
    images = keras.Input(image_shape, name="images")
    labels = label_input(num_classes)
    seen = with_label_maps(images, labels, num_classes)
    features = _features(seen, width, depth)
    return encoder_model(images, labels, features, latent_dim)


def _fewest_parameters(image_shape, num_classes, latent_dim, width, depth):
    sizes, _ = _ladder(image_shape[:2])
    channels = [channels_at(level, width) for level in range(len(sizes))]
    return (
        (num_classes or 0) * latent_dim
        + latent_dim * STYLE_DIM
        + STYLE_DIM * math.prod(sizes[-1]) * channels[-1]
        # Two convolutions and two modulations in each block.
        + sum(
            depth * number * (18 * number + 4 * STYLE_DIM)
            for number in channels
        )
    )


R3GAN = Architecture(
    build_generator=_build_generator,
    build_discriminator=_build_discriminator,
    build_encoder=_build_encoder,
    fewest_parameters=_fewest_parameters,
    conditionings=CONDITIONINGS,
    default_conditioning="projection",
    spectral_normalization=False,
    latent_dim=64,
    width=32,
    depth=1,
)
