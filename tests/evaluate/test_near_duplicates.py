"""Images that almost are the same."""

import numpy as np

import ganaug
from ganaug.evaluate.near_duplicates import count_near_duplicates


def shifted_values(images, amount):
    return ganaug.LabeledImages(
        np.clip(images.images.astype(int) + amount, 0, 255).astype("uint8"),
        images.labels,
        images.class_names,
    )


def test_small_changes_are_found(make_images):
    """Of brightness, and of noise in large images."""
    train = make_images([20, 20], (40, 40, 3))
    assert count_near_duplicates(train, shifted_values(train, 2)) == 40
    assert count_near_duplicates(train, shifted_values(train, 9)) == 0
    noise = np.random.default_rng(0).integers(-8, 9, train.images.shape)
    assert count_near_duplicates(train, shifted_values(train, noise)) == 40


def test_other_images_are_not(digits, make_images):
    """Real ones of the same class, and random ones."""
    assert count_near_duplicates(digits.train, digits.test) == 0
    train, test = (make_images([30], (9, 7, 1), seed=seed) for seed in (0, 1))
    assert count_near_duplicates(train, test) == 0


def test_they_are_noted_in_the_report(digits, evaluate_quickly):
    """Which goes on."""
    near = shifted_values(digits.train.subset(range(20)), 1)

    def joined(images):
        return ganaug.LabeledImages(
            np.concatenate([images.images, near.images]),
            np.concatenate([images.labels, near.labels]),
        )

    test = joined(digits.test)
    report = evaluate_quickly({"x": lambda ds: ds}, test=test, seeds=1)
    notes = " ".join(report.notes)
    assert "20 of 720 test images are near-duplicates of training" in notes
    assert "validation images are near" not in notes
    half, other_half = (
        digits.test.subset(range(start, 700, 2)) for start in (0, 1)
    )
    report = evaluate_quickly(
        {"x": lambda ds: ds}, validation=joined(half), test=other_half, seeds=1
    )
    assert "20 of 370 validation images are near" in " ".join(report.notes)
