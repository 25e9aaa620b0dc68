"""The layers of the networks are those that are published or documented."""

import keras
import numpy as np
import pytest

from ganaug.gan.architectures import (
    ARCHITECTURES,
    build_discriminator,
    build_encoder,
    build_generator,
)


def test_the_mlp_is_the_tutorials():
    """256, 512, 1024 units, and the halves of them in reverse."""

    def units(model):
        return [
            layer.units
            for layer in model.layers
            if isinstance(layer, keras.layers.Dense)
        ]

    generator = build_generator("mlp", (28, 28, 1), None)
    assert generator.input_shape == (None, 100)
    assert units(generator) == [256, 512, 1024, 784]
    discriminator = build_discriminator("mlp", (28, 28, 1), None)
    assert units(discriminator) == [512, 256, 128, 1]
    encoder = build_encoder("mlp", (28, 28, 1), None)
    assert units(encoder) == [1024, 512, 256, 100, 100]
    slopes = {
        round(layer.negative_slope, 6)
        for model in (generator, discriminator, encoder)
        for layer in model.layers
        if isinstance(layer, keras.layers.LeakyReLU)
    }
    assert slopes == {0.01}


def test_the_resnet_has_its_blocks_at_each_size():
    """`depth` of them, but one less where the generator begins."""

    def blocks(build):
        model = build("resnet", (13, 8, 1), 3, width=4, depth=2)
        return [
            layer.output.shape[1:3]
            for layer in model.layers
            if isinstance(layer, keras.layers.Add)
        ]

    large, small = (13, 8), (7, 4)
    assert blocks(build_generator) == [small, large, large]
    # The last one at a size halves it.
    assert blocks(build_discriminator) == [large, small, small, small]
    assert blocks(build_encoder) == [large, small, small, small]


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_depth_keeps_every_pixel(name):
    """Further layers at a size neither enlarge images nor cut any off."""
    generator = build_generator(name, (9, 13, 1), 3, 5, width=4, depth=2)
    sides = [
        layer.output.shape[1:3]
        for layer in generator.layers
        if len(layer.output.shape) == 4
    ]
    assert sides[-1] == (9, 13)
    # Doubled, an odd side is cut at once; nothing is larger than it must be.
    assert max(rows for rows, _ in sides) <= 10
    assert max(columns for _, columns in sides) <= 14


@pytest.mark.parametrize("name", ["dcgan", "mlp", "resnet"])
def test_many_classes_share_their_dimensions(name):
    """A class has a vector of length 1, as one-hot ones are, of 128 at most."""
    for num_classes, dim in ((3, 3), (200, 128)):
        generator = build_generator(name, (8, 8, 1), num_classes, width=4)
        vectors = generator.get_layer("class_embedding").embeddings.numpy()
        assert vectors.shape == (num_classes, dim)
        squares = np.sum(vectors**2, axis=1)
        assert squares.mean() == pytest.approx(1, rel=1e-4)
        products = vectors.T @ vectors * dim / num_classes
        np.testing.assert_allclose(products, np.eye(dim), atol=1e-5)
