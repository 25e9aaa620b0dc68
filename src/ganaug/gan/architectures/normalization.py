"""Normalization of features and of weights."""

import keras

from ganaug.gan.layers import BATCH_NORMALIZATION, ConditionalBatchNormalization


def normalized(images, vectors=None):
    """Normalizes each channel over the batch.

    Args:
        images: Keras tensor `(batch, height, width, channels)`.
        vectors: Keras tensor `(batch, dim)` that scale and shift depend on,
            such as those of classes. Defaults to none.

    Returns:
        A Keras tensor of the images' shape.

    Reference:
        - [de Vries et al., 2017](https://arxiv.org/abs/1707.00683)
    """
    if vectors is None:
        return keras.layers.BatchNormalization(**BATCH_NORMALIZATION)(images)
    return ConditionalBatchNormalization()(images, vectors)


def spectral(layer, spectral_normalization):
    """Wraps a layer in spectral normalization, if that is wanted.

    Args:
        layer: `keras.layers.Dense` or a convolution.
        spectral_normalization: Boolean.

    Returns:
        A `keras.layers.Layer`.

    Reference:
        - [Miyato et al., 2018](https://arxiv.org/abs/1802.05957)
    """
    if not spectral_normalization:
        return layer
    # It writes the kernel anew at each step, which float16 would wear out.
    return keras.layers.SpectralNormalization(
        layer, dtype=keras.config.floatx()
    )
