"""Images from folders, one folder for each class."""

import os
from pathlib import Path

import numpy as np

from ganaug.data.findings import ERROR, Finding, refuse
from ganaug.data.image_files import (
    ENDINGS,
    GRAY_MODES,
    read_header,
    read_pixels,
)
from ganaug.data.labeled_images import LabeledImages

DEFAULT_SIZE = (32, 32)
SPLITS = {"train", "test", "val", "valid", "validation"}


def load_image_folder(path, image_size=None, findings=None):
    """Reads `CLASS/*.png`, or `train/CLASS/*.png` and `test/CLASS/*.png`.

    Images of several sizes, or with an `image_size`, are stretched to it with
    Pillow's Lanczos filter. Where every image is gray, the result has one
    channel, else three; transparency is dropped.

    Args:
        path: Folder. PNG, JPEG, BMP, GIF (its first frame) and WebP are read;
            other files and names that start with a dot are passed over.
        image_size: Pair of integers `(height, width)`. By default the size of
            the images where it is the same for all, else 32 x 32.
        findings: List that gets a `Finding` for each thing that is wrong; the
            rest is read. By default, the first is an error.

    Returns:
        A triple of the training data, the test data or `None`, both
        `LabeledImages` of `uint8` with the files' names, and a list of
        sentences that tell what was done to the images.

    Raises:
        ValueError: There is no class or no image that can be read. Without
            `findings` also: a file cannot be read or is not 8-bit, or a test
            class is not in the training data.
    """
    path = Path(path)
    class_names, files = _list_splits(path, findings)
    errors = []

    def attempt(read, file, *arguments):
        try:
            return read(file, *arguments)
        except ValueError as error:
            if findings is None:
                raise
            errors.append(error)

    headers = {
        file: attempt(read_header, file)
        for found in files.values()
        for file, _ in found
    }
    readable = [header for header in headers.values() if header]
    sizes = sorted({size for size, _ in readable})
    mode = "L" if all(mode in GRAY_MODES for _, mode in readable) else "RGB"
    if image_size is None:
        image_size = sizes[0] if len(sizes) == 1 else DEFAULT_SIZE
    splits = {}
    for split, found in files.items():
        read = [
            (pixels, label, os.path.relpath(file, path))
            for file, label in found
            if headers[file]
            and (pixels := attempt(read_pixels, file, mode, image_size))
            is not None
        ]
        if read:
            images, labels, names = zip(*read, strict=True)
            splits[split] = LabeledImages(
                np.stack(images), labels, class_names, (0, 255), names
            )
    if "train" not in splits:
        raise errors[0]
    if errors:
        text = (
            f"{len(errors)} of {len(headers)} files cannot be read, and "
            "training refuses the folder. Repair or remove them."
        )
        bad = [str(error).partition("Received: ")[2] for error in errors]
        findings.append(Finding.about(ERROR, "unreadable files", text, bad))
    notes = []
    if sizes != [tuple(image_size)]:
        notes.append(
            f"{_sizes_text(sizes)} were stretched to {_text(image_size)} with "
            "a Lanczos filter."
        )
    return splits["train"], splits.get("test"), notes


def list_other_files(path):
    """Lists the files in a folder that are passed over.

    Args:
        path: Folder.

    Returns:
        A sorted list of strings: their paths in the folder.
    """
    return sorted(
        os.path.relpath(file, path)
        for file in Path(path).rglob("[!.]*")
        if file.is_file() and file.suffix.lower() not in ENDINGS
    )


def _text(size):
    return f"{size[0]} x {size[1]}"


def _sizes_text(sizes):
    if len(sizes) == 1:
        return f"Images of {_text(sizes[0])} pixels"
    return (
        f"Images of {len(sizes)} sizes, from {_text(sizes[0])} to "
        f"{_text(sizes[-1])} pixels,"
    )


def _list_splits(path, findings):
    """Class names, and for each split its files with their labels."""
    train, test = path / "train", path / "test"
    # Trains may be a class, beside others.
    is_class = set(_subfolders(path)) - SPLITS and not (
        train.is_dir() and _subfolders(train)
    )
    if not train.is_dir() or is_class:
        train, test = path, None
    class_names = _subfolders(train)
    if not class_names:
        raise ValueError(
            "An image folder must hold one folder for each class, or `train` "
            "and `test` with such folders. Received: no folder in "
            f"{os.fspath(train)!r}"
        )
    files = {"train": _list_files(train, class_names)}
    if not files["train"]:
        raise _empty(train)
    if test is not None and test.is_dir():
        unknown = sorted(set(_subfolders(test)) - set(class_names))
        if unknown:
            error = ValueError(
                "Every test class must be among the training classes "
                f"{class_names}. Received: {unknown} in {os.fspath(test)!r}"
            )
            refuse(findings, "unknown classes", error)
        files["test"] = _list_files(test, class_names)
        if not files["test"]:
            refuse(findings, "empty test set", _empty(test))
    return class_names, files


def _subfolders(folder):
    return sorted(
        child.name
        for child in folder.iterdir()
        if child.is_dir() and not child.name.startswith(".")
    )


def _list_files(folder, class_names):
    return [
        (file, label)
        for label, name in enumerate(class_names)
        if (folder / name).is_dir()
        for file in sorted((folder / name).iterdir())
        if file.suffix.lower() in ENDINGS and not file.name.startswith(".")
    ]


def _empty(folder):
    return ValueError(
        f"The data set is empty. Expected files that end in {ENDINGS} in the "
        f"class folders. Received: {os.fspath(folder)!r}"
    )
