"""The dense networks of the first GAN tutorials, for small images.

The sizes are those of the usual MNIST example; only the smallest pictures
leave dense layers a chance.

Reference:
    - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661)
    - [Mirza and Osindero, 2014](https://arxiv.org/abs/1411.1784)
"""

import itertools
import math

import keras

from ganaug.gan.architectures.architecture import Architecture
from ganaug.gan.architectures.conditioning import (
    class_dim,
    class_parameters,
    with_class_vectors,
)
from ganaug.gan.architectures.normalization import spectral

SLOPE = 0.01


def _widths(width, depth):
    return [width * 2**index for index in range(depth)]


def _hidden(features, widths, spectral_normalization=False):
    for width in widths:
        layer = keras.layers.Dense(width)
        features = spectral(layer, spectral_normalization)(features)
        features = keras.layers.LeakyReLU(SLOPE)(features)
    return features


def _generator(latents, classes, image_shape, width, depth):
    features = with_class_vectors(latents, classes)
    features = _hidden(features, _widths(width, depth))
    dtype = keras.config.floatx()
    images = keras.layers.Dense(
        math.prod(image_shape), activation="tanh", dtype=dtype
    )(features)
    return keras.layers.Reshape(image_shape, dtype=dtype)(images)


def _discriminator(images, classes, width, depth, spectral_normalization=False):
    features = keras.layers.Flatten()(images)
    features = with_class_vectors(features, classes)
    widths = [max(1, size // 2) for size in reversed(_widths(width, depth))]
    return _hidden(features, widths, spectral_normalization)


def _encoder(images, classes, width, depth):
    features = keras.layers.Flatten()(images)
    features = with_class_vectors(features, classes)
    return _hidden(features, reversed(_widths(width, depth)))


def _fewest_parameters(image_shape, num_classes, latent_dim, width, depth):
    inputs = latent_dim + class_dim(num_classes)
    widths = [inputs, *_widths(width, depth), math.prod(image_shape)]
    return class_parameters(num_classes) + sum(
        before * after for before, after in itertools.pairwise(widths)
    )


MLP = Architecture(
    generator=_generator,
    discriminator=_discriminator,
    encoder=_encoder,
    fewest_parameters=_fewest_parameters,
    default_conditioning="concatenation",
    spectral_normalization=True,
    latent_dim=100,
    width=256,
    depth=3,
)
