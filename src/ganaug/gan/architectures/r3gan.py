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
from ganaug.gan.architectures.conditioning import with_label_maps
from ganaug.gan.architectures.ladder import (
    crop,
    doubled,
    half,
    ladder,
    pixels,
    smallest_images,
    with_channels,
)
from ganaug.gan.layers import SLOPE, Modulation, PixelShuffle, ResidualBlock

STYLE_DIM = 128
SHUFFLE_FROM = 16


def _stages(size, width):
    """Stages that have blocks, and whether the full size is none of them."""
    shuffled = max(size) >= SHUFFLE_FROM
    sizes = ladder(half(size) if shuffled else size)
    return with_channels(sizes, width), shuffled


def _style(latents, classes):
    style = latents
    if classes is not None:
        embedding = keras.layers.Embedding(
            classes.num_classes,
            latents.shape[-1],
            embeddings_initializer="random_normal",
            name="class_embedding",
        )
        style = keras.layers.Concatenate()([latents, embedding(classes.labels)])
    for _ in range(2):
        style = keras.layers.Dense(STYLE_DIM, kernel_initializer="he_normal")(
            style
        )
        style = keras.layers.LeakyReLU(SLOPE)(style)
    return style


def _generator(latents, classes, image_shape, width, depth):
    stages, shuffled = _stages(image_shape[:2], width)
    style = _style(latents, classes)
    images = smallest_images(style, stages)
    for size, channels in reversed(stages):
        images = doubled(images, size)
        for _ in range(depth):
            images = ResidualBlock(channels)(images, style)
    images = Modulation()(images, style)
    images = keras.layers.LeakyReLU(SLOPE)(images)
    if shuffled:
        # Half the width at the full size, which is four times as many before.
        images = keras.layers.Conv2D(
            4 * math.ceil(width / 2),
            3,
            padding="same",
            kernel_initializer="he_normal",
        )(images)
        images = crop(PixelShuffle()(images), image_shape[:2])
        images = keras.layers.LeakyReLU(SLOPE)(images)
    return pixels(images, image_shape[2])


def _features(images, classes, width, depth):
    stages, shuffled = _stages(images.shape[1:3], width)
    images = with_label_maps(images, classes)
    images = keras.layers.Conv2D(
        width,
        4 if shuffled else 3,
        strides=2 if shuffled else 1,
        padding="same",
        kernel_initializer="he_normal",
    )(images)
    for size, channels in stages:
        if images.shape[1:3] != size:
            images = keras.layers.AveragePooling2D(2, padding="same")(images)
        for _ in range(depth):
            images = ResidualBlock(channels)(images)
    features = keras.layers.LeakyReLU(SLOPE)(images)
    features = keras.layers.Flatten()(features)
    features = keras.layers.Dense(
        images.shape[-1], kernel_initializer="he_normal"
    )(features)
    return keras.layers.LeakyReLU(SLOPE, dtype=keras.config.floatx())(features)


def _fewest_parameters(image_shape, num_classes, latent_dim, width, depth):
    stages, _ = _stages(image_shape[:2], width)
    smallest, most = stages[-1]
    return (
        (num_classes or 0) * latent_dim
        + latent_dim * STYLE_DIM
        + STYLE_DIM * math.prod(smallest) * most
        # Two convolutions and two modulations in each block.
        + sum(
            depth * number * (18 * number + 4 * STYLE_DIM)
            for _, number in stages
        )
    )


R3GAN = Architecture(
    generator=_generator,
    discriminator=_features,
    encoder=_features,
    fewest_parameters=_fewest_parameters,
    default_conditioning="projection",
    spectral_normalization=False,
    latent_dim=64,
    width=32,
    depth=1,
)
