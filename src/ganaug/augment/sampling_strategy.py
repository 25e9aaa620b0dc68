"""Which classes the synthetic images of a batch have: words to numbers."""

from collections.abc import Mapping, Sequence
from numbers import Integral

import numpy as np

MATCH = "match"
UNIFORM = "uniform"
INVERSE_FREQUENCY = "inverse_frequency"
STRATEGIES = (UNIFORM, MATCH, INVERSE_FREQUENCY)
# imbalanced-learn's words, which say what a data set grows to.
GROWTH_STRATEGIES = ("auto", "minority", "not majority", "not minority", "all")


def needs_class_counts(sampling_strategy):
    """Tells whether a strategy depends on how often classes are.

    Args:
        sampling_strategy: As in `resolve_class_weights`.

    Returns:
        A boolean.
    """
    return (
        isinstance(sampling_strategy, str)
        and sampling_strategy == INVERSE_FREQUENCY
    )


def resolve_class_weights(sampling_strategy, class_names, class_counts=None):
    """Turns a sampling strategy into a probability for each class.

    Args:
        sampling_strategy: `"uniform"`: every class equally likely.
            `"match"`: the classes of real examples. `"inverse_frequency"`: the
            rarer a class, the likelier, so that a class with half the examples
            has twice the probability. Or weights that are not negative: a
            mapping from class name or index, in which classes left out get
            none, or a sequence of one for each class.
        class_names: Sequence of strings.
        class_counts: Sequence of the numbers of real examples of each class.
            Only `"inverse_frequency"` needs it; without it, it is checked for
            nothing but its spelling.

    Returns:
        A list of probabilities, one for each class, or `None` for `"match"`
        and where the class counts are missing.

    Raises:
        ValueError: The strategy, a class or a weight is unknown or wrong, or a
            class without examples would be infinitely likely.

    Example:

    >>> resolve_class_weights({"dog": 3, "fox": 1}, ["cat", "dog", "fox"])
    [0.0, 0.75, 0.25]
    >>> resolve_class_weights("inverse_frequency", ["cat", "dog"], [30, 10])
    [0.25, 0.75]
    """
    num_classes = len(class_names)
    if isinstance(sampling_strategy, str):
        if sampling_strategy == MATCH:
            return None
        if sampling_strategy == UNIFORM:
            return [1.0 / num_classes] * num_classes
        if sampling_strategy == INVERSE_FREQUENCY:
            return _inverse_frequency(class_names, class_counts)
    weights = _named_weights(sampling_strategy, class_names)
    total = sum(weights)
    if not total:
        raise ValueError(
            "`sampling_strategy` must give some class a weight. "
            f"Received: sampling_strategy={sampling_strategy!r}"
        )
    return [weight / total for weight in weights]


def by_class(numbers, class_names, argument):
    """Puts numbers that are given by class name or index in order.

    Args:
        numbers: Mapping from class names or indices to numbers.
        class_names: Sequence of strings.
        argument: String. What the numbers are called, for errors.

    Returns:
        A dict from class indices to numbers.

    Raises:
        ValueError: There is no such class, or one is named twice.
    """
    found = {}
    for name, number in numbers.items():
        index = class_index(name, class_names)
        if index in found:
            raise ValueError(
                f"`{argument}` names {class_names[index]!r} twice. "
                f"Received: {argument}={numbers!r}"
            )
        found[index] = number
    return found


def class_index(name, class_names):
    """Finds a class by its name or its number.

    Args:
        name: String or integer. A string is first taken as a name, then as a
            number.
        class_names: Sequence of strings.

    Returns:
        An integer in `[0, len(class_names))`.

    Raises:
        ValueError: There is no such class.

    Example:

    >>> class_index("fox", ["cat", "dog", "fox"])
    2
    """
    if isinstance(name, str) and name in class_names:
        return list(class_names).index(name)
    index = -1
    if isinstance(name, Integral) or (isinstance(name, str) and name.isdigit()):
        index = int(name)
    if not 0 <= index < len(class_names):
        raise ValueError(
            f"There is no such class. Expected a name out of "
            f"{list(class_names)} or a number from 0 to "
            f"{len(class_names) - 1}. Received: {name!r}"
        )
    return index


def _inverse_frequency(class_names, class_counts):
    if class_counts is None:
        return None
    empty = [
        name
        for name, count in zip(class_names, class_counts, strict=True)
        if not count
    ]
    if empty:
        raise ValueError(
            "`inverse_frequency` divides by the number of real examples, and "
            f"of {empty} there is none. Give these classes weights with a "
            "dict. Received: sampling_strategy='inverse_frequency'"
        )
    inverse = [1.0 / count for count in class_counts]
    return [weight / sum(inverse) for weight in inverse]


def _named_weights(sampling_strategy, class_names):
    if isinstance(sampling_strategy, Mapping):
        named = by_class(sampling_strategy, class_names, "sampling_strategy")
    elif (
        isinstance(sampling_strategy, (Sequence, np.ndarray))
        and not isinstance(sampling_strategy, str)
        and len(sampling_strategy) == len(class_names)
    ):
        named = dict(enumerate(sampling_strategy))
    else:
        hint = ""
        if callable(sampling_strategy) or (
            isinstance(sampling_strategy, str)
            and sampling_strategy in GROWTH_STRATEGIES
        ):
            hint = " That one says what a data set grows to: mode='extend'."
        raise ValueError(
            f"`sampling_strategy` must be one of {STRATEGIES}, a mapping from "
            "classes to weights, or one weight for each of the "
            f"{len(class_names)} classes.{hint} "
            f"Received: sampling_strategy={sampling_strategy!r}"
        )
    weights = [0.0] * len(class_names)
    for index, weight in named.items():
        try:
            weights[index] = float(weight)
        except (TypeError, ValueError):
            weights[index] = -1.0
        if not 0 <= weights[index] < float("inf"):
            raise ValueError(
                "Weights in `sampling_strategy` must be finite and not "
                f"negative. Received: {class_names[index]!r}: {weight!r}"
            )
    return weights
