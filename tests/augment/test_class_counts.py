"""Class counts, given or counted."""

import numpy as np
import pytest
import tensorflow as tf

from ganaug.augment.class_counts import count_classes, resolve_class_counts
from ganaug.data.elements import parse_elements

NAMES = ("ant", "bee", "cat")


@pytest.mark.parametrize(
    "given",
    [
        {"ant": 5, "bee": 0, "cat": 2},
        {0: 5, "1": 0, "cat": 2},
        [5, 0, 2],
        np.array([5, 0, 2]),
    ],
)
def test_counts_can_be_given_by_name_index_or_in_order(given):
    """All say the same."""
    assert resolve_class_counts(given, NAMES).tolist() == [5, 0, 2]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ant": 5, "cat": 2}, r"\['bee'\] are missing"),
        ({"ant": 5, "bee": 1, "cat": 2, "cow": 1}, "Received: 'cow'"),
        ({"ant": 5, "bee": 1, "cat": 2, 0: 1}, "names 'ant' twice"),
        ({"ant": 5, "bee": -1, "cat": 2}, "at least 0"),
        ({"ant": 5, "bee": 1.5, "cat": 2}, "must be integers"),
        ([5, 2], "one number for each"),
        (7, "one number for each"),
    ],
)
def test_bad_counts_are_refused(given, message):
    """A class that is left out is not taken for an empty one."""
    with pytest.raises(ValueError, match=message):
        resolve_class_counts(given, NAMES)


def dataset(labels):
    images = np.zeros((len(labels), 2, 2, 1), np.uint8)
    return tf.data.Dataset.from_tensor_slices((images, labels))


@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda x, y: (x, y),
        lambda x, y: (x, y, 1.0),
        lambda x, y: {"image": x, "label": tf.cast(y, tf.uint8)},
        lambda x, y: (x, 0.9 * tf.one_hot(y, 3) + 0.1 / 3),
    ],
)
def test_counting(wrap, batch):
    """One pass over any kind of elements and labels."""
    data = dataset(np.array([0, 2, 0, 0, 2])).map(wrap)
    data = data if batch is None else data.batch(batch)
    counts = count_classes(data, parse_elements(data.element_spec), NAMES)
    assert counts.tolist() == [3, 0, 2]


def test_what_cannot_be_counted():
    """Infinite datasets, and labels of other classes."""
    data = dataset(np.array([0, 1]))
    elements = parse_elements(data.element_spec)
    with pytest.raises(ValueError, match="infinite dataset cannot be counted"):
        count_classes(data.repeat(), elements, NAMES)
    with pytest.raises(ValueError, match="labels from -1 to 3"):
        count_classes(dataset(np.array([3, -1])), elements, NAMES)
