"""Losses against closed forms and finite differences, in single and half."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_expit, log_softmax

from ganaug.gan.loss_functions import (
    auxiliary_classifier_loss,
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
from ganaug.gan.losses import LOSSES, AdversarialLoss, get_loss

# Half precision holds them exactly; none lies at a corner of the hinge.
REAL = np.array([2.0, -1.25, 0.5, 0.25])
FAKE = np.array([0.0, 1.5, 0.5, -3.0])


def cross_entropy(real, fake):
    """With D = sigmoid: -E[log D(x)] - E[log(1 - D(G(z)))]."""
    return -log_expit(real).mean() - log_expit(-fake).mean()


CLOSED_FORMS = {
    minimax_discriminator_loss: cross_entropy,
    minimax_generator_loss: lambda real, fake: log_expit(-fake).mean(),
    non_saturating_discriminator_loss: cross_entropy,
    non_saturating_generator_loss: lambda real, fake: -log_expit(fake).mean(),
    least_squares_discriminator_loss: lambda real, fake: (
        ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2
    ),
    least_squares_generator_loss: lambda real, fake: (
        ((fake - 1) ** 2).mean() / 2
    ),
    hinge_discriminator_loss: lambda real, fake: (
        np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean()
    ),
    hinge_generator_loss: lambda real, fake: -fake.mean(),
    wasserstein_discriminator_loss: lambda real, fake: (
        fake.mean() - real.mean()
    ),
    wasserstein_generator_loss: lambda real, fake: -fake.mean(),
    relativistic_discriminator_loss: lambda real, fake: (
        -log_expit(real - fake).mean()
    ),
    relativistic_generator_loss: lambda real, fake: (
        -log_expit(fake - real).mean()
    ),
}
CASES = [
    pytest.param(
        getattr(LOSSES[name], player), dtype, id=f"{name}-{player}-{dtype}"
    )
    for name in LOSSES
    for player in ("discriminator", "generator")
    for dtype in ("float32", "float16")
]


def finite_difference(function, values, step=1e-5):
    """Central differences of a function of an array, entry by entry."""
    gradient = np.zeros_like(values)
    for index in np.ndindex(values.shape):
        shift = np.zeros_like(values)
        shift[index] = step
        gradient[index] = (
            function(values + shift) - function(values - shift)
        ) / (2 * step)
    return gradient


@pytest.mark.parametrize(("loss", "dtype"), CASES)
def test_value_is_the_closed_form(loss, dtype):
    """The formula, as a float32 scalar, whatever the logits' dtype."""
    value = loss(tf.constant(REAL, dtype), tf.constant(FAKE, dtype))
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    expected = CLOSED_FORMS[loss](REAL, FAKE)
    np.testing.assert_allclose(value, expected, rtol=1e-6)


@pytest.mark.parametrize(("loss", "dtype"), CASES)
def test_gradient_is_the_finite_difference(loss, dtype):
    """Both gradients are those of the formula."""
    real, fake = tf.constant(REAL, dtype), tf.constant(FAKE, dtype)
    with tf.GradientTape() as tape:
        tape.watch([real, fake])
        value = loss(real, fake)
    gradients = tape.gradient(value, [real, fake], unconnected_gradients="zero")
    formula = CLOSED_FORMS[loss]
    expected = (
        finite_difference(lambda real: formula(real, FAKE), REAL),
        finite_difference(lambda fake: formula(REAL, fake), FAKE),
    )
    for gradient, wanted in zip(gradients, expected, strict=True):
        assert gradient.dtype == dtype
        tolerance = {"float32": 1e-6, "float16": 1e-3}[dtype]
        np.testing.assert_allclose(
            gradient, wanted, rtol=tolerance, atol=tolerance
        )


@pytest.mark.parametrize("size", [1e4, -1e4])
@pytest.mark.parametrize(("loss", "dtype"), CASES)
def test_extreme_logits_stay_finite(loss, dtype, size):
    """Very sure discriminators give large losses, not infinite ones."""
    real = tf.fill([4096], tf.constant(size, dtype))
    fake = tf.fill([4096], tf.constant(-size, dtype))
    with tf.GradientTape() as tape:
        tape.watch([real, fake])
        value = loss(real, fake)
    gradients = tape.gradient(value, [real, fake], unconnected_gradients="zero")
    assert np.isfinite(value)
    for gradient in gradients:
        assert np.isfinite(gradient).all()


def test_the_generator_learns_where_the_discriminator_is_sure():
    """There the minimax gradient vanishes and the non-saturating is largest."""
    fake = tf.constant([-20.0])
    slopes = []
    for loss in (minimax_generator_loss, non_saturating_generator_loss):
        with tf.GradientTape() as tape:
            tape.watch(fake)
            value = loss(None, fake)
        slopes.append(float(tape.gradient(value, fake)[0]))
    np.testing.assert_allclose(slopes, [0, -1], atol=1e-8)


@pytest.mark.parametrize("name", LOSSES)
def test_only_paired_losses_need_the_real_logits(name):
    """Elsewhere the generator's loss is given without them."""
    loss = LOSSES[name]
    assert loss.paired == (name == "relativistic")
    fake = tf.constant(FAKE, "float32")
    if loss.paired:
        with pytest.raises(ValueError):
            loss.generator(None, fake)
    else:
        assert loss.generator(None, fake) == loss.generator(REAL, fake)


@pytest.mark.parametrize("name", LOSSES)
def test_where_zero_is_undecided(name):
    """There 0 is best if nothing can be told, and a common shift costs."""
    loss = LOSSES[name]
    logit = tf.constant(0.0)
    with tf.GradientTape() as tape:
        tape.watch(logit)
        value = loss.discriminator(logit, logit)
    slope = tape.gradient(value, logit)
    shifted = loss.discriminator(REAL + 5, FAKE + 5)
    shift_costs = abs(shifted - loss.discriminator(REAL, FAKE)) > 1e-3
    assert loss.zero_is_undecided == bool(slope == 0 and shift_costs)


def test_players_exchange_roles():
    """The relativistic losses are each other's, real and fake exchanged."""
    np.testing.assert_allclose(
        relativistic_generator_loss(REAL, FAKE),
        relativistic_discriminator_loss(FAKE, REAL),
    )


def test_a_loss_of_your_own_passes_through():
    """A name is looked up, a pair of functions is taken as it is."""
    assert get_loss("hinge") is LOSSES["hinge"]
    own = AdversarialLoss(max, min, paired=True)
    assert get_loss(own) is own


@pytest.mark.parametrize("name", ["huber", None, 3, ["hinge"], max])
def test_unknown_losses_are_refused(name):
    """The error lists the names that are known."""
    with pytest.raises(ValueError, match=r"'hinge', 'least.*Received: loss="):
        get_loss(name)


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        (("hinge", max), "Received: discriminator='hinge'"),
        ((max, None), "Received: generator=None"),
    ],
)
def test_losses_of_your_own_must_be_functions(functions, message):
    """The error names the player."""
    with pytest.raises(TypeError, match=message):
        AdversarialLoss(*functions)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_auxiliary_classifier(dtype):
    """Mean cross-entropy of the labels, and its gradient."""
    logits = np.random.default_rng(0).normal(size=(5, 3)).astype("float16")
    labels = np.array([0, 2, 1, 1, 0])

    def formula(logits):
        return -log_softmax(logits, axis=1)[np.arange(5), labels].mean()

    tensor = tf.constant(logits, dtype)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        value = auxiliary_classifier_loss(tensor, labels)
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    logits = logits.astype("float64")
    np.testing.assert_allclose(value, formula(logits), rtol=1e-6)
    np.testing.assert_allclose(
        tape.gradient(value, tensor),
        finite_difference(formula, logits),
        atol={"float32": 1e-6, "float16": 1e-3}[dtype],
    )
