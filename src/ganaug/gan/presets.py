"""Settings that fit an architecture and an image size."""

from dataclasses import dataclass, replace

from ganaug.gan.architectures import ARCHITECTURES, check_image_shape


@dataclass(frozen=True)
class Preset:
    """Sizes of the networks, strength of the penalties and length of training.

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


@dataclass(frozen=True)
class Recipe:
    """How an architecture is trained unless something else is said.

    Args:
        latent_dim: Size of the latents.
        width: Width of the networks.
        depth: Depth of the networks.
        loss: Name of the adversarial loss.
        penalty: Name of the gradient penalty.
        gamma: Weight of R1 and R2, also where another penalty is the default.
        learning_rate: Of both Adam optimizers.
        beta_1: Of both.
        beta_2: Of both.
        discriminator_steps: Of the discriminator for each of the generator.
        diff_augment: Policy of DiffAugment.
        ema_half_life: Of the averaged generator, in images; 0 for none.
        spectral_normalization: Whether the discriminator has it.
        steps: Training steps.
    """

    latent_dim: int
    width: int
    depth: int
    loss: str
    penalty: str
    gamma: float
    learning_rate: float
    beta_1: float
    beta_2: float
    discriminator_steps: int
    diff_augment: str
    ema_half_life: float
    spectral_normalization: bool
    steps: int


# What the tutorials, Radford et al. (2016), Miyato et al. (2018) and Huang et
# al. (2024) train with, apart from DiffAugment and the average, which are for
# small data; `mlp` goes without them, to be the tutorial's to the letter.
_USUAL = {
    "mlp": {
        "loss": "non_saturating",
        "penalty": "none",
        "learning_rate": 1e-4,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "discriminator_steps": 1,
        "diff_augment": "",
        "ema_half_life": 0,
        "spectral_normalization": False,
    },
    "dcgan": {
        "loss": "non_saturating",
        "penalty": "none",
        "learning_rate": 2e-4,
        "beta_1": 0.5,
        "beta_2": 0.999,
        "discriminator_steps": 1,
        "diff_augment": "translation,cutout",
        "ema_half_life": 20_000,
        "spectral_normalization": False,
    },
    "resnet": {
        # The architecture's own is ten times r3gan's price on a CPU.
        "width": 32,
        "loss": "hinge",
        "penalty": "none",
        # Ten times the published rate and one step of the discriminator: with
        # a few thousand steps, it learns the classes no later than r3gan.
        "learning_rate": 2e-3,
        "beta_1": 0.0,
        "beta_2": 0.9,
        "discriminator_steps": 1,
        "diff_augment": "translation,cutout",
        "ema_half_life": 20_000,
        "spectral_normalization": True,
    },
    "r3gan": {
        "loss": "relativistic",
        "penalty": "r1+r2",
        "beta_1": 0.0,
        "beta_2": 0.99,
        "discriminator_steps": 1,
        "diff_augment": "translation,cutout",
        "ema_half_life": 20_000,
        "spectral_normalization": False,
    },
}


def get_recipe(architecture, preset, latent_dim=None, width=None, depth=None):
    """Gives the settings for an architecture and an image size.

    Args:
        architecture: String. A name in `ARCHITECTURES`, or `"custom"` for
            networks of one's own, which are trained as `"r3gan"` is.
        preset: String. A name in `PRESETS`.
        latent_dim: Integer that replaces the recipe's, or `None`.
        width: As `latent_dim`.
        depth: As `latent_dim`.

    Returns:
        A `Recipe`.

    Example:

    >>> get_recipe("mlp", "small").latent_dim
    100
    """
    size = PRESETS[preset]
    usual = _USUAL["r3gan" if architecture == "custom" else architecture]
    sizes = size
    if architecture in ("mlp", "dcgan", "resnet"):
        sizes = ARCHITECTURES[architecture]
    recipe = Recipe(
        **{
            "latent_dim": sizes.latent_dim,
            "width": sizes.width,
            "depth": sizes.depth,
            "gamma": size.gamma,
            "steps": size.steps,
            "learning_rate": size.learning_rate,
            **usual,
        }
    )
    given = {"latent_dim": latent_dim, "width": width, "depth": depth}
    return replace(
        recipe,
        **{name: size for name, size in given.items() if size is not None},
    )


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
