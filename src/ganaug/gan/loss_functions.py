"""Loss functions of real and fake logits, and of class logits.

Logits are raw discriminator outputs. Every loss is computed in float32,
whatever their dtype, and is a mean over the batch.
"""

import functools

from keras import ops


def _in_float32(loss):
    @functools.wraps(loss)
    def computed(real_logits, fake_logits):
        if real_logits is not None:
            real_logits = ops.cast(real_logits, "float32")
        return loss(real_logits, ops.cast(fake_logits, "float32"))

    return computed


@_in_float32
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
    return ops.mean(ops.softplus(-real_logits)) + ops.mean(
        ops.softplus(fake_logits)
    )


@_in_float32
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
    return -ops.mean(ops.softplus(fake_logits))


# Both games have the same discriminator.
non_saturating_discriminator_loss = minimax_discriminator_loss


@_in_float32
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
    return ops.mean(ops.softplus(-fake_logits))


@_in_float32
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
    return 0.5 * (
        ops.mean(ops.square(real_logits - 1.0))
        + ops.mean(ops.square(fake_logits))
    )


@_in_float32
def least_squares_generator_loss(real_logits, fake_logits):
    """Squared distance of fake logits from 1, the target of real ones.

    `mean((fake_logits - 1)**2) / 2`.

    Args:
        real_logits: Not used; may be `None`.
        fake_logits: Float tensor of shape `(batch,)`, for fake images.

    Returns:
        A float32 scalar.
    """
    return 0.5 * ops.mean(ops.square(fake_logits - 1.0))


@_in_float32
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
    return ops.mean(ops.relu(1.0 - real_logits)) + ops.mean(
        ops.relu(1.0 + fake_logits)
    )


@_in_float32
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
    return ops.mean(fake_logits) - ops.mean(real_logits)


@_in_float32
def wasserstein_generator_loss(real_logits, fake_logits):
    """Mean fake logit with its sign changed: `-mean(fake_logits)`.

    Args:
        real_logits: Not used; may be `None`.
        fake_logits: Float tensor of shape `(batch,)`, for fake images.

    Returns:
        A float32 scalar.
    """
    return -ops.mean(fake_logits)


# Both generators raise the mean fake logit.
hinge_generator_loss = wasserstein_generator_loss


@_in_float32
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
    return ops.mean(ops.softplus(fake_logits - real_logits))


@_in_float32
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
    class_logits = ops.cast(class_logits, "float32")
    return ops.mean(
        ops.sparse_categorical_crossentropy(
            labels, class_logits, from_logits=True
        )
    )
