"""What a source of synthetic images gives."""

from typing import NamedTuple

import tensorflow as tf

UNIT_RANGE = (-1.0, 1.0)


class Drawn(NamedTuple):
    """Synthetic images and where each of them comes from.

    The provenance of row `i` is the artifact `source.ids[sources[i]]`, the
    seed pair `seeds[i]` and the row `indices[i]` of what was drawn with it;
    with its label, `Generators.remake` makes the image from them again.

    Args:
        images: Tensor `(num_images, height, width, channels)` in the value
            range and dtype that were asked for.
        targets: float32 tensor `(num_images, num_classes)`, the soft labels of
            images between classes; `None` where every image is of one class.
        sources: int32 tensor `(num_images,)`, positions in `ids`.
        seeds: int64 tensor `(num_images, 2)`.
        indices: int64 tensor `(num_images,)`.
    """

    images: tf.Tensor
    targets: tf.Tensor | None
    sources: tf.Tensor
    seeds: tf.Tensor
    indices: tf.Tensor
