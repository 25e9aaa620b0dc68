"""Images that are almost the same, by small thumbnails."""

import numpy as np
import tensorflow as tf
from sklearn.neighbors import NearestNeighbors

THUMBNAIL = 16
# Root mean square of the difference, as a share of the value range.
MAX_DIFFERENCE = 0.01


def thumbnails(images):
    """Shrinks images for comparing, with areas averaged.

    Args:
        images: `LabeledImages`.

    Returns:
        A NumPy array `(num_images, dim)` of float32, values of the value range
        mapped to `[0, 1]`. No side is longer than 16 pixels.
    """
    low, high = images.value_range
    size = np.minimum(images.image_shape[:2], THUMBNAIL)
    small = tf.image.resize(
        (images.images.astype(np.float32) - low) / (high - low), size, "area"
    )
    return small.numpy().reshape(len(images), -1)


def count_near_duplicates(train, test, max_difference=MAX_DIFFERENCE):
    """Counts test images that almost are training images.

    Args:
        train: `LabeledImages`.
        test: `LabeledImages` of the same shape.
        max_difference: Float. The largest root mean square difference of two
            thumbnails that are taken for the same, as a share of the value
            range. Defaults to `0.01`.

    Returns:
        An integer. Images that are equal count too.
    """
    known, asked = thumbnails(train), thumbnails(test)
    distances, _ = (
        NearestNeighbors(n_neighbors=1, algorithm="brute")
        .fit(known)
        .kneighbors(asked)
    )
    differences = distances[:, 0] / np.sqrt(known.shape[1])
    return int((differences <= max_difference).sum())
