"""Gradient penalties on the discriminator, and the points they are taken at.

Penalties are computed in float32, whatever the dtype of what they are given.
"""

import numbers

from keras import ops


def zero_centered_penalty(gradients):
    """Squared norm of the discriminator's gradient at its input.

    Taken at real images this is R1, at fake images R2; both are weighted with
    `gamma / 2` in the discriminator's loss.

    Args:
        gradients: Float tensor of shape `(batch, height, width, channels)`.
            For each image, the gradient of its own logit with respect to its
            pixels, in logits per unit of pixel value.

    Returns:
        A scalar tensor: the sum of squares over the pixels, then the mean over
        the batch, in float32.

    Example:

    >>> import numpy as np
    >>> float(zero_centered_penalty(np.full((5, 2, 2, 1), 0.5)))
    1.0

    Reference:
        - [Mescheder et al., 2018](https://arxiv.org/abs/1801.04406)
    """
    return ops.mean(_squared_norms(gradients))


def one_centered_penalty(gradients):
    """Squared distance of the gradient's norm from 1.

    `mean((norm(gradient) - 1)**2)`. Taken between real and fake images, at
    `interpolates`, this is WGAN-GP's penalty; around real images, at
    `dragan_perturbation`, DRAGAN's. Both papers weight it with 10. Where a
    gradient is zero, the penalty's own gradient is taken to be zero.

    Args:
        gradients: Float tensor of shape `(batch, height, width, channels)`.
            For each image, the gradient of its own logit with respect to its
            pixels, in logits per unit of pixel value.

    Returns:
        A float32 scalar.

    Example:

    >>> import numpy as np
    >>> float(one_centered_penalty(np.full((5, 2, 2, 1), 1.5)))
    4.0

    Reference:
        - [WGAN-GP, Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028)
        - [DRAGAN, Kodali et al., 2017](https://arxiv.org/abs/1705.07215)
    """
    squares = _squared_norms(gradients)
    # The root has an infinite derivative at zero, so it never sees a zero.
    positive = squares > 0
    roots = ops.sqrt(ops.where(positive, squares, 1.0))
    norms = ops.where(positive, roots, 0.0)
    return ops.mean(ops.square(norms - 1.0))


def finite_difference_penalty(logits, shifted_logits, sigma):
    """Estimates the squared norm of the gradient without differentiating.

    `mean(((shifted_logits - logits) / sigma)**2)`, where the shifted logits
    are those of `images + sigma * noise` with standard normal noise of the
    images' shape. Its expectation over the noise is `zero_centered_penalty` up
    to a term of order `sigma**2`. It costs one more forward pass instead of a
    second derivative.

    Rounding errors of the logits are divided by `sigma`, so let the
    discriminator's last layer compute in float32.

    Args:
        logits: Float tensor of shape `(batch,)`. Raw discriminator outputs
            for images.
        shifted_logits: Float tensor of shape `(batch,)`. Those for the same
            images with noise added.
        sigma: Float. Standard deviation of the noise, in units of pixel
            value; `0.01` suits images in `[-1, 1]`.

    Returns:
        A float32 scalar.

    Raises:
        ValueError: `sigma` is not positive.

    Example:

    >>> import numpy as np
    >>> float(finite_difference_penalty(np.zeros(3), np.ones(3), 0.5))
    4.0

    Reference:
        - [Lin et al., 2025](https://arxiv.org/abs/2501.08316)
    """
    if isinstance(sigma, numbers.Real) and not 0 < sigma < float("inf"):
        raise ValueError(
            "`sigma` must be a positive, finite number. "
            f"Received: sigma={sigma}"
        )
    differences = ops.cast(shifted_logits, "float32") - ops.cast(
        logits, "float32"
    )
    return ops.mean(ops.square(differences / sigma))


def interpolates(real_images, fake_images, uniforms):
    """Points on the straight lines between real and fake images.

    `u * real_images + (1 - u) * fake_images`, one number `u` for each pair.

    Args:
        real_images: Float tensor of shape `(batch, height, width, channels)`.
        fake_images: Float tensor of the same shape.
        uniforms: Float tensor of shape `(batch,)`, independent draws from
            `[0, 1)`.

    Returns:
        A tensor of the shape and dtype of `real_images`.

    Example:

    >>> import numpy as np
    >>> images = np.ones((2, 4, 4, 1), "float32")
    >>> points = interpolates(images, 0 * images, np.array([0.0, 0.25]))
    >>> points[:, 0, 0, 0].numpy().tolist()
    [0.0, 0.25]

    Reference:
        - [WGAN-GP, Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028)
    """
    real_images = ops.convert_to_tensor(real_images)
    fake_images = ops.cast(fake_images, real_images.dtype)
    uniforms = ops.cast(uniforms, real_images.dtype)[:, None, None, None]
    return uniforms * real_images + (1.0 - uniforms) * fake_images


def dragan_perturbation(real_images, uniforms, std=None):
    """Points around real images.

    `real_images + 0.5 * std * uniforms`, with one standard
    deviation over all pixels of the batch and one uniform number for each
    pixel. This is the formula of the authors' code, whose noise only
    brightens; their paper's text has normal noise. Their code then takes a
    random point between the image and the perturbed one:
    `interpolates(real_images, dragan_perturbation(...), ...)`.

    Args:
        real_images: Float tensor of shape `(batch, height, width, channels)`.
        uniforms: Float tensor of the same shape, independent draws from
            `[0, 1)`.
        std: Float scalar. The standard deviation. Defaults to that of
            `real_images`; replicas, which each have a part of the batch, give
            that of the whole.

    Returns:
        A tensor of the images' shape and dtype. It may leave the images'
        value range.

    Example:

    >>> import numpy as np
    >>> images = np.array([-1.0, 1.0], "float32").reshape(2, 1, 1, 1)
    >>> points = dragan_perturbation(images, np.full((2, 1, 1, 1), 0.5))
    >>> points.numpy().ravel().tolist()
    [-0.75, 1.25]

    Reference:
        - [DRAGAN, Kodali et al., 2017](https://arxiv.org/abs/1705.07215)
    """
    real_images = ops.convert_to_tensor(real_images)
    images = ops.cast(real_images, "float32")
    uniforms = ops.cast(uniforms, "float32")
    if std is None:
        std = ops.std(images)
    points = images + 0.5 * std * uniforms
    return ops.cast(points, real_images.dtype)


def _squared_norms(gradients):
    gradients = ops.cast(gradients, "float32")
    return ops.sum(ops.square(gradients), axis=(1, 2, 3))
