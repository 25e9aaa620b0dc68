"""Residual blocks with conditional batch normalization in the generator.

Each size of the ladder has `depth` blocks, the image itself too: `width`
channels there, twice as many at each half, up to fourfold. Where the generator
begins it has one less. The discriminator has no batch normalization.

Reference:
    - [Miyato et al., 2018](https://arxiv.org/abs/1802.05957)
    - [Miyato and Koyama, 2018](https://arxiv.org/abs/1802.05637)
    - [BigGAN, Brock et al., 2019](https://arxiv.org/abs/1809.11096)
"""

import itertools
import math

import keras

from ganaug.gan.architectures.architecture import Architecture
from ganaug.gan.architectures.conditioning import (
    class_parameters,
    class_vectors,
    with_label_maps,
)
from ganaug.gan.architectures.ladder import (
    doubled,
    ladder,
    pixels,
    smallest_images,
    with_channels,
)
from ganaug.gan.architectures.normalization import normalized, spectral


def _stages(size, width):
    return with_channels(ladder(size, fewest=2), width)


def _conv(channels, spectral_normalization=False, size=3):
    # He's scale where a ReLU comes before, Glorot's for shortcuts.
    initializer = "he_normal" if size > 1 else "glorot_uniform"
    layer = keras.layers.Conv2D(
        channels, size, padding="same", kernel_initializer=initializer
    )
    return spectral(layer, spectral_normalization)


def _normalized_relu(images, vectors=None):
    return keras.layers.ReLU()(normalized(images, vectors))


def _generator_block(images, vectors, channels, size):
    inner = doubled(_normalized_relu(images, vectors), size)
    inner = _conv(channels)(inner)
    inner = _conv(channels)(_normalized_relu(inner, vectors))
    if images.shape[-1] != channels:
        # Before the doubling: it commutes with a 1x1 convolution.
        images = _conv(channels, size=1)(images)
    return keras.layers.Add()([doubled(images, size), inner])


def _generator(latents, classes, image_shape, width, depth):
    stages = _stages(image_shape[:2], width)
    vectors = None if classes is None else class_vectors(classes)
    images = smallest_images(latents, stages)
    for size, channels in reversed(stages):
        smallest = size == stages[-1][0]
        for _ in range(depth - smallest):
            images = _generator_block(images, vectors, channels, size)
    # The class has had its say in the blocks.
    return pixels(_normalized_relu(images), image_shape[2])


def _discriminator_block(
    images, channels, first, pooled, spectral_normalization
):
    # The first block sees pixels, whose dark half a ReLU would cut off.
    inner = images if first else keras.layers.ReLU()(images)
    inner = _conv(channels, spectral_normalization)(inner)
    inner = _conv(channels, spectral_normalization)(keras.layers.ReLU()(inner))
    if pooled:
        inner = keras.layers.AveragePooling2D(2, padding="same")(inner)
        images = keras.layers.AveragePooling2D(2, padding="same")(images)
    if images.shape[-1] != channels:
        images = _conv(channels, spectral_normalization, size=1)(images)
    return keras.layers.Add()([images, inner])


def _features(images, classes, width, depth, spectral_normalization=False):
    stages = _stages(images.shape[1:3], width)
    images = with_label_maps(images, classes)
    for level, (_, channels) in enumerate(stages):
        for index in range(depth):
            images = _discriminator_block(
                images,
                channels,
                first=level == index == 0,
                pooled=index == depth - 1 and level < len(stages) - 1,
                spectral_normalization=spectral_normalization,
            )
    return keras.layers.ReLU()(images)


def _discriminator(images, classes, width, depth, spectral_normalization=False):
    images = _features(images, classes, width, depth, spectral_normalization)
    # The sum, as published: with the mean, it learns the classes more slowly.
    area = math.prod(images.shape[1:3])
    features = keras.layers.GlobalAveragePooling2D()(images)
    return keras.layers.Rescaling(area, dtype=keras.config.floatx())(features)


def _encoder(images, classes, width, depth):
    return keras.layers.Flatten()(_features(images, classes, width, depth))


def _fewest_parameters(image_shape, num_classes, latent_dim, width, depth):
    stages = _stages(image_shape[:2], width)
    smallest, _ = stages[-1]
    channels = [number for _, number in stages]
    doubling = itertools.pairwise(channels)
    return (
        class_parameters(num_classes)
        + latent_dim * math.prod(smallest) * channels[-1]
        + sum(9 * above * (below + above) for above, below in doubling)
        + sum((depth - 1) * 18 * number**2 for number in channels)
    )


RESNET = Architecture(
    generator=_generator,
    discriminator=_discriminator,
    encoder=_encoder,
    fewest_parameters=_fewest_parameters,
    default_conditioning="projection",
    spectral_normalization=True,
    latent_dim=128,
    width=64,
    depth=1,
)
