"""Data and a small GAN that many tests share."""

import gc
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import pytest

import ganaug
from ganaug.data.labeled_images import LabeledImages
from ganaug.evaluate.arms import BASELINE, Arm


def pytest_collection_finish(session):
    """Leaves what is imported out of each collection of garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_garbage():
    """Frees each test's graphs after it.

    Python alone waits until there are many, and to free those at once has taken
    40 seconds.
    """
    yield
    gc.collect()


@pytest.fixture(scope="session")
def digits():
    """scikit-learn's digits, long-tailed, with a test set."""
    return ganaug.load_data(
        "digits", class_counts=(40, 30, 20, 15, 12, 9, 7, 5, 4, 3)
    )


@pytest.fixture(scope="session")
def small_gan(digits):
    """A GAN on digits that has seen a few steps."""
    gan = ganaug.ConditionalGAN(
        (8, 8, 1), 10, width=4, depth=1, latent_dim=8, seed=3
    )
    gan.compile()
    gan.fit(digits.train, steps_per_epoch=4, verbose=0)
    return gan


@pytest.fixture
def run(small_gan, tmp_path):
    """A folder with the small GAN's artifact."""
    path = tmp_path / "run"
    small_gan.save_pretrained(path)
    return path


@pytest.fixture
def said(caplog):
    """A function that gives what ganaug, and not TensorFlow, has logged."""
    caplog.set_level("INFO", "ganaug")
    return lambda: [
        record.getMessage()
        for record in caplog.records
        if record.name == "ganaug"
    ]


@pytest.fixture
def make_images():
    """A function that makes labeled random images."""

    def make(class_counts=(6, 4, 2), shape=(8, 8, 1), seed=0, **kwargs):
        rng = np.random.default_rng(seed)
        labels = np.repeat(np.arange(len(class_counts)), class_counts)
        images = rng.integers(0, 256, (len(labels), *shape), np.uint8)
        return LabeledImages(images, labels, **kwargs)

    return make


@pytest.fixture(scope="session")
def linear():
    """The smallest classifier there is."""

    def linear(image_shape, num_classes, value_range):
        return keras.Sequential(
            [
                keras.Input(image_shape),
                # Large inputs learn fast at the protocol's learning rate.
                keras.layers.Rescaling(1 / 64),
                keras.layers.Flatten(),
                keras.layers.Dense(num_classes),
            ]
        )

    return linear


@pytest.fixture(scope="session")
def teacher(tmp_path_factory):
    """A file with a classifier of digits that has learnt nothing."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    path = tmp_path_factory.mktemp("teacher") / "teacher.keras"
    model.save(path)
    return path


@pytest.fixture
def evaluate_quickly(digits, linear):
    """A function that evaluates arms on digits with a few steps."""

    def evaluate(arms, **kwargs):
        kwargs = {
            "train": digits.train,
            "test": digits.test,
            "controls": {BASELINE: Arm()},
            "classifier": linear,
            "seeds": 2,
            "steps": 5,
            **kwargs,
        }
        return ganaug.evaluate_augmentation(arms=arms, **kwargs)

    return evaluate
