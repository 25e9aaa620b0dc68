"""Adaptive augmentation (ADA): how often to augment, steered by overfitting.

Pure functions on tensors: the probability is state of the trainer, which
passes it to `ganaug.gan.diff_augment.diff_augment`.
"""

import numbers

from keras import ops

# The paper's: 80 % of the real images are judged real.
TARGET = 0.6
# The same separation seen in pairs: where real and fake logits are normal,
# symmetric about 0 and equally wide, 80 % right alone are 88 % right in pairs.
PAIRED_TARGET = 0.77
# Images from probability 0 to 1. The paper's 500_000 would outlast a whole run
# on small data (some 200_000); this is a quarter of one.
RAMP_IMAGES = 50_000
# Above it, the paper found augmentations leaking into the generator.
MAX_PROBABILITY = 0.8


def overfitting_signal(real_logits, fake_logits, paired):
    """How sure the discriminator is of the images it was trained on.

    Where a logit of 0 lies between real and fake (minimax, non-saturating and
    hinge losses), this is ADA's `mean(sign(real_logits))`. Other losses give
    a single logit no such zero: the relativistic and the Wasserstein loss do
    not notice a number added to all logits, and least squares lies undecided
    at 1/2. For them `paired` counts the pairs that are ordered rightly:
    `mean(sign(real_logits - fake_logits))`.

    Both are 0 where real and fake cannot be told apart and 1 where they are
    told apart without error. In between, a comparison of two images is an
    easier task than a verdict on one, so the same discriminator has a higher
    paired signal: compare it with `PAIRED_TARGET` and not with `TARGET`.

    A batch gives a noisy signal: average it over several.

    Args:
        real_logits: Float tensor of shape `(batch,)`. Raw discriminator
            outputs for augmented real images.
        fake_logits: Float tensor of shape `(batch,)`. Those for augmented
            fake images; where `paired` is false not used, and may be `None`.
        paired: Boolean. Whether to compare each real image with the fake one
            at its place.

    Returns:
        A float32 scalar in `[-1, 1]`.

    Example:

    >>> import numpy as np
    >>> real, fake = np.array([3.0, 5.0]), np.array([4.0, 4.0])
    >>> float(overfitting_signal(real, None, paired=False))
    1.0
    >>> float(overfitting_signal(real, fake, paired=True))
    0.0

    Reference:
        - [Karras et al., 2020](https://arxiv.org/abs/2006.06676)
    """
    margins = ops.cast(real_logits, "float32")
    if paired:
        margins = margins - ops.cast(fake_logits, "float32")
    return ops.mean(ops.sign(margins))


def adjust_probability(
    probability,
    signal,
    target,
    batch_size,
    ramp_images=RAMP_IMAGES,
    max_probability=MAX_PROBABILITY,
):
    """Moves the probability of augmenting by one step of fixed length.

    Up by `batch_size / ramp_images` where the signal is above its target,
    down by as much where it is below.

    Args:
        probability: Float scalar or tensor in `[0, 1]`. The one in use.
        signal: Float scalar or tensor. What `overfitting_signal` gave, the
            mean over all batches since the last adjustment.
        target: Float. `TARGET`, or `PAIRED_TARGET` for a paired signal.
        batch_size: Integer or integer tensor. Real images seen since the last
            adjustment.
        ramp_images: Number of images in which the probability can rise from
            0 to 1. Defaults to `50_000`, since the paper's 500,000 are more
            than a whole run on small data.
        max_probability: Float. The largest probability. Defaults to `0.8`.

    Returns:
        A float32 scalar in `[0, max_probability]`.

    Raises:
        ValueError: `target`, `ramp_images` or `max_probability` is out of
            range.

    Example:

    >>> round(float(adjust_probability(0.5, 0.9, TARGET, 64, 6400)), 3)
    0.51

    Reference:
        - [Karras et al., 2020](https://arxiv.org/abs/2006.06676)
    """
    for name, value, low, high in (
        ("target", target, -1, 1),
        ("max_probability", max_probability, 0, 1),
    ):
        if isinstance(value, numbers.Real) and not low <= value <= high:
            raise ValueError(
                f"`{name}` must be in [{low}, {high}]. Received: {name}={value}"
            )
    if isinstance(ramp_images, numbers.Real) and not ramp_images > 0:
        raise ValueError(
            "`ramp_images` must be a positive number of images. "
            f"Received: ramp_images={ramp_images}"
        )
    step = ops.cast(batch_size, "float32") / ramp_images
    direction = ops.sign(ops.cast(signal, "float32") - target)
    probability = ops.cast(probability, "float32") + direction * step
    return ops.clip(probability, 0.0, max_probability)
