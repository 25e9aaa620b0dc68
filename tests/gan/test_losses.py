"""Losses and penalties against closed forms."""

import keras
import numpy as np
import pytest

from ganaug.gan.losses import (
    relativistic_discriminator_loss,
    relativistic_generator_loss,
)
from ganaug.gan.penalties import zero_centered_penalty

REAL = np.array([2.0, -1.0, 0.5], "float32")
FAKE = np.array([0.0, 1.0, 0.5], "float32")


def test_relativistic_losses_by_hand():
    """softplus of the pairwise difference, averaged."""
    difference = REAL.astype("float64") - FAKE
    d_loss = np.log1p(np.exp(-difference)).mean()
    g_loss = np.log1p(np.exp(difference)).mean()
    np.testing.assert_allclose(
        relativistic_discriminator_loss(REAL, FAKE), d_loss, rtol=1e-6
    )
    np.testing.assert_allclose(
        relativistic_generator_loss(REAL, FAKE), g_loss, rtol=1e-6
    )


def test_players_exchange_roles():
    """The generator's loss is the discriminator's, real and fake exchanged."""
    np.testing.assert_allclose(
        relativistic_generator_loss(REAL, FAKE),
        relativistic_discriminator_loss(FAKE, REAL),
    )


def test_a_common_shift_of_the_logits_changes_nothing():
    """Only differences between real and fake count."""
    np.testing.assert_allclose(
        relativistic_discriminator_loss(REAL + 5, FAKE + 5),
        relativistic_discriminator_loss(REAL, FAKE),
        rtol=1e-5,
    )


def test_losses_do_not_overflow():
    """Very wrong logits give a large loss, not infinity."""
    loss = relativistic_discriminator_loss(REAL * 0 - 1e4, FAKE * 0 + 1e4)
    np.testing.assert_allclose(loss, 2e4, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_penalty_is_the_mean_squared_norm(dtype):
    """Summed over pixels, averaged over images, without overflow in half."""
    gradients = np.full((4, 10, 10, 3), 20.0, dtype)
    penalty = zero_centered_penalty(gradients)
    assert keras.backend.standardize_dtype(penalty.dtype) == "float32"
    np.testing.assert_allclose(penalty, 300 * 400.0, rtol=1e-6)
