"""Data are checked before any long work."""

import collections

import numpy as np
import pytest
import tensorflow as tf

from ganaug.data.labeled_images import LabeledImages, as_labeled_images

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 6, 5, 3), np.uint8)
LABELS = np.array([0, 1, 1, 2])


def with_nan():
    images = IMAGES / np.float32(255)
    images[2, 0, 0, 0] = np.nan
    return images


@pytest.mark.parametrize(
    ("images", "labels", "kwargs", "message"),
    [
        (IMAGES[0, 0], LABELS, {}, r"images.shape=\(5, 3\)"),
        (IMAGES.repeat(2, -1), LABELS, {}, "1 to 4 channels"),
        (IMAGES[:0], LABELS[:0], {}, "data set is empty"),
        (IMAGES.astype(object), LABELS, {}, "images.dtype=object"),
        (IMAGES > 3, LABELS, {}, "images.dtype=bool"),
        (with_nan(), LABELS, {}, "in 1 images, the first at index 2"),
        (IMAGES, LABELS[:3], {}, r"labels.shape=\(3,\) for 4 images"),
        (IMAGES, np.eye(4), {}, r"labels.shape=\(4, 4\)"),
        (IMAGES, LABELS / 2, {}, "labels.dtype=float64"),
        (IMAGES, LABELS - 1, {}, "labels from -1 to 1"),
        (IMAGES, LABELS, {"class_names": ["a", "b"]}, r"in \[0, 2\)"),
        (IMAGES, LABELS, {"class_names": ["a", "b", "a"]}, "different"),
        (IMAGES, LABELS, {"value_range": (0, 1)}, "outside of"),
        (IMAGES, LABELS, {"value_range": (255, 0)}, "low < high"),
        (IMAGES, LABELS, {"value_range": 255}, "value_range=255"),
        (IMAGES.astype("float32"), LABELS, {}, "Declare another range"),
        (IMAGES // 255, LABELS, {}, "uint8 with values from 0 to 1"),
        (IMAGES.astype("int32"), LABELS, {}, "int32 with values"),
        (IMAGES, LABELS, {"image_names": ["a"]}, r"shape=\(1,\) for 4 images"),
    ],
)
def test_bad_data_are_refused(images, labels, kwargs, message):
    """The error names what is wrong and what came."""
    with pytest.raises(ValueError, match=message) as error:
        LabeledImages(images, labels, **kwargs)
    assert "Received: " in str(error.value)


@pytest.mark.parametrize(
    ("images", "value_range"),
    [
        (IMAGES, (0, 255)),
        (IMAGES / np.float32(255), (0, 1)),
        (IMAGES / np.float32(127.5) - 1, (-1, 1)),
    ],
)
def test_usual_value_ranges_are_found(images, value_range):
    """uint8, floats in [0, 1] and floats in [-1, 1] need no declaration."""
    assert LabeledImages(images, LABELS).value_range == value_range


@pytest.mark.parametrize(
    ("class_names", "message"),
    [
        (["a", "b", "c", "d"], r"no image of \['d'\]"),
        (None, None),
    ],
)
def test_every_class_needs_an_image(class_names, message):
    """A class without images cannot be learnt."""
    data = LabeledImages(IMAGES, LABELS, class_names)
    if message is None:
        data.check_trainable()
        return
    with pytest.raises(ValueError, match=message):
        data.check_trainable()


def test_one_class_is_too_few():
    """There is nothing to tell apart."""
    with pytest.raises(ValueError, match="at least 2 classes"):
        LabeledImages(IMAGES, LABELS * 0).check_trainable()


@pytest.mark.parametrize(
    "indices", [[3, 0], slice(2, None), np.array([True, False, False, True])]
)
def test_a_subset_keeps_what_belongs_to_its_images(indices):
    """Labels and names; classes stay as many."""
    data = LabeledImages(IMAGES, LABELS, image_names=list("abcd"))
    subset = data.subset(indices)
    kept = np.arange(4)[indices]
    np.testing.assert_array_equal(subset.images, IMAGES[kept])
    assert subset.labels.tolist() == LABELS[kept].tolist()
    assert subset.image_names.tolist() == ["abcd"[index] for index in kept]
    assert subset.num_classes == 3
    assert LabeledImages(IMAGES, LABELS).subset(indices).image_names is None


@pytest.mark.parametrize(
    "wrap",
    [
        lambda ds: ds,
        lambda ds: ds.batch(3),
        lambda ds: ds.map(lambda x, y: {"image": x, "label": y}),
        lambda ds: ds.map(lambda x, y: {"images": x, "labels": y}).batch(2),
        lambda ds: ds.map(lambda x, y: (x, tf.one_hot(y, 3))),
        lambda ds: ds.map(lambda x, y: (x, y, 1.0)).batch(2),
        lambda ds: ds.map(lambda x, y: {"image": x, "label": y, "id": "a"}),
    ],
)
def test_any_known_dataset_is_read(wrap):
    """The same images and labels, whatever the structure."""
    dataset = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS))
    data = as_labeled_images(wrap(dataset))
    np.testing.assert_array_equal(data.images, IMAGES)
    np.testing.assert_array_equal(data.labels, LABELS)
    assert data.num_classes == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda ds: ds.repeat(), "infinite"),
        (lambda ds: ds.take(0), "empty"),
        (lambda ds: ds.map(lambda x, y: (x, tf.ones(3) / 3)), "soft labels"),
        (
            lambda ds: ds.map(
                lambda x, y: (tf.ensure_shape(x, (None, None, 3)), y)
            ).map(lambda x, y: (x[: tf.random.uniform((), 1, 2, tf.int32)], y)),
            "one known size",
        ),
    ],
)
def test_datasets_that_cannot_be_read(change, message):
    """The error says why."""
    dataset = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS))
    with pytest.raises(ValueError, match=message):
        as_labeled_images(change(dataset))


def test_other_types_are_refused():
    """A path is not data."""
    with pytest.raises(TypeError, match="Received: str"):
        as_labeled_images("digits")


def test_named_tuples_are_read_as_pairs():
    """As `GANAugmenter` takes them."""
    example = collections.namedtuple("Example", ["image", "label"])
    images = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8, 1)
    dataset = tf.data.Dataset.from_tensor_slices((images, np.arange(4) % 2))
    for wrapped in (
        dataset.map(example),
        dataset.map(lambda x, y: ({"image": x, "age": 1.0}, y)),
    ):
        read = as_labeled_images(wrapped)
        np.testing.assert_array_equal(read.images, images)
        assert read.labels.tolist() == [0, 1, 0, 1]
