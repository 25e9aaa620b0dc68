"""The ladder of sizes between an image and its few smallest features."""

import math

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


def with_channels(sizes, width, max_multiple=4):
    """Gives each size its channels: twice as many as the one before.

    Args:
        sizes: List of sizes, largest first.
        width: Integer. Channels at the largest size.
        max_multiple: Integer. The most is this times `width`. Defaults to
            `4`.

    Returns:
        A list of pairs, the stages: a size and its channels.

    Example:

    >>> with_channels([(28, 13), (14, 7), (7, 4)], 32, max_multiple=2)
    [((28, 13), 32), ((14, 7), 64), ((7, 4), 64)]
    """
    return [
        (size, width * min(2**level, max_multiple))
        for level, size in enumerate(sizes)
    ]


def smallest_images(features, stages, **options):
    """Makes the first images of a generator with a dense layer.

    Args:
        features: Keras tensor `(batch, dim)`.
        stages: What `with_channels` returned.
        **options: Of `keras.layers.Dense`.

    Returns:
        A Keras tensor `(batch, height, width, channels)` of the last stage.
    """
    size, channels = stages[-1]
    shape = (*size, channels)
    images = keras.layers.Dense(math.prod(shape), **options)(features)
    return keras.layers.Reshape(shape)(images)


def doubled(images, size):
    """Repeats rows and columns, unless the images have the size already.

    Args:
        images: Keras tensor `(batch, height, width, channels)`.
        size: Tuple `(height, width)` wanted.

    Returns:
        A Keras tensor `(batch, *size, channels)`.
    """
    if images.shape[1:3] == size:
        return images
    return crop(keras.layers.UpSampling2D()(images), size)


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


def pixels(images, channels):
    """Makes a generator's images out of features of their size.

    Args:
        images: Keras tensor `(batch, height, width, features)`.
        channels: Integer.

    Returns:
        A Keras tensor `(batch, height, width, channels)` in `[-1, 1]`.
    """
    return keras.layers.Conv2D(
        channels,
        3,
        padding="same",
        activation="tanh",
        dtype=keras.config.floatx(),
    )(images)
