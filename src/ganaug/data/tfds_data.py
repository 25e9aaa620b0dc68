"""Images from TFDS, TensorFlow's collection of data sets."""

import difflib
import os
import re
from pathlib import Path

import tensorflow as tf

from ganaug.data.labeled_images import as_labeled_images

# TFDS looks names with a further colon up elsewhere, and prints about it.
NAME = re.compile(r"\w+(/[\w.+-]+)?(:[\d.*]+)?")


def load_tfds(name, data_dir=None, image_size=None):
    """Reads a data set that TFDS prepared before.

    Args:
        name: String. `NAME`, `NAME/CONFIG`, or either with `:VERSION`.
        data_dir: Folder of TFDS. Defaults to TFDS's own default.
        image_size: Pair of integers `(height, width)` to resize images to,
            bilinear with antialiasing. By default they must have one size.

    Returns:
        A pair of `LabeledImages`: the training data, and the test data, which
        are the split `test`, or else `validation`, or else `None`.

    Raises:
        FileNotFoundError: The data set was not prepared.
        ValueError: TFDS does not know it, or it is not one for classifying
            images.
    """
    # TFDS costs a second to import.
    import tensorflow_datasets as tfds

    builder = _find(name, data_dir)
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
            _read(builder, split, image_size, features[keys[1]].names)
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


def _find(name, data_dir):
    import tensorflow_datasets as tfds

    try:
        if not NAME.fullmatch(name):
            raise ValueError(
                "expected NAME, NAME/CONFIG or either with :VERSION behind it"
            )
        return tfds.builder(name, data_dir=data_dir, try_gcs=False)
    except tfds.core.DatasetNotFoundError:  # its text lists all there are
        why = _near_names(re.match(r"\w+", name)[0], data_dir)
    except (
        AssertionError,  # a version that is not there
        ValueError,
    ) as error:
        why = str(error)
    raise ValueError(
        f"TFDS does not know this data set ({why}). Received: tfds:{name}"
    )


def _near_names(name, data_dir):
    import tensorflow_datasets as tfds

    known = tfds.list_builders()
    if data_dir is not None and Path(data_dir).is_dir():
        known += [child.name for child in Path(data_dir).iterdir()]
    near = difflib.get_close_matches(name, sorted(set(known)), n=5)
    nearest = (
        f"the nearest names are {', '.join(near)}"
        if near
        else ("no name is like it")
    )
    return f"{nearest}; `tensorflow_datasets.list_builders()` lists all"


def _read(builder, split, image_size, class_names):
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
