"""What the networks are built with is checked."""

import numpy as np
import pytest

from ganaug.gan.architectures import (
    ARCHITECTURES,
    build_discriminator,
    build_encoder,
    build_generator,
    check_image_shape,
    fewest_parameters,
)

BUILDERS = [build_generator, build_discriminator, build_encoder]


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize("name", ["stylegan", "", None, 3])
def test_an_unknown_architecture_is_refused(build, name):
    """The error lists those there are."""
    with pytest.raises(ValueError, match="'dcgan', 'mlp', 'r3gan', 'resnet'"):
        build(name, (8, 8, 1), 3)


@pytest.mark.parametrize(
    "shape",
    [(3, 8, 1), (8, 8), (8, 8, 5), (8, 8, 0), (8.5, 8, 1), ("8", 8, 1), 8],
)
@pytest.mark.parametrize("build", BUILDERS)
def test_bad_image_shapes_are_refused(build, shape):
    """The error shows the shape."""
    with pytest.raises(ValueError, match="Received: image_shape="):
        build("mlp", shape, 3)


def test_a_good_image_shape_becomes_plain_integers():
    """Lists and NumPy integers are welcome."""
    shape = check_image_shape([np.int64(9), 4, 3])
    assert shape == (9, 4, 3)
    assert all(type(side) is int for side in shape)


@pytest.mark.parametrize("size", [0, -1, 2.0, "4", True])
@pytest.mark.parametrize("argument", ["num_classes", "width", "depth"])
@pytest.mark.parametrize("build", BUILDERS)
def test_bad_sizes_are_refused(build, argument, size):
    """Each size is a positive integer, and the error names it."""
    arguments = {"num_classes": 3, argument: size}
    with pytest.raises(ValueError, match=f"Received: {argument}={size!r}"):
        build("dcgan", (8, 8, 1), **arguments)


@pytest.mark.parametrize("build", [build_generator, build_encoder])
def test_a_bad_latent_dim_is_refused(build):
    """There is at least one latent."""
    with pytest.raises(ValueError, match="Received: latent_dim=0"):
        build("dcgan", (8, 8, 1), 3, latent_dim=0)


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_bad_conditionings_are_refused(name):
    """An unknown one, and any without classes."""
    with pytest.raises(ValueError, match=r"one of \['concatenation', .*'film'"):
        build_discriminator(name, (8, 8, 1), 3, conditioning="film")
    with pytest.raises(ValueError, match="must be None without classes"):
        build_discriminator(name, (8, 8, 1), None, conditioning="projection")


def test_r3gan_refuses_spectral_normalization():
    """The error says which architectures offer it."""
    with pytest.raises(ValueError, match="'dcgan', 'mlp', 'resnet'"):
        build_discriminator("r3gan", (8, 8, 1), 3, spectral_normalization=True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("vae", (8, 8, 1), 3, 5, 4, 1),
        ("mlp", (8, 8), 3, 5, 4, 1),
        ("mlp", (8, 8, 1), 0, 5, 4, 1),
        ("mlp", (8, 8, 1), 3, 5, -4, 1),
    ],
)
def test_fewest_parameters_refuses_what_cannot_be_built(arguments):
    """It checks its arguments as `build_generator` does."""
    with pytest.raises(ValueError, match="Received: "):
        fewest_parameters(*arguments)
