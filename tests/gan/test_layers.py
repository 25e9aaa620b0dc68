"""The layers that Keras lacks."""

import keras
import numpy as np
import pytest

from ganaug.gan.layers import (
    ConditionalBatchNormalization,
    LabelMaps,
    LabelProjection,
    Modulation,
    PixelShuffle,
    ResidualBlock,
)

IMAGES = np.random.default_rng(0).normal(3, 2, (4, 5, 6, 2)).astype("float32")
STYLE = np.random.default_rng(1).normal(size=(4, 3)).astype("float32")
LABELS = np.array([0, 2, 1, 2], "int32")


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (Modulation(), [IMAGES, STYLE]),
        (ConditionalBatchNormalization(), [IMAGES, STYLE]),
        (ResidualBlock(6), [IMAGES, STYLE]),
        (ResidualBlock(2), [IMAGES]),
        (PixelShuffle(), [np.ones((2, 4, 4, 8))]),
        (LabelMaps(3), [IMAGES, LABELS]),
        (LabelProjection(4), [STYLE, LABELS]),
        (LabelProjection(4, spectral_normalization=True), [STYLE, LABELS]),
    ],
)
def test_layers_keep_their_config_and_shapes(layer, inputs):
    """A layer can be made again from its config, with the same weights."""
    output = layer(*inputs)
    assert tuple(output.shape) == tuple(
        layer.compute_output_shape(*(value.shape for value in inputs))
    )
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == layer.get_config()
    again(*inputs)
    again.set_weights(layer.get_weights())
    np.testing.assert_allclose(again(*inputs), output, rtol=1e-6)


def test_pixel_shuffle_puts_channels_side_by_side():
    """Four channels become a square of two by two pixels."""
    images = np.arange(4, dtype="float32").reshape(1, 1, 1, 4)
    shuffled = PixelShuffle()(images).numpy()
    assert shuffled[0, ..., 0].tolist() == [[0, 1], [2, 3]]


def test_conditional_batch_normalization_starts_as_plain():
    """A new layer gives each channel mean 0 and deviation 1, in training."""
    layer = ConditionalBatchNormalization()
    normalized = layer(IMAGES, STYLE, training=True).numpy()
    np.testing.assert_allclose(normalized.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(normalized.std((0, 1, 2)), 1, atol=1e-3)


def test_the_style_scales_and_shifts_each_channel():
    """The affine map's first half scales, its second half shifts."""
    layer = ConditionalBatchNormalization()
    plain = layer(IMAGES, STYLE, training=True).numpy()
    kernel = np.random.default_rng(2).normal(size=(3, 4)).astype("float32")
    layer.modulation.affine.kernel.assign(kernel)
    scale, shift = np.split((STYLE @ kernel)[:, None, None, :], 2, axis=-1)
    np.testing.assert_allclose(
        layer(IMAGES, STYLE, training=True),
        plain * (1 + scale) + shift,
        atol=1e-5,
    )


def test_out_of_training_the_moving_statistics_count():
    """An image then does not depend on the others of its batch."""
    layer = ConditionalBatchNormalization()
    for _ in range(200):
        layer(IMAGES, STYLE, training=True)
    normalized = layer(IMAGES, STYLE).numpy()
    np.testing.assert_allclose(normalized.mean((0, 1, 2)), 0, atol=1e-2)
    np.testing.assert_allclose(
        layer(IMAGES[:1], STYLE[:1]), normalized[:1], rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("num_classes", [1, 3, 16])
def test_label_maps_start_as_good_as_one_hot(num_classes):
    """Classes that fit have orthogonal vectors of length 1."""
    layer = LabelMaps(num_classes)
    labels = np.arange(num_classes)
    images = np.ones((num_classes, 2, 3, 1), "float32")
    maps = layer(images, labels).numpy()
    np.testing.assert_array_equal(maps[..., :1], images)
    vectors = maps[:, 0, 0, 1:]
    np.testing.assert_allclose(
        vectors @ vectors.T, np.eye(num_classes), atol=1e-5
    )
    assert (maps == maps[:, :1, :1]).all()


def test_many_classes_get_few_label_maps():
    """A hundred classes add sixteen channels, of the same size as ever."""
    layer = LabelMaps(100)
    vectors = layer(np.ones((100, 1, 1, 1)), np.arange(100)).numpy()
    vectors = vectors[:, 0, 0, 1:]
    assert vectors.shape == (100, 16)
    np.testing.assert_allclose((vectors**2).sum(1).mean(), 1, rtol=1e-5)


def test_label_projection_adds_a_product_with_the_class():
    """`dense(features) + <embedding(label), features> / sqrt(dim)`."""
    layer = LabelProjection(4)
    logits = layer(STYLE, LABELS).numpy()
    kernel = layer.unconditional.kernel.numpy()[:, 0]
    vectors = layer.embedding.embeddings.numpy()[LABELS]
    wanted = STYLE @ kernel + (STYLE * vectors).sum(1) / 3**0.5
    np.testing.assert_allclose(logits, wanted, rtol=1e-5, atol=1e-6)


def test_normalized_label_projection_has_norm_one():
    """In training both matrices come to a largest singular value of 1."""
    layer = LabelProjection(4, spectral_normalization=True)
    for _ in range(50):
        layer(STYLE, LABELS, training=True)
    kernels = [weight for weight in layer.weights if weight.name == "kernel"]
    assert len(kernels) == 2
    for kernel in kernels:
        norm = np.linalg.norm(kernel.numpy(), 2)
        np.testing.assert_allclose(norm, 1, rtol=1e-3)
