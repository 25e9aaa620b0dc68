"""Batches of real images: shuffled, or every class equally often."""

import numpy as np
import tensorflow as tf

from ganaug.data.large_arrays import row_reader


def class_balanced_batches(labeled_images, batch_size, seed, start=0):
    """Makes endless batches in which every class is equally likely.

    Each label is drawn uniformly, then an image of that class, so the tail of
    a long-tailed data set is learnt at all. Which images are in a batch depends
    on the seed and the batch's number alone, so training can go on in the
    middle.

    Args:
        labeled_images: `LabeledImages` with an image of every class.
        batch_size: Integer. Images in a batch.
        seed: Integer. Fixes the draws.
        start: Integer. Number of the first batch. Defaults to `0`.

    Returns:
        An infinite `tf.data.Dataset` of `(images, labels)`: images
        `(batch_size, height, width, channels)` as they are, and int32 labels
        `(batch_size,)`.
    """
    draw = _class_balanced_draw(labeled_images, batch_size)
    return tf.data.Dataset.counter(start).map(
        lambda step: draw(tf.stack([tf.constant(seed, tf.int64), step])),
        num_parallel_calls=tf.data.AUTOTUNE,
    )


def shuffled_batches(labeled_images, batch_size, seed, start=0):
    """Makes endless batches in which every image comes equally often.

    Each pass over the data has an order of its own. Which images are in a
    batch depends on the seed and the batch's number alone, so training can go
    on in the middle.

    Args:
        labeled_images: `LabeledImages`.
        batch_size: Integer. Images in a batch, which may span two passes.
        seed: Integer. Fixes the orders.
        start: Integer. Number of the first batch. Defaults to `0`.

    Returns:
        An infinite `tf.data.Dataset` of `(images, labels)`, as
        `class_balanced_batches` makes it.
    """
    read = row_reader(labeled_images.images)
    labels = tf.constant(labeled_images.labels)
    num_images = len(labeled_images)
    first_epoch, begun = divmod(start * batch_size, num_images)

    def order(epoch):
        return tf.data.Dataset.from_tensor_slices(
            tf.random.experimental.stateless_shuffle(
                tf.range(num_images),
                tf.stack([tf.constant(seed, tf.int64), epoch]),
            )
        )

    return (
        tf.data.Dataset.counter(first_epoch)
        .flat_map(order)
        .apply(
            tf.data.experimental.assert_cardinality(
                tf.data.INFINITE_CARDINALITY
            )
        )
        .skip(begun)
        .batch(batch_size, drop_remainder=True)
        .map(
            lambda indices: (read(indices), tf.gather(labels, indices)),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    )


def epoch_batches(labeled_images, batch_size, seed, class_balanced=False):
    """Makes the batches of one epoch, other ones each time it is iterated.

    Args:
        labeled_images: `LabeledImages`.
        batch_size: Integer. Images in a batch; the last may have fewer.
        seed: Integer. Fixes the order in every epoch.
        class_balanced: Boolean. Whether to draw as `class_balanced_batches`
            does, with replacement, rather than shuffle. Defaults to `False`.

    Returns:
        A finite `tf.data.Dataset` of `(images, labels)`, images as they are
        and int32 labels `(batch,)`.
    """
    num_images = len(labeled_images)
    if not class_balanced:
        read = row_reader(labeled_images.images)
        labels = tf.constant(labeled_images.labels)
        return (
            tf.data.Dataset.range(num_images)
            .shuffle(num_images, seed=seed)
            .batch(batch_size)
            .map(
                lambda indices: (read(indices), tf.gather(labels, indices)),
                num_parallel_calls=tf.data.AUTOTUNE,
            )
        )
    draw = _class_balanced_draw(labeled_images, batch_size)
    return (
        tf.data.Dataset.random(seed, rerandomize_each_iteration=True)
        .batch(2)
        .take(-(-num_images // batch_size))
        .map(draw, num_parallel_calls=tf.data.AUTOTUNE)
    )


def _class_balanced_draw(labeled_images, batch_size):
    """A function from a seed of two integers to a batch."""
    order = np.argsort(labeled_images.labels, kind="stable")
    class_counts = labeled_images.class_counts
    read = row_reader(labeled_images.images, order)
    counts = tf.constant(class_counts, tf.int32)
    first = tf.constant(np.cumsum(class_counts) - class_counts, tf.int32)
    num_classes = labeled_images.num_classes

    def draw(seed):
        uniforms = tf.random.stateless_uniform((batch_size, 2), seed)
        labels = _floor(uniforms[:, 0], num_classes)
        count = tf.gather(counts, labels)
        indices = tf.gather(first, labels) + _floor(uniforms[:, 1], count)
        return read(indices), labels

    return draw


def _floor(uniforms, count):
    number = tf.cast(uniforms * tf.cast(count, tf.float32), tf.int32)
    # The product can round up to the count itself.
    return tf.minimum(number, count - 1)
