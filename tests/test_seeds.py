"""Seeds."""

import random

import keras
import numpy as np
import pytest

from ganaug.seeds import derive_seed, resolve_seed, seeded_initializers


@pytest.mark.parametrize("seed", [-1, 2**31, 1.5, "1", True])
def test_bad_seeds_are_refused(seed):
    """A seed is an integer that fits 31 bits."""
    with pytest.raises(ValueError, match="Received: seed="):
        resolve_seed(seed)


def test_seeds_for_different_purposes_differ():
    """Two purposes, or two seeds, do not share a stream."""
    seeds = {
        derive_seed(seed, purpose)
        for seed in range(50)
        for purpose in ("weights", "noise")
    }
    assert len(seeds) == 100


def test_seeded_initializers_fix_weights_and_leave_no_trace():
    """Keras's unseeded initializers repeat, and Python's `random` goes on."""
    random.seed(7)
    expected = random.random()
    random.seed(7)
    weights = []
    for seed in (1, 1, 2):
        with seeded_initializers(seed):
            layer = keras.layers.Dense(3)
            layer.build((None, 4))
        weights.append(layer.kernel.numpy())
    assert random.random() == expected
    np.testing.assert_array_equal(weights[0], weights[1])
    assert np.abs(weights[0] - weights[2]).max() > 0
