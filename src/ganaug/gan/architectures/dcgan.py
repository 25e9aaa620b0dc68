"""DCGAN: strided convolutions with batch normalization.

Each size of the ladder below the image has features: `width` channels at the
largest, twice as many at each half, up to eightfold. From the second on, each
unit of depth adds a 3x3 convolution to every size. Spectral normalization
takes the place of the discriminator's batch normalization.

Reference:
    - [Radford et al., 2016](https://arxiv.org/abs/1511.06434)
"""

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
from ganaug.gan.layers import BATCH_NORMALIZATION

SLOPE = 0.2
KERNEL = 4
MAX_MULTIPLE = 8


def _channels(level, width):
    return channels_at(level, width, MAX_MULTIPLE)


def _normal():
    return keras.initializers.RandomNormal(stddev=0.02)


def _conv(channels, size=3, strides=1, use_bias=False):
    return keras.layers.Conv2D(
        channels,
        size,
        strides=strides,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=_normal(),
    )


def _normalized_relu(images):
    images = keras.layers.BatchNormalization(**BATCH_NORMALIZATION)(images)
    return keras.layers.ReLU()(images)


def _build_generator(image_shape, num_classes, latent_dim, width, depth):
    _, *sizes = ladder(image_shape[:2], fewest=2)
    latents = keras.Input((latent_dim,), name="latents")
    labels = label_input(num_classes)
    features = latents
    if labels is not None:
        features = keras.layers.Concatenate()(
            [latents, class_vectors(labels, num_classes)]
        )
    shape = (*sizes[-1], _channels(len(sizes) - 1, width))
    images = keras.layers.Dense(
        math.prod(shape), use_bias=False, kernel_initializer=_normal()
    )(features)
    images = keras.layers.Reshape(shape)(images)
    images = _normalized_relu(images)
    for level, size in reversed(list(enumerate(sizes))):
        channels = _channels(level, width)
        if images.shape[1:3] != size:
            images = _doubled(images, channels, size, use_bias=False)
            images = _normalized_relu(images)
        for _ in range(depth - 1):
            images = _normalized_relu(_conv(channels)(images))
    images = _doubled(images, image_shape[2], image_shape[:2], use_bias=True)
    images = keras.layers.Activation("tanh", dtype=keras.config.floatx())(
        images
    )
    return keras.Model(
        latents if labels is None else [latents, labels],
        images,
        name="generator",
    )


def _doubled(images, channels, size, use_bias):
    images = keras.layers.Conv2DTranspose(
        channels,
        KERNEL,
        strides=2,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=_normal(),
    )(images)
    return crop(images, size)


def _features(images, width, depth, spectral_normalization=False):
    _, *sizes = ladder(images.shape[1:3], fewest=2)
    for level in range(len(sizes)):
        channels = _channels(level, width)
        for index in range(depth):
            first = level == index == 0
            normalized = not first and not spectral_normalization
            layer = _conv(
                channels,
                size=3 if index else KERNEL,
                strides=1 if index else 2,
                use_bias=not normalized,
            )
            images = spectral(layer, spectral_normalization)(images)
            if normalized:
                images = keras.layers.BatchNormalization(**BATCH_NORMALIZATION)(
                    images
                )
            images = keras.layers.LeakyReLU(SLOPE)(images)
    return keras.layers.Flatten()(images)


def _build_discriminator(
    image_shape, num_classes, width, depth, conditioning, spectral_normalization
):
    images = keras.Input(image_shape, name="images")
    labels = label_input(num_classes)
    seen = images
    if conditioning == "concatenation":
        seen = with_label_maps(images, labels, num_classes)
    features = _features(seen, width, depth, spectral_normalization)
    logits = logits_of(
        features, labels, num_classes, conditioning, spectral_normalization
    )
    return discriminator_model(images, labels, conditioning, logits)


def _build_encoder(image_shape, num_classes, latent_dim, width, depth):
    images = keras.Input(image_shape, name="images")
    labels = label_input(num_classes)
    seen = with_label_maps(images, labels, num_classes)
    features = _features(seen, width, depth)
    return encoder_model(images, labels, features, latent_dim)


def _fewest_parameters(image_shape, num_classes, latent_dim, width, depth):
    _, *sizes = ladder(image_shape[:2], fewest=2)
    channels = [_channels(level, width) for level in range(len(sizes))]
    embedding, inputs = 0, latent_dim
    if num_classes is not None:
        embedding = num_classes * class_dim(num_classes)
        inputs += class_dim(num_classes)
    doubling = zip([image_shape[2], *channels], channels, strict=False)
    return (
        embedding
        + inputs * math.prod(sizes[-1]) * channels[-1]
        + sum(KERNEL**2 * above * below for above, below in doubling)
        + sum((depth - 1) * 9 * number**2 for number in channels)
    )


DCGAN = Architecture(
    build_generator=_build_generator,
    build_discriminator=_build_discriminator,
    build_encoder=_build_encoder,
    fewest_parameters=_fewest_parameters,
    conditionings=CONDITIONINGS,
    default_conditioning="concatenation",
    spectral_normalization=True,
    latent_dim=100,
    width=64,
    depth=1,
)
