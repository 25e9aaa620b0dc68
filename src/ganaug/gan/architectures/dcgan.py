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
    class_dim,
    class_parameters,
    with_class_vectors,
    with_label_maps,
)
from ganaug.gan.architectures.ladder import (
    crop,
    ladder,
    smallest_images,
    with_channels,
)
from ganaug.gan.architectures.normalization import normalized, spectral

SLOPE = 0.2
KERNEL = 4


def _stages(size, width):
    _, *sizes = ladder(size, fewest=2)
    return with_channels(sizes, width, max_multiple=8)


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
    return keras.layers.ReLU()(normalized(images))


def _doubled(images, channels, size, use_bias=False):
    images = keras.layers.Conv2DTranspose(
        channels,
        KERNEL,
        strides=2,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=_normal(),
    )(images)
    return crop(images, size)


def _generator(latents, classes, image_shape, width, depth):
    stages = _stages(image_shape[:2], width)
    images = smallest_images(
        with_class_vectors(latents, classes),
        stages,
        use_bias=False,
        kernel_initializer=_normal(),
    )
    images = _normalized_relu(images)
    for size, channels in reversed(stages):
        if images.shape[1:3] != size:
            images = _normalized_relu(_doubled(images, channels, size))
        for _ in range(depth - 1):
            images = _normalized_relu(_conv(channels)(images))
    images = _doubled(images, image_shape[2], image_shape[:2], use_bias=True)
    return keras.layers.Activation("tanh", dtype=keras.config.floatx())(images)


def _features(images, classes, width, depth, spectral_normalization=False):
    stages = _stages(images.shape[1:3], width)
    images = with_label_maps(images, classes)
    for level, (_, channels) in enumerate(stages):
        for index in range(depth):
            first = level == index == 0
            batch_normalization = not first and not spectral_normalization
            layer = _conv(
                channels,
                size=3 if index else KERNEL,
                strides=1 if index else 2,
                use_bias=not batch_normalization,
            )
            images = spectral(layer, spectral_normalization)(images)
            if batch_normalization:
                images = normalized(images)
            images = keras.layers.LeakyReLU(SLOPE)(images)
    return keras.layers.Flatten()(images)


def _fewest_parameters(image_shape, num_classes, latent_dim, width, depth):
    stages = _stages(image_shape[:2], width)
    smallest, _ = stages[-1]
    channels = [number for _, number in stages]
    inputs = latent_dim + class_dim(num_classes)
    doubling = zip([image_shape[2], *channels], channels, strict=False)
    return (
        class_parameters(num_classes)
        + inputs * math.prod(smallest) * channels[-1]
        + sum(KERNEL**2 * above * below for above, below in doubling)
        + sum((depth - 1) * 9 * number**2 for number in channels)
    )


DCGAN = Architecture(
    generator=_generator,
    discriminator=_features,
    encoder=_features,
    fewest_parameters=_fewest_parameters,
    default_conditioning="concatenation",
    spectral_normalization=True,
    latent_dim=100,
    width=64,
    depth=1,
)
