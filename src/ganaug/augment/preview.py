"""A picture of real and synthetic images side by side."""

import io

import numpy as np
import tensorflow as tf
from PIL import Image

from ganaug.augment.class_counts import count_labels
from ganaug.augment.dataset_fit import (
    check_fits,
    check_range,
    resolve_value_range,
)
from ganaug.data.elements import parse_elements
from ganaug.pictures import save_image_grid
from ganaug.seeds import derive_seed

HALVES = ("real", "synthetic")
# Real examples that are looked through for those of rare classes.
MAX_EXAMPLES = 20_000


def preview(dataset, settings, draws, num_per_class):
    """Draws some real and some synthetic images of each class.

    Args:
        dataset: `tf.data.Dataset` of real examples.
        settings: `ganaug.augment.augmenter.GANAugmenter`.
        draws: `Generators` or `Bank`.
        num_per_class: Integer.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ValueError: An argument is out of range, or the dataset is not
            understood or does not fit.
    """
    if (
        isinstance(num_per_class, bool)
        or not isinstance(num_per_class, (int, np.integer))
        or num_per_class < 1
    ):
        raise ValueError(
            "`num_per_class` must be a positive integer. "
            f"Received: num_per_class={num_per_class!r}"
        )
    elements = parse_elements(dataset.element_spec)
    check_fits(dataset.element_spec, elements, draws)
    value_range = resolve_value_range(settings.value_range, elements, draws)
    real = _first_of_each(dataset, elements, draws, num_per_class)
    _check_real(real, value_range)
    counts = getattr(draws, "class_counts", [1] * len(draws.class_names))
    labels = np.repeat(np.flatnonzero(counts), num_per_class)
    drawn = draws(
        tf.constant(labels, tf.int32),
        tf.constant([derive_seed(settings.seed, "preview"), 0], tf.int64),
        value_range,
        elements.image_dtype,
    ).images.numpy()
    empty = np.zeros((0, *draws.image_shape), drawn.dtype)
    rows = [
        (np.stack(images) if images else empty, drawn[labels == label])
        for label, images in enumerate(real)
    ]
    file = io.BytesIO()
    save_image_grid(file, rows, draws.class_names, value_range, halves=HALVES)
    # Also for files that know no transparency.
    return Image.open(file).convert("RGB")


def _first_of_each(dataset, elements, draws, num_per_class):
    """The first images of each class, as far as they come soon."""
    num_classes = len(draws.class_names)
    found = [[] for _ in range(num_classes)]
    seen = 0
    for element in dataset:
        images = elements.image(element).numpy()
        labels = elements.label(element).numpy()
        if not elements.batched:
            images, labels = images[None], labels[None]
        count_labels(labels, draws.class_names)
        if images.shape[1:] != tuple(draws.image_shape):
            raise ValueError(
                f"The GAN was trained on images of shape {draws.image_shape}. "
                "Resize those of the dataset. Received: images of shape "
                f"{images.shape[1:]}"
            )
        if elements.num_classes is not None:
            labels = labels.argmax(-1)
        for image, label in zip(images, labels, strict=True):
            if len(found[label]) < num_per_class:
                found[label].append(image)
        seen += len(labels)
        if seen >= MAX_EXAMPLES or all(
            len(images) == num_per_class for images in found
        ):
            break
    return found


def _check_real(real, value_range):
    images = [image for of_class in real for image in of_class]
    if not images:
        raise ValueError(
            "An empty dataset has nothing to show. Received: a dataset "
            "without any example"
        )
    check_range(np.stack(images).astype(np.float32), value_range)
