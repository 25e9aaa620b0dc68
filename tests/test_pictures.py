"""Pictures."""

import importlib.util

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from PIL import Image

from ganaug import pictures
from ganaug.evaluate import plots
from ganaug.pictures import save_image_grid, save_loss_curves


def test_the_user_s_windows_stay_the_user_s(tmp_path):
    """Drawing into files leaves pyplot and its backend alone."""
    before = matplotlib.get_backend()
    matplotlib.use("svg")
    try:
        for module in (pictures, plots):
            spec = importlib.util.spec_from_file_location(
                "anew", module.__file__
            )
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
        pictures.save_loss_curves(tmp_path / "a.png", {"step": [1], "l": [2.0]})
        assert matplotlib.get_backend() == "svg"
        assert not pyplot.get_fignums()
    finally:
        matplotlib.use(before)


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


def boxes(path, levels):
    """Left, top, right and bottom of what has each of some gray levels."""
    pixels = np.asarray(Image.open(path).convert("L")).astype(int)
    found = []
    for level in levels:
        near = abs(pixels - level) < 2
        # Not the few pixels of letters and edges.
        rows = np.flatnonzero(near.sum(1) > 30)
        columns = np.flatnonzero(near.sum(0) > 30)
        found.append((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    return found


def test_rows_may_have_different_lengths(tmp_path):
    """A class with few images leaves places empty, one with none all."""
    path = tmp_path / "grid.png"
    rows = [
        np.concatenate([flat(level, 1, 1) for level in levels])
        for levels in ((40, 80, 120), (160,))
    ]
    save_image_grid(path, [*rows, rows[0][:0]], list("abc"), (0, 255))
    first, second, third, below = boxes(path, (40, 80, 120, 160))
    # The longer side of an image takes 0.55 inches of 150 dots.
    for left, top, right, bottom in (first, second, third, below):
        assert right - left == pytest.approx(5 / 6 * 82.5, abs=2)
        assert bottom - top == pytest.approx(82.5, abs=2)
    assert first[2] < second[0] and second[2] < third[0]
    assert first[1] == second[1] == third[1]
    assert below[0] == first[0]
    assert first[3] < below[1]
    with Image.open(path) as picture:
        # There is room for the third row.
        assert picture.height - below[3] > below[3] - below[1]


def test_loss_curves(tmp_path):
    """One line for each loss."""
    path = tmp_path / "losses.png"
    save_loss_curves(
        path, {"step": [50, 100], "d_loss": [0.7, 0.6], "g_loss": [0.7, 0.8]}
    )
    with Image.open(path) as picture:
        assert picture.size == (900, 450)


def test_the_losses_of_a_single_step_are_seen(tmp_path):
    """A dot of each color, where there is no line to draw."""

    def save(step, values):
        path = tmp_path / "losses.png"
        names = ("step", "d_loss", "g_loss")
        save_loss_curves(path, dict(zip(names, (step, *values), strict=True)))
        pixels = np.asarray(Image.open(path).convert("RGB"))
        # Of what is drawn, colors alone.
        colored = np.ptp(pixels, axis=2) > 50
        return np.argwhere(colored[:, :600])

    assert len(save([], ([], []))) == 0
    points = save([50], ([0.2], [0.8]))
    # The legend is at the right, the two dots in the middle.
    assert abs(points[:, 1] - 475).max() < 30
    assert np.ptp(points[:, 0]) > 100
