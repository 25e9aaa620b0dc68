"""Reading what can be read of a data set that training would refuse."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganaug.data.image_folder import (
    DEFAULT_SIZE,
    ENDINGS,
    GRAY_MODES,
    _list_files,
    _read,
    _read_header,
    _subfolders,
)
from ganaug.data.images import (
    check_value_range,
    check_values,
    infer_value_range,
)
from ganaug.data.inspection import (
    ERROR,
    NOTE,
    Finding,
    few,
)
from ganaug.data.labeled_images import MAX_CLASSES, LabeledImages
from ganaug.data.sources import SPLIT_SEED, load_data
from ganaug.data.splits import holdout_split, take_per_class


@dataclass(frozen=True)
class ReadData:
    """What could be read of a data set.

    Args:
        train: `LabeledImages`.
        test: `LabeledImages`, or `None`.
        train_names: Tuple of strings: where each training image is from.
        test_names: Tuple of strings; empty where there is no test set.
        notes: Tuple of sentences that tell what was done to the images.
        findings: Tuple of `ganaug.data.inspection.Finding`: what could not be
            read, and what training refuses.
    """

    train: LabeledImages
    test: LabeledImages | None
    train_names: tuple
    test_names: tuple
    notes: tuple
    findings: tuple


def read_tolerantly(
    source,
    data_dir=None,
    image_size=None,
    class_counts=None,
    test_fraction=0.2,
):
    """Reads what can be read of a data set, and tells what cannot.

    Where `ganaug.load_data` accepts the data, these are its images. Where it
    refuses a folder or an .npz file for some of them, those are left out and
    reported, and the rest is given.

    Args:
        source: As for `ganaug.load_data`, like all the arguments.
        data_dir: Folder of TFDS.
        image_size: Pair of integers `(height, width)`.
        class_counts: Sequence of integers.
        test_fraction: Float in `[0, 1)`. Defaults to `0.2`.

    Returns:
        A `ReadData`.

    Raises:
        FileNotFoundError: The data set is not there.
        ValueError: Nothing of it can be read, or an argument is wrong.

    Example:

    >>> data = read_tolerantly("digits")
    >>> len(data.train), data.train_names[0], data.findings
    (1097, 'train[0]', ())
    """
    source = os.fspath(source)
    findings, notes, refusal = [], [], None
    try:
        real = load_data(source, data_dir, image_size, test_fraction=0)
        parts, notes = {"train": real.train, "test": real.test}, [*real.notes]
        names = _names(source, parts)
    except ValueError as error:
        refusal = error
        if source.endswith(".npz") and image_size is None:
            parts, names = _read_npz(source, refusal, findings)
        elif Path(source).is_dir():
            parts, names = _read_folder(source, image_size, refusal, findings)
        else:
            raise
    train, test = parts["train"], parts["test"]
    # A split depends on the labels alone, so numbers can stand for images.
    kept = LabeledImages(
        np.arange(len(train)).reshape(-1, 1, 1, 1),
        train.labels,
        train.class_names,
        (0, len(train)),
    )
    held_out = None
    if test is None and test_fraction:
        if train.class_counts.min() < 2:
            _find_single_images(train, findings)
        else:
            kept, held_out = holdout_split(kept, test_fraction, SPLIT_SEED)
            notes.append(
                f"There is no test set, so {len(held_out)} images, "
                f"{test_fraction:.0%} of each class but at least one, are held "
                "out for testing."
            )
    if class_counts is not None:
        kept = take_per_class(kept, class_counts, SPLIT_SEED)
    if Path(source).is_dir():
        _find_passed_over(source, findings)
    if held_out is not None:
        test, names["test"] = _pick(train, names["train"], held_out)
    train, names["train"] = _pick(train, names["train"], kept)
    explained = any(finding.level == ERROR for finding in findings)
    if refusal and not explained and _is_trainable(train):
        findings.append(Finding(ERROR, "refused", str(refusal), 1))
    return ReadData(
        train,
        test,
        tuple(names["train"]),
        tuple(names["test"]),
        tuple(notes),
        tuple(findings),
    )


def _is_trainable(train):
    try:
        train.check_trainable()
    except ValueError:  # which `inspect_images` says
        return False
    return True


def _pick(data, names, numbers):
    indices = numbers.images.ravel()
    return data.subset(indices), [names[index] for index in indices]


def _find_single_images(train, findings):
    single = np.flatnonzero(train.class_counts == 1)
    # Classes without any image are found by `inspect_images`.
    if len(single):
        names = few(train.class_names[label] for label in single)
        text = (
            "No test set can be held out, since that takes two images of each "
            f"class and there is one of {names}. Add images or a test set, or "
            "hold none out (--test-fraction 0)."
        )
        findings.append(Finding(ERROR, "no test set", text, len(single)))


def _names(source, parts):
    if Path(source).is_dir():
        files = _list_splits(source, parts["train"].class_names, [])
        return {
            split: [os.path.relpath(file, source) for file, _ in found]
            for split, found in files.items()
        }
    arrays = {"train": "train", "test": "test"}
    if source.endswith(".npz"):
        arrays = {"train": "images", "test": "test_images"}
    return {
        split: [f"{arrays[split]}[{i}]" for i in range(len(part or ()))]
        for split, part in parts.items()
    }


def _find_passed_over(source, findings):
    files = sorted(
        os.path.relpath(file, source)
        for file in Path(source).rglob("[!.]*")
        if file.is_file() and file.suffix.lower() not in ENDINGS
    )
    if files:
        text = (
            f"Files that are passed over: {len(files)}. Their names do not end "
            f"in {', '.join(ENDINGS)}."
        )
        findings.append(Finding.about(NOTE, "other files", text, files))


def _list_splits(source, class_names, findings):
    """Files of known classes with their labels."""
    root, test = Path(source), Path(source, "test")
    if not (root / "train").is_dir():
        return {"train": _list_files(root, class_names), "test": []}
    files = {"train": _list_files(root / "train", class_names), "test": []}
    if not test.is_dir():
        return files
    try:
        unknown = sorted(set(_subfolders(test)) - set(class_names))
        found = _list_files(test, [*class_names, *unknown])
    except ValueError as error:
        findings.append(Finding(ERROR, "empty test set", str(error), 1))
        return files
    if unknown:
        text = (
            f"The test classes {few(unknown)} are not among the training "
            "classes. Rename the folders or leave them out."
        )
        findings.append(Finding.about(ERROR, "unknown classes", text, unknown))
    files["test"] = [
        (file, label) for file, label in found if label < len(class_names)
    ]
    return files


def _read_folder(source, image_size, refusal, findings):
    train = Path(source, "train")
    class_names = _subfolders(train if train.is_dir() else Path(source))
    files = _list_splits(source, class_names, findings)
    bad = []

    def attempt(read, file, *arguments):
        try:
            return read(file, *arguments)
        except ValueError as error:
            bad.append(str(error).partition("Received: ")[2])

    headers = {
        file: attempt(_read_header, file)
        for found in files.values()
        for file, _ in found
    }
    readable = [header for header in headers.values() if header]
    sizes = {size for size, _ in readable}
    mode = "L" if all(mode in GRAY_MODES for _, mode in readable) else "RGB"
    if image_size is None:
        image_size = sizes.pop() if len(sizes) == 1 else DEFAULT_SIZE
    parts, names = {}, {}
    for split, found in files.items():
        read = [
            (pixels, label, os.path.relpath(file, source))
            for file, label in found
            if headers[file]
            and (pixels := attempt(_read, file, mode, image_size)) is not None
        ]
        parts[split], names[split] = None, []
        if read:
            images, labels, names[split] = zip(*read, strict=True)
            parts[split] = LabeledImages(
                np.stack(images), labels, class_names, (0, 255)
            )
    if parts["train"] is None:
        raise refusal
    if bad:
        text = (
            f"{len(bad)} of {len(headers)} files cannot be read, and training "
            "refuses the folder. Repair or remove them."
        )
        findings.append(Finding.about(ERROR, "unreadable files", text, bad))
    return parts, names


def _read_npz(source, refusal, findings):
    try:
        with (
            open(source, "rb") as file,
            np.load(file, allow_pickle=False) as archive,
        ):
            arrays = {name: archive[name] for name in archive.files}
    except Exception:  # of many kinds; `refusal` says which
        raise refusal from None
    class_names = arrays.get("class_names")
    kept, names = {}, {"train": [], "test": []}
    for split, prefix in (("train", ""), ("test", "test_")):
        images = arrays.get(f"{prefix}images")
        labels = arrays.get(f"{prefix}labels")
        if split == "test" and images is None and labels is None:
            continue
        if not _is_well_formed(images, labels):
            raise refusal
        num_classes = MAX_CLASSES if class_names is None else class_names.size
        finite = np.isfinite(images).all(tuple(range(1, images.ndim)))
        known = (labels >= 0) & (labels < num_classes)
        for name, what, wrong in (
            ("NaN or infinity", "hold NaN or infinity", ~finite),
            ("labels", "have a label that no class has", ~known),
        ):
            bad = [f"{prefix}images[{i}]" for i in np.flatnonzero(wrong)]
            if bad:
                text = (
                    f"{len(bad)} of {len(images)} images {what}, and training "
                    "refuses the file. Repair or remove them."
                )
                findings.append(Finding.about(ERROR, name, text, bad))
        good = np.flatnonzero(finite & known)
        if not len(good):
            continue
        kept[split] = images[good], labels[good]
        names[split] = [f"{prefix}images[{index}]" for index in good]
        if class_names is None:
            class_names = np.arange(labels[good].max() + 1).astype(str)
    if "train" not in kept:
        raise refusal
    value_range = _value_range(kept, arrays.get("value_range"), findings)
    try:
        parts = {
            split: LabeledImages(*kept[split], class_names, value_range)
            if split in kept
            else None
            for split in ("train", "test")
        }
    except ValueError:
        raise refusal from None
    return parts, names


def _is_well_formed(images, labels):
    return (
        images is not None
        and labels is not None
        and images.ndim in (3, 4)
        and images.size
        and images.dtype.kind in "uif"
        and labels.shape == (len(images),)
        and labels.dtype.kind in "ui"
    )


def _value_range(kept, declared, findings):
    """The range of all splits, or what they span where it is refused."""
    low = min(images.min() for images, _ in kept.values())
    high = max(images.max() for images, _ in kept.values())
    extremes = np.array([low, high], kept["train"][0].dtype)
    try:
        if declared is None:
            return infer_value_range(extremes)
        value_range = check_value_range(declared.tolist())
        check_values(extremes, value_range)
        return value_range
    except ValueError as error:
        findings.append(Finding(ERROR, "value range", str(error), 1))
    return float(low), max(float(high), float(low) + 1)
