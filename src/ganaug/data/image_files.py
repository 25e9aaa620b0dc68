"""Image files, one at a time."""

import os
import warnings

import numpy as np
from PIL import Image

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
GRAY_MODES = ("1", "L", "LA")
MODES = (*GRAY_MODES, "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV")
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def read_header(file):
    """Reads what an image is like, but not its pixels.

    Args:
        file: Path.

    Returns:
        A pair of the size `(height, width)` and Pillow's mode.

    Raises:
        ValueError: It cannot be read, or is not 8-bit.
    """
    with _open(file) as image:
        if image.mode not in MODES:
            _refuse(
                file, f"mode {image.mode!r}; convert it to 8 bits a channel"
            )
        return (image.height, image.width), image.mode


def read_pixels(file, mode, image_size):
    """Reads an image, stretched to a size with Pillow's Lanczos filter.

    Args:
        file: Path.
        mode: String. `"L"` for one channel, `"RGB"` for three.
        image_size: Pair of integers `(height, width)`.

    Returns:
        A NumPy array `(height, width, channels)` of `uint8`.

    Raises:
        ValueError: It cannot be read.
    """
    with _open(file) as image:
        try:
            image = image.convert(mode)
        except UNREADABLE as error:
            _refuse(file, error)
        height, width = image_size
        if (image.height, image.width) != (height, width):
            image = image.resize((width, height), Image.Resampling.LANCZOS)
        pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _open(file):
    try:
        with warnings.catch_warnings():
            # Images so large that they may be an attack.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(file)
    except UNREADABLE as error:
        _refuse(file, error)


def _refuse(file, why):
    raise ValueError(
        "An image cannot be read. Repair or remove it. Received: "
        f"{os.fspath(file)!r} ({why})"
    )
