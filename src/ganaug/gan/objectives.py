"""What discriminator and generator minimize, and the generator's average."""

import tensorflow as tf

from ganaug.gan.diff_augment import diff_augment
from ganaug.gan.losses import (
    relativistic_discriminator_loss,
    relativistic_generator_loss,
)
from ganaug.gan.penalties import zero_centered_penalty

# The average may not look back further than this share of what was seen.
EMA_RAMP_UP = 0.05


def discriminator_objective(
    discriminator, real_images, fake_images, labels, uniforms, policy, gamma
):
    """Computes the relativistic loss with R1 and R2 penalties.

    Real and fake images go through the discriminator in one pass: its gradient
    at the images is R1's in one half and R2's in the other.

    Args:
        discriminator: `keras.Model` called as
            `discriminator([images, labels])`.
        real_images: Float tensor `(batch, height, width, channels)`.
        fake_images: Tensor of the same shape.
        labels: int32 tensor `(batch,)`, shared by the pairs.
        uniforms: Float tensor `(2 * batch, NUM_UNIFORMS)` for DiffAugment.
        policy: String. DiffAugment's policy.
        gamma: Float. Weight of the penalties.

    Returns:
        A pair of scalars: the loss alone, and the objective
        `loss + gamma / 2 * (R1 + R2)`.
    """
    images, both_labels = _both(
        real_images, fake_images, labels, uniforms, policy
    )
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = discriminator([images, both_labels], training=True)
        total = tf.reduce_sum(logits)
    gradients = tape.gradient(total, images)
    loss = relativistic_discriminator_loss(*tf.split(logits, 2))
    # The mean over both halves is (R1 + R2) / 2.
    return loss, loss + gamma * zero_centered_penalty(gradients)


def generator_objective(
    discriminator, real_images, fake_images, labels, uniforms, policy
):
    """Computes the generator's relativistic loss.

    Args:
        discriminator: As in `discriminator_objective`.
        real_images: As there.
        fake_images: As there.
        labels: As there.
        uniforms: As there.
        policy: As there.

    Returns:
        A scalar.
    """
    images, both_labels = _both(
        real_images, fake_images, labels, uniforms, policy
    )
    logits = discriminator([images, both_labels], training=True)
    return relativistic_generator_loss(*tf.split(logits, 2))


def _both(real_images, fake_images, labels, uniforms, policy):
    images = tf.concat([real_images, fake_images], 0)
    return diff_augment(images, uniforms, policy), tf.tile(labels, [2])


def update_average(averages, variables, step, batch_size, half_life):
    """Moves an exponential moving average of weights by one step.

    Args:
        averages: List of the average's variables.
        variables: List of the variables averaged.
        step: int32 scalar. Steps before this one.
        batch_size: int32 scalar. Images in this step.
        half_life: Float. Number of images after which a weight counts half.
            Early in training it is at most 5 % of the images seen, so that the
            initial weights are soon forgotten.
    """
    batch_size = tf.cast(batch_size, tf.float32)
    seen = tf.cast(step + 1, tf.float32) * batch_size
    half_life = tf.minimum(float(half_life), EMA_RAMP_UP * seen)
    decay = tf.pow(0.5, batch_size / half_life)
    for average, variable in zip(averages, variables, strict=True):
        average.assign(variable + (average - variable) * decay)
