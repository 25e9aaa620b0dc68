"""Images from a trained generator, outside of any dataset."""

import keras
import numpy as np
import tensorflow as tf

from ganaug.data.images import from_unit
from ganaug.gan.latents import check_latents, draw_latents, slerp

# The layer through which all that a generator knows of a class passes.
CLASS_EMBEDDING = "class_embedding"


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


def check_count_or_labels(labels, num_classes):
    """Checks what to generate, for generators with and without classes.

    Args:
        labels: Array-like of integers; without classes, a number of images.
        num_classes: Integer, or `None` without classes.

    Returns:
        A NumPy array of `int32`, or an integer.

    Raises:
        ValueError: It is neither, or out of range.
    """
    if num_classes is not None:
        return check_labels(labels, num_classes)
    if not isinstance(labels, (int, np.integer)) or labels < 0:
        raise ValueError(
            "A model without classes takes the number of images as `labels`. "
            f"Received: labels={labels!r}"
        )
    return int(labels)


def draw_unit_images(
    generator,
    labels,
    seed,
    latent_dim,
    batch_size=256,
    truncation=1.0,
    latents="prior",
    latent_bank=None,
):
    """Draws images in the generator's own value range.

    All latents are drawn at once, so image number `i` depends on `seed` and
    `i`, and not on `batch_size` (but for rounding in the convolutions).

    Args:
        generator: A `keras.Model` called as `generator([latents, labels])`,
            or as `generator(latents)` without classes.
        labels: NumPy array that `check_labels` returned; without classes, the
            number of images.
        seed: Integer. Fixes the latents.
        latent_dim: Integer. Size of the latents.
        batch_size: Integer. Images generated at a time. Defaults to `256`.
        truncation: Float. Standard deviation of the latents, or what the
            encoder's are multiplied with. Defaults to `1.0`.
        latents: As in `ganaug.gan.latent_kinds.latent_shares`. Defaults to
            `"prior"`.
        latent_bank: `LatentBank`. Defaults to none, which will do for the
            prior.

    Returns:
        A float32 NumPy array `(num_images, height, width, channels)` in
        `[-1, 1]`.

    Raises:
        ValueError: `truncation` or `batch_size` is out of range, or the
            latents cannot be drawn.
    """
    if not 0 <= truncation < float("inf"):
        raise ValueError(
            "`truncation` must be a finite number of at least 0. "
            f"Received: truncation={truncation}"
        )
    if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ValueError(
            "`batch_size` must be a positive integer. "
            f"Received: batch_size={batch_size!r}"
        )
    check_latents(latents, latent_bank)
    num_images = labels if isinstance(labels, int) else len(labels)
    labels = None if isinstance(labels, int) else tf.constant(labels)
    drawn = draw_latents(
        latents,
        latent_bank,
        labels,
        num_images,
        (seed, 0),
        latent_dim,
        truncation,
    )
    return decode(generator, drawn, labels, batch_size)


def decode(generator, latents, labels, batch_size=256):
    """Turns latents into images.

    Args:
        generator: A `keras.Model`, as in `draw_unit_images`.
        latents: Float tensor `(num_images, latent_dim)`.
        labels: int32 tensor `(num_images,)`, or `None` without classes. For a
            generator cut at its class embedding, what stands in its place.
        batch_size: Integer. Defaults to `256`.

    Returns:
        A float32 NumPy array `(num_images, height, width, channels)` in
        `[-1, 1]`.
    """
    # A convolution of oneDNN gives an empty batch the wrong shape, so one
    # image is drawn at least.
    num_images = latents.shape[0]
    if not num_images:
        latents = tf.zeros((1, latents.shape[1]))
        labels = None if labels is None else tf.zeros(1, labels.dtype)
    images = []
    for start in range(0, max(num_images, 1), batch_size):
        inputs = latents[start : start + batch_size]
        if labels is not None:
            inputs = [inputs, labels[start : start + batch_size]]
        images.append(generator(inputs, training=False).numpy())
    return np.concatenate(images)[:num_images]


def generate_images(
    generator,
    labels,
    seed,
    value_range,
    dtype,
    latent_dim,
    batch_size=256,
    truncation=1.0,
    latents="prior",
    latent_bank=None,
):
    """Draws one image for each label.

    Args:
        generator: As in `draw_unit_images`, and so the others.
        labels: NumPy array or integer.
        seed: Integer.
        value_range: Pair of floats. Value range of the result.
        dtype: String. dtype of the result.
        latent_dim: Integer.
        batch_size: Integer. Defaults to `256`.
        truncation: Float. Defaults to `1.0`.
        latents: String or dict. Defaults to `"prior"`.
        latent_bank: `LatentBank`. Defaults to none.

    Returns:
        A NumPy array `(num_images, height, width, channels)` of `dtype`.

    Raises:
        ValueError: `truncation` or `batch_size` is out of range, or the
            latents cannot be drawn.
    """
    images = draw_unit_images(
        generator,
        labels,
        seed,
        latent_dim,
        batch_size,
        truncation,
        latents,
        latent_bank,
    )
    return from_unit(images, value_range, dtype).numpy()


def interpolate_images(
    generator,
    labels,
    num_classes,
    num,
    seed,
    value_range,
    dtype,
    latent_dim,
    truncation=1.0,
):
    """Draws images on the way between two latents and two classes.

    Latents move on the great circle between the ends, so that they keep the
    length of draws from the prior; class embeddings move on the straight line.

    Args:
        generator: A `keras.Model`, as in `draw_unit_images`.
        labels: Pair of integers, or `None` without classes.
        num_classes: Integer, or `None`.
        num: Integer. Number of images, both ends among them.
        seed: Integer. Fixes the latents of both ends.
        value_range: Pair of floats. Value range of the result.
        dtype: String. dtype of the result.
        latent_dim: Integer.
        truncation: Float. Standard deviation of the latents. Defaults to
            `1.0`.

    Returns:
        A NumPy array `(num, height, width, channels)` of `dtype`.

    Raises:
        ValueError: An argument is out of range, or the generator has no class
            embedding to blend.
    """
    if not isinstance(num, (int, np.integer)) or num < 2:
        raise ValueError(
            f"`num` must be an integer of at least 2. Received: num={num!r}"
        )
    if not 0 <= truncation < float("inf"):
        raise ValueError(
            "`truncation` must be a finite number of at least 0. "
            f"Received: truncation={truncation}"
        )
    share = np.linspace(0.0, 1.0, num, dtype=np.float32)[:, None]
    ends = tf.random.stateless_normal((2, latent_dim), (seed, 0)).numpy()
    latents = tf.constant(truncation * slerp(ends[:1], ends[1:], share))
    if num_classes is None:
        if labels is not None:
            raise ValueError(
                "`labels` must be None for a model without classes. "
                f"Received: labels={labels!r}"
            )
        images = decode(generator, latents, None)
    else:
        labels = check_labels(labels, num_classes)
        if len(labels) != 2:
            raise ValueError(
                "`labels` must be a pair of classes, the two ends. "
                f"Received: {len(labels)} labels"
            )
        embed, rest = cut_at_class_embedding(generator)
        first, last = embed(tf.constant(labels)).numpy()
        embeddings = tf.constant((1 - share) * first + share * last)
        images = decode(rest, latents, embeddings)
    return from_unit(images, value_range, dtype).numpy()


def cut_at_class_embedding(generator):
    """Cuts a generator in two where the class comes in.

    Args:
        generator: A functional `keras.Model` with a layer `"class_embedding"`.

    Returns:
        A pair: the layer, called on labels; and a model called on latents and
        what the layer returned.

    Raises:
        ValueError: There is no such layer.
    """
    names = [layer.name for layer in generator.layers]
    if CLASS_EMBEDDING not in names or len(generator.inputs) != 2:
        raise ValueError(
            "Only a generator with a layer named 'class_embedding' can blend "
            f"classes. Received: generator={generator.name!r}"
        )
    layer = generator.get_layer(CLASS_EMBEDDING)
    rest = keras.Model([generator.inputs[0], layer.output], generator.output)
    return layer, rest
