"""Settings that fit an image size."""

from dataclasses import dataclass

from ganaug.gan.networks import check_image_shape


@dataclass(frozen=True)
class Preset:
    """Sizes of the networks and the strength of the penalties.

    Args:
        latent_dim: Size of the latents.
        width: Channels at the largest size that has blocks.
        depth: Residual blocks at each size.
        gamma: Weight of the R1 and R2 penalties; it grows with the number of
            pixels, over which the penalty sums.
        learning_rate: Of both Adam optimizers.
        steps: Training steps by default. Pictures were looked at after them
            for `"tiny"` (digits) and `"small"` (Fashion-MNIST); `"medium"` is
            a first guess.
    """

    latent_dim: int
    width: int
    depth: int
    gamma: float
    learning_rate: float
    steps: int


PRESETS = {
    "tiny": Preset(
        latent_dim=32,
        width=32,
        depth=1,
        gamma=0.1,
        learning_rate=1e-3,
        steps=3000,
    ),
    "small": Preset(
        latent_dim=64,
        width=48,
        depth=1,
        gamma=0.3,
        learning_rate=5e-4,
        steps=4000,
    ),
    "medium": Preset(
        latent_dim=128,
        width=48,
        depth=1,
        gamma=1.0,
        learning_rate=3e-4,
        steps=20000,
    ),
}


def choose_preset(image_shape):
    """Names the preset for an image shape.

    Args:
        image_shape: Tuple `(height, width, channels)`.

    Returns:
        `"tiny"` up to 15 pixels on the longer side, `"small"` up to 40,
        `"medium"` above.

    Raises:
        ValueError: `image_shape` is not an image's shape.

    Example:

    >>> choose_preset((28, 28, 1))
    'small'
    """
    longer = max(check_image_shape(image_shape)[:2])
    if longer <= 15:
        return "tiny"
    return "small" if longer <= 40 else "medium"
