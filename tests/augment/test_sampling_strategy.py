"""Strategies, each with its wrong inputs."""

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
    ],
)
def test_strategies(strategy, weights):
    """Words and mappings become probabilities."""
    assert resolve_class_weights(strategy, NAMES) == weights


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ("minority", "sampling_strategy='minority'"),
        (0.5, "sampling_strategy=0.5"),
        ({"cow": 1}, "Received: 'cow'"),
        ({3: 1}, "Received: 3"),
        ({"cat": -1}, "'cat': -1.0"),
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
