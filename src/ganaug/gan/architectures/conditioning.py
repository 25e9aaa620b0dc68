"""How the networks learn of the class."""

from dataclasses import dataclass

import keras

from ganaug.gan.architectures.normalization import spectral
from ganaug.gan.layers import LabelMaps, LabelProjection

CONDITIONINGS = ("concatenation", "projection", "auxiliary")
MAX_CLASS_DIM = 128


@dataclass(frozen=True, eq=False)
class Classes:
    """The classes of a batch, as an input of a network.

    Args:
        labels: Keras tensor of `int32`, shape `(batch,)`.
        num_classes: Integer.
    """

    labels: keras.KerasTensor
    num_classes: int


def class_input(num_classes):
    """Makes the input `"labels"` of a conditional network.

    Args:
        num_classes: Integer, or `None` for a network without classes.

    Returns:
        A `Classes`; `None` without classes.
    """
    if num_classes is None:
        return None
    labels = keras.Input((), dtype="int32", name="labels")
    return Classes(labels, num_classes)


def class_dim(num_classes):
    """Size of the vector that stands for a class.

    Args:
        num_classes: Integer, or `None` without classes.

    Returns:
        An integer: that of a one-hot vector, but at most 128; `0` without
        classes.
    """
    return min(num_classes or 0, MAX_CLASS_DIM)


def class_parameters(num_classes):
    """Counts the weights of `class_vectors`.

    Args:
        num_classes: Integer, or `None` without classes.

    Returns:
        An integer.
    """
    return (num_classes or 0) * class_dim(num_classes)


def class_vectors(classes):
    """Turns labels into learnt vectors of length 1.

    At first those of two classes are orthogonal, as one-hot vectors are; from
    129 classes on, which no longer fit, about so.

    Args:
        classes: `Classes`.

    Returns:
        A Keras tensor `(batch, class_dim(num_classes))`, out of the layer
        `"class_embedding"`.
    """
    dim = class_dim(classes.num_classes)
    return keras.layers.Embedding(
        classes.num_classes,
        dim,
        embeddings_initializer=keras.initializers.Orthogonal(
            gain=(classes.num_classes / dim) ** 0.5
        ),
        name="class_embedding",
    )(classes.labels)


def with_class_vectors(features, classes):
    """Appends the class to features; nothing without classes.

    Args:
        features: Keras tensor `(batch, dim)`.
        classes: `Classes` or `None`.

    Returns:
        A Keras tensor `(batch, more dim)`.
    """
    if classes is None:
        return features
    return keras.layers.Concatenate()([features, class_vectors(classes)])


def with_label_maps(images, classes):
    """Appends the class to images, as channels; nothing without classes.

    Args:
        images: Keras tensor `(batch, height, width, channels)`.
        classes: `Classes` or `None`.

    Returns:
        A Keras tensor `(batch, height, width, more channels)`.
    """
    if classes is None:
        return images
    return LabelMaps(classes.num_classes)(images, classes.labels)


def logits_of(features, classes, conditioning, spectral_normalization):
    """Makes the last layer of a discriminator.

    Args:
        features: Keras tensor `(batch, dim)`.
        classes: `Classes` or `None`.
        conditioning: String, one of `CONDITIONINGS`, or `None` without
            classes.
        spectral_normalization: Boolean.

    Returns:
        A Keras tensor of logits `(batch,)`; with `"auxiliary"` a list of it
        and of the logits of the classes, `(batch, num_classes)`.
    """
    dtype = keras.config.floatx()
    if conditioning == "projection":
        return LabelProjection(
            classes.num_classes, spectral_normalization, dtype=dtype
        )(features, classes.labels)

    def dense(units):
        layer = keras.layers.Dense(units, dtype=dtype)
        return spectral(layer, spectral_normalization)(features)

    logits = keras.layers.Reshape((), dtype=dtype)(dense(1))
    if conditioning == "auxiliary":
        return [logits, dense(classes.num_classes)]
    return logits
