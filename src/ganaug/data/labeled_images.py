"""Images with labels, held in memory or in a file, and checked once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from ganaug.data.elements import parse_elements
from ganaug.data.images import (
    check_value_range,
    check_values,
    infer_value_range,
)
from ganaug.data.large_arrays import (
    is_mapped,
    join,
    row_chunks,
    take_rows,
)

MAX_CLASSES = 65536


@dataclass(frozen=True, eq=False)
class LabeledImages:
    """Images with integer labels, class names and a value range.

    Whatever is wrong with them is said when it is made, so that no long work
    starts on bad data.

    Args:
        images: NumPy array `(num_images, height, width, channels)` of a real
            dtype, 1 to 4 channels; `(num_images, height, width)` is taken as
            gray. A `numpy.memmap` stays one: what trains on the images then
            reads those that it needs from the file. Nothing is copied: do not
            change the array while anything trains on it.
        labels: NumPy array `(num_images,)` of integers in `[0, num_classes)`.
        class_names: Sequence of strings, one for each class. Defaults to the
            numbers up to the largest label, as strings.
        value_range: Pair of numbers. The values of black and of full
            intensity. By default `[0, 255]` for `uint8`; for floats `[0, 1]`
            or `[-1, 1]`, whichever fits.
        image_names: Sequence of strings, one for each image, by which it is
            spoken of. Defaults to none.

    Raises:
        ValueError: Shape, dtype, value range or a label is wrong, a value is
            NaN, or there is no image.

    Example:

    >>> digits = LabeledImages(np.arange(128).reshape(2, 8, 8) / 127, [0, 1])
    >>> digits.image_shape, digits.class_counts.tolist()
    ((8, 8, 1), [1, 1])
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: Sequence[str] | None = None
    value_range: tuple[float, float] | None = None
    image_names: np.ndarray | None = None

    def __post_init__(self):
        images, labels = self.images, np.asarray(self.labels)
        if not is_mapped(images):
            images = np.asarray(images)
        if images.ndim == 3:
            images = images[..., None]
        _check_images(images)
        _check_labels(labels, len(images))
        names = self.class_names
        if names is None:
            if labels.max() >= MAX_CLASSES:
                raise ValueError(
                    f"`labels` must be class numbers from 0 on, at most "
                    f"{MAX_CLASSES} classes; other ids must be numbered first. "
                    f"Received: a label of {labels.max()}"
                )
            names = [str(label) for label in range(int(labels.max()) + 1)]
        names = tuple(
            name.decode() if isinstance(name, bytes) else str(name)
            for name in np.atleast_1d(np.asarray(names, dtype=object))
        )
        if len(set(names)) != len(names):
            raise ValueError(
                "`class_names` must be different from one another. "
                f"Received: class_names={names}"
            )
        if labels.min() < 0 or labels.max() >= len(names):
            raise ValueError(
                f"`labels` must be in [0, {len(names)}), since there are "
                f"{len(names)} classes. Received: labels from {labels.min()} "
                f"to {labels.max()}"
            )
        value_range = self.value_range
        if value_range is None:
            value_range = infer_value_range(images)
        else:
            value_range = check_value_range(value_range)
            check_values(images, value_range)
        image_names = self.image_names
        if image_names is not None:
            image_names = np.asarray(image_names)
            _check_image_names(image_names, len(images))
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "labels", labels.astype(np.int32))
        object.__setattr__(self, "class_names", names)
        object.__setattr__(self, "value_range", value_range)
        object.__setattr__(self, "image_names", image_names)

    def __len__(self):
        return len(self.images)

    @property
    def num_classes(self):
        """Number of classes."""
        return len(self.class_names)

    @property
    def image_shape(self):
        """Tuple `(height, width, channels)`."""
        return self.images.shape[1:]

    @property
    def class_counts(self):
        """NumPy array `(num_classes,)`: images of each class."""
        return np.bincount(self.labels, minlength=self.num_classes)

    @property
    def is_imbalanced(self):
        """Boolean: whether classes have different numbers of images."""
        return bool(np.ptp(self.class_counts))

    def subset(self, indices):
        """Keeps some images.

        Args:
            indices: Array of integers.

        Returns:
            A `LabeledImages` with the same classes and value range.
        """
        names = self.image_names
        return replace(
            self,
            images=take_rows(self.images, indices),
            labels=self.labels[indices],
            image_names=None if names is None else names[indices],
        )

    def check_fits(self, image_shape, num_classes):
        """Checks that a model was made for such images.

        Args:
            image_shape: Tuple `(height, width, channels)` of the model.
            num_classes: Integer. Number of classes of the model.

        Raises:
            ValueError: Shape or number of classes differ.
        """
        if self.image_shape != image_shape:
            raise ValueError(
                "The images do not have the model's shape. Resize them, or "
                "make a model for them. Received: images of shape "
                f"{self.image_shape} for image_shape={image_shape}"
            )
        if self.num_classes != num_classes:
            raise ValueError(
                "The labels do not fit the model's classes. Where the data "
                "lack some of them, name all with `class_names`. Received: "
                f"labels of {self.num_classes} classes for "
                f"num_classes={num_classes}"
            )

    def check_trainable(self):
        """Checks that something can be learnt of every class.

        Raises:
            ValueError: There are fewer than two classes, or one has no image.
        """
        if self.num_classes < 2:
            raise ValueError(
                "Training needs at least 2 classes. "
                f"Received: class_names={self.class_names}"
            )
        empty = [
            name
            for name, count in zip(
                self.class_names, self.class_counts, strict=True
            )
            if count == 0
        ]
        if empty:
            more = f" and {len(empty) - 10} more" if len(empty) > 10 else ""
            raise ValueError(
                "Every class needs at least one training image. Leave the "
                "class out or add images. "
                f"Received: no image of {empty[:10]}{more}"
            )


def _check_images(images):
    if images.ndim != 4 or not 1 <= images.shape[3] <= 4:
        raise ValueError(
            "`images` must have the shape (num_images, height, width, "
            "channels) with 1 to 4 channels, or (num_images, height, width). "
            f"Received: images.shape={images.shape}"
        )
    if images.size == 0:
        raise ValueError(
            "The data set is empty. Expected at least one image. "
            f"Received: images.shape={images.shape}"
        )
    if images.dtype.kind not in "uif":
        raise ValueError(
            "`images` must be integers or floating-point numbers. "
            f"Received: images.dtype={images.dtype}"
        )
    if images.dtype.kind != "f":
        return
    bad = [
        index + start
        for start, rows in row_chunks(images)
        for index in np.flatnonzero(~np.isfinite(rows).all((1, 2, 3)))
    ]
    if bad:
        raise ValueError(
            "`images` must be finite. Received: NaN or infinity in "
            f"{len(bad)} images, the first at index {bad[0]}"
        )


def _check_labels(labels, num_images):
    if labels.shape != (num_images,):
        raise ValueError(
            "`labels` must be one integer for each image. Received: "
            f"labels.shape={labels.shape} for {num_images} images"
        )
    if labels.dtype.kind not in "ui":
        raise ValueError(
            f"`labels` must be integers. Received: labels.dtype={labels.dtype}"
        )


def _check_image_names(image_names, num_images):
    if image_names.shape != (num_images,):
        raise ValueError(
            "`image_names` must be one string for each image. Received: "
            f"image_names.shape={image_names.shape} for {num_images} images"
        )


def as_labeled_images(data, class_names=None, value_range=None):
    """Reads a whole data set: into memory, or a file where it is large.

    Args:
        data: A `LabeledImages`, which is returned as it is; a pair of arrays
            `(images, labels)`; or a finite `tf.data.Dataset`, batched or not,
            whose elements `ganaug.data.elements` knows. One-hot labels become
            integers.
        class_names: Sequence of strings, or `None`. Classes of `data`.
        value_range: Pair of numbers, or `None`. Value range of `data`.

    Returns:
        A `LabeledImages`.

    Raises:
        ValueError: The data set is infinite, empty, has images of several
            sizes, soft labels, or is wrong in the ways `LabeledImages` says.
        TypeError: `data` is nothing of the above.
    """
    if isinstance(data, LabeledImages):
        if class_names is not None or value_range is not None:
            raise ValueError(
                "A LabeledImages has its own class names and value range; "
                "leave out `class_names` and `value_range`. Received: "
                f"class_names={class_names}, value_range={value_range}"
            )
        return data
    if isinstance(data, tf.data.Dataset):
        images, labels, num_classes = _read(data)
        if class_names is None and num_classes is not None:
            class_names = [str(label) for label in range(num_classes)]
    elif isinstance(data, (tuple, list)) and len(data) == 2:
        images, labels = data
    else:
        raise TypeError(
            "Expected a tf.data.Dataset, a pair of arrays (images, labels) or "
            f"a LabeledImages. Received: {type(data).__name__}"
        )
    return LabeledImages(images, labels, class_names, value_range)


def _read(dataset):
    elements = parse_elements(dataset.element_spec)
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            "The dataset is infinite and cannot be read whole. Leave out "
            "`repeat()` or add `take(num)`. Received: cardinality=infinite"
        )
    if None in elements.image_shape:
        raise ValueError(
            "The images must all have one known size. Resize them in a "
            "`map`. Received: image shape "
            f"{elements.image_shape}"
        )
    if not elements.batched:
        dataset = dataset.batch(256)
    # `map` unpacks a tuple, so that what is within it comes whole.
    dataset = tf.data.Dataset.zip((dataset,)).map(
        lambda element: (elements.image(element), elements.label(element))
    )
    labels = []

    def images_alone():
        for images, of_them in dataset.as_numpy_iterator():
            labels.append(of_them)
            yield images

    images = join(images_alone())
    if images is None:
        raise ValueError(
            "The data set is empty. Expected at least one image. "
            f"Received: {dataset}"
        )
    labels = np.concatenate(labels)
    if elements.num_classes is not None:
        one_hot = labels
        labels = one_hot.argmax(-1)
        if not np.array_equal(
            one_hot, np.eye(elements.num_classes, dtype=one_hot.dtype)[labels]
        ):
            raise ValueError(
                "Labels of shape (batch, num_classes) must be one-hot here. "
                "Received: soft labels"
            )
    return images, labels, elements.num_classes
