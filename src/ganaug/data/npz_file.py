"""Images from .npz files."""

import zipfile
import zlib

import numpy as np

from ganaug.data.findings import ERROR, Finding, refuse
from ganaug.data.images import (
    check_value_range,
    check_values,
    infer_value_range,
)
from ganaug.data.labeled_images import MAX_CLASSES, LabeledImages


def load_npz(path, findings=None):
    """Reads a file with arrays `images` and `labels`.

    Args:
        path: File. It may also hold `test_images` with `test_labels`, and
            `class_names` and `value_range`.
        findings: List that gets a `Finding` for each thing that is wrong; the
            rest is read. By default, the first is an error.

    Returns:
        A pair of the training data and the test data or `None`, both
        `LabeledImages` with their places in the file as names.

    Raises:
        ValueError: It is no such file, or nothing of it can be read. Without
            `findings` also: `LabeledImages` refuses some of it.
    """
    arrays = _read_arrays(path)
    class_names = arrays.get("class_names")
    value_range = arrays.get("value_range")
    if value_range is not None:
        value_range = value_range.tolist()
    train = _split(arrays, "")
    test = _split(arrays, "test_") if "test_images" in arrays else None
    if findings is not None:
        num_classes = MAX_CLASSES if class_names is None else class_names.size
        # Where nothing is left, the error is that of all.
        train = _leave_out(train, num_classes, findings) or train
        if test is not None and _is_well_formed(*train):
            if class_names is None:
                num_classes = train[1].max() + 1
            test = _leave_out(test, num_classes, findings)
        value_range = _tolerate(value_range, train, test, findings)
    images, labels, names = train
    train = LabeledImages(images, labels, class_names, value_range, names)
    if test is not None:
        images, labels, names = test
        test = LabeledImages(
            images, labels, train.class_names, value_range, names
        )
    return train, test


def _read_arrays(path):
    try:
        # NumPy leaves a file open that it was given by name and cannot read.
        with (
            open(path, "rb") as file,
            np.load(file, allow_pickle=False) as archive,
        ):
            arrays = {name: archive[name] for name in archive.files}
    except (
        ValueError,
        EOFError,
        AttributeError,  # an .npy file: an array, not an archive
        TypeError,
        MemoryError,
        NotImplementedError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ValueError(
            "The file cannot be read as .npz of plain arrays. "
            f"Received: {path!r} ({error})"
        ) from None
    if not {"images", "labels"} <= set(arrays) or (
        ("test_images" in arrays) != ("test_labels" in arrays)
    ):
        raise ValueError(
            "An .npz file must hold `images` and `labels`, and may hold "
            f"`test_images` with `test_labels`. Received: {sorted(arrays)} "
            f"in {path!r}"
        )
    return arrays


def _split(arrays, prefix):
    """Images, labels, and the images' places in the file."""
    images = arrays[f"{prefix}images"]
    num_images = len(np.atleast_1d(images))
    names = [f"{prefix}images[{index}]" for index in range(num_images)]
    return images, arrays[f"{prefix}labels"], np.array(names)


def _is_well_formed(images, labels, names):
    return (
        images.ndim in (3, 4)
        and images.size
        and images.dtype.kind in "uif"
        and labels.shape == (len(images),)
        and labels.dtype.kind in "ui"
    )


def _leave_out(split, num_classes, findings):
    """The split without its bad images; `None` where none is good."""
    images, labels, names = split
    if not _is_well_formed(*split):
        return split
    finite = np.isfinite(images).all(tuple(range(1, images.ndim)))
    known = (labels >= 0) & (labels < num_classes)
    for name, what, wrong in (
        ("NaN or infinity", "hold NaN or infinity", ~finite),
        ("labels", "have a label that no class has", ~known),
    ):
        bad = names[wrong].tolist()
        if bad:
            text = (
                f"{len(bad)} of {len(images)} images {what}, and training "
                "refuses the file. Repair or remove them."
            )
            findings.append(Finding.about(ERROR, name, text, bad))
    good = finite & known
    return (images[good], labels[good], names[good]) if good.any() else None


def _tolerate(value_range, train, test, findings):
    """The declared range, or what the pixels span where it is refused."""
    splits = [split for split in (train, test) if split is not None]
    if not all(_is_well_formed(*split) for split in splits):
        return value_range
    try:
        for images, _, _ in splits:
            if value_range is None:
                infer_value_range(images)
            else:
                check_values(images, check_value_range(value_range))
        return value_range
    except ValueError as error:
        refuse(findings, "value range", error)
    low = float(min(images.min() for images, _, _ in splits))
    high = float(max(images.max() for images, _, _ in splits))
    return low, max(high, low + 1)
