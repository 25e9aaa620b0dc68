"""Adversarial losses: functions of real and fake logits, in pairs."""

from keras import ops


def relativistic_discriminator_loss(real_logits, fake_logits):
    """Relativistic pairing loss of the discriminator.

    Each real image is compared with one fake image of the same class:
    `mean(softplus(-(real_logits - fake_logits)))`.

    Args:
        real_logits: Float tensor of shape `(batch,)`. Raw discriminator
            outputs for real images.
        fake_logits: Float tensor of shape `(batch,)`. Raw discriminator
            outputs for the fake images they are paired with.

    Returns:
        A scalar tensor, the mean over the batch, in nats.

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


def relativistic_generator_loss(real_logits, fake_logits):
    """Relativistic pairing loss of the generator.

    The discriminator's loss with the roles exchanged:
    `mean(softplus(-(fake_logits - real_logits)))`.

    Args:
        real_logits: Float tensor of shape `(batch,)`. Raw discriminator
            outputs for real images.
        fake_logits: Float tensor of shape `(batch,)`. Raw discriminator
            outputs for the fake images they are paired with.

    Returns:
        A scalar tensor, the mean over the batch, in nats.

    Example:

    >>> import keras
    >>> logits = keras.ops.zeros(4)
    >>> round(float(relativistic_generator_loss(logits, logits)), 3)
    0.693

    Reference:
        - [Jolicoeur-Martineau, 2018](https://arxiv.org/abs/1807.00734)
        - [Huang et al., 2024](https://arxiv.org/abs/2501.05441)
    """
    return ops.mean(ops.softplus(real_logits - fake_logits))
