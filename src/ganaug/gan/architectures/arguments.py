"""Checks of the arguments that networks are built with."""

import numbers

from ganaug.gan.architectures.conditioning import CONDITIONINGS

# An artifact may not make its reader build a network that fills the memory.
LIMITS = {"latent_dim": 4096, "width": 1024, "depth": 16}


def check_image_shape(image_shape):
    """Checks `(height, width, channels)` and returns it as integers.

    Args:
        image_shape: Tuple of three integers: height and width of at least 4
            pixels, and 1 to 4 channels.

    Returns:
        A tuple of three integers.

    Raises:
        ValueError: The shape is anything else.
    """
    try:
        shape = tuple(image_shape)
    except TypeError:
        shape = ()
    if (
        len(shape) != 3
        or not all(isinstance(side, numbers.Integral) for side in shape)
        or min(shape[:2]) < 4
        or not 1 <= shape[2] <= 4
    ):
        raise ValueError(
            "`image_shape` must be (height, width, channels) with sides of at "
            "least 4 pixels and 1 to 4 channels. "
            f"Received: image_shape={image_shape}"
        )
    return tuple(int(side) for side in shape)


def check_num_classes(num_classes):
    """Checks a number of classes.

    Args:
        num_classes: Integer, or `None` for networks without classes.

    Returns:
        An integer or `None`.

    Raises:
        ValueError: It is anything else, or not positive.
    """
    if num_classes is None:
        return None
    if not _is_positive_integer(num_classes):
        raise ValueError(
            "`num_classes` must be a positive integer, or None for networks "
            f"that know no classes. Received: num_classes={num_classes!r}"
        )
    return int(num_classes)


def check_sizes(defaults, **sizes):
    """Checks the sizes of a network, and fills in those not given.

    Args:
        defaults: `Architecture` that has the sizes' defaults.
        **sizes: Integers, or `None` for the default: `latent_dim`, `width`
            and `depth`.

    Returns:
        A dict of integers.

    Raises:
        ValueError: One is not a positive integer, or larger than `LIMITS`.
    """
    for name, size in sizes.items():
        if size is None:
            sizes[name] = getattr(defaults, name)
        elif not _is_positive_integer(size) or size > LIMITS[name]:
            raise ValueError(
                f"`{name}` must be a positive integer of at most "
                f"{LIMITS[name]}. Received: {name}={size!r}"
            )
    return {name: int(size) for name, size in sizes.items()}


def check_conditioning(conditioning, num_classes, default):
    """Checks how a discriminator learns of the class.

    Args:
        conditioning: String, or `None` for the default.
        num_classes: Integer, or `None` without classes.
        default: String. What it is if nothing is said.

    Returns:
        A string; `None` without classes.

    Raises:
        ValueError: There is no such conditioning, or there are no classes.
    """
    if num_classes is None:
        if conditioning is not None:
            raise ValueError(
                "`conditioning` must be None without classes: leave it out, or "
                f"give `num_classes`. Received: conditioning={conditioning!r}"
            )
        return None
    if conditioning is None:
        return default
    if conditioning not in CONDITIONINGS:
        raise ValueError(
            f"`conditioning` must be one of {list(CONDITIONINGS)}. "
            f"Received: conditioning={conditioning!r}"
        )
    return conditioning


def _is_positive_integer(number):
    return (
        isinstance(number, numbers.Integral)
        and not isinstance(number, bool)
        and number >= 1
    )
