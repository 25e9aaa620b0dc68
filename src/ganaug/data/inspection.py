"""What is in a data set and what is wrong with it, before any training."""

from dataclasses import dataclass

import numpy as np

from ganaug.data.findings import (
    ERROR,
    MAX_EXAMPLES,
    NOTE,
    WARNING,
    Finding,
    few,
)
from ganaug.data.splits import fingerprints

# Images of one picture that an example names.
MAX_COPIES = 3
FEW_IMAGES = 10
# Share of the value range; it is told where the pixels fill less.
NARROW = 0.5
CHUNK_VALUES = 2**22


@dataclass(frozen=True)
class Inspection:
    """What is in a data set.

    Args:
        splits: Dict from `"train"` and, where there is one, `"test"` to a dict
            of numbers about the split's images and pixels.
        imbalance_ratio: Float. Training images of the largest class over
            those of the smallest that has any.
        is_gray: Boolean. Whether the images have several color channels,
            which are the same in every image.
        findings: Tuple of `Finding`, the worst first.
    """

    splits: dict
    imbalance_ratio: float
    is_gray: bool
    findings: tuple


def inspect_images(train, test=None, findings=()):
    """Describes images and looks for what would spoil training or evaluation.

    Images are the same where they are equal as 8-bit pictures. Those without
    names are spoken of as `train[0]` and so on.

    Args:
        train: `LabeledImages`.
        test: `LabeledImages`, or `None`.
        findings: Sequence of `Finding`: what was found before. Defaults to
            none.

    Returns:
        An `Inspection`.

    Example:

    >>> from ganaug.data.labeled_images import LabeledImages
    >>> images = np.zeros((3, 4, 4, 1), "uint8")
    >>> images[0, 0] = 255
    >>> inspection = inspect_images(LabeledImages(images, [0, 0, 1]))
    >>> [finding.name for finding in inspection.findings][:2]
    ['duplicates', 'constant images']
    """
    parts = {"train": train}
    if test is not None:
        parts["test"] = test
    names, numbers, labels = [], [], []
    splits, gray, found = {}, [], list(findings)
    for split, data in parts.items():
        if data.image_names is None:
            names += [f"{split}[{i}]" for i in range(len(data))]
        else:
            names += data.image_names.tolist()
        numbers.append(fingerprints(data))
        labels.append(data.labels)
        splits[split], constant, is_gray = _describe(data)
        gray.append(is_gray)
        own = names[-len(data) :]
        surplus = _find_duplicates(split, numbers[-1], own, found)
        splits[split]["duplicate_images"] = surplus
        _find_constant(split, np.flatnonzero(constant), own, found)
        _find_narrow(split, splits[split], data.value_range, found)
    _find_classes(train, test, found)
    numbers, labels = np.concatenate(numbers), np.concatenate(labels)
    _find_conflicts(numbers, labels, names, train.class_names, found)
    if test is not None:
        _find_leakage(numbers, len(train), names, found)
    if all(gray):
        text = (
            "Every image is gray but has several channels. Save the images "
            "with one: training costs less, and no color can creep in."
        )
        found.append(Finding(WARNING, "gray images", text, len(names)))
    counts = train.class_counts
    return Inspection(
        splits=splits,
        imbalance_ratio=float(counts.max() / counts[counts > 0].min()),
        is_gray=all(gray),
        findings=tuple(
            sorted(found, key=lambda f: (ERROR, WARNING, NOTE).index(f.level))
        ),
    )


def _describe(data):
    """Numbers about the pixels; which images are constant; whether all gray."""
    low, high = data.value_range
    images = data.images
    constant = np.empty(len(data), bool)
    # Two channels are gray and transparency.
    gray = images.shape[3] >= 3
    sums = np.zeros(4)
    step = max(1, CHUNK_VALUES // images[0].size)
    for start in range(0, len(data), step):
        chunk = images[start : start + step]
        same = chunk == chunk[:, :1, :1]
        constant[start : start + step] = same.all(axis=(1, 2, 3))
        gray = gray and (chunk[..., :3] == chunk[..., :1]).all()
        shares = (chunk - np.float64(low)) / (high - low)
        sums += (
            shares.sum(),
            np.square(shares).sum(),
            np.count_nonzero(chunk == low),
            np.count_nonzero(chunk == high),
        )
    mean, square, at_low, at_high = (sums / images.size).tolist()
    numbers = {
        "num_images": len(data),
        "min": float(images.min()),
        "max": float(images.max()),
        "mean": low + (high - low) * mean,
        "std": (high - low) * max(0.0, square - mean**2) ** 0.5,
        "share_at_low": at_low,
        "share_at_high": at_high,
        "constant_images": int(constant.sum()),
    }
    return numbers, constant, bool(gray)


def _find_narrow(split, numbers, value_range, found):
    low, high = value_range
    if numbers["max"] - numbers["min"] >= NARROW * (high - low):
        return
    text = (
        f"The pixels of {split} go from {numbers['min']:g} to "
        f"{numbers['max']:g} alone, in a value range from {low:g} to {high:g}. "
        "Check the range, and declare the right one (`value_range`)."
    )
    found.append(Finding(WARNING, "value range", text, numbers["num_images"]))


def _find_constant(split, indices, names, found):
    if len(indices):
        text = (
            f"Images of {split} with one color all over: {len(indices)}. "
            "Remove them if they are mistakes."
        )
        found.append(
            Finding.about(
                WARNING, "constant images", text, [names[i] for i in indices]
            )
        )


def _groups(numbers, keys):
    """Indices of the images that have each of some fingerprints."""
    order = np.argsort(numbers, kind="stable")
    starts = np.searchsorted(numbers, keys, "left", sorter=order)
    ends = np.searchsorted(numbers, keys, "right", sorter=order)
    groups = [order[a:b] for a, b in zip(starts, ends, strict=True)]
    return sorted(groups, key=lambda group: group[0])


def _copies(group, names):
    texts = [names[index] for index in group[:MAX_COPIES]]
    more = len(group) - MAX_COPIES
    return " = ".join(texts) + (f" = {more} more" if more > 0 else "")


def _find_duplicates(split, numbers, names, found):
    unique, counts = np.unique(numbers, return_counts=True)
    surplus = len(numbers) - len(unique)
    if surplus:
        text = (
            f"Images of {split} that repeat another of {split}: {surplus}. "
            "Remove all but one of each."
        )
        groups = _groups(numbers, unique[counts > 1])[:MAX_EXAMPLES]
        examples = tuple(_copies(group, names) for group in groups)
        found.append(Finding(WARNING, "duplicates", text, surplus, examples))
    return surplus


def _find_conflicts(numbers, labels, names, class_names, found):
    pairs = np.unique(np.stack([numbers, labels.astype(np.uint64)]), axis=1)
    unique, counts = np.unique(pairs[0], return_counts=True)
    groups = _groups(numbers, unique[counts > 1])
    if groups:
        text = (
            f"Pictures that are there under different labels: {len(groups)}. "
            "Find out which is right."
        )
        labeled = [
            f"{name} ({class_names[label]})"
            for name, label in zip(names, labels, strict=True)
        ]
        examples = []
        for group in groups:
            _, first = np.unique(labels[group], return_index=True)
            examples.append(_copies(group[np.sort(first)], labeled))
        found.append(Finding.about(WARNING, "different labels", text, examples))


def _find_leakage(numbers, num_train, names, found):
    train, test = numbers[:num_train], numbers[num_train:]
    leaked = num_train + np.flatnonzero(np.isin(test, train))
    if len(leaked):
        text = (
            f"{len(leaked)} of {len(test)} test images are training images "
            "too, and evaluation refuses to test on them. Remove them from "
            "one of the two."
        )
        examples = []
        for index in leaked[:MAX_EXAMPLES]:
            first = np.flatnonzero(train == numbers[index])[0]
            examples.append(f"{names[index]} = {names[first]}")
        found.append(
            Finding(ERROR, "leakage", text, len(leaked), tuple(examples))
        )


def _find_classes(train, test, found):
    names, counts = train.class_names, train.class_counts

    def add(level, name, labels, before, after):
        if len(labels):
            classes = few(names[label] for label in labels)
            text = f"{before} {classes}. {after}"
            found.append(Finding(level, name, text, len(labels)))

    if train.num_classes < 2:
        text = f"Training needs two classes. There is {names[0]} alone."
        found.append(Finding(ERROR, "one class", text, 1))
    add(
        ERROR,
        "empty classes",
        np.flatnonzero(counts == 0),
        "There is no training image of",
        "Training refuses that: add images or leave the class out.",
    )
    add(
        WARNING,
        "small classes",
        np.flatnonzero((counts > 0) & (counts < FEW_IMAGES)),
        f"There are fewer than {FEW_IMAGES} training images of",
        "A GAN can do little more than copy so few; collect more if you can.",
    )
    if test is None:
        if all(finding.name != "no test set" for finding in found):
            text = "There is no test set. Evaluation needs one."
            found.append(Finding(NOTE, "no test set", text, 1))
        return
    add(
        NOTE,
        "classes without a test",
        np.flatnonzero(test.class_counts == 0),
        "There is no test image of",
        "No score counts these classes.",
    )
