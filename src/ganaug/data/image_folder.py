"""Images from folders, one folder for each class."""

import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from ganaug.data.labeled_images import LabeledImages

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
DEFAULT_SIZE = (32, 32)


def load_image_folder(path, image_size=None):
    """Reads `CLASS/*.png`, or `train/CLASS/*.png` and `test/CLASS/*.png`.

    Images of several sizes, or with an `image_size`, are stretched to it with
    Pillow's Lanczos filter. Where every image is gray, the result has one
    channel, else three; transparency is dropped.

    Args:
        path: Folder. PNG, JPEG, BMP, GIF (its first frame) and WebP are read;
            other files and names that start with a dot are passed over.
        image_size: Pair of integers `(height, width)`. By default the size of
            the images where it is the same for all, else 32 x 32.

    Returns:
        A triple of the training data, the test data or `None`, both
        `LabeledImages` of `uint8`, and a list of sentences that tell what was
        done to the images.

    Raises:
        ValueError: There is no class or no image, a file cannot be read or is
            not 8-bit, or a test class is not in the training data.
    """
    path = Path(path)
    folders = {"train": path, "test": None}
    if (path / "train").is_dir():
        test = path / "test"
        folders = {
            "train": path / "train",
            "test": test if test.is_dir() else None,
        }
    class_names = _subfolders(folders["train"])
    files = {
        split: _list_files(folder, class_names)
        for split, folder in folders.items()
        if folder is not None
    }
    headers = [
        _read_header(file) for found in files.values() for file, _ in found
    ]
    sizes = sorted({size for size, _ in headers})
    mode = "L" if all(mode in GRAY_MODES for _, mode in headers) else "RGB"
    notes = []
    if image_size is None:
        image_size = sizes[0] if len(sizes) == 1 else DEFAULT_SIZE
    if sizes != [image_size]:
        notes.append(
            f"Images of {len(sizes)} sizes, from {_text(sizes[0])} to "
            f"{_text(sizes[-1])} pixels, were stretched to "
            f"{_text(image_size)} with a Lanczos filter."
        )
    splits = {
        split: LabeledImages(
            np.stack([_read(file, mode, image_size) for file, _ in found]),
            [label for _, label in found],
            class_names,
            (0, 255),
        )
        for split, found in files.items()
    }
    return splits["train"], splits.get("test"), notes


def _text(size):
    return f"{size[0]} x {size[1]}"


def _subfolders(folder):
    names = sorted(
        child.name
        for child in folder.iterdir()
        if child.is_dir() and not child.name.startswith(".")
    )
    if not names:
        raise ValueError(
            "An image folder must hold one folder for each class, or `train` "
            "and `test` with such folders. Received: no folder in "
            f"{os.fspath(folder)!r}"
        )
    return names


def _list_files(folder, class_names):
    unknown = sorted(set(_subfolders(folder)) - set(class_names))
    if unknown:
        raise ValueError(
            "Every test class must be among the training classes "
            f"{class_names}. Received: {unknown} in {os.fspath(folder)!r}"
        )
    files = [
        (file, label)
        for label, name in enumerate(class_names)
        if (folder / name).is_dir()
        for file in sorted((folder / name).iterdir())
        if file.suffix.lower() in ENDINGS and not file.name.startswith(".")
    ]
    if not files:
        raise ValueError(
            f"The data set is empty. Expected files that end in {ENDINGS} "
            f"in the class folders. Received: {os.fspath(folder)!r}"
        )
    return files


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


def _read_header(file):
    with _open(file) as image:
        if image.mode not in MODES:
            _refuse(
                file, f"mode {image.mode!r}; convert it to 8 bits a channel"
            )
        return (image.height, image.width), image.mode


def _read(file, mode, image_size):
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
