"""Paired statistics and the verdict: NumPy and SciPy alone."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
MIN_SEEDS = 3
NUM_RESAMPLES = 9999
# Of finding what there is, where further seeds are estimated.
POWER = 0.8
MAX_SEEDS = 10_000
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
        low: Lower end of Student's 95 % interval.
        high: Upper end.
        p_value: Two-sided p of Student's paired t test.
        num_seeds: Number of pairs.
        differences: Tuple of floats, the difference of each pair. Defaults to
            none, where nothing else is asked for.
    """

    mean: float
    low: float
    high: float
    p_value: float
    num_seeds: int
    differences: tuple = ()

    @property
    def effect_size(self):
        """Hedges' g of the paired differences; 0 where all are 0.

        `None` where nothing tells how much chance there is in them.
        """
        spread = self._spread
        if spread is None:
            return None
        if spread == 0:
            return 0.0
        # Hedges' correction for few pairs.
        correction = 1 - 3 / (4 * (self.num_seeds - 1) - 1)
        return self.mean / spread * correction

    @property
    def _spread(self):
        if len(self.differences) < 2:
            return None
        if np.ptp(self.differences) <= TIED:
            return 0.0 if abs(self.mean) <= TIED else None
        return float(np.std(self.differences, ddof=1))

    def bootstrap_interval(self, seed=0):
        """Computes the 95 % interval of the mean by the BCa bootstrap.

        With few seeds it is too narrow, which is why verdicts rest on
        Student's; it is there to be compared where the differences look far
        from normal.

        Args:
            seed: Integer. Fixes the resamples. Defaults to `0`.

        Returns:
            A pair of floats, infinite where there are fewer than
            three seeds or all differences are the same.

        Reference:
            - Efron, Better bootstrap confidence intervals, Journal of the
              American Statistical Association 82 (1987).
        """
        if not self._spread or self.num_seeds < MIN_SEEDS:
            return (0.0, 0.0) if self._spread == 0 else (-np.inf, np.inf)
        interval = stats.bootstrap(
            (np.array(self.differences),),
            np.mean,
            confidence_level=CONFIDENCE,
            n_resamples=NUM_RESAMPLES,
            method="BCa",
            rng=np.random.default_rng(seed),
        ).confidence_interval
        return float(interval.low), float(interval.high)

    def further_seeds(self):
        """Estimates how many more seeds would settle an open case.

        Returns:
            An integer: seeds beside those there are, with which a gain of this
            mean and spread has an interval without zero in four of five
            evaluations; 0 if they are enough. `None` where no number up to
            10,000 would do or nothing is known of the spread.
        """
        spread = self._spread
        if not spread or abs(self.mean) <= TIED:
            return None
        effect = abs(self.mean) / spread
        if paired_power(effect, MAX_SEEDS) < POWER:
            return None
        low, high = MIN_SEEDS - 1, MAX_SEEDS
        while high - low > 1:
            middle = (low + high) // 2
            if paired_power(effect, middle) < POWER:
                low = middle
            else:
                high = middle
        return max(0, high - self.num_seeds)


def paired_power(effect_size, num_seeds):
    """Computes how often a gain is found by Student's paired t test.

    Args:
        effect_size: Float. The true mean difference over its standard
            deviation.
        num_seeds: Integer of at least 2.

    Returns:
        A float, the probability that the 95 % interval lies on the side of
        zero that the effect is on.

    Example:

    >>> round(paired_power(1.0, 10), 2)
    0.8
    """
    freedom = num_seeds - 1
    bound = stats.t.ppf(0.5 + CONFIDENCE / 2, freedom)
    noncentrality = abs(effect_size) * np.sqrt(num_seeds)
    return float(stats.nct.sf(bound, freedom, noncentrality))


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
    pairs = tuple(differences.tolist())
    if np.abs(differences).max() <= TIED and num_seeds > 1:
        return PairedGain(0.0, 0.0, 0.0, 1.0, num_seeds, pairs)
    # Scores are counts of a finite test set, so equal differences happen by
    # chance; a t test would call them certain.
    if np.ptp(differences) <= TIED:
        return PairedGain(mean, -np.inf, np.inf, 1.0, num_seeds, pairs)
    test = stats.ttest_1samp(differences, 0.0)
    low, high = test.confidence_interval(CONFIDENCE)
    return PairedGain(
        mean, float(low), float(high), float(test.pvalue), num_seeds, pairs
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


def decisive_controls(gains):
    """Finds the control that each candidate is least certain to beat.

    To be better than the best control is to be better than each of them, so
    the largest p counts and needs no correction over controls.

    Args:
        gains: As in `verdicts`.

    Returns:
        A dict from candidate to a pair: the control's name, and p of the gain
        over it, 1 where there is none, corrected over candidates (Holm).
    """
    found = {}
    for candidate, against in gains.items():
        p_values = {
            control: gain.p_value if gain.mean > 0 else 1.0
            for control, gain in against.items()
        }
        # Of several that are not beaten at all, the strongest.
        found[candidate] = (
            max(
                p_values, key=lambda name: (p_values[name], -against[name].mean)
            ),
            max(p_values.values()),
        )
    corrected = holm([p_value for _, p_value in found.values()])
    return {
        candidate: (control, p_value)
        for (candidate, (control, _)), p_value in zip(
            found.items(), corrected, strict=True
        )
    }


def verdicts(gains):
    """Says of each candidate whether to use it, by the rule `RULE`.

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
    better = decisive_controls(gains)
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
        for candidate, (_, p_value) in better.items()
    }
