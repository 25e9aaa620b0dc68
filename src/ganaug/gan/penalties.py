"""Gradient penalties on the discriminator."""

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
    gradients = ops.cast(gradients, "float32")
    return ops.mean(ops.sum(ops.square(gradients), axis=(1, 2, 3)))
