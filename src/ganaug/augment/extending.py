"""Growing a data set: how many of each class, and where they go."""

import numbers
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from imblearn.utils import check_sampling_strategy

from ganaug.augment.batch_mixer import GROUP_SIZE
from ganaug.augment.sampling_strategy import GROWTH_STRATEGIES, by_class

KINDS = (
    "`sampling_strategy` must say what the data set grows to with "
    f"mode='extend': one of {GROWTH_STRATEGIES}, a dict from classes to "
    "numbers of examples, a callable that returns one, or for two classes a "
    "float in (0, 1]."
)


def check_growth_strategy(sampling_strategy, class_names):
    """Checks what can be checked of a strategy before there is a data set.

    Args:
        sampling_strategy: As in `resolve_growth`.
        class_names: As in `resolve_growth`.

    Raises:
        ValueError: It is of no known kind, or names an unknown class.
    """
    if isinstance(sampling_strategy, Mapping):
        _totals(sampling_strategy, class_names)
        return
    known = callable(sampling_strategy)
    if isinstance(sampling_strategy, str):
        known = sampling_strategy in GROWTH_STRATEGIES
    elif isinstance(sampling_strategy, numbers.Real):
        known = 0 < sampling_strategy <= 1
    if not known:
        raise ValueError(
            f"{KINDS} Received: sampling_strategy={sampling_strategy!r}"
        )


def resolve_growth(sampling_strategy, class_counts, class_names):
    """Computes how many synthetic examples each class gets.

    Args:
        sampling_strategy: What imbalanced-learn's oversamplers take, with
            their meaning. `"minority"`, `"not minority"`, `"not majority"`,
            `"all"` or `"auto"`, which is `"not majority"`: these classes grow
            to the size of the largest. A dict from classes, by name or index,
            to their numbers of examples afterwards. A float, for two classes:
            the smaller one's share of the larger one afterwards. Or a callable
            that gets the labels and returns such a dict.
        class_counts: Integer array `(num_classes,)`. Real examples.
        class_names: Sequence of strings.

    Returns:
        An int64 NumPy array `(num_classes,)`.

    Raises:
        ValueError: The strategy is unknown or does not fit the classes.

    Example:

    >>> resolve_growth("auto", [5, 2, 4], ["cat", "dog", "fox"]).tolist()
    [0, 3, 1]

    Reference:
        - [imbalanced-learn](https://imbalanced-learn.org)
    """
    counts = np.asarray(class_counts, np.int64)
    labels = np.repeat(np.arange(len(counts)), counts)
    try:
        added = check_sampling_strategy(
            _with_indices(sampling_strategy, class_names),
            labels,
            "over-sampling",
        )
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{KINDS} imbalanced-learn says: {error} Received: "
            f"sampling_strategy={sampling_strategy!r} for class_counts="
            f"{counts.tolist()}"
        ) from error
    growth = np.zeros(len(counts), np.int64)
    for index, number in added.items():
        growth[index] = number
    return growth


def extend_dataset(dataset, elements, mix, num_real, num_synthetic):
    """Spreads synthetic examples among the real ones of a dataset.

    Args:
        dataset: Finite `tf.data.Dataset`, batched or not.
        elements: `ganaug.data.elements.Elements` of it.
        mix: Callable from a dataset of small batches to one of grown batches,
            which adds all the synthetic examples.
        num_real: Integer of at least 1. Examples of the dataset.
        num_synthetic: Integer.

    Returns:
        A `tf.data.Dataset` of known cardinality, in batches as large as those
        of `dataset`.
    """
    total = num_real + num_synthetic
    static_size = _static_batch_size(dataset, elements)
    size = GROUP_SIZE
    if elements.batched:
        size = static_size or _first_batch_size(dataset, elements)
    # Few enough real examples at a time that they grow to a batch.
    step = max(1, size * num_real // total)
    if not elements.batched:
        mixed = mix(dataset.batch(step)).unbatch()
        cardinality = total
    else:
        mixed = mix(dataset.rebatch(step)).rebatch(
            size, drop_remainder=static_size is not None
        )
        cardinality = total // size if static_size else -(-total // size)
    return mixed.apply(tf.data.experimental.assert_cardinality(cardinality))


def check_extendable(dataset, elements, class_counts):
    """Checks that a dataset can be extended, and has the examples it is said.

    Args:
        dataset: `tf.data.Dataset`.
        elements: `ganaug.data.elements.Elements` of it.
        class_counts: Integer array `(num_classes,)`.

    Raises:
        ValueError: The dataset is infinite, empty, or of another size, or
            its batches cannot be cut and joined.
    """
    cardinality = int(dataset.cardinality())
    if cardinality == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            "An infinite dataset cannot be extended. Apply GANAugmenter before "
            "`repeat()`, or mix into its batches with mode='replace' or "
            "'append'. Received: cardinality=infinite"
        )
    varying = [
        key
        for key, structure in elements.extras(dataset.element_spec).items()
        for spec in tf.nest.flatten(structure)
        if not spec.shape[1:].is_fully_defined()
    ]
    if varying:
        raise ValueError(
            "mode='extend' makes new batches, for which all examples must "
            f"have one size, and that of {varying} is not known. Set it with "
            "`padded_batch(..., padded_shapes=...)` or `tf.ensure_shape`. "
            f"Received: element_spec={dataset.element_spec}"
        )
    total = int(np.sum(class_counts))
    if not total:
        raise ValueError(
            "An empty data set cannot be extended. Received: "
            f"class_counts={np.asarray(class_counts).tolist()}"
        )
    size = _static_batch_size(dataset, elements) if elements.batched else 1
    if cardinality >= 0 and size and cardinality * size != total:
        raise ValueError(
            "`class_counts` must be those of the dataset, which has "
            f"{cardinality * size} examples. Leave it out to have them "
            f"counted. Received: class_counts of {total} examples"
        )


def _with_indices(sampling_strategy, class_names):
    if isinstance(sampling_strategy, Mapping):
        return _totals(sampling_strategy, class_names)
    if callable(sampling_strategy):
        return lambda labels: _totals(sampling_strategy(labels), class_names)
    return sampling_strategy


def _totals(numbers_by_class, class_names):
    if not isinstance(numbers_by_class, Mapping):
        raise ValueError(
            "A callable `sampling_strategy` must return a dict from classes to "
            f"numbers of examples. Received: {numbers_by_class!r}"
        )
    totals = by_class(numbers_by_class, class_names, "sampling_strategy")
    for index, number in totals.items():
        if not isinstance(number, numbers.Integral) or number < 0:
            raise ValueError(
                "Numbers of examples in `sampling_strategy` must be integers "
                f"of at least 0. Received: {class_names[index]!r}: {number!r}"
            )
    return totals


def _static_batch_size(dataset, elements):
    if not elements.batched:
        return None
    return elements.image(dataset.element_spec).shape[0]


def _first_batch_size(dataset, elements):
    for batch in dataset.take(1):
        return int(elements.image(batch).shape[0])
    raise ValueError(
        "An empty data set cannot be extended. Received: a dataset without "
        "any batch"
    )
