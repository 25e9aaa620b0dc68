"""Real images that are drawn anew for each seed."""

import numpy as np
import pytest

from ganaug.data.labeled_images import LabeledImages
from ganaug.data.splits import fingerprints
from ganaug.evaluate.seed_samples import SeedSamples


@pytest.fixture
def pool():
    """Sixty images of three classes, each of them there twice."""
    images = np.random.default_rng(0).integers(
        0, 256, (30, 4, 4, 1), dtype=np.uint8
    )
    labels = np.arange(30) % 3
    return LabeledImages(np.tile(images, (2, 1, 1, 1)), np.tile(labels, 2))


def test_a_seed_has_images_of_its_own(pool):
    """The same ones whenever it is asked, and others than another seed."""
    draw = SeedSamples(pool, [6, 4, 2])
    first, again, other = draw(3), draw(3), draw(4)
    assert first.class_counts.tolist() == [6, 4, 2]
    np.testing.assert_array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)


def test_validation_images_are_no_training_images(pool):
    """Not even where the pool holds a picture twice."""
    draw = SeedSamples(pool, (6, 4, 2), validation_per_class=5)
    for seed in range(20):
        train, validation = draw(seed)
        assert validation.class_counts.tolist() == [5, 5, 5]
        assert not set(fingerprints(train)) & set(fingerprints(validation))


@pytest.mark.parametrize("number", [0, -1, 2.5, True, "8"])
def test_numbers_of_validation_images_are_checked(pool, number):
    with pytest.raises(ValueError, match="validation_per_class="):
        SeedSamples(pool, [1, 1, 1], number)


def test_too_few_images_are_an_error(pool):
    """Which class lacks them is said, of both draws."""
    with pytest.raises(ValueError, match=r"`train_per_class` asks.* 1: 20"):
        SeedSamples(pool, [1, 21, 1])(0)
    with pytest.raises(ValueError, match="`validation_per_class` asks"):
        SeedSamples(pool, [20, 1, 1], validation_per_class=2)(0)
