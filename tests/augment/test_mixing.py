"""Places and classes: known distributions, and every example once."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from ganaug.augment.class_choice import (
    MatchingChoice,
    QuotaChoice,
    WeightedChoice,
)
from ganaug.augment.mixing import merge, plan_mix

LABELS = np.array([4, 4, 4, 1, 1, 0, 2, 3], np.int32)


def plans(choice, num_synthetic, times, grows=False, labels=LABELS):
    """Places and classes of many seeds."""

    @tf.function
    def one(number):
        plan = plan_mix(labels, num_synthetic, [number, 7], choice, grows)
        return plan.places, plan.classes

    found = [one(tf.constant(number, tf.int64)) for number in range(times)]
    return [np.stack([pair[part] for pair in found]) for part in range(2)]


def p_value(found, expected_shares):
    expected_shares = np.asarray(expected_shares, float)
    found = np.asarray(found)
    kept = expected_shares > 0
    assert found[~kept].sum() == 0
    return stats.chisquare(
        found[kept], expected_shares[kept] * found.sum()
    ).pvalue


@pytest.mark.parametrize(
    "shares", [[0.2] * 5, [0.7, 0.1, 0.1, 0.1, 0.0], [0, 1, 0, 0, 0]]
)
def test_classes_are_drawn_with_their_probabilities(shares):
    """A class of probability 0 never comes, wherever it stands."""
    _, classes = plans(WeightedChoice(shares), 8, 500)
    counts = np.bincount(classes.ravel(), minlength=5)
    if max(shares) == 1:
        assert counts.tolist() == [0, 4000, 0, 0, 0]
    else:
        assert p_value(counts, shares) > 1e-3


def test_no_class_comes_from_rounding():
    """The last of many small probabilities ends at 1, and not the next."""
    shares = np.append(np.full(997, 1 / 997), 0.0)
    choice = WeightedChoice(shares)
    last = choice(None, None, tf.constant([0.0, 0.99999994]))
    assert last.numpy().tolist() == [0, 996]
    assert choice.classes.tolist() == list(range(997))


@pytest.mark.parametrize("grows", [False, True])
def test_places_are_uniform(grows):
    """And different from one another, in every plan."""
    places, _ = plans(WeightedChoice([0.2] * 5), 3, 600, grows)
    num_places = len(LABELS) + 3 * grows
    assert all(len(set(row)) == 3 for row in places)
    counts = np.bincount(places.ravel(), minlength=num_places)
    assert p_value(counts, np.full(num_places, 1 / num_places)) > 1e-3


def test_matching_classes_are_those_of_what_is_replaced():
    """So the class shares of the batch stay to the last example."""
    places, classes = plans(MatchingChoice(5), 5, 50)
    np.testing.assert_array_equal(classes, LABELS[places])
    places, classes = plans(MatchingChoice(5), 8, 5)
    np.testing.assert_array_equal(np.sort(classes), [sorted(LABELS)] * 5)


def test_matching_classes_are_those_of_the_batch_where_it_grows():
    """Of examples drawn at random; more of them than there are will do."""
    _, classes = plans(MatchingChoice(5), 30, 200, grows=True)
    shares = np.bincount(LABELS, minlength=5) / len(LABELS)
    assert p_value(np.bincount(classes.ravel(), minlength=5), shares) > 1e-3


def test_places_and_classes_are_independent():
    """No class prefers a place."""
    places, classes = plans(WeightedChoice([0.5, 0.5]), 4, 600)
    table = np.zeros((8, 2))
    np.add.at(table, (places.ravel(), classes.ravel()), 1)
    assert stats.chi2_contingency(table).pvalue > 1e-3


@pytest.mark.parametrize("grows", [False, True])
@pytest.mark.parametrize("num_synthetic", [0, 3, 8])
def test_every_example_has_a_place(num_synthetic, grows):
    """Real ones keep their order; none is lost and none comes twice."""
    plan = plan_mix(
        LABELS, num_synthetic, [3, 4], WeightedChoice([0.2] * 5), grows
    )
    real = {"x": tf.range(100, 108), "name": tf.fill([8], "real")}
    synthetic = {
        "x": tf.range(num_synthetic),
        "name": tf.fill([num_synthetic], "made"),
    }
    mixed = merge(plan, real, synthetic)
    x, name = mixed["x"].numpy(), mixed["name"].numpy()
    np.testing.assert_array_equal(name == b"real", x >= 100)
    assert sorted(x[x < 100]) == list(range(num_synthetic))
    kept = x[x >= 100]
    assert (np.diff(kept) > 0).all()
    assert len(x) == 8 + num_synthetic * grows
    assert len(kept) == (8 if grows else 8 - num_synthetic)
    if not grows:
        np.testing.assert_array_equal(np.flatnonzero(x >= 100), kept - 100)


def dealer(quotas):
    """A function that deals an epoch out in parts of some sizes."""
    choice = QuotaChoice(quotas)

    @tf.function
    def part(first, size, epoch):
        seed = tf.stack([epoch, 0])
        return choice(None, None, tf.zeros([size]), (first, seed))

    def deal(epoch, *sizes):
        parts, first = [], 0
        for size in sizes:
            numbers = np.array([first, size, epoch])
            parts.append(part(*map(tf.constant, numbers)))
            first += size
        return np.concatenate(parts)

    return deal


@pytest.mark.parametrize("quotas", [[3, 0, 40, 1, 6], [1, 0], [0, 300]])
def test_quotas_are_dealt_out_exactly(quotas):
    """In every epoch, however it is cut into parts; in another order."""
    deal, total = dealer(quotas), sum(quotas)
    for epoch in range(5):
        whole = deal(epoch, total)
        np.testing.assert_array_equal(
            np.bincount(whole, minlength=len(quotas)), quotas
        )
        in_parts = deal(epoch, total // 2, 0, total - total // 2, 0)
        np.testing.assert_array_equal(whole, in_parts)
    if len(np.flatnonzero(quotas)) > 1:
        assert len({bytes(deal(epoch, total)) for epoch in range(9)}) == 9


def test_the_order_has_no_pattern():
    """Neighbours do not stay neighbours more often than by chance."""
    deal, times = dealer([1] * 50), 1500
    steps = np.diff([deal(epoch, 50) for epoch in range(times)])
    for step in (1, -1, 2):
        expected = times * (50 - abs(step)) / 50
        assert abs((steps == step).sum() - expected) < 4 * np.sqrt(expected)


def test_the_order_of_a_small_quota_is_random():
    """Each of the 6 orders of three classes comes equally often."""
    deal, counts = dealer([1, 1, 1]), {}
    for epoch in range(240):
        order = tuple(deal(epoch, 3))
        counts[order] = counts.get(order, 0) + 1
    assert p_value(list(counts.values()), [1 / 6] * 6) > 1e-3
