"""How many real examples of each class there are: given or counted."""

import warnings
from collections.abc import Mapping
from numbers import Integral

import numpy as np
import tensorflow as tf

from ganaug.augment.sampling_strategy import by_class

# Labels of single examples that are read at a time.
LABELS_AT_A_TIME = 1024


def resolve_class_counts(class_counts, class_names):
    """Checks numbers of examples that are given.

    Args:
        class_counts: Mapping from class name or index to the number of its
            examples, or a sequence of one number for each class.
        class_names: Sequence of strings.

    Returns:
        An int64 NumPy array `(num_classes,)`.

    Raises:
        ValueError: A class is missing, unknown or named twice, or a number is
            not an integer of at least 0.

    Example:

    >>> resolve_class_counts({"fox": 2, "cat": 40}, ["cat", "fox"]).tolist()
    [40, 2]
    """
    if not isinstance(class_counts, Mapping):
        numbers = np.asarray(class_counts)
        if numbers.shape != (len(class_names),):
            raise ValueError(
                "`class_counts` must have one number for each of the classes "
                f"{list(class_names)}. Received: class_counts={class_counts!r}"
            )
        class_counts = dict(enumerate(numbers.tolist()))
    named = by_class(class_counts, class_names, "class_counts")
    missing = [
        name for index, name in enumerate(class_names) if index not in named
    ]
    if missing:
        raise ValueError(
            f"`class_counts` must name every class, and {missing} are "
            "missing; a class without examples has the number 0. "
            f"Received: class_counts={class_counts!r}"
        )
    counts = [named[index] for index in range(len(class_names))]
    if not all(isinstance(n, Integral) and n >= 0 for n in counts):
        raise ValueError(
            "`class_counts` must be integers of at least 0. "
            f"Received: class_counts={class_counts!r}"
        )
    return np.array(counts, np.int64)


def warn_of_classes_without_examples(classes, class_counts, class_names):
    """Warns of synthetic classes that the real data do not have.

    Integer labels do not say which classes a data set has: where it has fewer
    than the generator, synthetic images of the others would be mixed in
    without a word.

    Args:
        classes: Sequence of the indices of synthetic classes.
        class_counts: Integer array `(num_classes,)`, real examples, or `None`
            where they are not known.
        class_names: Sequence of strings.
    """
    if class_counts is None:
        return
    strange = [
        class_names[index] for index in classes if not class_counts[index]
    ]
    if strange:
        warnings.warn(
            f"The data have no real example of {strange}, and synthetic ones "
            "are mixed in. If the data set has other classes than the GAN, "
            "train one on its classes; else give `sampling_strategy` a dict of "
            "the classes that are wanted. "
            f"Received: class_counts={np.asarray(class_counts).tolist()}",
            stacklevel=2,
        )


def count_classes(dataset, elements, class_names):
    """Counts the examples of each class in one pass over a dataset.

    Args:
        dataset: Finite `tf.data.Dataset`.
        elements: `ganaug.data.elements.Elements` of it. Soft labels count for
            their likeliest class.
        class_names: Sequence of strings.

    Returns:
        An int64 NumPy array `(num_classes,)`.

    Raises:
        ValueError: The dataset is infinite, or a label is out of range.
    """
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            "The classes of an infinite dataset cannot be counted. Say how "
            "many examples each class has with `class_counts`, or leave out "
            "`repeat()`. Received: cardinality=infinite"
        )

    @tf.autograph.experimental.do_not_convert
    def hard_labels(element):
        return _hard_labels(elements, element)

    # `map` unpacks a tuple, so that what is within it comes whole.
    labels = tf.data.Dataset.zip((dataset,)).map(hard_labels)
    if not elements.batched:
        labels = labels.batch(LABELS_AT_A_TIME)
    counts = np.zeros(len(class_names), np.int64)
    for batch in labels.as_numpy_iterator():
        counts += count_labels(batch, class_names)
    return counts


def check_counted(dataset, elements, class_counts, class_names):
    """Checks on the way that no class has more examples than was said.

    Args:
        dataset: `tf.data.Dataset`.
        elements: As in `count_classes`.
        class_counts: int64 array `(num_classes,)`.
        class_names: As in `count_classes`.

    Returns:
        A `tf.data.Dataset` of the same elements. Iterating raises
        `tf.errors.InvalidArgumentError` at the first example that is too many.
    """
    given = tf.constant(class_counts, tf.int64)
    message = (
        "`class_counts` must be those of the dataset, which has more examples "
        f"of some class. Leave it out to have them counted. The classes are "
        f"{list(class_names)}. Received: class_counts={class_counts.tolist()} "
        "for a dataset with at least"
    )

    @tf.autograph.experimental.do_not_convert
    def advance(counted, element):
        labels = tf.reshape(_hard_labels(elements, element), [-1])
        # A label out of range is nobody's; the mixer tells of it.
        found = tf.one_hot(labels, len(class_names), dtype=tf.int64)
        counted += tf.reduce_sum(found, 0)
        checked = tf.debugging.Assert(
            tf.reduce_all(counted <= given),
            [message, counted],
            summarize=len(class_names),
        )
        with tf.control_dependencies([checked]):
            return tf.identity(counted), element

    return dataset.scan(tf.zeros_like(given), advance)


def _hard_labels(elements, element):
    labels = elements.label(element)
    if elements.num_classes is not None:
        labels = tf.argmax(labels, -1)
    return tf.cast(labels, tf.int64)


def count_labels(labels, class_names):
    """Counts the labels of each class in an array.

    Args:
        labels: NumPy array of integers, or of one-hot or soft labels, which
            count for their likeliest class.
        class_names: Sequence of strings.

    Returns:
        An int64 NumPy array `(num_classes,)`.

    Raises:
        ValueError: A label is out of range.
    """
    num_classes = len(class_names)
    if labels.ndim > 1:
        labels = labels.argmax(-1)
    if len(labels) and not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(
            f"The dataset's labels must be in [0, {num_classes}), the classes "
            f"{list(class_names)}. Received: labels from {labels.min()} to "
            f"{labels.max()}"
        )
    return np.bincount(labels.astype(np.int64), minlength=num_classes)
