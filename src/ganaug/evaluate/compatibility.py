"""Checks of what must fit the training data."""


def check_generator(name, transform, train):
    """Checks that a generator knows the data's classes and value range.

    Args:
        name: String. Name of the arm, for errors.
        transform: Callable `Dataset -> Dataset`, or `None`.
        train: `LabeledImages`.

    Raises:
        ValueError: `class_names` or `value_range`, which it may have, are not
            those of the data.
    """
    value_range = getattr(transform, "value_range", None)
    if value_range is not None and tuple(value_range) != train.value_range:
        raise ValueError(
            f"Arm {name!r} must have the value range of the data, "
            f"{train.value_range}. Received: value_range={value_range}"
        )
    names = getattr(transform, "class_names", None)
    if names is None or tuple(names) == train.class_names:
        return
    numbers = tuple(str(label) for label in range(len(names)))
    # Where classes are only numbered on one side, their number must do.
    only_numbered = numbers in (tuple(names), train.class_names)
    another_order = sorted(names) == sorted(train.class_names)
    if len(names) != train.num_classes or another_order or not only_numbered:
        raise ValueError(
            f"Arm {name!r} must have the classes of the data, in their order, "
            f"{list(train.class_names)}. Received: {list(names)}"
        )


def check_test(train, test):
    """Checks that test images are of the kind of the training images.

    Args:
        train: `LabeledImages`.
        test: `LabeledImages`.

    Raises:
        ValueError: Shape, classes or value range differ.
    """
    if test.image_shape != train.image_shape:
        raise ValueError(
            "`train` and `test` must have images of one shape. Received: "
            f"{train.image_shape} and {test.image_shape}"
        )
    if test.class_names != train.class_names:
        raise ValueError(
            "`train` and `test` must have the same classes. Received: "
            f"{train.class_names} and {test.class_names}"
        )
    if test.value_range != train.value_range:
        raise ValueError(
            "`train` and `test` must have one value range. Declare it with "
            f"`value_range`. Received: {train.value_range} and "
            f"{test.value_range}"
        )
