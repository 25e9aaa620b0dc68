"""Copies are caught, and what is none is not."""

import json

import numpy as np
import pytest

import ganaug
from ganaug.fidelity.memorization import measure_memorization


@pytest.fixture(scope="module")
def halves():
    """Digits to train on, and two sets that were never seen."""
    data = ganaug.load_data("digits")
    order = np.random.default_rng(0).permutation(len(data.test))
    return (
        data.train,
        data.test.subset(order[: len(order) // 2]),
        data.test.subset(order[len(order) // 2 :]),
    )


def changed(images, function):
    return ganaug.LabeledImages(
        np.clip(function(images.images.astype(float)), 0, 255).astype("uint8"),
        images.labels,
        images.class_names,
        images.value_range,
    )


def test_a_generator_that_copies_is_caught(halves):
    """Every image is one that was trained on."""
    train, held_out, _ = halves
    found = measure_memorization(train, train, held_out)
    assert found.verdict == "copies"
    assert found.exact_copies == found.near_copies == 1
    assert found.held_out_exact_copies == 0
    # Half of the training images are not among as many as are held out.
    assert found.nearest_is_train_low > 0.5
    assert found.attack_low > 0.9


def test_copies_with_noise_are_caught(halves):
    """None is exact, but all are near."""
    train, held_out, _ = halves
    noise = np.random.default_rng(1).normal(0, 4, train.images.shape)
    found = measure_memorization(
        changed(train, lambda images: images + noise), train, held_out
    )
    assert found.verdict == "copies"
    assert found.exact_copies == 0
    assert found.near_copies_low > 0.2
    index, nearest, distance = found.nearest_pairs[0]
    assert index == nearest
    assert distance < found.max_distance


def test_unseen_real_images_are_no_copies(halves):
    """The perfect generator: what was never trained on."""
    train, held_out, others = halves
    found = measure_memorization(others, train, held_out)
    assert found.verdict == "nothing found"
    assert found.near_copies_low < 0 < found.near_copies_high
    assert found.nearest_is_train_low < 0.5 < found.nearest_is_train_high
    assert found.attack_low < 0.5 < found.attack_high
    assert found.median_distance == pytest.approx(
        found.held_out_median_distance, rel=0.1
    )


def test_pale_images_are_no_copies(make_images):
    """Nearer to everything, they are nearer to held-out images too."""
    images = make_images([300], shape=(6, 6, 1))
    train, held_out, others = (
        images.subset(range(start, start + 100)) for start in (0, 100, 200)
    )
    found = measure_memorization(
        changed(others, lambda images: 0.5 * images + 64), train, held_out
    )
    assert found.near_copies_low > 0.2
    assert found.verdict == "nothing found"


def test_a_few_copies_are_caught(halves):
    """One image in twenty."""
    train, held_out, others = halves
    mixed = ganaug.LabeledImages(
        np.concatenate([others.images, train.images[:18]]),
        np.concatenate([others.labels, train.labels[:18]]),
        train.class_names,
        train.value_range,
    )
    found = measure_memorization(mixed, train, held_out)
    assert found.verdict == "copies"
    assert found.exact_copies == pytest.approx(18 / len(mixed))


def test_the_same_again(halves):
    """And as JSON."""
    train, held_out, others = halves
    one, other = (
        measure_memorization(others, train, held_out, seed=3) for _ in range(2)
    )
    assert one == other
    assert json.loads(json.dumps(one.to_dict()))["num_held_out"] == 350


def test_false_alarms_are_rare(make_images):
    """About one in forty for each of two tests, under no effect."""
    found = []
    for seed in range(60):
        images = make_images([150], shape=(4, 4, 1), seed=seed)
        train, held_out, others = (
            images.subset(range(start, start + 50)) for start in (0, 50, 100)
        )
        found.append(measure_memorization(others, train, held_out).verdict)
    assert sum(verdict != "nothing found" for verdict in found) <= 6


def test_bad_images_are_refused(halves, make_images):
    """Other shapes and ranges, and too few to calibrate with."""
    train, held_out, others = halves
    with pytest.raises(ValueError, match="at least 20 images"):
        measure_memorization(others, train, held_out.subset(range(19)))
    with pytest.raises(ValueError, match="do not have the model's shape"):
        measure_memorization(make_images([9] * 10, (9, 8, 1)), train, held_out)
    scaled = ganaug.LabeledImages(
        others.images / 255, others.labels, value_range=(0, 1)
    )
    with pytest.raises(ValueError, match="`synthetic` must have the value"):
        measure_memorization(scaled, train, held_out)


def test_without_common_classes_there_is_no_attack(make_images):
    """The distances are still there."""
    images = make_images([40, 40], shape=(4, 4, 1))
    first, second = (
        images.subset(np.flatnonzero(images.labels == label))
        for label in (0, 1)
    )
    found = measure_memorization(second, first, second)
    assert found.attack_auroc is None
    assert found.nearest_is_train is None
