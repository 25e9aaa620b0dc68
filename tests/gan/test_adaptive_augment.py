"""ADA: the signal by hand, the probability in a closed loop."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import norm

from ganaug.gan.adaptive_augment import (
    MAX_PROBABILITY,
    PAIRED_TARGET,
    RAMP_IMAGES,
    TARGET,
    adjust_probability,
    overfitting_signal,
)

REAL = np.array([3.0, -1.0, 2.0, 0.5])
FAKE = np.array([4.0, -2.0, 2.0, -6.0])


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_signal_by_hand(dtype):
    """Mean sign of real logits, or of their lead; a tie counts nothing."""
    real, fake = tf.constant(REAL, dtype), tf.constant(FAKE, dtype)
    alone = overfitting_signal(real, None, paired=False)
    pairs = overfitting_signal(real, fake, paired=True)
    assert keras.backend.standardize_dtype(alone.dtype) == "float32"
    assert keras.backend.standardize_dtype(pairs.dtype) == "float32"
    assert float(alone) == (1 - 1 + 1 + 1) / 4
    assert float(pairs) == (-1 + 1 + 0 + 1) / 4


def test_signal_ignores_what_the_loss_ignores():
    """In pairs, a number added to all logits changes nothing."""
    shifted = overfitting_signal(REAL - 10, FAKE - 10, paired=True)
    assert shifted == overfitting_signal(REAL, FAKE, paired=True)
    alone = overfitting_signal(REAL - 10, FAKE - 10, paired=False)
    assert float(alone) == -1


@pytest.mark.parametrize("paired", [False, True])
def test_signal_of_large_half_precision_logits(paired):
    """Differences beyond the range of half precision are signs as well."""
    logits = np.full(5000, 6e4, "float16")
    assert float(overfitting_signal(logits, -logits, paired)) == 1
    assert float(overfitting_signal(-logits, logits, paired)) == -1


def test_both_targets_are_the_same_separation():
    """80 % right alone is 88 % right in pairs, for equal normal logits."""
    mean = norm.ppf((1 + TARGET) / 2)
    in_pairs = 2 * norm.cdf(2 * mean / 2**0.5) - 1
    np.testing.assert_allclose(PAIRED_TARGET, in_pairs, atol=0.005)
    rng = np.random.default_rng(0)
    real = rng.normal(mean, 1, 100_000)
    fake = rng.normal(-mean, 1, 100_000)
    for paired, target in ((False, TARGET), (True, PAIRED_TARGET)):
        signal = overfitting_signal(real, fake, paired)
        np.testing.assert_allclose(signal, target, atol=0.01)


@pytest.mark.parametrize(
    ("probability", "signal", "expected"),
    [
        (0.5, 0.7, 0.6),
        (0.5, 0.5, 0.4),
        (0.5, 0.6, 0.5),
        (0.05, 0.5, 0.0),
        (0.75, 0.9, 0.8),
        # A limit that was lowered is kept at once.
        (1.0, 0.7, 0.8),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_one_step_by_hand(probability, signal, expected, dtype):
    """A tenth of the ramp up, down or not at all, within the limits."""
    moved = adjust_probability(
        tf.constant(probability, dtype),
        tf.constant(signal),
        target=0.6,
        batch_size=tf.constant(32),
        ramp_images=320,
    )
    assert keras.backend.standardize_dtype(moved.dtype) == "float32"
    atol = {"float32": 1e-6, "float16": 1e-3}[dtype]
    np.testing.assert_allclose(moved, expected, atol=atol)


def test_the_ramp_is_counted_in_images():
    """From 0 to 0.8 takes 0.8 of the ramp, whatever the batch."""
    for batch_size in (50, 500):
        probability = tf.constant(0.0)
        steps = round(MAX_PROBABILITY * RAMP_IMAGES / batch_size)
        before = None
        for _ in range(steps):
            before = probability
            probability = adjust_probability(
                probability, 1.0, TARGET, batch_size
            )
        assert before < MAX_PROBABILITY - batch_size / RAMP_IMAGES / 2
        np.testing.assert_allclose(probability, MAX_PROBABILITY, atol=1e-3)


def test_a_closed_loop_settles_at_the_target():
    """Where augmenting lowers the signal, the two meet, inside a graph too."""

    @tf.function
    def step(probability):
        signal = 1.0 - probability
        return adjust_probability(probability, signal, 0.6, 64, 6400)

    probability = tf.constant(0.0)
    for _ in range(100):
        probability = step(probability)
    np.testing.assert_allclose(probability, 0.4, atol=0.0101)


@pytest.mark.parametrize(
    "argument",
    [
        {"target": 1.5},
        {"target": float("nan")},
        {"ramp_images": 0},
        {"ramp_images": -1},
        {"max_probability": 1.1},
    ],
)
def test_settings_out_of_range_are_refused(argument):
    """The error names the argument and gives its value back."""
    ((name, value),) = argument.items()
    with pytest.raises(ValueError, match=f"`{name}`.*Received: {name}={value}"):
        adjust_probability(
            **{"probability": 0.0, "signal": 0.0, "target": 0.6, **argument},
            batch_size=64,
        )
