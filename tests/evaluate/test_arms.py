"""The built-in controls."""

import numpy as np
import pytest
import tensorflow as tf

from ganaug.evaluate.arms import (
    BASELINE,
    Arm,
    all_controls,
    as_arm,
    default_controls,
    on_top_of_classic,
)
from ganaug.evaluate.transforms import (
    Classic,
    CutMix,
    MixUp,
    RandAugment,
    Stack,
)

IMAGES = np.random.default_rng(0).integers(0, 256, (32, 8, 8, 1), np.uint8)
LABELS = np.arange(32) % 4


def batches():
    return tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(8)


def read(dataset):
    parts = zip(*dataset.as_numpy_iterator(), strict=True)
    return tuple(np.concatenate(part) for part in parts)


def test_classic_shifts_by_whole_pixels():
    """Every image is one of the nine shifts of itself, with edges repeated."""
    images, labels = read(batches().apply(Classic(seed=1)))
    padded = np.pad(IMAGES, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    shifts = np.stack(
        [
            padded[:, row : row + 8, column : column + 8]
            for row in range(3)
            for column in range(3)
        ]
    )
    hits = (shifts == images).all((2, 3, 4))
    assert (hits.sum(0) == 1).all()
    assert hits.any(1).sum() > 5
    np.testing.assert_array_equal(labels, LABELS)


def test_horizontal_flip_is_asked_for():
    """With it, about half of the images are mirrored."""
    columns = np.broadcast_to(
        np.arange(8, dtype=np.uint8)[None, None, :, None], (400, 8, 8, 1)
    )
    dataset = tf.data.Dataset.from_tensor_slices((columns, np.zeros(400)))
    for flip, low, high in ((False, 0, 0), (True, 150, 250)):
        images, _ = read(dataset.batch(50).apply(Classic(flip, seed=2)))
        mirrored = (images[:, 0, 0] > images[:, 0, -1]).sum()
        assert low <= mirrored <= high


def test_mixup_mixes_labels_as_it_mixes_images():
    """Labels become distributions; images of one value stay so."""
    dataset = batches().map(
        lambda x, y: (
            tf.cast(y[:, None, None, None], tf.float32)
            + 0 * tf.cast(x, tf.float32),
            y,
        )
    )
    images, labels = read(dataset.apply(MixUp(4, seed=1)))
    np.testing.assert_allclose(labels.sum(1), 1, rtol=1e-5)
    assert ((labels > 0).sum(1) == 2).any()
    np.testing.assert_allclose(
        images[:, 0, 0, 0], labels @ np.arange(4), atol=1e-4
    )


def test_cutmix_mixes_labels_by_area():
    """A box of another image; its share of the area is that of the label."""
    dataset = batches().map(
        lambda x, y: (
            tf.cast(y[:, None, None, None], tf.float32)
            + 0 * tf.cast(x, tf.float32),
            y,
        )
    )
    images, labels = read(dataset.apply(CutMix(4, seed=1)))
    np.testing.assert_allclose(labels.sum(1), 1, rtol=1e-5)
    shares = [
        np.bincount(image.astype(int).ravel(), minlength=4) / 64
        for image in images
    ]
    np.testing.assert_allclose(labels, shares, atol=1e-5)
    assert ((labels > 0).sum(1) == 2).any()


@pytest.mark.parametrize("channels", [1, 3])
def test_randaugment_stays_in_the_range(channels):
    """Gray images too, which Keras's layer does not take."""
    images = np.repeat(IMAGES, channels, -1)
    dataset = tf.data.Dataset.from_tensor_slices((images, LABELS)).batch(8)
    new, labels = read(dataset.apply(RandAugment((0, 255), seed=1)))
    assert new.shape == images.shape
    assert new.min() >= 0 and new.max() <= 255
    assert (new != images).any((1, 2, 3)).sum() > 16
    np.testing.assert_array_equal(labels, LABELS)


def test_rotations_are_asked_for():
    """A bar is turned, and without it is not."""
    bars = np.zeros((50, 9, 9, 1), np.uint8)
    bars[:, 4] = 255
    dataset = tf.data.Dataset.from_tensor_slices((bars, np.zeros(50)))
    still, _ = read(dataset.batch(10).apply(Classic(seed=1)))
    turned, _ = read(dataset.batch(10).apply(Classic(rotation=0.125, seed=1)))
    # Row sums of a bar that lies are all or nothing.
    assert set(np.unique(still.sum(2))) <= {0.0, 9 * 255.0}
    assert len(np.unique(turned.sum(2))) > 50


@pytest.mark.parametrize(
    "transform",
    [
        Classic(),
        Classic(True, 0.1),
        MixUp(4),
        CutMix(4),
        RandAugment((0, 255)),
        Stack((Classic(), MixUp(4))),
    ],
)
def test_transforms_repeat_for_a_seed(transform):
    """Equal seeds give equal streams, epoch after epoch; others differ."""

    def stream(seed):
        dataset = batches().apply(transform.with_seed(seed))
        return np.stack([read(dataset)[0] for _ in range(2)])

    first = stream(1)
    np.testing.assert_array_equal(first, stream(1))
    assert (first[0] != first[1]).any()
    assert (first != stream(2)).any()


def test_what_comes_last_in_a_stack_draws_as_it_does_alone():
    """So that a control is the same with a generator before it."""
    control = Stack((Classic(), MixUp(4)))
    for last in (MixUp(4), control):
        alone = batches().apply(last.with_seed(1))
        after = batches().apply(Stack((lambda ds: ds, last)).with_seed(1))
        for one, other in zip(read(alone), read(after), strict=True):
            np.testing.assert_array_equal(one, other)
    # Parts do not draw alike.
    twice = Stack((Classic(), control)).with_seed(1)
    assert len({part.seed for part in twice.transforms}) == 3


def test_a_stack_knows_what_its_parts_learnt():
    """The leakage guard sees through it."""

    class Learnt:
        training_fingerprints = np.array([3, 4], np.uint64)

        def __call__(self, dataset):
            return dataset

    stack = Stack((Classic(), Learnt()))
    assert stack.training_fingerprints.tolist() == [3, 4]
    assert on_top_of_classic(Learnt()).transform.training_fingerprints.size == 2


def test_controls():
    """Each simple thing is there with each other, beside real images alone."""
    controls = default_controls(4)
    assert controls[BASELINE] == Arm()
    assert len(controls) == 13
    everything = all_controls(4, (0, 255))
    assert len(everything) == 32
    assert set(controls) < set(everything)
    assert on_top_of_classic(lambda ds: ds).without in controls
    stack = controls["classic + logit adjustment + CutMix"]
    assert stack.logit_adjustment == 1
    assert not stack.class_balanced
    assert [type(part).__name__ for part in stack.transform.transforms] == [
        "Classic",
        "CutMix",
    ]
    stack = everything["RandAugment + logit adjustment + MixUp"]
    assert stack.logit_adjustment == 1
    assert [type(part).__name__ for part in stack.transform.transforms] == [
        "RandAugment",
        "MixUp",
    ]
    stack = everything["SMOTE + CutMix"]
    assert type(stack.sampler).__name__ == "Smote"
    assert type(stack.transform).__name__ == "CutMix"
    assert not stack.class_balanced


def test_controls_of_balanced_data():
    """Without logit adjustment, which changes nothing there."""
    controls = default_controls(4, imbalanced=False)
    assert len(controls) == 7
    everything = all_controls(4, (0, 255), imbalanced=False)
    assert len(everything) == 23
    assert not any(arm.logit_adjustment for arm in everything.values())


def test_what_is_no_arm_is_refused():
    """The error shows it."""
    assert as_arm(print).transform is print
    with pytest.raises(TypeError, match=r"Received: 0\.25"):
        as_arm(0.25)
