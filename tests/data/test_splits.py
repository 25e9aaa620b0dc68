"""Splits, subsets and fingerprints."""

import numpy as np
import pytest

from ganaug.data.labeled_images import LabeledImages
from ganaug.data.splits import (
    fingerprints,
    holdout_split,
    stratified_split,
    take_per_class,
)


@pytest.mark.parametrize(
    "split",
    [
        lambda data: stratified_split(data, 2, seed=5),
        lambda data: holdout_split(data, 0.25, seed=5),
    ],
)
def test_splits_are_disjoint_whole_and_repeatable(make_images, split):
    """Every image is in one part, and the same one next time."""
    data = make_images((12, 8, 4))
    parts, again = split(data), split(data)
    numbers = [set(fingerprints(part)) for part in parts]
    assert not numbers[0] & numbers[1]
    assert numbers[0] | numbers[1] == set(fingerprints(data))
    for part, repeated in zip(parts, again, strict=True):
        np.testing.assert_array_equal(part.images, repeated.images)


def test_stratified_split_is_balanced(make_images):
    """The test set has the same number of each class."""
    rest, test = stratified_split(make_images((12, 8, 4)), 3, seed=0)
    assert test.class_counts.tolist() == [3, 3, 3]
    assert rest.class_counts.tolist() == [9, 5, 1]


def test_every_class_is_in_the_held_out_set(make_images):
    """Also a class with two images, of which one is left for training."""
    rest, test = holdout_split(make_images((60, 3, 2)), 0.2, seed=0)
    assert test.class_counts.tolist() == [12, 1, 1]
    assert rest.class_counts.tolist() == [48, 2, 1]


def test_take_per_class(make_images):
    """The subset has the numbers asked for, of the right images."""
    data = make_images((12, 8, 4))
    subset = take_per_class(data, (12, 3, 1), seed=0)
    assert subset.class_counts.tolist() == [12, 3, 1]
    assert set(fingerprints(subset)) <= set(fingerprints(data))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda data: stratified_split(data, 4, 0), "2: 4"),
        (lambda data: take_per_class(data, (1, 1), 0), "3 classes"),
        (lambda data: take_per_class(data, (13, 1, 1), 0), "0: 12"),
        (lambda data: take_per_class(data, (1, 1, 0), 0), "or for none"),
        (lambda data: holdout_split(data, 1.0, 0), "fraction=1.0"),
        (
            lambda data: holdout_split(data.subset([0, 1, -1]), 0.5, 0),
            r"fewer than 2 of \['1', '2'\]",
        ),
    ],
)
def test_impossible_splits(make_images, call, message):
    """The error names the class or the number."""
    with pytest.raises(ValueError, match=message):
        call(make_images((12, 8, 4)))


def test_fingerprints_know_pictures_across_dtypes(make_images):
    """The same picture as uint8 and as floats is the same; others are not."""
    data = make_images((50, 50))
    floats = LabeledImages(data.images / np.float32(255), data.labels)
    numbers = fingerprints(data)
    np.testing.assert_array_equal(numbers, fingerprints(floats))
    assert len(set(numbers)) == 100
    dark = np.minimum(data.images, 200)
    numbers = fingerprints(LabeledImages(dark, data.labels))
    bright = LabeledImages(dark, data.labels, value_range=(0, 200))
    np.testing.assert_array_equal(numbers, fingerprints(bright))
    turned = LabeledImages(data.images.reshape(100, 4, 16, 1), data.labels)
    assert not set(numbers) & set(fingerprints(turned))
