"""Pixel values survive the way into the GAN and back."""

import numpy as np
import pytest

from ganaug.data.images import from_unit, to_unit
from ganaug.data.labeled_images import LabeledImages


@pytest.mark.parametrize(
    ("dtype", "value_range"),
    [
        ("uint8", (0, 255)),
        ("uint16", (0, 65535)),
        ("int16", (-100, 300)),
        ("float32", (0, 1)),
        ("float16", (-1, 1)),
        ("float64", (0, 255)),
    ],
)
def test_round_trip(dtype, value_range):
    """Every value comes back, and the ends of the range become -1 and 1."""
    values = np.linspace(*value_range, 52).astype(dtype)
    unit = to_unit(values, value_range).numpy()
    assert unit.dtype == "float32"
    np.testing.assert_allclose(unit[[0, -1]], [-1, 1], atol=1e-6)
    back = from_unit(unit, value_range, dtype)
    assert back.dtype == dtype
    np.testing.assert_allclose(back, values, rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize(
    ("dtype", "value_range"),
    [
        ("float64", (0, 0.1)),
        ("float16", (0.1, 0.3)),
        ("uint32", (0, 2**32 - 1)),
        ("int32", (-(2**31), 2**31 - 1)),
        ("int32", (-(2**31) + 48, 0)),
        ("int64", (0, 2**40 + 1)),
    ],
)
def test_the_ends_of_a_range_stay_within_it(dtype, value_range):
    """So that generated images can be declared as the real ones were."""
    images = from_unit(np.array([-1.0, 1.0]), value_range, dtype).numpy()
    images = images.reshape(2, 1, 1, 1)
    LabeledImages(images, np.arange(2), value_range=value_range)
    low, high = images.ravel().astype(float)
    assert low < high
    np.testing.assert_allclose([low, high], value_range, rtol=1e-3)


def test_a_range_that_integers_cannot_hold_is_refused():
    """White would turn black."""
    with pytest.raises(ValueError, match=r"uint8 can hold.*\(0.0, 256.0\)"):
        LabeledImages(
            np.zeros((2, 4, 4, 1), np.uint8),
            np.arange(2),
            value_range=(0, 256),
        )


def test_values_beyond_the_range_are_clipped():
    """An integer never wraps around."""
    images = from_unit(np.array([-3.0, 3.0]), (0, 255), "uint8").numpy()
    assert images.tolist() == [0, 255]
