"""The settings of a game between two networks: resolved and checked."""

import numbers
from dataclasses import dataclass

import numpy as np

from ganaug.gan.diff_augment import check_policy
from ganaug.gan.losses import AdversarialLoss, get_loss
from ganaug.gan.objectives import PENALTIES, ZERO_CENTERED

# The literature's weight of WGAN-GP and DRAGAN.
ONE_CENTERED_GAMMA = 10.0
ADAPTIVE = "adaptive"
PAIRED = "paired"


@dataclass(frozen=True)
class Game:
    """What `ConditionalGAN.compile` was asked for, with all defaults filled in.

    Args:
        loss: `AdversarialLoss`, or the name of one.
        penalty: String.
        gamma: Float.
        penalty_interval: Integer.
        finite_difference: Boolean.
        discriminator_steps: Integer.
        unrolled_steps: Integer.
        diff_augment: String.
        augment_probability: Float, or `"adaptive"`.
        fake_labels: `"paired"`, or a tuple of probabilities.
        auxiliary_weight: Float.
    """

    loss: object
    penalty: str
    gamma: float
    penalty_interval: int
    finite_difference: bool
    discriminator_steps: int
    unrolled_steps: int
    diff_augment: str
    augment_probability: object
    fake_labels: object
    auxiliary_weight: float

    @property
    def is_adaptive(self):
        """Whether ADA steers the probability of augmenting."""
        return self.augment_probability == ADAPTIVE

    @property
    def is_penalized(self):
        """Whether a penalty weighs anything."""
        return self.penalty != "none" and self.gamma > 0

    @property
    def label_thresholds(self):
        """float32 array of cumulative label probabilities, or `None`."""
        if self.fake_labels == PAIRED:
            return None
        return np.cumsum(self.fake_labels)[:-1].astype(np.float32)

    def settings(self):
        """Gives all of it as plain data.

        Returns:
            A dict for JSON; a loss of the user's own is `"custom"`.
        """
        loss = "custom" if self.has_own_loss else self.loss
        plain = {**vars(self), "loss": loss}
        if plain["fake_labels"] != PAIRED:
            plain["fake_labels"] = list(plain["fake_labels"])
        return plain

    @property
    def has_own_loss(self):
        """Whether the loss is the user's, which has no name."""
        return isinstance(self.loss, AdversarialLoss)


def resolve_game(
    recipe,
    num_classes,
    loss,
    penalty,
    gamma,
    penalty_interval,
    finite_difference,
    discriminator_steps,
    unrolled_steps,
    diff_augment,
    augment_probability,
    fake_labels,
    auxiliary_weight,
):
    """Fills in the recipe's defaults and checks what does not go together.

    Args:
        recipe: `ganaug.gan.presets.Recipe`.
        num_classes: Integer, or `None` without classes.
        loss: As in `ConditionalGAN.compile`, and so the others.
        penalty: String, or `None`.
        gamma: Float, or `None`.
        penalty_interval: Integer.
        finite_difference: Boolean.
        discriminator_steps: Integer, or `None`.
        unrolled_steps: Integer.
        diff_augment: String, or `None`.
        augment_probability: Float or string.
        fake_labels: String or array.
        auxiliary_weight: Float.

    Returns:
        A `Game`.

    Raises:
        ValueError: An argument is out of range, or two do not go together.
    """
    if loss is None:
        loss = recipe.loss
    adversarial_loss = get_loss(loss)
    if penalty is None:
        penalty = "wgan_gp" if loss == "wasserstein" else recipe.penalty
    if penalty not in PENALTIES:
        raise ValueError(
            f"`penalty` must be one of {list(PENALTIES)}. "
            f"Received: penalty={penalty!r}"
        )
    if gamma is None:
        one_centered = penalty in ("wgan_gp", "dragan")
        gamma = ONE_CENTERED_GAMMA if one_centered else recipe.gamma
    if diff_augment is None:
        diff_augment = recipe.diff_augment
    if discriminator_steps is None:
        discriminator_steps = recipe.discriminator_steps
    _check_numbers(gamma=gamma, auxiliary_weight=auxiliary_weight)
    for name, value, least in (
        ("penalty_interval", penalty_interval, 1),
        ("discriminator_steps", discriminator_steps, 1),
        ("unrolled_steps", unrolled_steps, 0),
    ):
        if not isinstance(value, (int, np.integer)) or value < least:
            raise ValueError(
                f"`{name}` must be an integer of at least {least}. "
                f"Received: {name}={value!r}"
            )
    check_policy(diff_augment)
    if augment_probability != ADAPTIVE and not (
        isinstance(augment_probability, numbers.Real)
        and 0 <= augment_probability <= 1
    ):
        raise ValueError(
            "`augment_probability` must be in [0, 1], or 'adaptive'. "
            f"Received: augment_probability={augment_probability!r}"
        )
    if finite_difference and penalty not in ZERO_CENTERED:
        raise ValueError(
            "`finite_difference` estimates R1 and R2; leave it out, or "
            f"choose one of {list(ZERO_CENTERED)}. "
            f"Received: penalty={penalty!r}"
        )
    if unrolled_steps and penalty != "none" and not finite_difference:
        raise ValueError(
            "`unrolled_steps` would need a third derivative of the penalty. "
            "Use `penalty='none'`, or R1 or R2 with `finite_difference=True`. "
            f"Received: penalty={penalty!r}"
        )
    return Game(
        loss=loss,
        penalty=penalty,
        gamma=float(gamma),
        penalty_interval=int(penalty_interval),
        finite_difference=bool(finite_difference),
        discriminator_steps=int(discriminator_steps),
        unrolled_steps=int(unrolled_steps),
        diff_augment=diff_augment,
        augment_probability=augment_probability,
        fake_labels=_resolve_fake_labels(
            fake_labels, num_classes, adversarial_loss
        ),
        auxiliary_weight=float(auxiliary_weight),
    )


def _check_numbers(**values):
    for name, value in values.items():
        if not isinstance(value, numbers.Real) or not 0 <= value < float("inf"):
            raise ValueError(
                f"`{name}` must be finite and not negative. "
                f"Received: {name}={value!r}"
            )


def _resolve_fake_labels(fake_labels, num_classes, loss):
    if isinstance(fake_labels, str) and fake_labels == PAIRED:
        return PAIRED
    if num_classes is None:
        raise ValueError(
            "`fake_labels` must be left out without classes. "
            f"Received: fake_labels={fake_labels!r}"
        )
    if loss.paired:
        raise ValueError(
            "A paired loss compares real and fake images of one class, so "
            "`fake_labels` must be 'paired'. Choose another `loss`. "
            f"Received: fake_labels={fake_labels!r}"
        )
    if isinstance(fake_labels, str) and fake_labels == "uniform":
        fake_labels = np.full(num_classes, 1 / num_classes)
    shares = np.asarray(fake_labels)
    if (
        shares.dtype.kind not in "uif"
        or shares.shape != (num_classes,)
        or not (shares >= 0).all()
        or not np.isclose(shares.sum(), 1, atol=1e-6)
    ):
        raise ValueError(
            "`fake_labels` must be 'paired', 'uniform' or one probability for "
            f"each class, which sum to 1. Received: fake_labels={fake_labels!r}"
        )
    return tuple(float(share) for share in shares)
