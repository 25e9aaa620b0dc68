"""What a gain is worth in real images, on curves that are known."""

import numpy as np
import pytest

from ganaug.evaluate.learning_curve import worth_in_images

SIZES = [100, 200, 400]


def power_law(sizes, level=4.0, slope=-0.5):
    return 1 - level * np.asarray(sizes, float) ** slope


def curve(noise, num_seeds=6, seed=0):
    rng = np.random.default_rng(seed)
    return (
        power_law(SIZES)[:, None]
        + noise * rng.normal(size=(len(SIZES), num_seeds)),
        noise * rng.normal(size=num_seeds),
    )


@pytest.mark.parametrize("total", [400, 300, 600, 1200])
def test_a_known_curve_is_read_off(total):
    """Fewer, as many, or more images."""
    scores, _ = curve(0.0)
    found = worth_in_images(SIZES, scores, np.full(6, power_law(total)))
    assert found.more == pytest.approx(total - 400, abs=1)
    assert found.low == pytest.approx(found.high)
    assert found.is_extrapolated == (total > 400)


def test_the_interval_holds_the_truth():
    """In most of many noisy evaluations."""
    held = []
    for seed in range(40):
        scores, noise = curve(0.004, num_seeds=8, seed=seed)
        found = worth_in_images(SIZES, scores, power_law(600) + noise)
        held.append(found.low <= 200 <= found.high)
    # A bootstrap by percentiles over eight seeds is somewhat too narrow.
    assert np.mean(held) > 0.8


@pytest.mark.parametrize("level", [0.5, 0.7, 0.8, 0.9, 1.0])
@pytest.mark.parametrize("score", [0.6, 0.95])
def test_a_flat_curve_says_nothing(level, score):
    """More real images did not help, so none are worth anything."""
    found = worth_in_images(SIZES, np.full((3, 4), level), np.full(4, score))
    assert found.more is found.low is found.high is None


def test_a_curve_needs_two_numbers_of_images():
    """Of few images, two shares can be the same."""
    found = worth_in_images([3, 3], [[0.5] * 2, [0.6] * 2], [0.7] * 2)
    assert found.more is None


def test_far_beyond_the_images_no_number_is_named():
    """A curve is not drawn on for ever."""
    scores, _ = curve(0.0)
    found = worth_in_images(SIZES, scores, np.full(6, 0.999))
    assert np.isinf(found.more)
    assert np.isinf(found.high)


def test_points_come_in_any_order():
    """And with one seed there is no interval."""
    scores = power_law(SIZES)[:, None]
    one = worth_in_images(SIZES, scores, [power_law(500)])
    other = worth_in_images(SIZES[::-1], scores[::-1], [power_law(500)])
    assert one == other
    assert one.low is None
