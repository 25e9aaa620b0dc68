"""Whether a dataset fits the generator, and what its numbers mean."""

import tensorflow as tf

# What values may leave their range by, as a part of it.
RANGE_SLACK = 1e-3


def check_fits(element_spec, elements, draws):
    """Checks that a dataset has the images and classes of the generator.

    Args:
        element_spec: `tf.data.Dataset.element_spec`.
        elements: `ganaug.data.elements.Elements` of it.
        draws: `Generators` or `Bank`.

    Raises:
        ValueError: It does not.
    """
    problem = None
    if not tf.TensorShape(elements.image_shape).is_compatible_with(
        draws.image_shape
    ):
        problem = (
            f"the images have shape {elements.image_shape}, but the GAN was "
            f"trained on {draws.image_shape}; resize the images or train "
            "another GAN"
        )
    elif elements.num_classes not in (None, draws.num_classes):
        problem = (
            f"the labels have {elements.num_classes} classes, but the GAN has "
            f"{draws.num_classes}: {list(draws.class_names)}"
        )
    if problem:
        raise ValueError(
            f"The GAN does not fit the dataset: {problem}. "
            f"Received: element_spec={element_spec}"
        )


def check_class_names(class_names, known):
    """Checks that a dataset has the classes of the generator, in their order.

    Args:
        class_names: Sequence of strings: those of the dataset.
        known: Tuple of strings: those of the generator.

    Raises:
        ValueError: One is missing, unknown or at another place.
    """
    given = [class_names] if isinstance(class_names, str) else class_names
    given = [str(name) for name in given]
    if given == list(known):
        return
    if sorted(given) == sorted(known):
        place = next(i for i, name in enumerate(given) if name != known[i])
        problem = (
            f"label {place} is {given[place]!r} in the dataset and "
            f"{known[place]!r} for the GAN; map the labels to the GAN's order"
        )
    else:
        strange = [name for name in given if name not in known]
        missing = [name for name in known if name not in given]
        problem = (
            f"the GAN does not know {strange}, and the dataset does not have "
            f"{missing}; train a GAN on these classes"
        )
    raise ValueError(
        "`class_names` must be the classes that the GAN was trained on, "
        f"{list(known)}, but {problem}. Received: class_names={given}"
    )


def resolve_value_range(value_range, elements, draws):
    """Finds the value range of a dataset's images.

    Args:
        value_range: Pair of floats that was declared, or `None`.
        elements: `ganaug.data.elements.Elements` of the dataset.
        draws: `Generators` or `Bank`.

    Returns:
        A pair of floats.

    Raises:
        ValueError: It is not known, or the dtype cannot hold it.
    """
    dtype = elements.image_dtype
    if value_range is not None:
        low, high = value_range
        if low < dtype.min or high > dtype.max:
            raise ValueError(
                f"The dataset's images are {dtype.name}, which cannot hold "
                f"their value range. Received: value_range={value_range}"
            )
        return value_range
    if dtype.is_integer:
        if dtype.name == draws.image_dtype:
            return draws.value_range
        if dtype == tf.uint8:
            return (0.0, 255.0)
    raise ValueError(
        "The value range of the dataset is not known: its images are "
        f"{dtype.name}, but the GAN was trained on {draws.image_dtype} in "
        f"{list(draws.value_range)}. Declare it with `value_range`, for "
        "instance (0, 1). Received: value_range=None"
    )


def check_range(images, value_range):
    """Checks that images keep to their value range.

    Args:
        images: NumPy array.
        value_range: Pair of floats.

    Raises:
        ValueError: They leave it, or a value is NaN.
    """
    low, high = value_range
    slack = RANGE_SLACK * (high - low)
    lowest, highest = float(images.min()), float(images.max())
    if not (low - slack <= lowest and highest <= high + slack):
        raise ValueError(
            f"`images` must be in their value range {value_range}. Declare "
            "theirs with `value_range`, and leave out NaN. "
            f"Received: values from {lowest:g} to {highest:g}"
        )
