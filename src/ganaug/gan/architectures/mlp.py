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
    CONDITIONINGS,
    class_dim,
    class_vectors,
    discriminator_model,
    encoder_model,
    label_input,
    logits_of,
    spectral,
)

SLOPE = 0.01


def _hidden(features, widths, spectral_normalization=False):
    for width in widths:
        layer = keras.layers.Dense(width)
        features = spectral(layer, spectral_normalization)(features)
        features = keras.layers.LeakyReLU(SLOPE)(features)
    return features


def _with_class(features, labels, num_classes):
    if labels is None:
        return features
    return keras.layers.Concatenate()(
        [features, class_vectors(labels, num_classes)]
    )


def _widths(width, depth):
    return [width * 2**index for index in range(depth)]


def _build_generator(image_shape, num_classes, latent_dim, width, depth):
    latents = keras.Input((latent_dim,), name="latents")
    labels = label_input(num_classes)
    features = _with_class(latents, labels, num_classes)
    features = _hidden(features, _widths(width, depth))
    dtype = keras.config.floatx()
    images = keras.layers.Dense(
        math.prod(image_shape), activation="tanh", dtype=dtype
    )(features)
    images = keras.layers.Reshape(image_shape, dtype=dtype)(images)
    return keras.Model(
        latents if labels is None else [latents, labels],
        images,
        name="generator",
    )


def _build_discriminator(
    image_shape, num_classes, width, depth, conditioning, spectral_normalization
):
    images = keras.Input(image_shape, name="images")
    labels = label_input(num_classes)
    features = keras.layers.Flatten()(images)
    if conditioning == "concatenation":
        features = _with_class(features, labels, num_classes)
    features = _hidden(
        features,
        [max(1, size // 2) for size in reversed(_widths(width, depth))],
        spectral_normalization,
    )
    logits = logits_of(
        features, labels, num_classes, conditioning, spectral_normalization
    )
    return discriminator_model(images, labels, conditioning, logits)


def _build_encoder(image_shape, num_classes, latent_dim, width, depth):
    images = keras.Input(image_shape, name="images")
    labels = label_input(num_classes)
    features = keras.layers.Flatten()(images)
    features = _with_class(features, labels, num_classes)
    features = _hidden(features, reversed(_widths(width, depth)))
    return encoder_model(images, labels, features, latent_dim)


def _fewest_parameters(image_shape, num_classes, latent_dim, width, depth):
    embedding, inputs = 0, latent_dim
    if num_classes is not None:
        embedding = num_classes * class_dim(num_classes)
        inputs += class_dim(num_classes)
    widths = [inputs, *_widths(width, depth), math.prod(image_shape)]
    return embedding + sum(
        before * after for before, after in itertools.pairwise(widths)
    )


MLP = Architecture(
    build_generator=_build_generator,
    build_discriminator=_build_discriminator,
    build_encoder=_build_encoder,
    fewest_parameters=_fewest_parameters,
    conditionings=CONDITIONINGS,
    default_conditioning="concatenation",
    spectral_normalization=True,
    latent_dim=100,
    width=256,
    depth=3,
)
