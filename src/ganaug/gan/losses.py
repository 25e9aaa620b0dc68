"""Adversarial losses: pairs of loss functions, by name."""

import dataclasses
from collections.abc import Callable

from ganaug.gan.loss_functions import (
    hinge_discriminator_loss,
    hinge_generator_loss,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
    minimax_discriminator_loss,
    minimax_generator_loss,
    non_saturating_discriminator_loss,
    non_saturating_generator_loss,
    relativistic_discriminator_loss,
    relativistic_generator_loss,
    wasserstein_discriminator_loss,
    wasserstein_generator_loss,
)


@dataclasses.dataclass(frozen=True)
class AdversarialLoss:
    """The two losses that make up a game.

    Args:
        discriminator: Callable `(real_logits, fake_logits) -> scalar`, which
            the discriminator minimizes.
        generator: Callable of the same arguments, which the generator
            minimizes. Where `paired` is false, `real_logits` may be `None`.
        paired: Boolean. Whether the generator's loss needs the real logits.
            Defaults to `False`.
        zero_is_undecided: Boolean. Whether a logit of 0 lies between real
            and fake, so that the sign of one logit alone is a verdict.
            Defaults to `False`, which is always safe.

    Raises:
        TypeError: A loss cannot be called.

    Example:

    >>> from keras import ops
    >>> loss = AdversarialLoss(
    ...     lambda real, fake: ops.mean(fake - real),
    ...     lambda real, fake: -ops.mean(fake),
    ... )
    >>> loss.paired
    False
    """

    discriminator: Callable
    generator: Callable
    paired: bool = False
    zero_is_undecided: bool = False

    def __post_init__(self):
        for name in ("discriminator", "generator"):
            function = getattr(self, name)
            if not callable(function):
                raise TypeError(
                    f"`{name}` must be a function of real and fake logits. "
                    f"Received: {name}={function!r}"
                )


# By name. Least squares lies undecided at 1/2, Wasserstein nowhere.
LOSSES = {
    "minimax": AdversarialLoss(
        minimax_discriminator_loss,
        minimax_generator_loss,
        zero_is_undecided=True,
    ),
    "non_saturating": AdversarialLoss(
        non_saturating_discriminator_loss,
        non_saturating_generator_loss,
        zero_is_undecided=True,
    ),
    "least_squares": AdversarialLoss(
        least_squares_discriminator_loss, least_squares_generator_loss
    ),
    "hinge": AdversarialLoss(
        hinge_discriminator_loss,
        hinge_generator_loss,
        zero_is_undecided=True,
    ),
    "wasserstein": AdversarialLoss(
        wasserstein_discriminator_loss, wasserstein_generator_loss
    ),
    "relativistic": AdversarialLoss(
        relativistic_discriminator_loss,
        relativistic_generator_loss,
        paired=True,
    ),
}


def get_loss(name):
    """Finds a pair of losses by its name.

    Args:
        name: String, a key of `LOSSES`; or an `AdversarialLoss` of your own,
            which is returned as it is.

    Returns:
        An `AdversarialLoss`.

    Raises:
        ValueError: There is no loss of that name.

    Example:

    >>> get_loss("hinge").paired
    False
    """
    if isinstance(name, AdversarialLoss):
        return name
    if not isinstance(name, str) or name not in LOSSES:
        raise ValueError(
            f"`loss` must be one of {sorted(LOSSES)}, or a "
            "`ganaug.gan.losses.AdversarialLoss`. "
            f"Received: loss={name!r}"
        )
    return LOSSES[name]
