"""The networks of every architecture: one contract."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganaug.gan.architectures import (
    ARCHITECTURES,
    build_discriminator,
    build_encoder,
    build_generator,
    fewest_parameters,
)
from ganaug.gan.architectures.conditioning import CONDITIONINGS

NAMES = sorted(ARCHITECTURES)
SHAPES = [(8, 8, 1), (9, 13, 2), (28, 28, 1), (17, 33, 4), (4, 40, 3)]
SMALL = {"latent_dim": 5, "width": 4, "depth": 1}
SIZES = {"width": 4, "depth": 1}
LABELS = np.array([0, 2, 1], "int32")


@pytest.fixture(autouse=True)
def seeded():
    """The same initial weights in every run."""
    keras.utils.set_random_seed(0)


def random_images(shape, num_images=3):
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (num_images, *shape))
    return images.astype(keras.config.floatx())


def random_latents(num_images=3):
    rng = np.random.default_rng(1)
    return rng.normal(size=(num_images, 5)).astype(keras.config.floatx())


def make_discriminator(name, conditioning, shape=(8, 8, 1), **arguments):
    """A small one, and what it is called with beside the images."""
    num_classes = None if conditioning is None else 3
    model = build_discriminator(
        name,
        shape,
        num_classes,
        **{**SIZES, **arguments},
        conditioning=conditioning,
    )
    return model, conditioning in ("concatenation", "projection")


def call_discriminator(model, images, labels, told, training=False):
    """Its logits, those of the classes added up if there are any."""
    logits = model([images, labels] if told else images, training=training)
    if isinstance(logits, list):
        return logits[0] + tf.reduce_sum(logits[1], axis=1)
    return logits


def shaken(model):
    """Gives zero-initialized weights a value, so that every path counts."""
    rng = np.random.default_rng(2)
    for weight in model.trainable_weights:
        weight.assign(weight.numpy() + 0.1 * rng.normal(size=weight.shape))
    return model


@pytest.fixture
def mixed_float16():
    """Keras in mixed precision."""
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", NAMES)
def test_any_image_shape(name, shape):
    """Odd and non-square sizes, 1 to 4 channels, in all three networks."""
    images = build_generator(name, shape, 3, **SMALL)(
        [random_latents(), LABELS]
    ).numpy()
    assert images.shape == (3, *shape)
    assert np.abs(images).max() <= 1
    logits = build_discriminator(name, shape, 3, **SIZES)([images, LABELS])
    assert logits.shape == (3,)
    encoder = build_encoder(name, shape, 3, **SMALL)
    assert [part.shape for part in encoder([images, LABELS])] == [(3, 5)] * 2


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_any_width(name, width):
    """Odd ones too, at sizes that have every kind of layer."""
    images = build_generator(name, (17, 9, 2), 3, 5, width=width)(
        [random_latents(), LABELS]
    ).numpy()
    assert images.shape == (3, 17, 9, 2)
    discriminator = build_discriminator(name, (17, 9, 2), 3, width=width)
    assert discriminator([images, LABELS]).shape == (3,)


@pytest.mark.parametrize("name", NAMES)
def test_networks_without_classes(name):
    """With `num_classes=None` each network takes one tensor."""
    generator = build_generator(name, (9, 8, 2), None, **SMALL)
    images = generator(random_latents()).numpy()
    assert images.shape == (3, 9, 8, 2)
    discriminator = build_discriminator(name, (9, 8, 2), None, **SIZES)
    assert discriminator(images).shape == (3,)
    encoder = build_encoder(name, (9, 8, 2), None, **SMALL)
    assert [part.shape for part in encoder(images)] == [(3, 5)] * 2


@pytest.mark.parametrize("name", NAMES)
def test_inputs_have_names(name):
    """The inputs are called what they are."""

    def names(model):
        return [tensor.name for tensor in model.inputs]

    shape = (8, 8, 1)
    assert names(build_generator(name, shape, 3, **SMALL)) == [
        "latents",
        "labels",
    ]
    assert names(build_discriminator(name, shape, 3, **SIZES)) == [
        "images",
        "labels",
    ]
    assert names(build_encoder(name, shape, 3, **SMALL)) == ["images", "labels"]
    assert names(make_discriminator(name, "auxiliary")[0]) == ["images"]


@pytest.mark.parametrize("name", NAMES)
def test_an_auxiliary_discriminator_guesses_the_class(name):
    """It returns the logits and one logit for each class."""
    model, _ = make_discriminator(name, "auxiliary")
    logits = model(random_images((8, 8, 1)))
    assert isinstance(logits, list)
    assert [part.shape for part in logits] == [(3,), (3, 3)]


@pytest.mark.parametrize("name", NAMES)
def test_labels_and_latents_change_the_image(name):
    """The generator hears both of its inputs."""
    generator = shaken(build_generator(name, (8, 8, 1), 3, **SMALL))
    latents = random_latents(2)
    images = generator([latents[[0, 0, 1]], np.array([0, 1, 0])]).numpy()
    assert np.abs(images[0] - images[1]).max() > 1e-4
    assert np.abs(images[0] - images[2]).max() > 1e-4


@pytest.mark.parametrize("conditioning", ["concatenation", "projection"])
@pytest.mark.parametrize("name", NAMES)
def test_the_label_changes_the_logit(name, conditioning):
    """The discriminator hears the label."""
    model = shaken(make_discriminator(name, conditioning)[0])
    logits = model([np.ones((3, 8, 8, 1)), np.arange(3)]).numpy()
    assert np.ptp(logits) > 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_the_encoder_hears_image_and_label(name):
    """Its mean depends on both; its variance is 1 at first."""
    encoder = build_encoder(name, (8, 8, 1), 3, **SMALL)
    images = random_images((8, 8, 1), 2)[[0, 0, 1]]
    mean, log_variance = encoder([images, np.array([0, 1, 0])])
    assert not np.any(log_variance)
    mean, log_variance = shaken(encoder)([images, np.array([0, 1, 0])])
    for part in (mean.numpy(), log_variance.numpy()):
        assert np.abs(part[0] - part[1]).max() > 1e-6
        assert np.abs(part[0] - part[2]).max() > 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_classes_can_be_blended(name):
    """All of the class passes through the output of `class_embedding`."""
    generator = shaken(build_generator(name, (8, 8, 1), 3, **SMALL))
    embedding = generator.get_layer("class_embedding")
    assert len(embedding.output.shape) == 2
    blender = keras.Model(
        [generator.inputs[0], embedding.output], generator.output
    )
    latents = random_latents(1)
    vectors = embedding.embeddings.numpy()
    images = [
        blender([latents, vector[None]]).numpy()
        for vector in (vectors[0], vectors[1], (vectors[0] + vectors[1]) / 2)
    ]
    for label in (0, 1):
        wanted = generator([latents, np.array([label])])
        np.testing.assert_allclose(images[label], wanted, atol=1e-6)
    assert np.abs(images[2] - images[0]).max() > 1e-5
    assert np.abs(images[2] - images[1]).max() > 1e-5


@pytest.mark.parametrize("conditioning", [None, "concatenation", "projection"])
@pytest.mark.parametrize("name", ["mlp", "r3gan", "resnet"])
def test_images_of_a_batch_do_not_influence_each_other(name, conditioning):
    """Without normalization, a penalty on one image is that image's alone."""
    model, told = make_discriminator(name, conditioning)
    shaken(model)
    assert not model.non_trainable_weights
    images = random_images((8, 8, 1))
    together, alone = (
        call_discriminator(
            model, images[:count], LABELS[:count], told, training=True
        )
        for count in (3, 1)
    )
    np.testing.assert_allclose(together[:1], alone, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_float32_under_mixed_precision(name, mixed_float16):
    """Inner layers compute in float16; what comes out is float32."""
    shape = (9, 8, 1)
    generator = build_generator(name, shape, 3, **SMALL)
    images = generator([random_latents(), LABELS])
    encoder = build_encoder(name, shape, 3, **SMALL)
    outputs = [images, *encoder([images.numpy(), LABELS])]
    models = [generator, encoder]
    for conditioning in (None, *CONDITIONINGS):
        model, told = make_discriminator(name, conditioning, shape)
        outputs.append(
            call_discriminator(model, images.numpy(), LABELS, told, True)
        )
        outputs.extend(model.outputs)
        models.append(model)
    for output in outputs:
        assert keras.backend.standardize_dtype(output.dtype) == "float32"
    for output in outputs[:3]:
        assert np.isfinite(output.numpy()).all()
    for model in models:
        computing = [layer for layer in model.layers if layer.weights]
        assert "float16" in {layer.compute_dtype for layer in computing}
        assert all(weight.dtype == "float32" for weight in model.weights)


@pytest.mark.parametrize("name", ["dcgan", "mlp", "resnet"])
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_spectral_normalization_keeps_the_norm_at_one(name, policy):
    """In training each kernel comes to a largest singular value of 1."""
    keras.config.set_dtype_policy(policy)
    try:
        model, told = make_discriminator(
            name, "projection", spectral_normalization=True
        )
    finally:
        keras.config.set_dtype_policy("float32")
    images = random_images((8, 8, 1))
    for _ in range(120):
        call_discriminator(model, images, LABELS, told, training=True)
    kernels = [weight for weight in model.weights if weight.name == "kernel"]
    assert len(kernels) >= 3
    # Instead of batch normalization, not beside it.
    assert not any("moving" in weight.name for weight in model.weights)
    for kernel in kernels:
        matrix = kernel.numpy().reshape(-1, kernel.shape[-1])
        norm = np.linalg.norm(matrix, 2)
        np.testing.assert_allclose(norm, 1, rtol=1e-2)
        # Mixed precision does not round the weights themselves.
        assert (matrix != matrix.astype("float16")).any()


@pytest.mark.parametrize("name", NAMES)
def test_sizes_default_to_the_architectures(name):
    """Latent size, width and depth need not be given."""
    found = ARCHITECTURES[name]
    sizes = (found.latent_dim, found.width, found.depth)
    default = build_generator(name, (8, 8, 1), 3)
    spelled_out = build_generator(name, (8, 8, 1), 3, *sizes)
    assert default.count_params() == spelled_out.count_params()
    assert default.input_shape == [(None, found.latent_dim), (None,)]


@pytest.mark.parametrize("shape", [(8, 8, 1), (33, 20, 3)])
@pytest.mark.parametrize("num_classes", [None, 3, 200])
@pytest.mark.parametrize("sizes", [(5, 4, 1), (7, 16, 2)])
@pytest.mark.parametrize("name", NAMES)
def test_fewest_parameters_is_a_close_lower_bound(
    name, shape, num_classes, sizes
):
    """A generator has so many weights, and less than three times more."""
    generator = build_generator(name, shape, num_classes, *sizes)
    fewest = fewest_parameters(name, shape, num_classes, *sizes)
    assert fewest <= generator.count_params() <= 3 * fewest


@pytest.mark.parametrize("name", NAMES)
def test_depth_adds_layers(name):
    """Greater depth and width mean more weights in every network."""
    for build in (build_generator, build_discriminator, build_encoder):
        plain, deep, wide = (
            build(name, (8, 8, 1), 3, **sizes).count_params()
            for sizes in (
                {"width": 4, "depth": 1},
                {"width": 4, "depth": 2},
                {"width": 8, "depth": 1},
            )
        )
        assert plain < deep
        assert plain < wide


@pytest.mark.parametrize("name", NAMES)
def test_weights_can_be_copied(name):
    """The same arguments and weights give the same images."""
    first = build_generator(name, (8, 8, 1), 3, **SMALL)
    second = build_generator(name, (8, 8, 1), 3, **SMALL)
    second.set_weights(first.get_weights())
    inputs = [random_latents(), LABELS]
    np.testing.assert_array_equal(first(inputs), second(inputs))


def test_huge_networks_are_counted_without_being_built():
    """The count is quick, whatever is asked for."""
    arguments = ((2048, 2048, 4), 65536, 4096, 1024, 16)
    for name in NAMES:
        assert fewest_parameters(name, *arguments) > 10**8
