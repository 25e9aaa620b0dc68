"""Penalties of discriminators with known gradients, in single and half."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganaug.gan.penalties import (
    dragan_perturbation,
    finite_difference_penalty,
    interpolates,
    one_centered_penalty,
    zero_centered_penalty,
)

SHAPE = (4, 3, 2, 2)
RNG = np.random.default_rng(0)
# Half precision holds all of these exactly.
IMAGES = RNG.normal(size=SHAPE).astype("float16").astype("float64")
NOISE = RNG.normal(size=SHAPE).astype("float16").astype("float64")
WEIGHTS = RNG.normal(size=(2, 12)).astype("float16").astype("float64")
SIGMA = 0.5
DTYPES = ["float32", "float16"]


def logits_of(images, weights):
    """A smooth discriminator: the sum of two hyperbolic tangents."""
    flat = tf.reshape(images, (-1, 12))
    return tf.reduce_sum(tf.tanh(flat @ tf.transpose(weights)), axis=1)


def exact_gradients(weights):
    """Its gradients at the images, by hand."""
    slopes = 1 - np.tanh(IMAGES.reshape(-1, 12) @ weights.T) ** 2
    return (slopes @ weights).reshape(SHAPE)


def exact_zero_centered(weights):
    return (exact_gradients(weights) ** 2).sum((1, 2, 3)).mean()


def exact_one_centered(weights):
    norms = np.sqrt((exact_gradients(weights) ** 2).sum((1, 2, 3)))
    return ((norms - 1) ** 2).mean()


def exact_finite_difference(weights):
    ends = [
        np.tanh(images.reshape(-1, 12) @ weights.T).sum(1)
        for images in (IMAGES, IMAGES + SIGMA * NOISE)
    ]
    return (((ends[1] - ends[0]) / SIGMA) ** 2).mean()


def at_gradients(penalty):
    """A penalty on gradients, as a function of images and weights."""

    def compute(images, weights):
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = tf.reduce_sum(logits_of(images, weights))
        return penalty(tape.gradient(total, images))

    return compute


def at_shifted(images, weights):
    """The penalty without gradients, as the same function."""
    shifted = images + tf.cast(SIGMA * NOISE, images.dtype)
    return finite_difference_penalty(
        logits_of(images, weights), logits_of(shifted, weights), SIGMA
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("compute", "exact"),
    [
        (at_gradients(zero_centered_penalty), exact_zero_centered),
        (at_gradients(one_centered_penalty), exact_one_centered),
        (at_shifted, exact_finite_difference),
    ],
    ids=["zero_centered", "one_centered", "finite_difference"],
)
def test_value_and_gradient_with_respect_to_weights(compute, exact, dtype):
    """The value by hand, its slope along each weight by finite difference."""
    variable = tf.Variable(WEIGHTS, dtype="float32")
    with tf.GradientTape() as tape:
        value = compute(tf.constant(IMAGES, dtype), tf.cast(variable, dtype))
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    rtol = {"float32": 1e-5, "float16": 1e-2}[dtype]
    np.testing.assert_allclose(value, exact(WEIGHTS), rtol=rtol)
    expected = np.zeros_like(WEIGHTS)
    for index in np.ndindex(WEIGHTS.shape):
        step = np.zeros_like(WEIGHTS)
        step[index] = 1e-5
        ends = exact(WEIGHTS + step), exact(WEIGHTS - step)
        expected[index] = (ends[0] - ends[1]) / 2e-5
    np.testing.assert_allclose(
        tape.gradient(value, variable),
        expected,
        rtol=rtol,
        atol=rtol * abs(expected).max(),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_linear_discriminator(dtype):
    """Its gradient is its weight, wherever it is taken and however."""
    weight = tf.constant(WEIGHTS[0].reshape(3, 2, 2), dtype)
    images = tf.constant(IMAGES, dtype)
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = tf.reduce_sum(images * weight, axis=(1, 2, 3))
    gradients = tape.gradient(logits, images)
    norm = np.linalg.norm(WEIGHTS[0])
    np.testing.assert_allclose(
        zero_centered_penalty(gradients), norm**2, rtol=1e-6
    )
    np.testing.assert_allclose(
        one_centered_penalty(gradients), (norm - 1) ** 2, rtol=1e-5
    )
    shifted = tf.reduce_sum((images + weight) * weight, axis=(1, 2, 3))
    np.testing.assert_allclose(
        finite_difference_penalty(logits, shifted, 1.0),
        norm**4,
        rtol={"float32": 1e-5, "float16": 1e-2}[dtype],
    )


@pytest.mark.parametrize("sigma", [0.01, 0.5])
def test_noise_estimates_the_squared_gradient(sigma):
    """Of a quadratic, exactly up to a known term of order sigma squared."""
    hessian = np.array([[2.0, 1.0], [1.0, -1.0]])
    slope = np.array([1.0, -3.0])
    noise = np.random.default_rng(1).normal(size=(200_000, 2))
    # At the origin the logit is 0.
    shift = sigma * noise
    shifted = shift @ slope + ((shift @ hessian) * shift).sum(1) / 2
    penalty = finite_difference_penalty(np.zeros(len(noise)), shifted, sigma)
    curvature = np.trace(hessian) ** 2 + 2 * (hessian**2).sum()
    expected = (slope**2).sum() + sigma**2 / 4 * curvature
    np.testing.assert_allclose(penalty, expected, rtol=0.01)


@pytest.mark.parametrize("dtype", DTYPES)
def test_penalties_do_not_overflow(dtype):
    """Squares and sums beyond the range of half precision."""
    gradients = np.full((4, 10, 10, 3), 20.0, dtype)
    squares = 300 * 400.0
    np.testing.assert_allclose(
        zero_centered_penalty(gradients), squares, rtol=1e-6
    )
    np.testing.assert_allclose(
        one_centered_penalty(gradients), (squares**0.5 - 1) ** 2, rtol=1e-6
    )
    ends = np.full(4, 6e4, dtype)
    np.testing.assert_allclose(
        finite_difference_penalty(-ends, ends, 0.01),
        (2 * ends.astype("float64") / 0.01) ** 2,
        rtol=1e-5,
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [0.0, 1e-30])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_vanishing_gradient_has_a_finite_penalty(size, dtype, jit_compile):
    """Distance 1, and no slope; other images of the batch keep theirs."""
    values = np.zeros((2, 1, 1, 2))
    values[0] = size
    values[1, 0, 0] = 3, 4

    @tf.function(jit_compile=jit_compile)
    def penalize(gradients):
        with tf.GradientTape() as tape:
            tape.watch(gradients)
            penalty = one_centered_penalty(gradients)
        return penalty, tape.gradient(penalty, gradients)

    penalty, slopes = penalize(tf.constant(values, dtype))
    np.testing.assert_allclose(penalty, (1 + 16) / 2)
    slopes = slopes.numpy()
    np.testing.assert_array_equal(slopes[0], 0)
    # 2 (norm - 1) g / norm, over a batch of 2.
    np.testing.assert_allclose(slopes[1, 0, 0], [4 * 0.6, 4 * 0.8], rtol=1e-3)


@pytest.mark.parametrize("sigma", [0, -0.1, float("nan"), float("inf")])
def test_sigma_must_be_positive(sigma):
    """The error gives the number back."""
    with pytest.raises(ValueError, match=f"Received: sigma={sigma}"):
        finite_difference_penalty(np.zeros(2), np.zeros(2), sigma)


@pytest.mark.parametrize("dtype", DTYPES)
def test_interpolates_lie_between_the_pairs(dtype):
    """One number for each pair: 1 is the real image, 0 the fake one."""
    real, fake = tf.constant(IMAGES, dtype), tf.constant(NOISE, "float32")
    points = interpolates(real, fake, np.array([1.0, 0.0, 0.5, 0.25]))
    assert points.dtype == dtype
    expected = [
        IMAGES[0],
        NOISE[1],
        (IMAGES[2] + NOISE[2]) / 2,
        IMAGES[3] / 4 + 0.75 * NOISE[3],
    ]
    atol = {"float32": 1e-6, "float16": 2e-3}[dtype]
    np.testing.assert_allclose(points, expected, atol=atol)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dragan_perturbs_by_half_the_standard_deviation(dtype):
    """Each pixel by its own number, with one deviation for the batch."""
    uniforms = np.random.default_rng(2).random(SHAPE)
    points = dragan_perturbation(tf.constant(IMAGES, dtype), uniforms)
    assert points.dtype == dtype
    expected = IMAGES + 0.5 * IMAGES.std() * uniforms
    atol = {"float32": 1e-6, "float16": 2e-3}[dtype]
    np.testing.assert_allclose(points, expected, atol=atol)


def test_wgan_gp_and_dragan_of_a_quadratic():
    """The gradient of half the squared norm is the point itself."""
    uniforms = np.random.default_rng(3).random(SHAPE)
    around = dragan_perturbation(IMAGES, uniforms)
    for points in (interpolates(IMAGES, NOISE, uniforms[:, 0, 0, 0]), around):
        with tf.GradientTape() as tape:
            tape.watch(points)
            total = tf.reduce_sum(points**2) / 2
        penalty = one_centered_penalty(tape.gradient(total, points))
        norms = np.linalg.norm(points.numpy().reshape(4, -1), axis=1)
        np.testing.assert_allclose(penalty, ((norms - 1) ** 2).mean(), 1e-5)
