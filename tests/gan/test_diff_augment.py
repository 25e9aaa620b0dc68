"""DiffAugment with numbers written by hand."""

import numpy as np
import pytest
import tensorflow as tf

from ganaug.gan.diff_augment import NUM_UNIFORMS, check_policy, diff_augment

IMAGES = (
    np.random.default_rng(0).uniform(-1, 1, (2, 9, 16, 3)).astype("float32")
)


def uniforms(**columns):
    """0.5 everywhere, which changes nothing but for cutout."""
    values = np.full((2, NUM_UNIFORMS), 0.5, "float32")
    for column, value in columns.items():
        values[:, int(column[1:])] = value
    return values


def test_the_middle_of_color_and_translation_is_the_identity():
    """Brightness 0, factors 1 and shift 0."""
    images = diff_augment(IMAGES, uniforms(), "color,translation")
    np.testing.assert_allclose(images, IMAGES, atol=1e-6)


def test_empty_policy_is_the_identity():
    """No name, no change."""
    assert diff_augment(IMAGES, uniforms(), "") is IMAGES


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"u0": 0.75}, IMAGES + 0.25),
        (
            {"u1": 0.0},
            IMAGES.mean(-1, keepdims=True).repeat(3, -1),
        ),
        (
            {"u2": 0.0},
            0.5 * IMAGES + 0.5 * IMAGES.mean((1, 2, 3), keepdims=True),
        ),
    ],
)
def test_color(columns, expected):
    """Brightness, saturation and contrast, each on its own."""
    images = diff_augment(IMAGES, uniforms(**columns), "color")
    np.testing.assert_allclose(images, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("rows", "columns", "shift"),
    [(0.0, 0.5, (-1, 0)), (0.999, 0.5, (1, 0)), (0.5, 0.999, (0, 2))],
)
def test_translation_moves_by_whole_pixels_and_pads_with_zero(
    rows, columns, shift
):
    """Up to an eighth of each side, at least one pixel."""
    images = diff_augment(IMAGES, uniforms(u3=rows, u4=columns), "translation")
    padded = np.pad(IMAGES, ((0, 0), (2, 2), (2, 2), (0, 0)))
    top, left = 2 - shift[0], 2 - shift[1]
    expected = padded[:, top : top + 9, left : left + 16]
    np.testing.assert_allclose(images, expected, atol=1e-6)


def test_every_shift_is_equally_likely():
    """The uniform numbers are cut into equal parts."""
    values = np.tile(uniforms(), (500, 1))
    values[:, 4] = (np.arange(1000) + 0.5) / 1000
    image = np.zeros((1000, 9, 16, 1), "float32")
    image[:, 4, 8] = 1
    moved = diff_augment(image, values, "translation")
    counts = np.asarray(tf.reduce_sum(moved, axis=(0, 1, 3)))
    assert counts[6:11].tolist() == [200] * 5


@pytest.mark.parametrize(
    ("rows", "columns", "hole"),
    [
        (0.5, 0.5, (slice(3, 7), slice(4, 12))),
        (0.0, 0.0, (slice(0, 2), slice(0, 4))),
    ],
)
def test_cutout_sets_a_rectangle_to_zero(rows, columns, hole):
    """Half of each side around the center, cut at the edge."""
    images = diff_augment(IMAGES, uniforms(u5=rows, u6=columns), "cutout")
    expected = IMAGES.copy()
    expected[(slice(None), *hole)] = 0
    np.testing.assert_allclose(images, expected)


def test_gradients_pass_through():
    """The gradient of a shift is the shift back: it moves ones around."""
    images = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(
            diff_augment(images, uniforms(u3=0.0), "translation") ** 2
        )
    gradient = tape.gradient(total, images).numpy()
    np.testing.assert_allclose(gradient[:, 1:], 2 * IMAGES[:, 1:], atol=1e-6)
    np.testing.assert_array_equal(gradient[:, 0], 0)


def test_unknown_names_are_refused():
    """The error lists the names that are known."""
    with pytest.raises(ValueError, match="'color', 'cutout', 'translation'"):
        check_policy("translation,rotation")
