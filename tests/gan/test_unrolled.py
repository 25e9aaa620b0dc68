"""Discriminator steps ahead, against real optimizers and hand-made ones."""

import importlib.util
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganaug
from ganaug.gan.losses import get_loss
from ganaug.gan.noise import Noise
from ganaug.gan.unrolled import check_unrollable, unroll

RNG = np.random.default_rng(0)
REAL = RNG.normal(1, 1, (6, 3))
LATENTS = RNG.normal(size=(6, 2))
THETA = RNG.normal(size=(2, 3))
WEIGHT = RNG.normal(size=3)
RATE, BETA_1, BETA_2 = 0.3, 0.5, 0.9


def make_optimizer(name):
    if name == "sgd":
        return keras.optimizers.SGD(RATE)
    return keras.optimizers.Adam(RATE, beta_1=BETA_1, beta_2=BETA_2)


def warm(optimizer, variables, steps=3):
    """Steps with made-up gradients, so that moments are not zero."""
    rng = np.random.default_rng(1)
    for _ in range(steps):
        gradients = [
            tf.constant(0.1 * rng.normal(size=variable.shape), tf.float32)
            for variable in variables
        ]
        optimizer.apply(gradients, variables)


def mlp():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(5, "tanh"),
            keras.layers.Dense(1),
            keras.layers.Reshape(()),
        ]
    )


def discriminator_loss(network, fake=None):
    fake = tf.constant(LATENTS @ THETA, tf.float32) if fake is None else fake
    return get_loss("non_saturating").discriminator(
        network(tf.constant(REAL, tf.float32)), network(fake)
    )


def state_of(network, optimizer):
    return [
        variable.numpy()
        for variable in (*network.variables, *optimizer.variables)
    ]


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_steps_ahead_are_those_of_the_optimizer(name):
    """They give what training on would give, and leave everything as it is."""
    network, optimizer = mlp(), make_optimizer(name)
    optimizer.build(network.trainable_variables)
    warm(optimizer, network.trainable_variables)
    before = state_of(network, optimizer)
    ahead = {
        steps: unroll(network, optimizer, steps, discriminator_loss)(REAL)
        for steps in (0, 1, 4)
    }
    for old, new in zip(before, state_of(network, optimizer), strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(ahead[0], network(REAL))
    for step in range(1, 5):
        with tf.GradientTape() as tape:
            loss = discriminator_loss(network)
        variables = network.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
        if step in ahead:
            np.testing.assert_allclose(ahead[step], network(REAL), rtol=1e-4)
    assert np.abs(ahead[4] - ahead[0]).max() > 0.1


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_steps_ahead_learn_embeddings_and_keep_constraints(name):
    """Repeated labels add up, and a constrained weight stays within bounds."""
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.Input((), dtype="int32"),
            keras.layers.Embedding(4, 3),
            keras.layers.Dense(1, kernel_constraint="non_neg"),
        ]
    )
    optimizer = make_optimizer(name)
    optimizer.build(network.trainable_variables)
    labels = tf.constant([0, 0, 0, 1, 2])

    def loss_of(network):
        return tf.reduce_mean((network(labels) + 1) ** 2)

    ahead = tf.function(
        lambda: unroll(network, optimizer, 2, loss_of)(np.arange(4))
    )()
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = loss_of(network)
        variables = network.trainable_variables
        gradients = tape.gradient(loss, variables)
        assert isinstance(gradients[0], tf.IndexedSlices)
        # Adam would take the square of each part instead of their sum's.
        dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
        optimizer.apply(dense, variables)
    np.testing.assert_allclose(ahead, network(np.arange(4)), rtol=1e-4)
    assert network.layers[1].kernel.numpy().min() == 0


def by_hand(theta, name, steps, moments, count):
    """The generator's loss after some steps, in float64 and NumPy.

    The discriminator is linear, and so is the generator.
    """
    weight, momentum, velocity = WEIGHT, *moments
    fake = LATENTS @ theta

    def sigmoid(logits):
        return 1 / (1 + np.exp(-logits))

    for step in range(count + 1, count + 1 + steps):
        gradient = (
            sigmoid(fake @ weight) @ fake - sigmoid(-REAL @ weight) @ REAL
        ) / len(REAL)
        if name == "sgd":
            weight = weight - RATE * gradient
            continue
        momentum = BETA_1 * momentum + (1 - BETA_1) * gradient
        velocity = BETA_2 * velocity + (1 - BETA_2) * gradient**2
        scale = np.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
        weight = weight - RATE * scale * momentum / (np.sqrt(velocity) + 1e-7)
    return np.log1p(np.exp(-fake @ weight)).mean()


@pytest.mark.parametrize("name", ["sgd", "adam"])
@pytest.mark.parametrize("steps", [0, 1, 3])
def test_gradient_passes_through_the_steps(name, steps):
    """It is the slope of the whole computation, steps ahead and all."""
    network = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(1, use_bias=False),
            keras.layers.Reshape(()),
        ]
    )
    optimizer = make_optimizer(name)
    optimizer.build(network.trainable_variables)
    warm(optimizer, network.trainable_variables)
    network.set_weights([WEIGHT[:, None]])
    moments = np.zeros(3), np.zeros(3)
    if name == "adam":
        moments = [v.numpy()[:, 0] for v in optimizer.variables[2:]]
    theta = tf.constant(THETA, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(theta)
        fake = tf.constant(LATENTS, tf.float32) @ theta
        ahead = unroll(
            network,
            optimizer,
            steps,
            lambda network: discriminator_loss(network, fake),
        )
        loss = get_loss("non_saturating").generator(None, ahead(fake))
    expected, today = np.zeros((2, 2, 3))
    for place in np.ndindex(2, 3):
        shift = np.zeros((2, 3))
        shift[place] = 1e-5
        for slopes, num in ((expected, steps), (today, 0)):
            slopes[place] = (
                by_hand(THETA + shift, name, num, moments, 3)
                - by_hand(THETA - shift, name, num, moments, 3)
            ) / 2e-5
    np.testing.assert_allclose(
        loss, by_hand(THETA, name, steps, moments, 3), rtol=1e-5
    )
    gradient = tape.gradient(loss, theta)
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-5)
    assert (np.abs(gradient - today).max() > 0.01) == (steps > 0)


@pytest.mark.parametrize("size", [0.0, 1e-24])
def test_gradient_is_finite_where_a_weight_has_next_to_none(size):
    """Adam divides by a root, whose slope is infinite where a square is 0."""
    network = mlp()
    # The first layer's gradient is about as large as the second's weights.
    network.layers[1].kernel.assign(np.full((5, 1), size))
    optimizer = make_optimizer("adam")
    optimizer.build(network.trainable_variables)
    fake = tf.constant(LATENTS @ THETA, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(fake)
        ahead = unroll(
            network, optimizer, 2, lambda n: discriminator_loss(n, fake)
        )
        loss = tf.reduce_mean(ahead(fake))
    gradient = tape.gradient(loss, fake).numpy()
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (keras.optimizers.SGD(momentum=0.9), "SGD with momentum"),
        (keras.optimizers.RMSprop(), "RMSprop"),
        (keras.optimizers.AdamW(), "AdamW"),
        (keras.optimizers.Adam(amsgrad=True), "Adam with amsgrad"),
        (keras.optimizers.Adam(weight_decay=0.1), "Adam with weight_decay"),
        (keras.optimizers.SGD(clipnorm=1.0), "SGD with clipnorm"),
        (keras.optimizers.SGD(clipvalue=1.0), "SGD with clipvalue"),
        (keras.optimizers.SGD(global_clipnorm=1.0), "with global_clipnorm"),
        (
            keras.optimizers.Adam(gradient_accumulation_steps=2),
            "Adam with gradient_accumulation_steps",
        ),
        (
            keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()),
            "LossScaleOptimizer",
        ),
    ],
)
def test_optimizers_with_other_steps_are_refused(optimizer, message):
    """Only plain steps are written as functions, and nothing is left out."""
    with pytest.raises(ValueError, match=f"d_optimizer=.*{message}"):
        check_unrollable(optimizer)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_plain_optimizers_pass(optimizer):
    """The two that are usual, with any rate."""
    check_unrollable(make_optimizer(optimizer))


ARGUMENTS = {"architecture": "mlp", "width": 4, "latent_dim": 2, "seed": 0}


def batch():
    rng = np.random.default_rng(2)
    images = rng.uniform(-1, 1, (6, 8, 8, 1)).astype("float32")
    return tf.constant(images), tf.constant([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize(
    ("conditioning", "penalty"),
    [
        ("projection", {}),
        ("auxiliary", {}),
        ("projection", {"penalty": "r1+r2", "finite_difference": True}),
    ],
)
def test_looking_ahead_changes_the_generator_s_step(conditioning, penalty):
    """The discriminator's own stays the same; estimated penalties unroll."""
    weights = []
    for steps in (0, 2):
        gan = ganaug.ConditionalGAN(
            (8, 8, 1), 3, conditioning=conditioning, **ARGUMENTS
        )
        gan.compile(
            unrolled_steps=steps,
            g_optimizer=keras.optimizers.SGD(1.0),
            **penalty,
        )
        gan.train_step(batch())
        weights.append(
            [network.get_weights() for network in gan.networks.values()]
        )
    (g_plain, d_plain), (g_ahead, d_ahead) = weights
    for one, other in zip(d_plain, d_ahead, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.isfinite(np.concatenate([w.ravel() for w in g_ahead])).all()
    differences = [
        np.abs(one - other).max()
        for one, other in zip(g_plain, g_ahead, strict=True)
    ]
    assert max(differences) > 1e-5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"d_optimizer": "rmsprop"}, "d_optimizer=RMSprop"),
        ({"penalty": "r1"}, "penalty='r1'"),
        ({"penalty": "wgan_gp"}, "penalty='wgan_gp'"),
        ({"unrolled_steps": -1}, "unrolled_steps=-1"),
        ({"unrolled_steps": 1.5}, r"unrolled_steps=1\.5"),
    ],
)
def test_compile_refuses_what_cannot_be_unrolled(arguments, message):
    """Before any training."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 3, **ARGUMENTS)
    with pytest.raises(ValueError, match=message):
        gan.compile(**{"unrolled_steps": 2, **arguments})


@pytest.fixture(scope="module")
def ring():
    """The benchmark on a ring of Gaussians."""
    path = pathlib.Path(__file__).parents[2] / "benchmarks/unrolled_ring.py"
    spec = importlib.util.spec_from_file_location("unrolled_ring", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_ring_s_modes_are_counted(ring):
    """All of them in the data, one where all points are, none in between."""
    points = ring.draw_real(Noise(0, 0, 0), "test", 1024)
    looked = ring.look(points)
    assert looked["covered"] == looked["visited"] == 8
    # Of two dimensions, 98.9 % lie within three standard deviations.
    assert looked["near"] == pytest.approx(0.989, abs=0.015)
    one = np.tile(ring.centers()[3], (1024, 1))
    assert ring.look(one) == {"covered": 1, "visited": 1, "near": 1}
    far = ring.look(one + 0.2)
    assert far == {"covered": 0, "visited": 1, "near": 0}
    assert ring.look(0 * one) == {"covered": 0, "visited": 0, "near": 0}
    # Ten points are less than 1 %, eleven more.
    few = np.zeros((1024, 2))
    few[:10] = ring.centers()[0]
    assert ring.look(few)["covered"] == 0
    few[10] = ring.centers()[0]
    assert ring.look(few)["covered"] == 1


def test_the_ring_s_training_runs(ring):
    """A step between every two looks, and no look like the one before."""
    looks = ring.train(1, 2, steps=50, seed=0)["looks"]
    assert len(looks) == 50
    assert set(looks[0]) == {"covered", "visited", "near"}
    assert len({tuple(look.values()) for look in looks}) > 1
