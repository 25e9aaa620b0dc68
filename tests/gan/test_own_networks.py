"""Networks that the user brings to ConditionalGAN."""

import math

import keras
import numpy as np
import pytest

import ganaug
from ganaug.gan.own_networks import clone_network

SHAPE = (4, 5, 1)
NUM_CLASSES = 3
LATENT_DIM = 6
# What takes the least time to trace.
PLAIN = {"penalty": "none", "diff_augment": ""}


def functional_generator(num_classes=NUM_CLASSES, shape=SHAPE):
    """Latents, and labels where there are classes, to images."""
    latents = keras.Input((LATENT_DIM,))
    inputs, features = latents, latents
    if num_classes is not None:
        labels = keras.Input((), dtype="int32")
        inputs = [latents, labels]
        embedded = keras.layers.Embedding(num_classes, 4)(labels)
        features = keras.layers.Concatenate()([latents, embedded])
    features = keras.layers.Dense(8)(features)
    features = keras.layers.BatchNormalization()(features)
    features = keras.layers.Dense(math.prod(shape), "tanh")(features)
    images = keras.layers.Reshape(shape)(features)
    return keras.Model(inputs, images)


def functional_discriminator(
    num_classes=NUM_CLASSES, auxiliary=False, normalize=False
):
    """Images, and labels where there are classes, to logits."""
    images = keras.Input(SHAPE)
    features = keras.layers.Flatten()(images)
    features = keras.layers.Dense(8, "gelu")(features)
    if normalize:
        features = keras.layers.BatchNormalization()(features)
    inputs = images
    if num_classes is not None and not auxiliary:
        labels = keras.Input((), dtype="int32")
        inputs = [images, labels]
        embedded = keras.layers.Embedding(num_classes, 4)(labels)
        features = keras.layers.Concatenate()([features, embedded])
    logits = keras.layers.Reshape(())(keras.layers.Dense(1)(features))
    if auxiliary:
        return keras.Model(
            inputs, [logits, keras.layers.Dense(num_classes)(features)]
        )
    return keras.Model(inputs, logits)


@keras.saving.register_keras_serializable(package="test_own_networks")
class OwnGenerator(keras.Model):
    """A subclass with layers of its own and an argument."""

    def __init__(self, units=8, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.embedding = keras.layers.Embedding(NUM_CLASSES, 4)
        self.hidden = keras.layers.Dense(units, "relu")
        self.out = keras.layers.Dense(math.prod(SHAPE), "tanh")

    def call(self, inputs, training=False):
        latents, labels = inputs
        features = keras.ops.concatenate(
            [latents, self.embedding(labels)], axis=-1
        )
        images = self.out(self.hidden(features))
        return keras.ops.reshape(images, (-1, *SHAPE))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="test_own_networks")
class OwnDiscriminator(keras.Model):
    """A subclass with layers of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.embedding = keras.layers.Embedding(NUM_CLASSES, 4)
        self.hidden = keras.layers.Dense(8, "gelu")
        self.out = keras.layers.Dense(1)

    def call(self, inputs, training=False):
        images, labels = inputs
        flat = keras.ops.reshape(images, (-1, math.prod(SHAPE)))
        features = keras.ops.concatenate(
            [self.hidden(flat), self.embedding(labels)], axis=-1
        )
        return self.out(features)[:, 0]


PAIRS = {
    "functional": lambda: (functional_generator(), functional_discriminator()),
    "subclassed": lambda: (OwnGenerator(7), OwnDiscriminator()),
}


def make_gan(pair, num_classes=NUM_CLASSES, **arguments):
    generator, discriminator = pair
    return ganaug.ConditionalGAN(
        SHAPE,
        num_classes,
        generator=generator,
        discriminator=discriminator,
        **{"latent_dim": LATENT_DIM, "seed": 0, **arguments},
    )


def fit(gan, data):
    gan.fit(data, batch_size=8, steps_per_epoch=2, guards=False, verbose=0)


@pytest.mark.parametrize("kind", PAIRS)
def test_own_networks_are_trained_and_averaged(make_images, kind):
    """Both learn, and the images come from a copy that follows."""
    pair = PAIRS[kind]()
    gan = make_gan(pair)
    assert gan.networks == {"generator": pair[0], "discriminator": pair[1]}
    assert gan.ema_generator is not pair[0]
    before = [network.get_weights() for network in (*pair, gan.ema_generator)]
    gan.compile(**PLAIN)
    fit(gan, make_images(shape=SHAPE))
    for old, network in zip(before, (*pair, gan.ema_generator), strict=True):
        new = network.get_weights()
        moved = [
            np.abs(one - other).max()
            for one, other in zip(old, new, strict=True)
        ]
        assert max(moved) > 1e-4
    images = gan.generate([0, 2, 1], seed=0)
    assert images.shape == (3, *SHAPE)
    assert images.dtype == np.uint8


@pytest.mark.parametrize(
    ("num_classes", "conditioning"),
    [(None, None), (NUM_CLASSES, "auxiliary")],
)
def test_signatures_without_labels(make_images, num_classes, conditioning):
    """No classes at all, and a discriminator that guesses the class."""
    gan = make_gan(
        (
            functional_generator(num_classes),
            functional_discriminator(
                num_classes, auxiliary=conditioning == "auxiliary"
            ),
        ),
        num_classes,
        conditioning=conditioning,
    )
    gan.compile(**PLAIN)
    fit(gan, make_images(shape=SHAPE))
    labels = 2 if num_classes is None else [0, 1]
    assert gan.generate(labels, seed=0).shape == (2, *SHAPE)


@pytest.mark.parametrize("kind", PAIRS)
def test_a_keras_file_keeps_own_networks(make_images, tmp_path, kind):
    """Loaded again, training goes on as if nothing had happened."""
    gan = make_gan(PAIRS[kind]())
    gan.compile(**PLAIN)
    data = make_images(shape=SHAPE)
    fit(gan, data)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(
        gan.generate([0, 1, 2], seed=0), loaded.generate([0, 1, 2], seed=0)
    )
    for model in (gan, loaded):
        fit(model, data)
    for one, other in zip(gan.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("normalize", [False, True])
def test_batch_statistics_keep_real_and_fake_apart(normalize):
    """Real and fake images then go through the discriminator in turn."""
    gan = make_gan(
        (functional_generator(), functional_discriminator(normalize=normalize))
    )
    gan.compile()
    assert gan.objectives.joined != normalize


class Block(keras.layers.Layer):
    """A layer of the user's with batch normalization in a list of its own."""

    def __init__(self):
        super().__init__()
        self.parts = [
            keras.layers.Conv2D(2, 3),
            keras.layers.BatchNormalization(),
        ]

    def call(self, images, training=False):
        convolution, normalization = self.parts
        return normalization(convolution(images), training=training)


def test_batch_statistics_of_a_layer_s_layers_are_found():
    """Wherever they are."""
    images = keras.Input(SHAPE)
    labels = keras.Input((), dtype="int32")
    features = keras.layers.Flatten()(Block()(images))
    shown = keras.layers.Flatten()(keras.layers.Embedding(3, 2)(labels))
    joined = keras.layers.Concatenate()([features, shown])
    logits = keras.layers.Reshape(())(keras.layers.Dense(1)(joined))
    gan = make_gan(
        (functional_generator(), keras.Model([images, labels], logits))
    )
    gan.compile()
    assert not gan.objectives.joined


def test_own_networks_make_no_artifact(make_images, tmp_path):
    """The error says what to do instead."""
    gan = make_gan(PAIRS["functional"]())
    gan.compile(**PLAIN)
    fit(gan, make_images(shape=SHAPE))
    with pytest.raises(ValueError, match=r"save\('model.keras'\)"):
        gan.save_pretrained(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def column_of_logits():
    images, labels = keras.Input(SHAPE), keras.Input((), dtype="int32")
    features = keras.layers.Flatten()(images)
    return keras.Model([images, labels], keras.layers.Dense(1)(features))


@pytest.mark.parametrize(
    ("generator", "discriminator", "message"),
    [
        (
            lambda: functional_generator(shape=(4, 4, 1)),
            functional_discriminator,
            r"\(batch, 4, 5, 1\)\. Received: \[\(2, 4, 4, 1\)\]",
        ),
        (
            lambda: functional_generator(None),
            functional_discriminator,
            "`generator` cannot be called",
        ),
        (
            functional_generator,
            column_of_logits,
            r"of shape \(batch,\)\. Received: \[\(2, 1\)\]",
        ),
        (
            functional_generator,
            lambda: functional_discriminator(None),
            "`discriminator` cannot be called",
        ),
        (
            functional_generator,
            lambda: functional_discriminator(auxiliary=True),
            "`discriminator` ",
        ),
    ],
)
def test_networks_that_do_not_fit_are_refused(
    generator, discriminator, message
):
    """When the model is made, with the shapes that came."""
    with pytest.raises(ValueError, match=message):
        make_gan((generator(), discriminator()))


def test_latents_of_another_size_are_refused():
    """The generator's input is `latent_dim` long."""
    with pytest.raises(ValueError, match="`generator` cannot be called"):
        make_gan(PAIRS["functional"](), latent_dim=LATENT_DIM + 1)


def test_an_auxiliary_discriminator_returns_class_logits():
    """Logits alone are not enough, and the error says so."""
    pair = functional_generator(), functional_discriminator(None)
    with pytest.raises(ValueError, match="class logits of shape"):
        make_gan(pair, conditioning="auxiliary")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"conditioning": "projection"}, "conditioning='projection'"),
        ({"conditioning": "guess"}, "conditioning='guess'"),
        ({"architecture": "dcgan"}, "architecture='dcgan'"),
    ],
)
def test_settings_of_ganaug_s_networks_are_refused(arguments, message):
    """They would do nothing to a network that exists already."""
    with pytest.raises(ValueError, match=message):
        make_gan(PAIRS["functional"](), **arguments)


def test_guessing_needs_classes():
    """Without classes there is nothing to guess."""
    pair = functional_generator(None), functional_discriminator(None)
    with pytest.raises(ValueError, match="num_classes=None"):
        make_gan(pair, None, conditioning="auxiliary")


@pytest.mark.parametrize("missing", ["generator", "discriminator"])
def test_both_networks_or_none(missing):
    """One of ours and one of yours do not play together."""
    networks = dict(
        zip(("generator", "discriminator"), PAIRS["functional"](), strict=True)
    )
    networks[missing] = None
    with pytest.raises(ValueError, match="together, or neither"):
        ganaug.ConditionalGAN(
            SHAPE, NUM_CLASSES, latent_dim=LATENT_DIM, **networks
        )
    with pytest.raises(ValueError, match="architecture='custom'"):
        ganaug.ConditionalGAN(SHAPE, NUM_CLASSES, architecture="custom")


@pytest.mark.parametrize("place", [0, 1])
def test_a_network_is_a_keras_model(place):
    """A plain function has no weights to train."""
    pair = list(PAIRS["functional"]())
    pair[place] = lambda inputs, training: inputs
    with pytest.raises(TypeError, match=r"must be a keras\.Model.*function"):
        make_gan(pair)


def test_half_precision_images_are_refused():
    """They would not go through the discriminator with real ones."""
    latents = keras.Input((LATENT_DIM,))
    images = keras.layers.Reshape(SHAPE)(
        keras.layers.Dense(math.prod(SHAPE), dtype="mixed_float16")(latents)
    )
    half = keras.layers.Activation("tanh", dtype="float16")(images)
    pair = keras.Model(latents, half), functional_discriminator(None)
    with pytest.raises(ValueError, match=r"float32.*Received: .*float16"):
        make_gan(pair, None)


def test_a_clone_has_weights_of_its_own():
    """Also of a Lambda layer, which Keras would not load from a file."""
    network = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(2),
            keras.layers.Lambda(lambda inputs: inputs + 1),
        ]
    )
    clone = clone_network(network)
    clone.set_weights(network.get_weights())
    images = np.ones((1, 3), "float32")
    np.testing.assert_array_equal(clone(images), network(images))
    clone.set_weights([2 * weight for weight in network.get_weights()])
    assert np.abs(clone(images) - network(images)).max() > 0


@keras.saving.register_keras_serializable(package="test_own_networks")
class Forgetful(keras.Model):
    """A subclass whose configuration leaves out what it was made with."""

    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(units)

    def call(self, inputs):
        return self.dense(inputs)

    def get_config(self):
        return {"name": self.name}


class Unregistered(Forgetful):
    """A subclass that Keras cannot find by its name."""


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Forgetful, "whose copy has other weights"),
        (Unregistered, "which raised TypeError: Could not locate class"),
    ],
)
def test_networks_that_cannot_be_made_again_are_refused(kind, reason):
    """The average needs a copy; the error names the class and why."""
    network = kind(units=3)
    network(np.ones((1, 4)))
    with pytest.raises(
        ValueError, match=f"generator={kind.__name__}, {reason}"
    ):
        clone_network(network)
