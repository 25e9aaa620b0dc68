"""The way of the data on real Fashion-MNIST, through TFDS."""

import importlib.util
import pathlib

import numpy as np
import pytest

import ganaug
from ganaug.evaluate.arms import BASELINE, Arm

SCRIPT = (
    pathlib.Path(__file__).parents[1] / "examples" / "prepare_fashion_mnist.py"
)
SOURCE = pathlib.Path("/usr/share/datasets/fashion-mnist")

pytestmark = [
    pytest.mark.xdist_group("fashion_mnist"),
    pytest.mark.fashion_mnist,
    pytest.mark.skipif(
        not SOURCE.is_dir(),
        reason="Debian's package dataset-fashion-mnist is not installed",
    ),
]


@pytest.fixture(scope="module")
def fashion(tmp_path_factory):
    """A long-tailed part of the whole data set, as the example prepares it."""
    spec = importlib.util.spec_from_file_location("prepare", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    data_dir = tmp_path_factory.mktemp("tfds")
    script.prepare_fashion_mnist(data_dir)
    return ganaug.load_data(
        "tfds:fashion_mnist",
        data_dir=data_dir,
        class_counts=(100, 60, 40, 30, 20, 15, 10, 8, 6, 4),
    )


def test_the_data_set_is_whole(fashion):
    """60,000 and 10,000 images with the names of the clothes."""
    assert fashion.train.class_names[9] == "Ankle boot"
    assert fashion.test.class_counts.tolist() == [1000] * 10
    assert fashion.train.image_shape == (28, 28, 1)
    assert fashion.train.images.dtype == np.uint8


def test_pretrain_augment_evaluate(fashion, tmp_path):
    """All three, with few steps: what comes out fits what went in."""
    gan = ganaug.ConditionalGAN((28, 28, 1), 10, width=8, seed=0)
    gan.compile()
    gan.fit(fashion.train, steps_per_epoch=3, verbose=0)
    gan.save_pretrained(tmp_path / "run")
    augmenter = ganaug.GANAugmenter.from_pretrained(tmp_path / "run", seed=0)
    # Few test images are enough here, and the check for leaks sees them all.
    keep = np.flatnonzero(np.arange(10_000) % 20 == 0)
    report = ganaug.evaluate_augmentation(
        fashion.train,
        fashion.test.subset(keep),
        {"GAN": augmenter},
        controls={BASELINE: Arm()},
        seeds=2,
        steps=120,
    )
    # 293 images teach the classifier far more than chance in 120 steps.
    assert report.arm(BASELINE).mean > 0.35


def test_no_test_image_is_among_the_training_images(fashion):
    """The long-tailed part can be evaluated without an override."""
    from ganaug.data.splits import fingerprints

    overlap = np.isin(fingerprints(fashion.test), fingerprints(fashion.train))
    assert not overlap.any()
