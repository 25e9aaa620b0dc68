"""The statistics on known distributions."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from ganaug.evaluate.statistics import (
    DO_NOT_USE_IT,
    NO_GAIN,
    USE_IT,
    PairedGain,
    decisive_controls,
    holm,
    paired_gain,
    paired_power,
    verdicts,
)


def test_paired_gain_is_the_paired_t_test():
    """The same p and interval as SciPy's test of related samples."""
    rng = np.random.default_rng(0)
    scores, reference = rng.normal(0.9, 0.02, (2, 7))
    gain = paired_gain(scores, reference)
    test = stats.ttest_rel(scores, reference)
    low, high = test.confidence_interval(0.95)
    assert gain.p_value == pytest.approx(test.pvalue)
    assert (gain.low, gain.high) == pytest.approx((low, high))
    assert gain.mean == pytest.approx((scores - reference).mean())


def test_what_seeds_share_cancels():
    """A difficulty of the seed, the same for both, does not widen it."""
    shared = np.array([0.5, 0.9, 0.7])
    gain = paired_gain(shared + [0.01, 0.011, 0.009], shared)
    assert gain.high - gain.low < 0.01


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.5], PairedGain(0.25, -np.inf, np.inf, 1.0, 1)),
        ([0.25, 0.25], PairedGain(0.0, 0.0, 0.0, 1.0, 2)),
        ([0.5, 0.5], PairedGain(0.25, -np.inf, np.inf, 1.0, 2)),
    ],
)
def test_edges(scores, expected):
    """One seed tells no chance, nor do equal differences by coincidence."""
    gain = paired_gain(scores, [0.25] * len(scores))
    assert dataclasses.replace(gain, differences=()) == expected
    certain = expected.low == 0
    assert gain.effect_size == (0 if certain else None)
    assert gain.bootstrap_interval() == (expected.low, expected.high)
    assert gain.further_seeds() is None


@pytest.mark.parametrize(
    ("scores", "reference"), [([1, 2], [1]), ([[1]], [[1]])]
)
def test_scores_must_pair_up(scores, reference):
    """The error shows the shapes."""
    with pytest.raises(ValueError, match="Received: shapes"):
        paired_gain(scores, reference)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    """Of 2000 intervals of 95 %, about 95 % hold the true gain."""
    rng = np.random.default_rng(1)
    differences = rng.normal(0.01, 0.02, (2000, 5))
    held = [
        (gain := paired_gain(row, np.zeros(5))).low <= 0.01 <= gain.high
        for row in differences
    ]
    # Four standard errors of a share of .95 among 2000 are .019.
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)


def test_holm():
    """Holm's own step-down, monotone and never above one."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx(
        [0.03, 0.06, 0.06, 0.02]
    )
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def gain(mean, p_value):
    return PairedGain(mean, np.nan, np.nan, p_value, 5)


@pytest.mark.parametrize(
    ("against", "verdict"),
    [
        ([gain(0.02, 0.01), gain(0.01, 0.04)], USE_IT),
        ([gain(0.02, 0.01), gain(0.01, 0.06)], NO_GAIN),
        ([gain(0.02, 0.2), gain(-0.01, 0.03)], NO_GAIN),
        ([gain(0.02, 0.01), gain(-0.01, 0.02)], DO_NOT_USE_IT),
        ([gain(-0.02, 0.01), gain(-0.01, 0.01)], DO_NOT_USE_IT),
        ([gain(0.0, 1.0)], NO_GAIN),
    ],
)
def test_verdict_of_one_candidate(against, verdict):
    """Better than each control, worse than one of them, or neither."""
    gains = {"GAN": {str(place): g for place, g in enumerate(against)}}
    assert verdicts(gains) == {"GAN": verdict}


def test_fewer_than_three_seeds_give_no_verdict():
    """However far apart the arms are."""
    gains = {"GAN": {"real": paired_gain([0.9, 0.91], [0.5, 0.52])}}
    assert verdicts(gains) == {"GAN": NO_GAIN}


def test_more_candidates_need_more_evidence():
    """Two tries at p = .04 are not one."""
    gains = {name: {"real": gain(0.02, 0.04)} for name in "ab"}
    assert set(verdicts(gains).values()) == {NO_GAIN}


@pytest.mark.parametrize("num_seeds", [3, 5, 10])
def test_chance_alone_is_not_called_a_gain(num_seeds):
    """Without effect, both wrong verdicts stay at their level."""
    rng = np.random.default_rng(2)
    counts = {USE_IT: 0, NO_GAIN: 0, DO_NOT_USE_IT: 0}
    for _ in range(1000):
        # Seeds share a difficulty; five controls and two candidates.
        scores = 0.9 + rng.normal(0, 0.02, num_seeds)
        scores = scores + rng.normal(0, 0.01, (7, num_seeds))
        found = verdicts(
            {
                candidate: {
                    control: paired_gain(scores[candidate], scores[control])
                    for control in range(2, 7)
                }
                for candidate in range(2)
            }
        ).values()
        for verdict in (USE_IT, DO_NOT_USE_IT):
            counts[verdict] += verdict in found
    # One-sided 2.5 % of evaluations, plus three standard errors.
    limit = 1000 * (0.025 + 3 * np.sqrt(0.025 * 0.975 / 1000))
    assert counts[USE_IT] <= limit
    assert counts[DO_NOT_USE_IT] <= 1000 * 0.05 + 3 * np.sqrt(1000 * 0.0475)


def test_effect_size_is_hedges_g():
    """The mean over the spread, less a tenth at nine seeds."""
    gain = paired_gain([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], [0] * 9)
    expected = 5 / np.std(gain.differences, ddof=1) * (1 - 3 / 31)
    assert gain.effect_size == pytest.approx(expected)


def test_the_bootstrap_interval_covers_a_skewed_truth():
    """Of 150 intervals over 30 skewed differences, about 95 % hold it."""
    rng = np.random.default_rng(3)
    held = []
    for differences in rng.exponential(0.01, (150, 30)):
        low, high = paired_gain(differences, np.zeros(30)).bootstrap_interval()
        held.append(low <= 0.01 <= high)
    # Three standard errors are .06; BCa covers a little less than it says.
    assert np.mean(held) == pytest.approx(0.94, abs=0.06)
    again = paired_gain(differences, np.zeros(30)).bootstrap_interval()
    assert again == (low, high)


@pytest.mark.parametrize(("effect", "num_seeds"), [(0.8, 5), (1.2, 8)])
def test_power_is_as_computed(effect, num_seeds):
    """Of 1000 simulated evaluations as many find it as is said."""
    rng = np.random.default_rng(4)
    found = 0
    for differences in rng.normal(0.01 * effect, 0.01, (1000, num_seeds)):
        gains = {"GAN": {"real": paired_gain(differences, np.zeros(num_seeds))}}
        found += verdicts(gains)["GAN"] == USE_IT
    power = paired_power(effect, num_seeds)
    assert found / 1000 == pytest.approx(
        power, abs=4 * np.sqrt(power * (1 - power) / 1000)
    )


def test_further_seeds_reach_the_power():
    """So many more, and no fewer, find such a gain in four of five cases."""
    gain = paired_gain([0.03, -0.02, 0.04, -0.01, 0.02], [0] * 5)
    assert gain.low < 0 < gain.high
    effect = gain.mean / np.std(gain.differences, ddof=1)
    total = gain.num_seeds + gain.further_seeds()
    assert paired_power(effect, total) >= 0.8 > paired_power(effect, total - 1)
    assert paired_gain([0.9, 1.0, 1.1], [0] * 3).further_seeds() == 0
    assert paired_gain([1e-9, -1e-9, 1, -1], [0] * 4).further_seeds() is None


def test_the_control_that_decides():
    """The one that is beaten least certainly, with p over all candidates."""
    clear = paired_gain([0.3, 0.31, 0.29, 0.3], [0.1, 0.1, 0.1, 0.11])
    close = paired_gain([0.3, 0.31, 0.29, 0.3], [0.28, 0.31, 0.28, 0.29])
    lost = paired_gain([0.3, 0.31, 0.29, 0.3], [0.4, 0.4, 0.41, 0.4])
    gains = {
        "one": {"weak": clear, "strong": close},
        "other": {"weak": clear, "strong": lost, "strongest": lost},
    }
    found = decisive_controls(gains)
    assert found["one"][0] == "strong"
    assert found["one"][1] == pytest.approx(2 * close.p_value)
    assert found["other"] == ("strong", 1.0)
    assert decisive_controls({"one": gains["one"]})["one"][1] == close.p_value


def test_seeds_that_are_added_while_a_case_is_open_cost_certainty():
    """As the documentation says: three times as many false alarms."""
    differences = np.random.default_rng(0).normal(size=(20_000, 25))
    is_open, says_use_it = np.ones(20_000, bool), []
    for count in (5, 10, 15, 20, 25):
        test = stats.ttest_1samp(differences[:, :count], 0, axis=1)
        settled = test.pvalue < 0.05
        says_use_it.append((is_open & settled & (test.statistic > 0)).mean())
        is_open &= ~settled
    assert says_use_it[0] == pytest.approx(0.025, abs=0.005)
    assert sum(says_use_it) == pytest.approx(0.075, abs=0.008)
