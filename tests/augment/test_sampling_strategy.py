"""Strategies, each with its wrong inputs."""

import numpy as np
import pytest

from ganaug.augment.sampling_strategy import (
    class_index,
    resolve_class_weights,
)

NAMES = ("cat", "dog", "7")


@pytest.mark.parametrize(
    ("strategy", "weights"),
    [
        ("uniform", [1 / 3, 1 / 3, 1 / 3]),
        ("match", None),
        ({"dog": 2, "cat": 2}, [0.5, 0.5, 0.0]),
        ({0: 1, "dog": 3}, [0.25, 0.75, 0.0]),
        ({"7": 1}, [0.0, 0.0, 1.0]),
        ([2, 1, 1], [0.5, 0.25, 0.25]),
        (np.array([0.0, 0.5, 0.5]), [0.0, 0.5, 0.5]),
    ],
)
def test_strategies(strategy, weights):
    """Words, mappings and sequences become probabilities."""
    assert resolve_class_weights(strategy, NAMES) == weights


def test_inverse_frequency_divides_by_the_counts():
    """Half the examples, twice the probability."""
    weights = resolve_class_weights("inverse_frequency", NAMES, [40, 20, 10])
    np.testing.assert_allclose(weights, [1 / 7, 2 / 7, 4 / 7])
    with pytest.raises(ValueError, match=r"of \['dog'\] there is none"):
        resolve_class_weights("inverse_frequency", NAMES, [40, 0, 10])


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ("minority", "mode='extend'. Received: sampling_strategy='minority'"),
        ("most", "must be one of .* Received: sampling_strategy='most'"),
        (len, "mode='extend'"),
        (0.5, "sampling_strategy=0.5"),
        ([1, 2], r"one weight for each of the 3 classes.*\[1, 2\]"),
        ({"cow": 1}, "Received: 'cow'"),
        ({3: 1}, "Received: 3"),
        ({"cat": -1}, "'cat': -1"),
        ({"cat": "much"}, "'cat': 'much'"),
        ({"cat": float("nan")}, "'cat': nan"),
        ({"cat": 0}, "give some class a weight"),
        ({1.7: 1}, r"Received: 1\.7"),
        ({"dog": 1, 1: 2}, "names 'dog' twice"),
        ({}, "give some class a weight"),
    ],
)
def test_bad_strategies_are_refused(strategy, message):
    """The error shows what came."""
    with pytest.raises(ValueError, match=message):
        resolve_class_weights(strategy, NAMES)


def test_a_name_goes_before_a_number():
    """A class may be called by a number that is not its own."""
    assert class_index("7", NAMES) == 2
    assert class_index("1", NAMES) == 1
    assert class_index(1, NAMES) == 1
