"""Data whose every image tells where it comes from."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganaug import artifact
from ganaug.synthesis.generating import draw_bank
from ganaug.synthesis.generators import Generators

NUM_CLASSES = 5
SHAPE = (4, 4, 1)
# Gray values of synthetic images; real ones have a white corner.
GRAY, WHITE = 40, 255


def talking_artifact():
    """Draws images in the gray value of their class.

    The last row is noise, by which images can be told apart.
    """
    latents = keras.Input((2,), name="latents")
    labels = keras.Input((), dtype="int32", name="labels")
    grays = (np.arange(NUM_CLASSES) + 1) * GRAY * 2 / 255 - 1
    gray = keras.layers.Embedding(
        NUM_CLASSES,
        1,
        embeddings_initializer=keras.initializers.Constant(grays[:, None]),
        name="class_embedding",
    )(labels)
    images = keras.ops.tile(gray[:, None, None], (1, 3, 4, 1))
    noise = keras.layers.Dense(
        4, "tanh", kernel_initializer=keras.initializers.RandomNormal(seed=0)
    )(latents)
    last = keras.ops.reshape(noise, (-1, 1, 4, 1))
    return artifact.Artifact(
        generator=keras.Model(
            [latents, labels], keras.ops.concatenate([images, last], 1)
        ),
        arguments={
            "image_shape": SHAPE,
            "num_classes": NUM_CLASSES,
            "latent_dim": 2,
        },
        class_names=("ant", "bee", "cat", "dog", "elk"),
        value_range=(0.0, 255.0),
        image_dtype="uint8",
        training={},
    )


@pytest.fixture(scope="session")
def talking():
    """An artifact whose images tell their class."""
    return talking_artifact()


@pytest.fixture(scope="session")
def talking_bank(talking):
    """A bank in memory of such images."""
    return draw_bank(Generators(talking), 64, seed=0)


class Told:
    """What the images of a stream tell.

    Attributes:
        real: Boolean array `(num_images,)`.
        number: Integer array, which of the real images each is; -1.
        label: Integer array, the class that a synthetic image shows; -1.
    """

    def __init__(self, images, value_range=(0, 255)):
        low, high = value_range
        pixels = (images.astype("float64") - low) / (high - low) * 255
        pixels = np.round(pixels).astype(int).reshape(len(images), -1)
        self.real = pixels[:, 0] == WHITE
        self.number = np.where(self.real, pixels[:, 1], -1)
        self.label = np.where(self.real, -1, pixels[:, 0] // GRAY - 1)
        # Rows of one image only: nothing is torn.
        flat = pixels[:, :12] == pixels[:, :1]
        assert (flat.all(1) | self.real).all()
        assert (pixels[self.real, 2:] == 0).all()
        assert (np.where(self.real, 0, pixels[:, 0] % GRAY) == 0).all()


@pytest.fixture(scope="session")
def told():
    """A function that reads what images tell."""
    return Told


def real_images(num):
    images = np.zeros((num, *SHAPE), np.uint8)
    images[:, 0, 0] = WHITE
    images[:, 0, 1, 0] = np.arange(num)
    return images


@pytest.fixture(scope="session")
def real():
    """A function that makes a dataset of numbered real images.

    Labels count `0 0 0 1 1 2 0 0 0 1 ...` unless they are given.
    """

    def make(num=40, labels=None):
        assert num <= 250
        if labels is None:
            labels = np.resize([0, 0, 0, 1, 1, 2], num)
        return tf.data.Dataset.from_tensor_slices(
            (real_images(num), np.asarray(labels, np.int64))
        )

    return make


@pytest.fixture(scope="session")
def read():
    """A function that joins all examples of a dataset, batched or not."""

    def read(dataset):
        specs = tf.nest.flatten(dataset.element_spec)
        batched = max(spec.shape.rank for spec in specs) == 4
        elements = list(
            (dataset if batched else dataset.batch(7)).as_numpy_iterator()
        )
        return tf.nest.map_structure(
            lambda *parts: np.concatenate(parts), *elements
        )

    return read
