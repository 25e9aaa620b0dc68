"""Inputs and outputs of the networks: how they learn of the class."""

import keras

from ganaug.gan.layers import LabelMaps, LabelProjection

CONDITIONINGS = ("concatenation", "projection", "auxiliary")
MAX_CLASS_DIM = 128


def class_dim(num_classes):
    """Size of the vector that stands for a class.

    Args:
        num_classes: Integer.

    Returns:
        An integer: that of a one-hot vector, but at most 128.
    """
    return min(num_classes, MAX_CLASS_DIM)


def class_vectors(labels, num_classes):
    """Turns labels into learnt vectors of length 1.

    At first those of two classes are orthogonal, as one-hot vectors are; from
    129 classes on, which no longer fit, about so.

    Args:
        labels: Keras tensor of integers, shape `(batch,)`.
        num_classes: Integer.

    Returns:
        A Keras tensor `(batch, class_dim(num_classes))`, out of the layer
        `"class_embedding"`.
    """
    dim = class_dim(num_classes)
    return keras.layers.Embedding(
        num_classes,
        dim,
        embeddings_initializer=keras.initializers.Orthogonal(
            gain=(num_classes / dim) ** 0.5
        ),
        name="class_embedding",
    )(labels)


def label_input(num_classes):
    """Makes the input `"labels"` of a conditional network.

    Args:
        num_classes: Integer, or `None` for a network without classes.

    Returns:
        A Keras tensor of `int32`, shape `(batch,)`; `None` without classes.
    """
    if num_classes is None:
        return None
    return keras.Input((), dtype="int32", name="labels")


def with_label_maps(images, labels, num_classes):
    """Appends the class to images, as channels; nothing without labels.

    Args:
        images: Keras tensor `(batch, height, width, channels)`.
        labels: Keras tensor of integers `(batch,)`, or `None`.
        num_classes: Integer, or `None` without labels.

    Returns:
        A Keras tensor `(batch, height, width, more channels)`.
    """
    if labels is None:
        return images
    return LabelMaps(num_classes)(images, labels)


def logits_of(
    features, labels, num_classes, conditioning, spectral_normalization
):
    """Makes the last layer of a discriminator.

    Args:
        features: Keras tensor `(batch, dim)`.
        labels: Keras tensor of integers `(batch,)`, or `None`.
        num_classes: Integer, or `None` without labels.
        conditioning: String, one of `CONDITIONINGS`, or `None` without
            labels.
        spectral_normalization: Boolean.

    Returns:
        A Keras tensor of logits `(batch,)`; with `"auxiliary"` a list of it
        and of the logits of the classes, `(batch, num_classes)`.
    """
    dtype = keras.config.floatx()
    if conditioning == "projection":
        return LabelProjection(
            num_classes, spectral_normalization, dtype=dtype
        )(features, labels)

    def dense(units):
        layer = keras.layers.Dense(units, dtype=dtype)
        return spectral(layer, spectral_normalization)(features)

    logits = keras.layers.Reshape((), dtype=dtype)(dense(1))
    if conditioning == "auxiliary":
        return [logits, dense(num_classes)]
    return logits


def discriminator_model(images, labels, conditioning, logits):
    """Makes the model; with `"auxiliary"` it is not told the class.

    Args:
        images: Keras input.
        labels: Keras input, or `None`.
        conditioning: String, one of `CONDITIONINGS`, or `None`.
        logits: What `logits_of` returned.

    Returns:
        A `keras.Model`.
    """
    told = labels is not None and conditioning != "auxiliary"
    inputs = [images, labels] if told else images
    return keras.Model(inputs, logits, name="discriminator")


def encoder_model(images, labels, features, latent_dim):
    """Makes the encoder, whose variance is 1 at first.

    Args:
        images: Keras input.
        labels: Keras input, or `None`.
        features: Keras tensor `(batch, dim)`.
        latent_dim: Integer.

    Returns:
        A `keras.Model`.
    """
    mean, log_variance = (
        keras.layers.Dense(
            latent_dim,
            kernel_initializer=initializer,
            dtype=keras.config.floatx(),
            name=name,
        )(features)
        for name, initializer in (
            ("mean", "glorot_uniform"),
            ("log_variance", "zeros"),
        )
    )
    return keras.Model(
        images if labels is None else [images, labels],
        [mean, log_variance],
        name="encoder",
    )


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
