"""Batches of real images."""

import numpy as np
import pytest
import tensorflow as tf

from ganaug.data.batches import (
    class_balanced_batches,
    epoch_batches,
    shuffled_batches,
)


def collect(dataset, num):
    batches = list(dataset.take(num).as_numpy_iterator())
    return (np.concatenate(part) for part in zip(*batches, strict=True))


def test_class_balanced_batches_draw_classes_uniformly(make_images):
    """Shares are equal, labels are the images' own, every image is drawn."""
    data = make_images((60, 20, 3))
    images, labels = collect(class_balanced_batches(data, 64, seed=1), 100)
    share = np.bincount(labels) / len(labels)
    # Three standard errors of a share of 1/3 among 6400.
    np.testing.assert_allclose(share, 1 / 3, atol=3 * np.sqrt(2 / 9 / 6400))
    known = {
        image.tobytes(): label
        for image, label in zip(data.images, data.labels, strict=True)
    }
    assert [known[image.tobytes()] for image in images] == labels.tolist()
    assert len({image.tobytes() for image in images}) == len(data)


@pytest.mark.parametrize("make", [class_balanced_batches, shuffled_batches])
@pytest.mark.parametrize("start", [1, 3, 4])
def test_batches_depend_on_seed_and_number_alone(make_images, make, start):
    """Starting in the middle gives what a full run gives there."""
    data = make_images()
    full = list(make(data, 8, seed=1).take(7))
    late = list(make(data, 8, seed=1, start=start).take(7 - start))
    other = next(iter(make(data, 8, seed=2)))
    for expected, got in zip(full[start:], late, strict=True):
        np.testing.assert_array_equal(expected[0], got[0])
        np.testing.assert_array_equal(expected[1], got[1])
    assert (full[0][0].numpy() != other[0].numpy()).any()


def images_drawn(data, dataset, num):
    """Which images are in the first batches, as numbers."""
    images, labels = collect(dataset, num)
    numbers = {image.tobytes(): at for at, image in enumerate(data.images)}
    drawn = np.array([numbers[image.tobytes()] for image in images])
    np.testing.assert_array_equal(labels, data.labels[drawn])
    return drawn


@pytest.mark.parametrize("batch_size", [1, 5, 12, 30])
def test_shuffled_batches_take_every_image_once_in_a_pass(
    make_images, batch_size
):
    """Also where a batch spans two passes, or more than all images."""
    data = make_images()
    dataset = shuffled_batches(data, batch_size, seed=1)
    assert dataset.cardinality() == tf.data.INFINITE_CARDINALITY
    images, labels = dataset.element_spec
    assert images.shape == (batch_size, 8, 8, 1)
    assert labels.shape == (batch_size,)
    drawn = images_drawn(data, dataset, 60)
    passes = drawn[: len(drawn) // 12 * 12].reshape(-1, 12)
    assert len(passes) >= 5
    np.testing.assert_array_equal(
        np.sort(passes), np.tile(np.arange(12), (len(passes), 1))
    )


def test_shuffled_batches_have_another_order_in_every_pass(make_images):
    """No order of many comes twice, and no image has a place of its own."""
    data = make_images()
    drawn = images_drawn(data, shuffled_batches(data, 12, seed=1), 600)
    passes = drawn.reshape(600, 12)
    assert len({order.tobytes() for order in passes}) == 600
    first = np.bincount(passes[:, 0], minlength=12)
    np.testing.assert_allclose(first, 50, atol=5 * np.sqrt(50))


def test_shuffled_batches_of_one_image_repeat_it(make_images):
    """The smallest data there are."""
    data = make_images(class_counts=(1,))
    drawn = images_drawn(data, shuffled_batches(data, 3, seed=1, start=2), 2)
    assert drawn.tolist() == [0] * 6


@pytest.mark.parametrize("class_balanced", [False, True])
def test_epochs_differ_and_can_be_made_again(make_images, class_balanced):
    """A second epoch has another order; a second dataset repeats both."""
    data = make_images()

    def two_epochs():
        dataset = epoch_batches(data, 5, 3, class_balanced)
        assert dataset.cardinality() == 3
        return [
            np.concatenate(
                [labels for _, labels in dataset.as_numpy_iterator()]
            )
            for _ in range(2)
        ]

    first, second = two_epochs(), two_epochs()
    np.testing.assert_array_equal(first, second)
    assert (first[0] != first[1]).any()
    if not class_balanced:
        assert sorted(first[0]) == data.labels.tolist()
