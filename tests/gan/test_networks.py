"""The default networks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganaug.gan.layers import (
    LabelProjection,
    Modulation,
    PixelShuffle,
    ResidualBlock,
)
from ganaug.gan.networks import build_discriminator, build_generator
from ganaug.gan.presets import choose_preset

SHAPES = [(8, 8, 1), (9, 13, 2), (28, 28, 1), (17, 33, 4), (4, 40, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_any_image_shape(shape):
    """Odd and non-square sizes, 1 to 4 channels, tanh and raw logits."""
    generator = build_generator(shape, 3, latent_dim=5, width=4)
    discriminator = build_discriminator(shape, 3, width=4)
    labels = np.array([0, 2])
    images = generator([np.ones((2, 5), "float32"), labels]).numpy()
    assert images.shape == (2, *shape)
    assert np.abs(images).max() <= 1
    assert discriminator([images, labels]).shape == (2,)


@pytest.mark.parametrize(
    "shape", [(3, 8, 1), (8, 8), (8, 8, 5), (8, 8, 0), (8.5, 8, 1)]
)
@pytest.mark.parametrize("build", [build_generator, build_discriminator])
def test_bad_image_shapes_are_refused(build, shape):
    """The error shows the shape."""
    with pytest.raises(ValueError, match="Received: image_shape="):
        build(shape, 3)


def shaken(model):
    """Gives zero-initialized weights a value, so that every path counts."""
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(weight.numpy() + 0.1 * rng.normal(size=weight.shape))
    return model


def test_labels_and_latents_change_the_image():
    """The generator hears both of its inputs."""
    generator = shaken(build_generator((8, 8, 1), 3, latent_dim=5, width=4))
    latents = np.random.default_rng(0).normal(size=(2, 5)).astype("float32")
    images = generator([latents[[0, 0, 1]], np.array([0, 1, 0])]).numpy()
    assert np.abs(images[0] - images[1]).max() > 1e-4
    assert np.abs(images[0] - images[2]).max() > 1e-4


def test_the_label_changes_the_logit():
    """The discriminator hears the label."""
    discriminator = build_discriminator((8, 8, 1), 3, width=4)
    logits = discriminator([np.ones((3, 8, 8, 1)), np.arange(3)]).numpy()
    assert np.ptp(logits) > 1e-5


def test_images_of_a_batch_do_not_influence_each_other():
    """Without normalization, a penalty on one image is that image's alone."""
    discriminator = shaken(build_discriminator((8, 8, 1), 3, width=4))
    images = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 1))
    together = discriminator([images, np.zeros(4)])
    alone = discriminator([images[:1], np.zeros(1)])
    np.testing.assert_allclose(together[:1], alone, rtol=1e-4)


@pytest.fixture
def float64():
    """Keras in double precision, for finite differences."""
    for dtype in ("float64", "float32"):
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)
        if dtype == "float64":
            yield


def test_second_derivative_against_finite_difference(float64):
    """The penalty's gradient is right for every weight of D."""
    discriminator = shaken(build_discriminator((9, 8, 1), 2, width=4))
    rng = np.random.default_rng(1)
    images = tf.constant(rng.uniform(-1, 1, (3, 9, 8, 1)))
    labels = tf.constant([0, 1, 1])

    def penalty():
        with tf.GradientTape() as tape:
            tape.watch(images)
            logits = tf.reduce_sum(discriminator([images, labels]))
        return tf.reduce_sum(tape.gradient(logits, images) ** 2)

    weights = discriminator.trainable_weights
    with tf.GradientTape() as tape:
        value = penalty()
    gradients = tape.gradient(
        value,
        [weight.value for weight in weights],
        unconnected_gradients="zero",
    )
    for weight, gradient in zip(weights, gradients, strict=True):
        original = weight.numpy()
        direction = rng.normal(size=original.shape)
        ends = []
        for sign in (1, -1):
            # Small enough that no leaky ReLU changes side.
            weight.assign(original + sign * 1e-7 * direction)
            ends.append(float(penalty()))
        weight.assign(original)
        got = np.sum(tf.convert_to_tensor(gradient).numpy() * direction)
        expected = (ends[0] - ends[1]) / 2e-7
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_pixel_shuffle_puts_channels_side_by_side():
    """Four channels become a square of two by two pixels."""
    images = np.arange(4, dtype="float32").reshape(1, 1, 1, 4)
    shuffled = PixelShuffle()(images).numpy()
    assert shuffled[0, ..., 0].tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (Modulation(), [np.ones((2, 4, 4, 3)), np.ones((2, 5))]),
        (ResidualBlock(6), [np.ones((2, 4, 4, 3)), np.ones((2, 5))]),
        (ResidualBlock(3), [np.ones((2, 4, 4, 3))]),
        (PixelShuffle(), [np.ones((2, 4, 4, 8))]),
        (LabelProjection(4), [np.ones((2, 6)), np.zeros(2, "int32")]),
    ],
)
def test_layers_keep_their_config_and_shapes(layer, inputs):
    """A layer can be made again from its config."""
    output = layer(*inputs)
    assert tuple(output.shape) == tuple(
        layer.compute_output_shape(*(value.shape for value in inputs))
    )
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("shape", "preset"),
    [
        ((8, 8, 1), "tiny"),
        ((28, 28, 1), "small"),
        ((20, 40, 3), "small"),
        ((64, 64, 3), "medium"),
    ],
)
def test_the_preset_follows_the_image_size(shape, preset):
    """The longer side decides."""
    assert choose_preset(shape) == preset
