"""What the players minimize."""

import numpy as np
import pytest
import tensorflow as tf

from ganaug.gan.diff_augment import NUM_UNIFORMS
from ganaug.gan.objectives import (
    discriminator_objective,
    generator_objective,
    update_average,
)

REAL = np.random.default_rng(0).normal(size=(4, 3, 3, 1)).astype("float32")
FAKE = np.random.default_rng(1).normal(size=(4, 3, 3, 1)).astype("float32")
LABELS = np.array([0, 1, 1, 0])
UNIFORMS = np.full((8, NUM_UNIFORMS), 0.5, "float32")
WEIGHT = np.random.default_rng(2).normal(size=(3, 3, 1)).astype("float32")


def linear(inputs, training):
    """A discriminator whose gradient is known: its weight, times a class."""
    images, labels = inputs
    scale = 1.0 + tf.cast(labels, tf.float32)
    return scale * tf.reduce_sum(images * WEIGHT, axis=(1, 2, 3))


def test_objective_of_a_linear_discriminator():
    """R1 and R2 are the squared weight, times the squared class factor."""
    loss, objective = discriminator_objective(
        linear, REAL, FAKE, LABELS, UNIFORMS, "", gamma=0.7
    )
    scale = 1.0 + LABELS
    margin = scale * ((REAL - FAKE) * WEIGHT).sum((1, 2, 3))
    expected = np.log1p(np.exp(-margin)).mean()
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    r1 = r2 = (scale**2 * (WEIGHT**2).sum()).mean()
    np.testing.assert_allclose(
        objective, expected + 0.7 / 2 * (r1 + r2), rtol=1e-5
    )
    g_loss = generator_objective(linear, REAL, FAKE, LABELS, UNIFORMS, "")
    np.testing.assert_allclose(
        g_loss, np.log1p(np.exp(margin)).mean(), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("step", "decay"),
    [
        # Early, 5 % of the 10 images seen: half a batch is one half-life.
        (0, 0.5**20),
        # Late, the half-life itself.
        (10_000, 0.5 ** (10 / 1000)),
    ],
)
def test_the_average_forgets_by_half_life(step, decay):
    """One step moves the average by one minus the decay."""
    average, variable = tf.Variable(1.0), tf.Variable(3.0)
    update_average([average], [variable], tf.constant(step), 10, 1000)
    np.testing.assert_allclose(average, 3 - 2 * decay, rtol=1e-6)
