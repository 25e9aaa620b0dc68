"""Data sets larger than memory."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

import ganaug
from ganaug.data import large_arrays
from ganaug.data.batches import (
    class_balanced_batches,
    epoch_batches,
    shuffled_batches,
)
from ganaug.data.labeled_images import LabeledImages, as_labeled_images
from ganaug.data.large_arrays import is_mapped, join, row_reader, take_rows


@pytest.fixture
def little_memory(monkeypatch):
    """Memory for ten images of 8 x 8 pixels."""
    monkeypatch.setattr(large_arrays, "MAX_BYTES", 640)


@pytest.fixture
def mapped(make_images, tmp_path):
    """A function: the same images in memory and in a file."""

    def make(**kwargs):
        images = make_images((20, 12, 5), **kwargs)
        path = tmp_path / "images.npy"
        np.save(path, images.images)
        return images, LabeledImages(
            np.load(path, mmap_mode="r"),
            images.labels,
            value_range=images.value_range,
        )

    return make


@pytest.mark.parametrize("sizes", [(), (3,), (10,), (4, 6), (4, 7), (11, 1)])
def test_joined_whatever_their_number(sizes):
    rng = np.random.default_rng(0)
    batches = [rng.integers(0, 256, (n, 4, 4, 1), np.uint8) for n in sizes]
    joined = join(iter(batches), max_bytes=160)
    if not sizes:
        assert joined is None
        return
    np.testing.assert_array_equal(joined, np.concatenate(batches))
    assert joined.dtype == np.uint8
    assert is_mapped(joined) == (sum(sizes) > 10)


def test_large_datasets_are_read_into_a_file(little_memory, digits):
    dataset = tf.data.Dataset.from_tensor_slices(
        (digits.train.images, digits.train.labels)
    )
    for given in (dataset, dataset.batch(7)):
        read = as_labeled_images(given)
        assert is_mapped(read.images)
        np.testing.assert_array_equal(read.images, digits.train.images)
        np.testing.assert_array_equal(read.labels, digits.train.labels)
    few, many = read.subset([3, 1]), read.subset(np.arange(140)[::-1])
    assert not is_mapped(few.images) and is_mapped(many.images)
    for part, first in ((few, 3), (many, 139)):
        np.testing.assert_array_equal(part.images[0], read.images[first])


def test_copies_are_in_memory(little_memory, mapped):
    images = mapped()[1].images
    assert is_mapped(images) and is_mapped(images[3:9, 2:4])
    assert not is_mapped(images.copy()) and not is_mapped(images[[1, 2]])


@pytest.mark.parametrize("dtype", ["uint8", "<u2", ">u2", "<f4", ">f4", "f8"])
def test_any_dtype_and_byte_order(dtype, tmp_path):
    array = np.arange(60).reshape(5, 3, 4, 1).astype(dtype)
    np.save(tmp_path / "array.npy", array)
    mapped = np.load(tmp_path / "array.npy", mmap_mode="r")
    for order in (None, np.array([4, 2, 0, 1, 3])):
        read = row_reader(mapped, order)
        dataset = tf.data.Dataset.from_tensors([2, 0]).map(read)
        expected = array[[2, 0]] if order is None else array[order[[2, 0]]]
        np.testing.assert_array_equal(next(iter(dataset)), expected)
    for indices in ([4, 0], slice(1, 4), np.arange(5) > 2, slice(0)):
        np.testing.assert_array_equal(
            take_rows(mapped, indices), array[indices]
        )


def test_full_disks_are_named(monkeypatch):
    class Full:
        def write(self, data):
            raise OSError(28, "No space left on device")

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(
        large_arrays.tempfile, "TemporaryFile", lambda prefix: Full()
    )
    with pytest.raises(OSError, match=r"TMPDIR.*Received: 12 bytes"):
        join([np.zeros(12, np.uint8)], max_bytes=10)


@pytest.mark.parametrize("make", [class_balanced_batches, shuffled_batches])
def test_batches_do_not_depend_on_where_images_are(make, mapped):
    for in_memory, in_file in zip(
        *(make(images, 8, seed=3, start=2).take(9) for images in mapped()),
        strict=True,
    ):
        for one, other in zip(in_memory, in_file, strict=True):
            assert one.shape == other.shape
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("make", [class_balanced_batches, shuffled_batches])
def test_nor_on_how_many_they_are(make, make_images, request):
    images = make_images((20, 12, 5))
    few = list(make(images, 8, seed=3).take(9))
    request.getfixturevalue("little_memory")
    many = list(make(images, 8, seed=3).take(9))
    for one, other in zip(few, many, strict=True):
        for part, same in zip(one, other, strict=True):
            assert part.shape == same.shape
            np.testing.assert_array_equal(part, same)


@pytest.mark.parametrize("in_file", [False, True])
def test_arrays_go_with_the_last_that_reads_them(in_file, mapped, request):
    images = mapped()[in_file].images
    request.getfixturevalue("little_memory")
    dataset = tf.data.Dataset.range(30).batch(4).map(row_reader(images))
    batches, array = iter(dataset), weakref.ref(images)
    expected = images[4:8].copy()
    next(batches)
    del images, dataset
    gc.collect()
    np.testing.assert_array_equal(next(batches), expected)
    del batches
    gc.collect()
    assert array() is None


def test_training_does_not_depend_on_it_either(mapped):
    weights = []
    for images in mapped():
        vae = ganaug.ConditionalVAE((8, 8, 1), 3, width=8, seed=1)
        vae.compile()
        vae.fit(images, batch_size=8, steps_per_epoch=4, verbose=0)
        weights.append(vae.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_bad_values_are_found_in_files(tmp_path, monkeypatch):
    monkeypatch.setattr(large_arrays, "CHUNK", 64)
    images = np.zeros((6, 8, 8, 1), np.float32)
    images[[2, 5], 3] = np.nan
    np.save(tmp_path / "bad.npy", images)
    with pytest.raises(ValueError, match="2 images, the first at index 2"):
        LabeledImages(
            np.load(tmp_path / "bad.npy", mmap_mode="r"), np.zeros(6, int)
        )


@pytest.mark.parametrize("class_balanced", [False, True])
def test_epochs_do_not_depend_on_it_either(class_balanced, mapped):
    for in_memory, in_file in zip(
        *(
            epoch_batches(images, 8, 3, class_balanced).repeat(2)
            for images in mapped()
        ),
        strict=True,
    ):
        for one, other in zip(in_memory, in_file, strict=True):
            np.testing.assert_array_equal(one, other)


def test_epochs_are_shuffled_as_slices_are(make_images):
    images = make_images((20, 12, 5))
    slices = tf.data.Dataset.from_tensor_slices((images.images, images.labels))
    slices = slices.shuffle(len(images), seed=3).batch(8)
    for expected, given in zip(
        slices.repeat(2), epoch_batches(images, 8, 3).repeat(2), strict=True
    ):
        np.testing.assert_array_equal(given[0], expected[0])
        np.testing.assert_array_equal(given[1], expected[1])
