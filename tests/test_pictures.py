"""Pictures."""

import numpy as np
import pytest
from PIL import Image

from ganaug.pictures import save_image_grid, save_loss_curves


def flat(level, channels, num=3):
    return np.full((num, 6, 5, channels), level, np.uint8)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_grid_shows_rows_in_order(tmp_path, channels):
    """The first row above the second, each in its own gray."""
    path = tmp_path / "grid.png"
    rows = [flat(64, channels), flat(192, channels)]
    if channels == 4:
        for row in rows:
            row[..., 3] = 255
    save_image_grid(path, rows, ["dark", "light"], (0, 255), "Title")
    pixels = np.asarray(Image.open(path).convert("L"))
    dark = np.flatnonzero((abs(pixels.astype(int) - 64) < 2).sum(1) > 100)
    light = np.flatnonzero((abs(pixels.astype(int) - 192) < 2).sum(1) > 100)
    assert len(dark) > 50
    assert len(light) > 50
    assert dark.max() < light.min()


def test_rows_may_have_different_lengths(tmp_path):
    """A class with few images leaves places empty."""
    path = tmp_path / "grid.png"
    save_image_grid(path, [flat(0, 1, 4), flat(0, 1, 1)], ["a", "b"], (0, 255))
    assert path.stat().st_size > 1000


def test_loss_curves(tmp_path):
    """One line for each loss."""
    path = tmp_path / "losses.png"
    save_loss_curves(
        path, {"step": [50, 100], "d_loss": [0.7, 0.6], "g_loss": [0.7, 0.8]}
    )
    with Image.open(path) as picture:
        assert picture.size == (900, 450)
