"""The ladder of sizes between an image and its few smallest features."""

import keras

SMALLEST_SIDE = 7


def half(size):
    """Halves both sides, rounded up.

    Args:
        size: Tuple `(height, width)`.

    Returns:
        A tuple of two integers.
    """
    return tuple(-(-side // 2) for side in size)


def ladder(size, fewest=1):
    """Halves a size until no side is over seven pixels.

    Args:
        size: Tuple `(height, width)`.
        fewest: Integer. Sizes that there are at least. Defaults to `1`.

    Returns:
        A list of sizes, largest first.

    Example:

    >>> ladder((28, 13))
    [(28, 13), (14, 7), (7, 4)]
    """
    sizes = [tuple(size)]
    while max(sizes[-1]) > SMALLEST_SIDE or len(sizes) < fewest:
        sizes.append(half(sizes[-1]))
    return sizes


def channels_at(level, width, max_multiple=4):
    """Channels at a level of the ladder: twice as many at half the size.

    Args:
        level: Integer. `0` is the largest size.
        width: Integer. Channels at the largest size.
        max_multiple: Integer. The most is this times `width`. Defaults to
            `4`.

    Returns:
        An integer.
    """
    return width * min(2**level, max_multiple)


def crop(images, size):
    """Cuts rows and columns off the end, since doubling a half rounded up.

    Args:
        images: Keras tensor `(batch, height, width, channels)`.
        size: Tuple `(height, width)` wanted.

    Returns:
        A Keras tensor `(batch, *size, channels)`.
    """
    rows = images.shape[1] - size[0]
    columns = images.shape[2] - size[1]
    if rows or columns:
        images = keras.layers.Cropping2D(((0, rows), (0, columns)))(images)
    return images
