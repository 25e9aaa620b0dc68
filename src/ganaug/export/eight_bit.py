"""Images of a bank as files hold them: 8 bits a channel, one after another."""

import numpy as np

from ganaug.data.images import from_unit, to_unit

BYTE_RANGE = (0.0, 255.0)
CHANNELS = (1, 3, 4)
# Images that are read from the bank at a time.
BLOCK = 256


def check_channels(image_shape):
    """Checks that there are image files with so many channels.

    Args:
        image_shape: Tuple `(height, width, channels)`.

    Raises:
        ValueError: There are none.
    """
    if image_shape[-1] not in CHANNELS:
        raise ValueError(
            f"Image files have {CHANNELS[0]} (gray), {CHANNELS[1]} (RGB) or "
            f"{CHANNELS[2]} (RGBA) channels. Use the format npz or bank, which "
            f"hold any. Received: images of shape {tuple(image_shape)}"
        )


def is_eight_bit(source):
    """Tells whether images are in 8 bits a channel as they are.

    Args:
        source: `ganaug.synthesis.bank.Bank`, or the generators of one.

    Returns:
        A boolean.
    """
    return (source.image_dtype, tuple(source.value_range)) == (
        "uint8",
        BYTE_RANGE,
    )


def eight_bit_images(bank, on_progress=None):
    """Reads the images of a bank, some at a time.

    Args:
        bank: `ganaug.synthesis.bank.Bank`.
        on_progress: Callable `on_progress(num_done, num_images)`, called after
            each block. Defaults to `None`.

    Yields:
        uint8 NumPy arrays `(height, width, channels)`, in the order of the
        bank. Other dtypes and value ranges are mapped to `[0, 255]` and
        rounded.
    """
    images, num_images = bank.images, len(bank)
    for start in range(0, num_images, BLOCK):
        block = np.array(images[start : start + BLOCK])
        yield from to_eight_bit(block, bank)
        if on_progress is not None:
            on_progress(start + len(block), num_images)


def to_eight_bit(images, source):
    """Maps images to 8 bits a channel.

    Args:
        images: NumPy array of images, as `source` has them.
        source: As in `is_eight_bit`.

    Returns:
        A uint8 NumPy array of the same shape.
    """
    if is_eight_bit(source):
        return images
    return from_unit(
        to_unit(images, source.value_range), BYTE_RANGE, "uint8"
    ).numpy()
