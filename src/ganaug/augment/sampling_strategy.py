"""Which classes the synthetic images of a batch have: words to numbers."""

from collections.abc import Mapping
from numbers import Integral

MATCH = "match"
UNIFORM = "uniform"
STRATEGIES = (UNIFORM, MATCH)


def resolve_class_weights(sampling_strategy, class_names):
    """Turns a sampling strategy into a probability for each class.

    Args:
        sampling_strategy: `"uniform"`: every class equally likely.
            `"match"`: a synthetic image has the label of the real one it
            replaces. Or a mapping from class name or index to a weight that is
            not negative; classes left out get none.
        class_names: Sequence of strings.

    Returns:
        A list of probabilities, one for each class, or `None` for `"match"`.

    Raises:
        ValueError: The strategy, a class or a weight is unknown or wrong.

    Example:

    >>> resolve_class_weights({"dog": 3, "fox": 1}, ["cat", "dog", "fox"])
    [0.0, 0.75, 0.25]
    """
    num_classes = len(class_names)
    if sampling_strategy == MATCH:
        return None
    if sampling_strategy == UNIFORM:
        return [1.0 / num_classes] * num_classes
    if not isinstance(sampling_strategy, Mapping):
        raise ValueError(
            f"`sampling_strategy` must be one of {STRATEGIES} or a mapping "
            "from classes to weights. "
            f"Received: sampling_strategy={sampling_strategy!r}"
        )
    weights, named = [0.0] * num_classes, set()
    for name, weight in sampling_strategy.items():
        weight = float(weight)
        if not 0 <= weight < float("inf"):
            raise ValueError(
                "Weights in `sampling_strategy` must be finite and not "
                f"negative. Received: {name!r}: {weight}"
            )
        index = class_index(name, class_names)
        if index in named:
            raise ValueError(
                f"`sampling_strategy` names {class_names[index]!r} twice. "
                f"Received: sampling_strategy={sampling_strategy!r}"
            )
        named.add(index)
        weights[index] = weight
    total = sum(weights)
    if not total:
        raise ValueError(
            "`sampling_strategy` must give some class a weight. "
            f"Received: sampling_strategy={sampling_strategy!r}"
        )
    return [weight / total for weight in weights]


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
