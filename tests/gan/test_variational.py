"""The losses of a variational autoencoder, against their definitions."""

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import tensorflow as tf

from ganaug.gan.variational import (
    kl_divergence,
    reconstruction_loss,
    reparameterize,
)


def test_reconstruction_is_half_the_squared_error():
    """Sum over pixels and channels, mean over images, float32 always."""
    rng = np.random.default_rng(0)
    first, last = rng.uniform(-1, 1, (2, 5, 4, 3, 2)).astype("float16")
    loss = reconstruction_loss(first, last)
    assert loss.dtype == "float32"
    squares = (first.astype("float64") - last.astype("float64")) ** 2
    assert float(loss) == pytest.approx(0.5 * squares.sum() / 5, rel=1e-5)


@pytest.mark.parametrize(("mean", "variance"), [(0.7, 0.3), (-1.5, 2.0)])
def test_kl_is_the_integral(mean, variance):
    """The closed form is what the divergence is defined as."""
    posterior = scipy.stats.norm(mean, variance**0.5)
    prior = scipy.stats.norm()
    expected, _ = scipy.integrate.quad(
        lambda x: posterior.pdf(x) * (posterior.logpdf(x) - prior.logpdf(x)),
        -12,
        12,
    )
    got = kl_divergence(
        np.full((4, 3), mean, "float32"),
        np.full((4, 3), np.log(variance), "float32"),
    )
    assert float(got) == pytest.approx(3 * expected, rel=1e-4)


def test_kl_of_the_prior_is_zero():
    """And of everything else it is more."""
    zeros = np.zeros((2, 3), "float32")
    assert float(kl_divergence(zeros, zeros)) == 0
    assert float(kl_divergence(zeros + 0.1, zeros)) > 0
    assert float(kl_divergence(zeros, zeros - 0.1)) > 0


def test_draws_have_mean_and_variance():
    """And gradients flow to both."""
    mean = tf.Variable(tf.fill([20_000, 1], 3.0))
    log_variance = tf.Variable(tf.fill([20_000, 1], np.log(np.float32(0.25))))
    noise = tf.random.stateless_normal((20_000, 1), (0, 0))
    with tf.GradientTape() as tape:
        latents = reparameterize(mean, log_variance, noise)
    assert np.mean(latents) == pytest.approx(3, abs=0.02)
    assert np.std(latents) == pytest.approx(0.5, abs=0.02)
    to_mean, to_log_variance = tape.gradient(latents, [mean, log_variance])
    np.testing.assert_allclose(to_mean, 1)
    np.testing.assert_allclose(to_log_variance, 0.25 * noise, rtol=1e-5)
