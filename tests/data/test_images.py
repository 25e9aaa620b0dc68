"""Pixel values survive the way into the GAN and back."""

import numpy as np
import pytest

from ganaug.data.images import from_unit, to_unit


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


def test_values_beyond_the_range_are_clipped():
    """An integer never wraps around."""
    images = from_unit(np.array([-3.0, 3.0]), (0, 255), "uint8").numpy()
    assert images.tolist() == [0, 255]
