"""Data sets by name: bundled digits, TFDS, image folders and .npz files."""

import os
import re
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import sklearn.datasets
import tensorflow as tf

from ganaug.data.image_folder import load_image_folder
from ganaug.data.labeled_images import LabeledImages, as_labeled_images
from ganaug.data.splits import (
    holdout_split,
    stratified_split,
    take_per_class,
)

DIGITS = "digits"
TFDS_PREFIX = "tfds:"
# TFDS looks names with a further colon up elsewhere, and prints about it.
TFDS_NAME = re.compile(r"\w+(/[\w.+-]+)?(:[\d.*]+)?")
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
            Folders: see `load_image_folder`. TFDS: with
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
    source = os.fspath(source)
    if not 0 <= test_fraction < 1:
        raise ValueError(
            "`test_fraction` must be at least 0 and less than 1. "
            f"Received: test_fraction={test_fraction}"
        )
    if image_size is not None and (source == DIGITS or source.endswith(".npz")):
        raise ValueError(
            "`image_size` (--image-size) resizes folders and TFDS data sets "
            f"alone. Received: image_size={image_size} for {source!r}"
        )
    notes = []
    if source == DIGITS:
        train, test = _load_digits()
    elif source.startswith(TFDS_PREFIX):
        train, test = _load_tfds(
            source.removeprefix(TFDS_PREFIX), data_dir, image_size
        )
    elif source.endswith(".npz"):
        train, test = _load_npz(source)
    elif Path(source).is_dir():
        train, test, notes = load_image_folder(source, image_size)
    else:
        raise FileNotFoundError(
            f"There is no such data set. Expected {KNOWN}. Received: {source!r}"
        )
    train.check_trainable()
    if test is None and test_fraction:
        train, test = holdout_split(train, test_fraction, SPLIT_SEED)
        notes.append(
            f"There is no test set, so {len(test)} images, "
            f"{test_fraction:.0%} of each class but at least one, were held "
            "out for testing."
        )
    if class_counts is not None:
        train = take_per_class(train, class_counts, SPLIT_SEED)
    if test is not None:
        train, test = _agree(train, test)
    return RealData(source, train, test, tuple(notes))


def _agree(train, test):
    """Checks that training and test images are of one kind."""
    kinds = [
        (part.image_shape, part.images.dtype.name) for part in (train, test)
    ]
    if kinds[0] != kinds[1]:
        raise ValueError(
            "Training and test images must have one shape and dtype. "
            f"Received: {kinds[0]} and {kinds[1]}"
        )
    if train.value_range != test.value_range:
        # Inferred from floats, of which one part happens to hold no negative.
        train, test = (
            replace(part, value_range=(-1.0, 1.0)) for part in (train, test)
        )
    return train, test


def _load_digits():
    bunch = sklearn.datasets.load_digits()
    # Its values are whole numbers from 0 to 16.
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    digits = LabeledImages(images, bunch.target)
    return stratified_split(digits, DIGITS_TEST_PER_CLASS, SPLIT_SEED)


def _load_npz(source):
    try:
        # NumPy leaves a file open that it was given by name and cannot read.
        with (
            open(source, "rb") as file,
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
            f"Received: {source!r} ({error})"
        ) from None
    if not {"images", "labels"} <= set(arrays) or (
        ("test_images" in arrays) != ("test_labels" in arrays)
    ):
        raise ValueError(
            "An .npz file must hold `images` and `labels`, and may hold "
            f"`test_images` with `test_labels`. Received: {sorted(arrays)} "
            f"in {source!r}"
        )
    value_range = arrays.get("value_range")
    if value_range is not None:
        value_range = value_range.tolist()
    train = LabeledImages(
        arrays["images"],
        arrays["labels"],
        arrays.get("class_names"),
        value_range,
    )
    test = None
    if "test_images" in arrays:
        test = LabeledImages(
            arrays["test_images"],
            arrays["test_labels"],
            train.class_names,
            value_range,
        )
    return train, test


def _load_tfds(name, data_dir, image_size):
    # TFDS costs a second to import.
    import tensorflow_datasets as tfds

    try:
        if not TFDS_NAME.fullmatch(name):
            raise ValueError(
                "expected NAME, NAME/CONFIG or either with :VERSION behind it"
            )
        builder = tfds.builder(name, data_dir=data_dir, try_gcs=False)
    except (
        tfds.core.DatasetNotFoundError,
        AssertionError,  # a version that is not there
        ValueError,
    ) as error:
        raise ValueError(
            f"TFDS does not know this data set ({error}). Received: tfds:{name}"
        ) from None
    if not builder.data_path.exists():
        folder = f", data_dir={os.fspath(data_dir)!r}" if data_dir else ""
        raise FileNotFoundError(
            "The TFDS data set is not prepared. Prepare it once, online, with "
            f"`tensorflow_datasets.load({name!r}{folder})`, or name the "
            "folder of data that are prepared with --data-dir (`data_dir`). "
            f"Received: tfds:{name}, expected in {builder.data_path}"
        )
    splits = builder.info.splits
    test_split = next(
        (split for split in ("test", "validation") if split in splits), None
    )
    if "train" not in splits:
        raise ValueError(
            "The TFDS data set must have a split `train`. "
            f"Received: tfds:{name} with {sorted(splits)}"
        )
    features = builder.info.features
    keys = builder.info.supervised_keys
    if (
        keys is None
        or not isinstance(features[keys[0]], tfds.features.Image)
        or not isinstance(features[keys[1]], tfds.features.ClassLabel)
    ):
        raise ValueError(
            "The TFDS data set must be one for classifying images: supervised "
            "keys that name an Image and a ClassLabel. "
            f"Received: tfds:{name} with supervised_keys={keys}"
        )
    try:
        train, test = (
            _read_tfds(builder, split, image_size, features[keys[1]].names)
            if split
            else None
            for split in ("train", test_split)
        )
    except tf.errors.OpError as error:
        raise ValueError(
            "The prepared TFDS data set is broken. Prepare it again. "
            f"Received: {builder.data_path} ({error.message})"
        ) from None
    return train, test


def _read_tfds(builder, split, image_size, class_names):
    dataset = builder.as_dataset(split=split, as_supervised=True)
    image_spec, _ = dataset.element_spec
    if image_size is not None:
        dataset = dataset.map(
            lambda image, label: (_resize(image, image_size), label)
        )
    elif None in image_spec.shape:
        raise ValueError(
            "The images have several sizes. Name one with --image-size "
            f"(`image_size`). Received: image shape {image_spec.shape}"
        )
    value_range = (0, 255) if image_spec.dtype == tf.uint8 else None
    return as_labeled_images(dataset, class_names, value_range)


def _resize(image, image_size):
    dtype = image.dtype
    image = tf.image.resize(image, image_size, antialias=True)
    return tf.cast(tf.round(image) if dtype.is_integer else image, dtype)
