"""Paired statistics and the verdict: NumPy and SciPy alone."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
MIN_SEEDS = 3
# Differences of scores in [0, 1] that are rounding alone.
TIED = 1e-12
USE_IT = "use it"
NO_GAIN = "no measurable gain"
DO_NOT_USE_IT = "do not use it"
RULE = (
    f"'{USE_IT}': the {CONFIDENCE:.0%} interval of the paired gain lies above "
    "zero against every control, p corrected over candidates. "
    f"'{DO_NOT_USE_IT}': against some control the gain is below zero, p "
    "corrected over candidates and controls. Otherwise "
    f"'{NO_GAIN}', which fewer than {MIN_SEEDS} seeds always give."
)


@dataclass(frozen=True)
class PairedGain:
    """What one arm gains over another, over paired seeds.

    Args:
        mean: Mean difference, in units of the score.
        low: Lower end of the 95 % interval.
        high: Upper end.
        p_value: Two-sided p of Student's paired t test.
        num_seeds: Number of pairs.
    """

    mean: float
    low: float
    high: float
    p_value: float
    num_seeds: int


def paired_gain(scores, reference_scores):
    """Compares two arms seed by seed.

    Args:
        scores: Array-like `(num_seeds,)`. Scores of one arm.
        reference_scores: Array-like `(num_seeds,)`. Scores of the other arm
            for the same seeds in the same order.

    Returns:
        A `PairedGain`. Where nothing tells how much chance there is in it,
        with one seed or where every pair differs by the same number other
        than zero, the interval is infinite and p is 1.

    Raises:
        ValueError: The arrays do not pair up.

    Example:

    >>> gain = paired_gain([0.9, 0.8, 0.7], [0.8, 0.8, 0.6])
    >>> round(gain.mean, 3), round(gain.low, 3), round(gain.high, 3)
    (0.067, -0.077, 0.21)
    """
    scores = np.asarray(scores, np.float64)
    reference_scores = np.asarray(reference_scores, np.float64)
    if scores.ndim != 1 or scores.shape != reference_scores.shape:
        raise ValueError(
            "Scores must pair up, one number for each seed. Received: shapes "
            f"{scores.shape} and {reference_scores.shape}"
        )
    differences = scores - reference_scores
    mean = float(differences.mean())
    num_seeds = len(differences)
    if np.abs(differences).max() <= TIED and num_seeds > 1:
        return PairedGain(0.0, 0.0, 0.0, 1.0, num_seeds)
    # Scores are counts of a finite test set, so equal differences happen by
    # chance; a t test would call them certain.
    if np.ptp(differences) <= TIED:
        return PairedGain(mean, -np.inf, np.inf, 1.0, num_seeds)
    test = stats.ttest_1samp(differences, 0.0)
    low, high = test.confidence_interval(CONFIDENCE)
    return PairedGain(
        mean, float(low), float(high), float(test.pvalue), num_seeds
    )


def holm(p_values):
    """Corrects p-values for testing several hypotheses (Holm's step-down).

    Args:
        p_values: Sequence of floats in `[0, 1]`.

    Returns:
        A list of corrected p-values in the same order.

    Example:

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]

    Reference:
        - Holm, A simple sequentially rejective multiple test procedure,
          Scandinavian Journal of Statistics 6 (1979).
    """
    order = np.argsort(p_values, kind="stable")
    corrected = np.empty(len(p_values))
    largest = 0.0
    for place, index in enumerate(order):
        largest = max(largest, p_values[index] * (len(p_values) - place))
        corrected[index] = min(largest, 1.0)
    return corrected.tolist()


def verdicts(gains):
    """Says of each candidate whether to use it, by the rule `RULE`.

    To be better than the best control is to be better than each of them, so
    the largest p counts and needs no correction over controls.

    Args:
        gains: Dict from candidate to a dict from control to `PairedGain`.

    Returns:
        A dict from candidate to `USE_IT`, `NO_GAIN` or `DO_NOT_USE_IT`.
    """
    if any(
        gain.num_seeds < MIN_SEEDS
        for against in gains.values()
        for gain in against.values()
    ):
        return dict.fromkeys(gains, NO_GAIN)
    level = 1 - CONFIDENCE
    better = holm(
        [
            max(
                gain.p_value if gain.mean > 0 else 1.0
                for gain in against.values()
            )
            for against in gains.values()
        ]
    )
    pairs = [
        (candidate, gain)
        for candidate, against in gains.items()
        for gain in against.values()
    ]
    worse = {
        candidate
        for (candidate, gain), p_value in zip(
            pairs, holm([gain.p_value for _, gain in pairs]), strict=True
        )
        if gain.mean < 0 and p_value < level
    }
    return {
        candidate: USE_IT
        if p_value < level
        else DO_NOT_USE_IT
        if candidate in worse
        else NO_GAIN
        for candidate, p_value in zip(gains, better, strict=True)
    }
