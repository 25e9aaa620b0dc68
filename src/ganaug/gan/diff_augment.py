"""Differentiable augmentation of what the discriminator sees (DiffAugment).

Drawing and applying are apart: `diff_augment` is a pure function of the images
and of uniform numbers, so the training step can key its noise by step, and a
test can write the numbers by hand.
"""

import numbers

import keras
import numpy as np
from keras import ops

# Uniform numbers that one image needs.
NUM_UNIFORMS = 12


def _brightness(images, u):
    return images + (u[0] - 0.5)[:, None, None, None]


def _saturation(images, u):
    mean = ops.mean(images, axis=3, keepdims=True)
    return (images - mean) * (2.0 * u[1])[:, None, None, None] + mean


def _contrast(images, u):
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return (images - mean) * (u[2] + 0.5)[:, None, None, None] + mean


def _color(images, u):
    # Means over an image would lose precision in half.
    dtype = keras.backend.result_type(images.dtype, "float32")
    changed = ops.cast(images, dtype)
    u = [ops.cast(number, dtype) for number in u[:3]]
    changed = _contrast(_saturation(_brightness(changed, u), u), u)
    return ops.cast(changed, images.dtype)


def _positions(size, u):
    return np.arange(size, dtype=keras.backend.standardize_dtype(u.dtype))


def _shift_matrix(size, u, dtype):
    # A 0/1 matrix per image: its product with the image moves the pixels, has
    # every derivative, and is far cheaper on a CPU than gather or a warp.
    reach = max(1, round(size / 8))
    shift = ops.floor(u * (2 * reach + 1)) - reach
    moved = _positions(size, u)[:, None] - _positions(size, u)
    return ops.cast(ops.equal(moved[None], shift[:, None, None]), dtype)


def _translation(images, u):
    _, height, width, channels = images.shape
    rows = _shift_matrix(height, u[3], images.dtype)
    columns = _shift_matrix(width, u[4], images.dtype)
    images = ops.matmul(
        rows, ops.reshape(images, (-1, height, width * channels))
    )
    images = ops.reshape(images, (-1, height, width, channels))
    return ops.einsum("bvw,bhwc->bhvc", columns, images)


def _inside(size, u, dtype):
    # The hole's center may be anywhere, so near an edge the hole is cut.
    half = size / 4
    center = ops.floor(u * (size + 1))[:, None]
    position = _positions(size, u) + 0.5
    return ops.cast(ops.abs(position - center) < half, dtype)


def _cutout(images, u):
    _, height, width, _ = images.shape
    hole = (
        _inside(height, u[5], images.dtype)[:, :, None, None]
        * _inside(width, u[6], images.dtype)[:, None, :, None]
    )
    return images * (1.0 - hole)


def _flip(images, u):
    mirrored = (u[7] < 0.5)[:, None, None, None]
    return ops.where(mirrored, ops.flip(images, axis=2), images)


OPERATIONS = {
    "color": _color,
    "translation": _translation,
    "cutout": _cutout,
    "flip": _flip,
}

# Which uniform number decides whether an image gets the operation.
_GATES = {"color": 8, "translation": 9, "cutout": 10, "flip": 11}


def check_policy(policy):
    """Splits a policy string into the names of its operations.

    Args:
        policy: String. Names out of `"color"`, `"translation"`, `"cutout"`
            and `"flip"`, separated by commas; `""` for no augmentation.

    Returns:
        A list of names.

    Raises:
        ValueError: A name is unknown.

    Example:

    >>> check_policy("translation,cutout")
    ['translation', 'cutout']
    """
    names = [name.strip() for name in policy.split(",") if name.strip()]
    unknown = [name for name in names if name not in OPERATIONS]
    if unknown:
        raise ValueError(
            "Each name in `diff_augment` must be one of "
            f"{sorted(OPERATIONS)}, separated by commas. "
            f"Received: diff_augment={policy!r}"
        )
    return names


def diff_augment(images, uniforms, policy, probability=1.0):
    """Augments images in a way that gradients pass through.

    Use it on real and on fake images alike, in both players' steps: then the
    generator learns the unaugmented images.

    - `"color"`: brightness by U(-0.5, 0.5), saturation by a factor U(0, 2)
      around the mean over channels, contrast by a factor U(0.5, 1.5) around
      the image's mean.
    - `"translation"`: by whole pixels, up to an eighth of each side, at least
      one; what enters is 0, mid-gray, so that a shift can be told from a real
      image and does not leak into the generator.
    - `"cutout"`: a rectangle of half of each side is set to 0.
    - `"flip"`: half of the images are mirrored, left to right. With a
      probability of 1 nothing tells a mirrored image from one that is not, so
      the generator may draw both: ask for it only where a mirrored image
      keeps its class, not for digits or letters.

    `probability` is ADA's `p`: each operation is applied to each image
    independently, or not at all. With `p = 1` this is DiffAugment, which
    applies all operations to all images; with `p = 0` nothing is applied. The
    unit is a name of the policy: the three parts of `"color"` come together,
    and of the images that get `"flip"` half are mirrored. An image is left
    untouched with a probability of at least `(1 - p) ** n`, for `n` names.

    Args:
        images: Float tensor of shape `(batch, height, width, channels)`,
            values in `[-1, 1]`.
        uniforms: Float tensor of shape `(batch, NUM_UNIFORMS)`, independent
            draws from `[0, 1)`; float32, also for images in half precision.
        policy: String. Names separated by commas, applied in that order; `""`
            returns the images as they are.
        probability: Float or scalar tensor in `[0, 1]`. The probability that
            an operation is applied to an image. Defaults to `1.0`.

    Returns:
        A tensor of the images' shape and dtype. `"color"` may leave `[-1, 1]`.

    Raises:
        ValueError: A name in `policy` is unknown, or `probability` is out of
            range.

    Example:

    >>> import numpy as np
    >>> images = np.ones((2, 8, 8, 1), "float32")
    >>> uniforms = np.full((2, NUM_UNIFORMS), 0.5, "float32")
    >>> diff_augment(images, uniforms, "translation,cutout").shape
    TensorShape([2, 8, 8, 1])

    Reference:
        - [DiffAugment, Zhao et al., 2020](https://arxiv.org/abs/2006.10738)
        - [ADA, Karras et al., 2020](https://arxiv.org/abs/2006.06676)
    """
    always = isinstance(probability, numbers.Real) and probability == 1
    if isinstance(probability, numbers.Real) and not 0 <= probability <= 1:
        raise ValueError(
            "`probability` must be in [0, 1]. "
            f"Received: probability={probability}"
        )
    names = check_policy(policy)
    if not names:
        return images
    images = ops.convert_to_tensor(images)
    uniforms = ops.convert_to_tensor(uniforms)
    u = ops.unstack(uniforms, NUM_UNIFORMS, axis=1)
    for name in names:
        changed = OPERATIONS[name](images, u)
        if not always:
            chosen = u[_GATES[name]] < ops.cast(probability, uniforms.dtype)
            changed = ops.where(chosen[:, None, None, None], changed, images)
        images = changed
    return images
