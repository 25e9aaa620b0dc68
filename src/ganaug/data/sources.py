"""Data sets by name: bundled digits, TFDS, image folders and .npz files."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import sklearn.datasets

from ganaug.data.findings import refuse
from ganaug.data.image_folder import load_image_folder
from ganaug.data.labeled_images import LabeledImages
from ganaug.data.npz_file import load_npz
from ganaug.data.splits import (
    holdout_split,
    stratified_split,
    take_per_class,
)
from ganaug.data.tfds_data import load_tfds

DIGITS = "digits"
TFDS_PREFIX = "tfds:"
DIGITS_TEST_PER_CLASS = 70
# The split must be the same when a GAN is trained and when it is evaluated.
SPLIT_SEED = 0
KNOWN = (
    "`digits`, `tfds:NAME`, an image folder (CLASS/*.png, or train/ and test/ "
    "of those) or an .npz file with `images` and `labels`"
)


@dataclass(frozen=True)
class RealData:
    """A data set of real images.

    Args:
        name: String. Where it is from.
        train: `LabeledImages`.
        test: `LabeledImages`, or `None` where there is no test set.
        notes: Tuple of sentences that tell what was done to the images.
    """

    name: str
    train: LabeledImages
    test: LabeledImages | None
    notes: tuple = ()


def load_data(
    source,
    data_dir=None,
    image_size=None,
    class_counts=None,
    test_fraction=0.2,
):
    """Loads a data set and checks it.

    Args:
        source: String. `"digits"`: scikit-learn's 8x8 digits, 70 of each class
            for testing. `"tfds:NAME"`: a TFDS data set that was prepared
            before; its test split, or else its validation split, is the test
            set. A folder: images in `CLASS/`, or in `train/CLASS/` and
            `test/CLASS/`. A file that ends in `.npz`: arrays `images` and
            `labels`, and optionally `test_images` and `test_labels`,
            `class_names` and `value_range`.
        data_dir: Folder of TFDS. Defaults to TFDS's own default.
        image_size: Pair of integers `(height, width)` to resize images to.
            Folders: with Pillow's Lanczos filter. TFDS: with
            `tf.image.resize(antialias=True)`, bilinear.
        class_counts: Sequence of integers. How many training images of each
            class to keep, drawn at random, the same at every call. Defaults
            to all.
        test_fraction: Float in `[0, 1)`. Share of each class that is held out
            for testing where the source has no test set, the same images at
            every call; 0 for none. Defaults to `0.2`.

    Returns:
        A `RealData`.

    Raises:
        FileNotFoundError: A file or folder, or a prepared TFDS data set, is
            not there.
        ValueError: The source is not known, or its data are wrong.

    Example:

    >>> data = load_data("digits")
    >>> len(data.train), len(data.test), data.train.image_shape
    (1097, 700, (8, 8, 1))
    """
    check_test_fraction(test_fraction)
    real = read_source(source, data_dir, image_size)
    real.train.check_trainable()
    return divide(real, class_counts, test_fraction)


def check_test_fraction(test_fraction):
    """Checks that it is a share that leaves something to train on.

    Args:
        test_fraction: Float.

    Raises:
        ValueError: It is not in `[0, 1)`.
    """
    if not 0 <= test_fraction < 1:
        raise ValueError(
            "`test_fraction` must be at least 0 and less than 1. "
            f"Received: test_fraction={test_fraction}"
        )


def read_source(source, data_dir=None, image_size=None, findings=None):
    """Reads all that a source has.

    Args:
        source: String, as for `load_data`.
        data_dir: Folder of TFDS.
        image_size: Pair of integers `(height, width)`.
        findings: List that gets a `Finding` for each thing that is wrong with
            a folder or an .npz file; the rest is read. By default, the first
            is an error.

    Returns:
        A `RealData`, whose images have names.

    Raises:
        FileNotFoundError: The source is not there.
        ValueError: Its data are wrong, or an argument is.
    """
    source = os.fspath(source)
    _check_image_size(source, image_size)
    notes = []
    if source == DIGITS:
        train, test = _load_digits()
    elif source.startswith(TFDS_PREFIX):
        train, test = load_tfds(
            source.removeprefix(TFDS_PREFIX), data_dir, image_size
        )
    elif not Path(source).exists():
        raise FileNotFoundError(
            f"There is no such data set. Expected {KNOWN}. Received: {source!r}"
        )
    elif Path(source).is_dir():
        train, test, notes = load_image_folder(source, image_size, findings)
    elif source.endswith(".npz"):
        train, test = load_npz(source, findings)
    else:
        raise ValueError(
            f"The file is no data set. Expected {KNOWN}. Received: {source!r}"
        )
    train = _named(train, "train")
    if test is not None:
        train, test = _agree(train, _named(test, "test"), findings)
    return RealData(source, train, test, tuple(notes))


def divide(real, class_counts=None, test_fraction=0.2):
    """Holds a test set out where there is none, and keeps a subset.

    Args:
        real: `RealData`.
        class_counts: Sequence of integers, as for `load_data`.
        test_fraction: Float in `[0, 1)`, as for `load_data`.

    Returns:
        A `RealData`.

    Raises:
        ValueError: A class has too few images for that.
    """
    train, test, notes = real.train, real.test, real.notes
    if test is None and test_fraction:
        train, test = holdout_split(train, test_fraction, SPLIT_SEED)
        notes += (
            f"There is no test set, so {len(test)} images, "
            f"{test_fraction:.0%} of each class but at least one, were held "
            "out for testing.",
        )
    if class_counts is not None:
        train = take_per_class(train, class_counts, SPLIT_SEED)
    return RealData(real.name, train, test, notes)


def _check_image_size(source, image_size):
    if image_size is None:
        return
    if source == DIGITS or source.endswith(".npz"):
        raise ValueError(
            "`image_size` (--image-size) resizes folders and TFDS data sets "
            f"alone. Received: image_size={image_size} for {source!r}"
        )
    if len(image_size) != 2 or min(image_size) < 1:
        raise ValueError(
            "`image_size` must be (height, width) with sides of at least one "
            f"pixel. Received: image_size={image_size}"
        )


def _load_digits():
    bunch = sklearn.datasets.load_digits()
    # Its values are whole numbers from 0 to 16.
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    digits = LabeledImages(images, bunch.target)
    return stratified_split(digits, DIGITS_TEST_PER_CLASS, SPLIT_SEED)


def _named(data, split):
    if data.image_names is not None:
        return data
    names = [f"{split}[{index}]" for index in range(len(data))]
    return replace(data, image_names=names)


def _agree(train, test, findings):
    """Checks that training and test images are of one kind."""
    kinds = [
        (part.image_shape, part.images.dtype.name) for part in (train, test)
    ]
    if kinds[0] != kinds[1]:
        error = ValueError(
            "Training and test images must have one shape and dtype. "
            f"Received: {kinds[0]} and {kinds[1]}"
        )
        refuse(findings, "training and test images", error)
    elif train.value_range != test.value_range:
        # Inferred from floats, of which one part happens to hold no negative.
        train, test = (
            replace(part, value_range=(-1.0, 1.0)) for part in (train, test)
        )
    return train, test
