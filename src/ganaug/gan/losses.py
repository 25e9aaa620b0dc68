"""Adversarial losses: functions of real and fake logits, in pairs.

Logits are raw discriminator outputs. Every loss is computed in float32,
whatever their dtype, and is a mean over the batch.
"""

import dataclasses
from collections.abc import Callable

from keras import ops


def minimax_discriminator_loss(real_logits, fake_logits):
    """Cross-entropy of telling real from fake, of the first GAN.

    With `D = sigmoid(logit)`:
    `-mean(log(D(real))) - mean(log(1 - D(fake)))`.

    Args:
        real_logits: Float tensor of shape `(batch,)`, for real images.
        fake_logits: Float tensor of shape `(batch,)`, for fake images.

    Returns:
        A float32 scalar, in nats; `2 * log(2)` where nothing can be told.

    Example:

    >>> import keras
    >>> logits = keras.ops.zeros(4)
    >>> round(float(minimax_discriminator_loss(logits, logits)), 3)
    1.386

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661)
    """
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    return ops.mean(ops.softplus(-real_logits)) + ops.mean(
        ops.softplus(fake_logits)
    )


def minimax_generator_loss(real_logits, fake_logits):
    """The part of the minimax game that the generator can change.

    `mean(log(1 - D(fake)))` with `D = sigmoid(logit)`. Its gradient vanishes
    where the discriminator is sure, so prefer the non-saturating loss.

    Args:
        real_logits: Not used; may be `None`.
        fake_logits: Float tensor of shape `(batch,)`, for fake images.

    Returns:
        A float32 scalar, in nats; never positive.
    """
    (fake_logits,) = _float32(fake_logits)
    return -ops.mean(ops.softplus(fake_logits))


# Both games have the same discriminator.
non_saturating_discriminator_loss = minimax_discriminator_loss


def non_saturating_generator_loss(real_logits, fake_logits):
    """Cross-entropy of fake images taken for real.

    `-mean(log(D(fake)))` with `D = sigmoid(logit)`: largest gradient where
    the discriminator is sure that an image is fake.

    Args:
        real_logits: Not used; may be `None`.
        fake_logits: Float tensor of shape `(batch,)`, for fake images.

    Returns:
        A float32 scalar, in nats.
    """
    (fake_logits,) = _float32(fake_logits)
    return ops.mean(ops.softplus(-fake_logits))


def least_squares_discriminator_loss(real_logits, fake_logits):
    """Squared distance of real logits from 1 and of fake logits from 0.

    `mean((real_logits - 1)**2) / 2 + mean(fake_logits**2) / 2`.

    Args:
        real_logits: Float tensor of shape `(batch,)`, for real images.
        fake_logits: Float tensor of shape `(batch,)`, for fake images.

    Returns:
        A float32 scalar.

    Example:

    >>> import keras
    >>> logits = keras.ops.zeros(4)
    >>> float(least_squares_discriminator_loss(logits, logits))
    0.5

    Reference:
        - [Mao et al., 2017](https://arxiv.org/abs/1611.04076)
    """
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    return 0.5 * (
        ops.mean(ops.square(real_logits - 1.0))
        + ops.mean(ops.square(fake_logits))
    )


def least_squares_generator_loss(real_logits, fake_logits):
    """Squared distance of fake logits from 1, the target of real ones.

    `mean((fake_logits - 1)**2) / 2`.

    Args:
        real_logits: Not used; may be `None`.
        fake_logits: Float tensor of shape `(batch,)`, for fake images.

    Returns:
        A float32 scalar.
    """
    (fake_logits,) = _float32(fake_logits)
    return 0.5 * ops.mean(ops.square(fake_logits - 1.0))


def hinge_discriminator_loss(real_logits, fake_logits):
    """Hinge loss: real logits above 1 and fake ones below -1 cost nothing.

    `mean(max(0, 1 - real_logits)) + mean(max(0, 1 + fake_logits))`.

    Args:
        real_logits: Float tensor of shape `(batch,)`, for real images.
        fake_logits: Float tensor of shape `(batch,)`, for fake images.

    Returns:
        A float32 scalar.

    Example:

    >>> import keras
    >>> logits = keras.ops.zeros(4)
    >>> float(hinge_discriminator_loss(logits, logits))
    2.0

    Reference:
        - [Lim and Ye, 2017](https://arxiv.org/abs/1705.02894)
        - [Miyato et al., 2018](https://arxiv.org/abs/1802.05957)
    """
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    return ops.mean(ops.relu(1.0 - real_logits)) + ops.mean(
        ops.relu(1.0 + fake_logits)
    )


def wasserstein_discriminator_loss(real_logits, fake_logits):
    """Difference of the mean logits: `mean(fake_logits) - mean(real_logits)`.

    With its sign changed it estimates a distance between real and fake
    images, if a penalty keeps the discriminator's gradient near norm 1:
    `ganaug.gan.penalties.one_centered_penalty`.

    Args:
        real_logits: Float tensor of shape `(batch,)`, for real images.
        fake_logits: Float tensor of shape `(batch,)`, for fake images.

    Returns:
        A float32 scalar.

    Example:

    >>> import keras
    >>> ones = keras.ops.ones(4)
    >>> float(wasserstein_discriminator_loss(2 * ones, -ones))
    -3.0

    Reference:
        - [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875)
    """
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    return ops.mean(fake_logits) - ops.mean(real_logits)


def wasserstein_generator_loss(real_logits, fake_logits):
    """Mean fake logit with its sign changed: `-mean(fake_logits)`.

    Args:
        real_logits: Not used; may be `None`.
        fake_logits: Float tensor of shape `(batch,)`, for fake images.

    Returns:
        A float32 scalar.
    """
    (fake_logits,) = _float32(fake_logits)
    return -ops.mean(fake_logits)


# Both generators raise the mean fake logit.
hinge_generator_loss = wasserstein_generator_loss


def relativistic_discriminator_loss(real_logits, fake_logits):
    """Relativistic pairing loss of the discriminator.

    Each real image is compared with one fake image of the same class:
    `mean(softplus(-(real_logits - fake_logits)))`.

    Args:
        real_logits: Float tensor of shape `(batch,)`, for real images.
        fake_logits: Float tensor of shape `(batch,)`, for the fake images
            that they are paired with.

    Returns:
        A float32 scalar, in nats.

    Example:

    >>> import keras
    >>> logits = keras.ops.zeros(4)
    >>> round(float(relativistic_discriminator_loss(logits, logits)), 3)
    0.693

    Reference:
        - [Jolicoeur-Martineau, 2018](https://arxiv.org/abs/1807.00734)
        - [Huang et al., 2024](https://arxiv.org/abs/2501.05441)
    """
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    return ops.mean(ops.softplus(fake_logits - real_logits))


def relativistic_generator_loss(real_logits, fake_logits):
    """Relativistic pairing loss of the generator.

    The discriminator's loss with the roles exchanged:
    `mean(softplus(-(fake_logits - real_logits)))`.

    Args:
        real_logits: Float tensor of shape `(batch,)`, for real images.
        fake_logits: Float tensor of shape `(batch,)`, for the fake images
            that they are paired with.

    Returns:
        A float32 scalar, in nats.
    """
    real_logits, fake_logits = _float32(real_logits, fake_logits)
    return ops.mean(ops.softplus(real_logits - fake_logits))


def auxiliary_classifier_loss(class_logits, labels):
    """Cross-entropy of the class that the discriminator reads off an image.

    In an auxiliary classifier GAN both players minimize it beside their
    adversarial loss, the discriminator on real images at least.

    Args:
        class_logits: Float tensor of shape `(batch, num_classes)`. Raw
            outputs of the classifying head.
        labels: Integer tensor of shape `(batch,)`, values in
            `[0, num_classes)`.

    Returns:
        A float32 scalar, the mean over the batch, in nats.

    Example:

    >>> import keras
    >>> loss = auxiliary_classifier_loss(keras.ops.zeros((2, 10)), [3, 7])
    >>> round(float(loss), 3)
    2.303

    Reference:
        - [Odena et al., 2017](https://arxiv.org/abs/1610.09585)
    """
    (class_logits,) = _float32(class_logits)
    return ops.mean(
        ops.sparse_categorical_crossentropy(
            labels, class_logits, from_logits=True
        )
    )


def _float32(*tensors):
    return [ops.cast(tensor, "float32") for tensor in tensors]


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
