"""Batches of real images."""

import numpy as np
import pytest

from ganaug.data.batches import class_balanced_batches, epoch_batches


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


def test_batches_depend_on_seed_and_number_alone(make_images):
    """Starting in the middle gives what a full run gives there."""
    data = make_images()
    full = list(class_balanced_batches(data, 8, seed=1).take(7))
    late = list(class_balanced_batches(data, 8, seed=1, start=4).take(3))
    other = next(iter(class_balanced_batches(data, 8, seed=2)))
    for expected, got in zip(full[4:], late, strict=True):
        np.testing.assert_array_equal(expected[0], got[0])
    assert (full[0][0].numpy() != other[0].numpy()).any()


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
