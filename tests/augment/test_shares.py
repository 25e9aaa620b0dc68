"""How many synthetic examples: exactly, or on average."""

import fractions
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganaug.augment.ratio import Ratio
from ganaug.augment.shares import ExactShare, ExpectedShare, TotalShare

RATIOS = [0.0, 0.1, 0.25, 0.29, 1 / 3, 0.5, 0.7, 0.999, 1.0]


def numbers(share, sizes, uniform=0.0):
    """How many come to batches of some sizes."""
    entries = tf.data.Dataset.from_tensor_slices(np.asarray(sizes, np.int32))
    return [
        int(share.decide(entry[0], uniform, *entry[1:])[0])
        for entry in share.attach(entries, lambda size: size)
    ]


def per_real(ratio, grows):
    exact = fractions.Fraction(ratio).limit_denominator(1000)
    return exact / (1 - exact) if grows else exact


@pytest.mark.parametrize(
    ("ratio", "grows"),
    [(ratio, False) for ratio in RATIOS] + [(r, True) for r in RATIOS[:-1]],
)
def test_exact_shares_are_exact_after_every_batch(ratio, grows):
    """The floor of the share of all examples so far, in whatever batches."""
    sizes = np.random.default_rng(0).integers(1, 20, 200)
    share = ExactShare(Ratio(ratio, grows))
    so_far = np.cumsum(numbers(share, sizes))
    wanted = [
        math.floor(per_real(ratio, grows) * int(n)) for n in sizes.cumsum()
    ]
    np.testing.assert_array_equal(so_far, wanted)
    assert share.total(int(sizes.sum())) == wanted[-1]


def test_exact_shares_do_not_drift():
    """A third of a hundred million is what it is."""
    share = ExactShare(Ratio(1 / 3))
    assert share.total(3 * 10**7) == 10**7
    assert sum(numbers(share, [999_999] * 3 + [3] * 100)) == 999_999 + 100


@pytest.mark.parametrize("grows", [False, True])
@pytest.mark.parametrize("ratio", [0.1, 0.29, 0.5, 0.7])
def test_expected_shares_are_right_on_average(ratio, grows):
    """Rounded up as often as the part that is left says."""
    share = ExpectedShare(Ratio(ratio, grows))
    rate = per_real(ratio, grows)
    uniforms = (np.arange(2000) + 0.5).astype(np.float32) / 2000
    for size in (1, 7, 10, 64):
        found = [int(share.decide(size, u)[0]) for u in uniforms[::20]]
        assert set(found) <= {math.floor(rate * size), math.ceil(rate * size)}
        assert abs(np.mean(found) - rate * size) <= 0.01


@pytest.mark.parametrize("ratio", RATIOS)
def test_expected_shares_that_are_whole_are_never_rounded(ratio):
    """Not even by the largest and the smallest of random numbers."""
    share = ExpectedShare(Ratio(ratio))
    for uniform in (0.0, np.float32(1 - 2**-24), np.float32(1 - 2**-23)):
        for size in (3_000, 300_000):
            wanted = per_real(ratio, False) * size
            found = int(share.decide(size, uniform)[0])
            assert found == wanted
            assert 0 <= int(share.decide(1, uniform)[0]) <= 1


@pytest.mark.parametrize("make", [ExactShare, ExpectedShare])
def test_schedules_are_called_with_what_came_before(make):
    """Batches, or single examples where they come in groups."""
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay(
        [2, 4], [0.0, 0.5, 1.0]
    )
    share = make(Ratio(schedule))
    assert numbers(share, [10] * 7) == [0, 0, 0, 5, 5, 10, 10]
    in_groups = make(Ratio(schedule), step_size=3)
    assert numbers(in_groups, [10] * 3) == [0, 5, 10]


@pytest.mark.parametrize("make", [ExactShare, ExpectedShare])
@pytest.mark.parametrize("grows", [False, True])
def test_a_schedule_that_stays_is_a_ratio(make, grows):
    """It means the same share of what comes out."""
    for ratio in (0.5, 0.75):
        scheduled = make(Ratio(lambda step, ratio=ratio: ratio, grows))
        sizes = [4, 8, 3, 1, 6]
        assert numbers(scheduled, sizes, 0.6) == numbers(
            make(Ratio(ratio, grows)), sizes, 0.6
        )


def test_many_schedules_are_made_without_a_warning(caplog, monkeypatch):
    """TensorFlow logs one about functions that are traced again and again."""
    monkeypatch.setattr(tf.get_logger(), "propagate", True)
    for _ in range(8):
        Ratio(keras.optimizers.schedules.PolynomialDecay(0.5, 10, 0.0))
    assert not [one for one in caplog.records if one.name == "tensorflow"]


def test_exact_schedules_know_their_total():
    """As many as will come, without going through the dataset."""
    share = ExactShare(
        Ratio(lambda step: tf.cast(step, tf.float64) / 300, True), step_size=8
    )
    sizes = [8] * 25 + [5]
    assert share.total(sum(sizes)) == sum(numbers(share, sizes)) > 20


def test_schedules_by_epoch_read_the_epoch():
    """It is the same through the whole epoch."""
    epoch = tf.Variable(0, dtype=tf.int64)
    ratio = Ratio(lambda epoch: tf.cast(epoch, tf.float32) / 4, epoch=epoch)
    share = ExactShare(ratio)
    for value in (0, 1, 3):
        epoch.assign(value)
        assert numbers(share, [8, 8]) == [2 * value] * 2


def test_a_schedule_that_leaves_its_range_stops_the_stream():
    """With the number it gave."""
    share = ExactShare(Ratio(lambda step: tf.cast(step, tf.float32)))
    assert numbers(share, [4, 4]) == [0, 4]
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"must stay in \[0, 1\]"
    ):
        numbers(share, [4, 4, 4])
    share = ExpectedShare(Ratio(lambda step: tf.cast(step, tf.float32), True))
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"must stay in \[0, 1\)"
    ):
        numbers(share, [4, 4])


@pytest.mark.parametrize(
    ("ratio", "grows", "message"),
    [
        (1.5, False, r"\[0, 1\].*ratio=1.5"),
        (-0.1, False, "ratio=-0.1"),
        (float("nan"), False, "ratio=nan"),
        ("half", False, "ratio='half'"),
        (1, True, r"\[0, 1\).*is real.*ratio=1"),
        (lambda step: 2.0, False, r"ratio\(0\)=2.0"),
        (lambda step: 1.0, True, r"ratio\(0\)=1.0"),
        (lambda: 0.5, False, "(?s)TensorFlow can trace.*takes 0 positional"),
        (lambda step: "some", False, "TensorFlow can trace"),
    ],
)
def test_bad_ratios_are_refused(ratio, grows, message):
    """When they are given, a schedule by its start."""
    with pytest.raises(ValueError, match=message):
        Ratio(ratio, grows)


@pytest.mark.parametrize(("num_synthetic", "num_real"), [(7, 40), (90, 40)])
def test_a_total_is_spread_evenly(num_synthetic, num_real):
    """In proportion to the real examples, and all of it by their end."""
    entries = tf.data.Dataset.from_tensor_slices(
        np.array([8, 8, 8, 8, 3, 5, 8], np.int32)
    )
    share = TotalShare(
        num_synthetic,
        num_real,
        lambda size: tf.fill([2], tf.cast(size, "int64")),
    )
    found, firsts, seeds = [], [], []
    for size, carried in share.attach(entries, lambda size: size):
        number, (first, seed) = share.decide(size, 0.0, carried)
        found.append(int(number))
        firsts.append(int(first))
        seeds.append(seed.numpy().tolist())
    assert sum(found) == num_synthetic
    # Eight more real ones than were said to come stay alone.
    assert found[-1] == 0
    assert firsts == np.cumsum([0, *found[:-1]]).tolist()
    assert seeds == [[8, 8]] * 7
    spread = np.cumsum(found)[:-1] / np.cumsum([8, 8, 8, 8, 3, 5])
    assert np.abs(spread - num_synthetic / num_real).max() < 1 / 8
