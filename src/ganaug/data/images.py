"""The user's pixel values and the GAN's float32 in [-1, 1]."""

import numpy as np
import tensorflow as tf


def check_value_range(value_range):
    """Checks a declared value range and returns it as two floats.

    Args:
        value_range: Pair of numbers, the values of black and of full
            intensity, the first smaller than the second.

    Returns:
        A tuple of two floats.

    Raises:
        ValueError: It is not a pair, not finite, or not in order.
    """
    try:
        low, high = (float(bound) for bound in value_range)
    except (TypeError, ValueError):
        low = high = float("nan")
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(
            "`value_range` must be two finite numbers (low, high) with "
            f"low < high. Received: value_range={value_range!r}"
        )
    return low, high


def infer_value_range(images):
    """Finds the value range of an array of images, or checks that it can.

    Args:
        images: NumPy array of images, without NaN. `uint8` means `[0, 255]`;
            floating-point values within `[0, 1]` mean that range, and within
            `[-1, 1]`, some of them negative, that one.

    Returns:
        A tuple of two floats.

    Raises:
        ValueError: The values fit no usual range; `value_range` must be given.
    """
    low, high = float(images.min()), float(images.max())
    found = None
    if images.dtype == np.uint8 and high > 1:
        found = (0.0, 255.0)
    elif np.issubdtype(images.dtype, np.floating) and low >= -1 and high <= 1:
        found = (-1.0, 1.0) if low < 0 else (0.0, 1.0)
    if found is None:
        raise ValueError(
            "The value range of the images is not clear: they are "
            f"{images.dtype} with values from {low:g} to {high:g}. Expected "
            "uint8 in [0, 255], or floats in [0, 1] or [-1, 1]. Declare "
            "another range with `value_range=(low, high)`. "
            "Received: value_range=None"
        )
    return found


def check_values(images, value_range):
    """Checks that images are finite and within the declared range.

    Args:
        images: NumPy array of images of a real dtype.
        value_range: Pair of floats.

    Raises:
        ValueError: A value is NaN or infinite, or outside of the range.
    """
    low, high = float(images.min()), float(images.max())
    bounds = value_range
    if images.dtype.kind in "ui":
        limits = np.iinfo(images.dtype)
        # As floats, which the ends of 64 bits are rounded to.
        if value_range[0] < limits.min or value_range[1] > float(limits.max):
            raise ValueError(
                f"`value_range` must be one that {images.dtype} can hold, from "
                f"{limits.min} to {limits.max}: generated images have its ends "
                f"in them. Received: value_range={value_range}"
            )
    if images.dtype.kind == "f":
        # A bound that the dtype cannot hold is rounded as the pixels were.
        bounds = [float(images.dtype.type(bound)) for bound in value_range]
    if low < bounds[0] or high > bounds[1]:
        raise ValueError(
            f"The images hold values from {low:g} to {high:g}, outside of "
            f"their value range. Received: value_range={value_range}"
        )


def to_unit(images, value_range):
    """Maps pixel values to float32 in `[-1, 1]`, the range inside the GAN.

    Args:
        images: Tensor or array of images of any real dtype.
        value_range: Pair of floats: what becomes -1 and what becomes 1.

    Returns:
        A float32 tensor of the same shape.

    Example:

    >>> to_unit(np.array([0, 255], "uint8"), (0, 255)).numpy()
    array([-1.,  1.], dtype=float32)
    """
    low, high = value_range
    images = tf.cast(images, tf.float32)
    return (images - low) * (2.0 / (high - low)) - 1.0


def from_unit(images, value_range, dtype):
    """Maps float32 in `[-1, 1]` to pixel values; the inverse of `to_unit`.

    Args:
        images: Float tensor or array of images. Values outside of `[-1, 1]`
            are clipped.
        value_range: Pair of floats: what -1 becomes and what 1 becomes.
        dtype: The dtype of the result. Integers are rounded to the nearest.

    Returns:
        A tensor of `dtype` and of the same shape.

    Example:

    >>> from_unit(np.array([-1.0, 0.1]), (0, 255), "uint8").numpy()
    array([  0, 140], dtype=uint8)
    """
    low, high = value_range
    images = tf.clip_by_value(tf.cast(images, tf.float32), -1.0, 1.0)
    images = (images + 1.0) * ((high - low) / 2.0) + low
    dtype = tf.as_dtype(dtype)
    if dtype.is_integer:
        # Of large numbers float32 knows but some, and the nearest one may be
        # beyond what the integer can hold.
        lowest, highest = np.float32(low), np.float32(high)
        if float(lowest) < low:
            lowest = np.nextafter(lowest, np.float32(high))
        if float(highest) > high:
            highest = np.nextafter(highest, np.float32(low))
        images = tf.clip_by_value(tf.round(images), lowest, highest)
        return tf.cast(images, dtype)
    # As a number of this dtype a bound may be a little nearer.
    return tf.clip_by_value(
        tf.cast(images, dtype),
        tf.constant(low, dtype),
        tf.constant(high, dtype),
    )
