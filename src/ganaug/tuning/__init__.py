"""Choosing how to use a generator, on validation images, ratio 0 included."""

from ganaug.tuning.halving import tune
from ganaug.tuning.result import RULE, Tuning

__all__ = ["RULE", "Tuning", "tune"]
