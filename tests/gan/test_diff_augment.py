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
    names = "'color', 'cutout', 'flip', 'translation'"
    with pytest.raises(ValueError, match=names):
        check_policy("translation,rotation")


def test_flip_mirrors_below_one_half():
    """Left to right, exactly; each image by its own number."""
    values = uniforms()
    values[0, 7] = 0.499
    images = diff_augment(IMAGES, values, "flip").numpy()
    np.testing.assert_array_equal(images[0], IMAGES[0, :, ::-1])
    np.testing.assert_array_equal(images[1], IMAGES[1])


NAMES = ["color", "translation", "cutout", "flip"]
EVERYTHING = ",".join(NAMES)
RANDOM = np.random.default_rng(1).random((2, NUM_UNIFORMS)).astype("float32")


def flat_difference(first, second):
    """The largest difference of each image."""
    return np.abs(first - second).reshape(len(first), -1).max(1)


@pytest.mark.parametrize("policy", [*NAMES, EVERYTHING])
def test_probability_one_applies_everything(policy):
    """As a tensor too, bit for bit: the gates have numbers of their own."""
    expected = diff_augment(IMAGES, RANDOM, policy).numpy()
    images = diff_augment(IMAGES, RANDOM, policy, tf.constant(1.0))
    np.testing.assert_array_equal(images, expected)
    gates_closed = RANDOM.copy()
    gates_closed[:, 8:] = 0.9999
    images = diff_augment(IMAGES, gates_closed, policy)
    np.testing.assert_array_equal(images, expected)


@pytest.mark.parametrize("probability", [0.0, 0, tf.constant(0.0)])
def test_probability_zero_applies_nothing(probability):
    """Not even where a number is 0."""
    images = diff_augment(IMAGES, RANDOM * 0, EVERYTHING, probability)
    np.testing.assert_array_equal(images, IMAGES)


@pytest.mark.parametrize(("gate", "name"), [*enumerate(NAMES, start=8)])
def test_each_operation_and_image_is_chosen_on_its_own(gate, name):
    """An image gets the operation whose number is below the probability."""
    values = RANDOM.copy()
    values[:, 7] = 0
    values[:, 8:] = 0.3
    values[0, gate] = 0.2
    images = diff_augment(IMAGES, values, EVERYTHING, 0.3).numpy()
    expected = diff_augment(IMAGES, values, name).numpy()
    np.testing.assert_array_equal(images[0], expected[0])
    np.testing.assert_array_equal(images[1], IMAGES[1])
    assert (flat_difference(expected, IMAGES) > 0.1).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_share_of_augmented_images_is_the_probability(name):
    """Of evenly spread numbers, a quarter for 0.25."""
    count = 400
    values = np.tile(RANDOM[:1], (count, 1))
    values[:, 7] = 0
    values[:, 8:] = ((np.arange(count) + 0.5) / count)[:, None]
    images = np.tile(IMAGES[:1], (count, 1, 1, 1))
    changed = diff_augment(images, values, name, 0.25).numpy()
    assert (flat_difference(changed, images) > 0).sum() == count / 4


@pytest.mark.parametrize("probability", [1.0, tf.constant(0.5)])
@pytest.mark.parametrize("policy", [*NAMES, EVERYTHING])
def test_gradient_is_the_finite_difference(policy, probability):
    """With respect to the images, along a random direction."""
    rng = np.random.default_rng(2)
    images = IMAGES.astype("float64")
    weight, direction = rng.normal(size=(2, *images.shape))

    def total(images):
        changed = diff_augment(images, RANDOM, policy, probability)
        return tf.reduce_sum(weight * changed**2)

    tensor = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        value = total(tensor)
    got = np.sum(tape.gradient(value, tensor).numpy() * direction)
    ends = [total(images + sign * 1e-5 * direction) for sign in (1, -1)]
    np.testing.assert_allclose(got, (ends[0] - ends[1]) / 2e-5, rtol=1e-6)


@pytest.mark.parametrize("probability", [1.0, 0.5])
@pytest.mark.parametrize("policy", [*NAMES, EVERYTHING])
def test_half_precision_images(policy, probability):
    """The same images and gradients as in single precision, up to rounding."""
    results = []
    for dtype in ("float32", "float16"):
        images = tf.cast(tf.constant(IMAGES, "float16"), dtype)
        with tf.GradientTape() as tape:
            tape.watch(images)
            changed = diff_augment(images, RANDOM, policy, probability)
            value = tf.reduce_sum(changed**2)
        gradient = tape.gradient(value, images)
        assert changed.dtype == gradient.dtype == dtype
        results.append((changed, gradient))
    for single, half in zip(*results, strict=True):
        np.testing.assert_allclose(half, single, atol=0.02)


def test_half_precision_images_move_no_further():
    """A number just below 1 would round up to 1 in half precision."""
    values = uniforms(u3=0.9999, u4=0.9999)
    images = diff_augment(IMAGES.astype("float16"), values, "translation")
    np.testing.assert_array_equal(
        images[:, 1:, 2:], IMAGES.astype("float16")[:, :-1, :-2]
    )


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_probabilities_out_of_range_are_refused(probability):
    """The error gives the number back."""
    with pytest.raises(ValueError, match=f"probability={probability}"):
        diff_augment(IMAGES, uniforms(), "flip", probability)
