"""Gradient penalties through the discriminators."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganaug.gan.architectures import ARCHITECTURES, build_discriminator
from ganaug.gan.architectures.conditioning import CONDITIONINGS

SHAPE = (9, 8, 1)
# Small enough that no (leaky) ReLU changes side.
STEP = 1e-7
KINDS = [
    (name, conditioning)
    for name in sorted(ARCHITECTURES)
    for conditioning in (None, *CONDITIONINGS)
]


@pytest.fixture
def float64():
    """Keras in double precision, for finite differences."""
    for dtype in ("float64", "float32"):
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)
        if dtype == "float64":
            yield


@pytest.mark.parametrize(("name", "conditioning"), KINDS)
def test_second_derivative_against_finite_difference(
    name, conditioning, float64
):
    """The gradient of the R1 penalty is right for every weight."""
    discriminator = build_discriminator(
        name,
        SHAPE,
        None if conditioning is None else 3,
        width=4,
        depth=2,
        conditioning=conditioning,
    )
    rng = np.random.default_rng(0)
    for weight in discriminator.trainable_weights:
        weight.assign(weight.numpy() + 0.1 * rng.normal(size=weight.shape))
    images = tf.constant(rng.uniform(-1, 1, (3, *SHAPE)))
    inputs = images
    if conditioning in ("concatenation", "projection"):
        inputs = [images, tf.constant([0, 2, 1])]

    @tf.function
    def penalty():
        with tf.GradientTape() as tape:
            tape.watch(images)
            logits = discriminator(inputs, training=True)
            # With "auxiliary" the classes' logits have their share.
            total = sum(tf.reduce_sum(part) for part in tf.nest.flatten(logits))
        return tf.reduce_sum(tape.gradient(total, images) ** 2)

    weights = discriminator.trainable_weights
    with tf.GradientTape() as tape:
        value = penalty()
    gradients = tape.gradient(
        value,
        [weight.value for weight in weights],
        unconnected_gradients="zero",
    )
    assert value > 1e-6
    connected = 0
    for weight, gradient in zip(weights, gradients, strict=True):
        original = weight.numpy()
        direction = rng.normal(size=original.shape)
        ends = []
        for sign in (1, -1):
            weight.assign(original + sign * STEP * direction)
            ends.append(float(penalty()))
        weight.assign(original)
        got = np.sum(tf.convert_to_tensor(gradient).numpy() * direction)
        expected = (ends[0] - ends[1]) / (2 * STEP)
        np.testing.assert_allclose(
            got, expected, rtol=1e-4, atol=1e-6 * float(value) + 1e-6
        )
        connected += abs(expected) > 1e-4 * float(value)
    assert connected > len(weights) / 3
