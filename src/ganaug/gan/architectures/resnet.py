"""Residual blocks with conditional batch normalization in the generator.

Each size of the ladder has `depth` blocks, the image itself too: `width`
channels there, twice as many at each half, up to fourfold. The discriminator
has no batch normalization.

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
    CONDITIONINGS,
    class_dim,
    class_vectors,
    discriminator_model,
    encoder_model,
    label_input,
    logits_of,
    spectral,
    with_label_maps,
)
from ganaug.gan.architectures.ladder import channels_at, crop, ladder
from ganaug.gan.layers import BATCH_NORMALIZATION, ConditionalBatchNormalization


def _conv(channels, spectral_normalization=False, size=3):
    # He's scale where a ReLU comes before, Glorot's for shortcuts.
    initializer = "he_normal" if size > 1 else "glorot_uniform"
    layer = keras.layers.Conv2D(
        channels, size, padding="same", kernel_initializer=initializer
    )
    return spectral(layer, spectral_normalization)


def _normalized_relu(images, classes):
    if classes is None:
        images = keras.layers.BatchNormalization(**BATCH_NORMALIZATION)(images)
    else:
        images = ConditionalBatchNormalization()(images, classes)
    return keras.layers.ReLU()(images)


def _doubled(images, size):
    if images.shape[1:3] == size:
        return images
    return crop(keras.layers.UpSampling2D()(images), size)


def _generator_block(images, classes, channels, size):
    inner = _doubled(_normalized_relu(images, classes), size)
    inner = _conv(channels)(inner)
    inner = _conv(channels)(_normalized_relu(inner, classes))
    if images.shape[-1] != channels:
        # Before the doubling: it commutes with a 1x1 convolution.
        images = _conv(channels, size=1)(images)
    return keras.layers.Add()([_doubled(images, size), inner])


def _build_generator(image_shape, num_classes, latent_dim, width, depth):
    sizes = ladder(image_shape[:2], fewest=2)
    latents = keras.Input((latent_dim,), name="latents")
    labels = label_input(num_classes)
    classes = None if labels is None else class_vectors(labels, num_classes)
    shape = (*sizes[-1], channels_at(len(sizes) - 1, width))
    images = keras.layers.Dense(math.prod(shape))(latents)
    images = keras.layers.Reshape(shape)(images)
    for level, size in reversed(list(enumerate(sizes))):
        channels = channels_at(level, width)
        smallest = level == len(sizes) - 1
        for _ in range(depth - smallest):
            images = _generator_block(images, classes, channels, size)
    # The class has had its say in the blocks.
    images = _normalized_relu(images, None)
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


def _block(images, channels, first, pooled, spectral_normalization):
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


def _features(images, width, depth, spectral_normalization=False):
    sizes = ladder(images.shape[1:3], fewest=2)
    for level in range(len(sizes)):
        for index in range(depth):
            images = _block(
                images,
                channels_at(level, width),
                first=level == index == 0,
                pooled=index == depth - 1 and level < len(sizes) - 1,
                spectral_normalization=spectral_normalization,
            )
    return keras.layers.ReLU()(images)


def _build_discriminator(
    image_shape, num_classes, width, depth, conditioning, spectral_normalization
):
    images = keras.Input(image_shape, name="images")
    labels = label_input(num_classes)
    seen = images
    if conditioning == "concatenation":
        seen = with_label_maps(images, labels, num_classes)
    features = _features(seen, width, depth, spectral_normalization)
    # The sum, as published: with the mean, it learns the classes more slowly.
    size = math.prod(features.shape[1:3])
    features = keras.layers.GlobalAveragePooling2D()(features)
    features = keras.layers.Rescaling(size, dtype=keras.config.floatx())(
        features
    )
    logits = logits_of(
        features, labels, num_classes, conditioning, spectral_normalization
    )
    return discriminator_model(images, labels, conditioning, logits)


def _build_encoder(image_shape, num_classes, latent_dim, width, depth):
    images = keras.Input(image_shape, name="images")
    labels = label_input(num_classes)
    seen = with_label_maps(images, labels, num_classes)
    features = keras.layers.Flatten()(_features(seen, width, depth))
    return encoder_model(images, labels, features, latent_dim)


def _fewest_parameters(image_shape, num_classes, latent_dim, width, depth):
    sizes = ladder(image_shape[:2], fewest=2)
    channels = [channels_at(level, width) for level in range(len(sizes))]
    embedding = 0
    if num_classes is not None:
        embedding = num_classes * class_dim(num_classes)
    doubling = itertools.pairwise(channels)
    return (
        embedding
        + latent_dim * math.prod(sizes[-1]) * channels[-1]
        + sum(9 * above * (below + above) for above, below in doubling)
        + sum((depth - 1) * 18 * number**2 for number in channels)
    )


RESNET = Architecture(
    build_generator=_build_generator,
    build_discriminator=_build_discriminator,
    build_encoder=_build_encoder,
    fewest_parameters=_fewest_parameters,
    conditionings=CONDITIONINGS,
    default_conditioning="projection",
    spectral_normalization=True,
    latent_dim=128,
    width=64,
    depth=1,
)
