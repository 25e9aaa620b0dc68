"""Images from a trained generator, outside of any dataset."""

import numpy as np
import tensorflow as tf

from ganaug.data.images import from_unit


def check_labels(labels, num_classes):
    """Checks labels to generate for and returns them as an array.

    Args:
        labels: Array-like of integers, one dimension.
        num_classes: Integer.

    Returns:
        A NumPy array of `int32`.

    Raises:
        ValueError: Not integers in one dimension, or out of range.
    """
    labels = np.asarray(labels)
    if labels.shape == (0,):
        labels = labels.astype(np.int32)
    if labels.ndim != 1 or labels.dtype.kind not in "ui":
        raise ValueError(
            "`labels` must be a list or array of integers. "
            f"Received: labels={labels!r}"
        )
    if len(labels) and not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(
            f"`labels` must be in [0, {num_classes}). Received: labels from "
            f"{labels.min()} to {labels.max()}"
        )
    return labels.astype(np.int32)


def generate_images(
    generator, labels, seed, value_range, dtype, batch_size=256
):
    """Draws one image for each label.

    All latents are drawn at once, so image number `i` depends on `seed` and
    `i`, and not on `batch_size` (but for rounding in the convolutions).

    Args:
        generator: A `keras.Model` called as `generator([latents, labels])`.
        labels: NumPy array `(num_images,)` that `check_labels` returned.
        seed: Integer. Fixes the latents.
        value_range: Pair of floats. Value range of the result.
        dtype: String. dtype of the result.
        batch_size: Integer. Images generated at a time. Defaults to `256`.

    Returns:
        A NumPy array `(num_images, height, width, channels)` of `dtype`.
    """
    labels = tf.constant(labels)
    latent_dim = generator.input_shape[0][-1]
    latents = tf.random.stateless_normal((len(labels), latent_dim), (seed, 0))
    images = [
        from_unit(
            generator(
                [
                    latents[start : start + batch_size],
                    labels[start : start + batch_size],
                ],
                training=False,
            ),
            value_range,
            dtype,
        ).numpy()
        for start in range(0, len(labels), batch_size)
    ]
    if not images:
        return np.empty((0, *generator.output_shape[1:]), dtype)
    return np.concatenate(images)
