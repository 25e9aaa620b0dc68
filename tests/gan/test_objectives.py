"""What the players minimize, against discriminators with known gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganaug
from ganaug.gan.losses import get_loss
from ganaug.gan.noise import Noise
from ganaug.gan.objectives import Objectives

RNG = np.random.default_rng(0)
REAL, FAKE = RNG.normal(size=(2, 4, 3, 3, 1)).astype("float32")
WEIGHT = RNG.normal(size=(3, 3, 1)).astype("float32")
LABELS = np.array([0, 1, 1, 0], "int32")
GAMMA = 0.7


def linear(images, labels):
    """Its gradient is its weight, times a factor of the class."""
    scale = 1.0 + tf.cast(labels, tf.float32)
    return scale * tf.reduce_sum(images * WEIGHT, axis=(1, 2, 3)), None


def smooth(images, labels):
    """A discriminator whose gradient differs from image to image."""
    logits, _ = linear(images, labels)
    return tf.tanh(0.1 * logits) + 0.1 * logits, None


def classifying(images, labels):
    """Its class logits are the mean and a multiple of it."""
    means = tf.reduce_mean(images, axis=(1, 2, 3))
    return means, tf.stack([means, -3.0 * means], axis=1)


def noise(step=0):
    return Noise(3, tf.constant(step, tf.int64), tf.constant(0, tf.int64))


def images_of(*sides):
    return [(tf.constant(side), tf.constant(LABELS)) for side in sides]


def d_objective(judge, gamma=GAMMA, penalized=True, step=0, **arguments):
    """The discriminator's loss and objective, as numbers."""
    objectives = Objectives(**{"loss": get_loss("non_saturating"), **arguments})
    loss, objective, *_ = objectives.discriminator(
        judge,
        *images_of(REAL, FAKE),
        noise(step),
        "d0",
        gamma,
        penalized=penalized,
    )
    return float(loss), float(objective)


# The squared norm of the linear discriminator's gradient, for each image.
SQUARES = (1.0 + LABELS) ** 2 * (WEIGHT**2).sum()


@pytest.mark.parametrize("joined", [True, False])
@pytest.mark.parametrize(
    ("penalty", "expected"),
    [
        ("none", 0),
        ("r1", GAMMA / 2 * SQUARES.mean()),
        ("r2", GAMMA / 2 * SQUARES.mean()),
        ("r1+r2", GAMMA / 2 * 2 * SQUARES.mean()),
        ("wgan_gp", GAMMA * ((np.sqrt(SQUARES) - 1) ** 2).mean()),
        ("dragan", GAMMA * ((np.sqrt(SQUARES) - 1) ** 2).mean()),
    ],
)
def test_penalties_enter_with_the_literature_s_weight(
    penalty, joined, expected
):
    """Half of gamma for each of R1 and R2, all of it for the others."""
    loss, objective = d_objective(linear, penalty=penalty, joined=joined)
    logits = [linear(side, LABELS)[0] for side in (REAL, FAKE)]
    by_hand = get_loss("non_saturating").discriminator(*logits)
    np.testing.assert_allclose(loss, by_hand, rtol=1e-5)
    np.testing.assert_allclose(objective - loss, expected, rtol=1e-5)


@pytest.mark.parametrize("penalty", ["r1", "r2", "r1+r2"])
def test_penalties_are_taken_at_their_own_images(penalty):
    """R1 at real images, R2 at fake ones; joined or not is the same."""
    expected = 0.0
    for side, images in (("r1", REAL), ("r2", FAKE)):
        if side in penalty:
            with tf.GradientTape() as tape:
                images = tf.constant(images)
                tape.watch(images)
                logits = smooth(images, LABELS)[0]
            squares = tape.gradient(logits, images).numpy() ** 2
            expected += GAMMA / 2 * squares.sum((1, 2, 3)).mean()
    for joined in (True, False):
        loss, objective = d_objective(smooth, penalty=penalty, joined=joined)
        np.testing.assert_allclose(objective - loss, expected, rtol=1e-4)


@pytest.mark.parametrize("joined", [True, False])
def test_the_penalty_s_own_gradient_reaches_the_weights(joined):
    """The slope of the objective is that of loss and penalty together."""
    weight = tf.Variable(WEIGHT)

    def judge(images, labels):
        return tf.reduce_sum(tf.sin(images * weight), axis=(1, 2, 3)), None

    def compute():
        objectives = Objectives(
            get_loss("hinge"), penalty="r1+r2", joined=joined
        )
        return objectives.discriminator(
            judge, *images_of(REAL, FAKE), noise(), "d0", GAMMA
        )[1]

    with tf.GradientTape() as tape:
        objective = compute()
    slope = float(tape.gradient(objective, weight)[1, 1, 0])
    ends = []
    for shift in (0.01, -0.01):
        moved = WEIGHT.copy()
        moved[1, 1, 0] += shift
        weight.assign(moved)
        ends.append(float(compute()))
    assert slope == pytest.approx((ends[0] - ends[1]) / 0.02, rel=1e-2)


@pytest.mark.parametrize("penalty", ["r1", "r2", "r1+r2"])
def test_finite_differences_estimate_the_penalty(penalty):
    """Over many draws the mean is that of the exact penalty."""
    loss, exact = d_objective(smooth, penalty=penalty)
    estimates = [
        d_objective(smooth, penalty=penalty, finite_difference=True, step=step)
        for step in range(80)
    ]
    penalties = np.array(estimates)[:, 1] - loss
    error = 4 * penalties.std() / np.sqrt(len(penalties))
    assert error < 0.5 * (exact - loss)
    np.testing.assert_allclose(penalties.mean(), exact - loss, atol=error)


def test_one_centered_penalties_look_between_and_around():
    """WGAN-GP between real and fake images, DRAGAN around the real ones."""
    seen = []

    def judge(images, labels):
        seen.append(images.numpy())
        return linear(images, labels)

    d_objective(judge, penalty="wgan_gp")
    d_objective(judge, penalty="dragan")
    # The first pass of each is that of the loss.
    _, between, _, around = seen
    shares = (between - FAKE) / (REAL - FAKE)
    np.testing.assert_allclose(
        shares, np.broadcast_to(shares[:, :1, :1], shares.shape), atol=1e-3
    )
    assert ((shares > -1e-3) & (shares < 1 + 1e-3)).all()
    assert np.ptp(shares[:, 0, 0, 0]) > 0.05
    offsets = (around - REAL) / (0.5 * REAL.std())
    assert ((offsets >= -1e-5) & (offsets < 1 + 1e-5)).all()
    assert np.ptp(offsets) > 0.5


def test_a_penalty_that_is_not_due_costs_nothing():
    """Neither in the objective nor in passes through the discriminator."""
    calls = []

    def judge(images, labels):
        calls.append(len(images))
        return linear(images, labels)

    for penalty in ("r1+r2", "wgan_gp"):
        loss, objective = d_objective(judge, penalized=False, penalty=penalty)
        assert loss == objective
    assert calls == [8, 8]


def cross_entropy(logits, labels):
    return float(
        keras.losses.SparseCategoricalCrossentropy(from_logits=True)(
            labels, logits
        )
    )


@pytest.mark.parametrize("joined", [True, False])
def test_the_auxiliary_classifier_is_in_both_objectives(joined):
    """Real and fake images for the discriminator, fakes for the generator."""
    objectives = Objectives(
        get_loss("non_saturating"), auxiliary_weight=0.3, joined=joined
    )
    others = 1 - LABELS
    real, fake = tf.constant(REAL), tf.constant(FAKE)
    pairs = (real, tf.constant(LABELS)), (fake, tf.constant(others))
    in_real, in_fake = (
        cross_entropy(classifying(side, labels)[1], labels)
        for side, labels in ((REAL, LABELS), (FAKE, others))
    )
    loss, objective, *_ = objectives.discriminator(
        classifying, *pairs, noise(), "d0"
    )
    assert float(objective - loss) == pytest.approx(
        0.3 * (in_real + in_fake), rel=1e-4
    )
    loss, objective = objectives.generator(classifying, *pairs, noise(), "g")
    assert float(objective - loss) == pytest.approx(0.3 * in_fake, rel=1e-4)


@pytest.mark.parametrize("name", ["relativistic", "non_saturating"])
def test_the_generator_learns_from_fake_images_alone(name):
    """Nothing flows back through the logits of the real ones."""
    real, fake = images_of(REAL, FAKE)
    objectives = Objectives(get_loss(name))
    with tf.GradientTape() as tape:
        tape.watch([real[0], fake[0]])
        loss, objective = objectives.generator(linear, real, fake, noise(), "g")
    through_real, through_fake = tape.gradient(objective, [real[0], fake[0]])
    assert through_real is None
    assert np.abs(through_fake).max() > 0
    logits = [linear(side, LABELS)[0] for side in (REAL, FAKE)]
    np.testing.assert_allclose(loss, get_loss(name).generator(*logits))
    assert float(loss) == float(objective)


def test_the_discriminator_sees_augmented_images():
    """Both sides, each with draws of its own, and as the probability says."""
    seen = []

    def judge(images, labels):
        seen.append(images.numpy())
        return linear(images, labels)

    objectives = Objectives(
        get_loss("hinge"), diff_augment="color", joined=False
    )
    for probability in (0.0, 1.0):
        objectives.discriminator(
            judge,
            *images_of(REAL, REAL),
            noise(),
            "d0",
            probability=probability,
        )
    plain, _, real, fake = seen
    np.testing.assert_array_equal(plain, REAL)
    assert np.abs(real - REAL).max() > 0.01
    assert np.abs(real - fake).max() > 0.01


# Through the model: what `compile` asks for is what a step does.

SMALL = {"architecture": "mlp", "width": 4, "latent_dim": 2, "seed": 0}


def small_gan(optimizer=keras.optimizers.SGD, **arguments):
    """A GAN without DiffAugment whose plain steps can be told by hand."""
    gan = ganaug.ConditionalGAN((4, 4, 1), 3, **SMALL)
    gan.compile(
        d_optimizer=optimizer(0.01),
        g_optimizer=optimizer(0.01),
        diff_augment="",
        **arguments,
    )
    return gan


def batch(num=6):
    rng = np.random.default_rng(4)
    images = rng.uniform(-1, 1, (num, 4, 4, 1)).astype("float32")
    return tf.constant(images), tf.constant(np.arange(num) % 3, tf.int32)


def test_lazy_penalties_come_rarely_and_weigh_more():
    """Every fourth step has four times the penalty, the others none."""
    lazy = small_gan(penalty="r1+r2", gamma=0.5, penalty_interval=4)
    plain = small_gan(penalty="none")
    heavy = small_gan(penalty="r1+r2", gamma=4 * 0.5)
    train_step = tf.function(lazy.train_step)
    for step in range(6):
        like = heavy if step % 4 == 0 else plain
        other = plain if like is heavy else heavy
        for model in (plain, heavy):
            model.set_weights(lazy.get_weights())
            model.train_step(batch())
        train_step(batch())
        weights = [
            np.concatenate(
                [w.ravel() for w in model.discriminator.get_weights()]
            )
            for model in (lazy, like, other)
        ]
        np.testing.assert_allclose(weights[0], weights[1], atol=1e-6)
        assert np.abs(weights[0] - weights[2]).max() > 1e-5


@pytest.mark.parametrize(
    ("fake_labels", "shares"),
    [("uniform", (1 / 3, 1 / 3, 1 / 3)), ((0.5, 0.5, 0), (0.5, 0.5, 0))],
)
def test_fake_labels_are_drawn_as_asked_for(fake_labels, shares):
    """Whatever the labels of the real batch are."""
    gan = small_gan(fake_labels=fake_labels)
    real = tf.zeros((3000, 4, 4, 1)), tf.fill([3000], 2)
    _, labels = gan.adversarial_step.fakes.draw(real, gan._step_noise(), "g")
    drawn = np.bincount(labels, minlength=3) / 3000
    np.testing.assert_allclose(drawn, shares, atol=4 * 0.5 / np.sqrt(3000))
    assert (drawn[np.array(shares) == 0] == 0).all()
    paired = small_gan()
    fakes = paired.adversarial_step.fakes
    _, labels = fakes.draw(real, paired._step_noise(), "g")
    np.testing.assert_array_equal(labels, real[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fake_labels": "random"}, "fake_labels='random'"),
        ({"fake_labels": (0.5, 0.5)}, "fake_labels="),
        ({"fake_labels": (0.5, 0.6, -0.1)}, "fake_labels="),
        ({"fake_labels": (0.5, 0.5, 0.5)}, "fake_labels="),
        ({"fake_labels": "uniform", "loss": "relativistic"}, "paired loss"),
        ({"penalty": "r3"}, "penalty='r3'"),
        ({"penalty_interval": 0}, "penalty_interval=0"),
        ({"discriminator_steps": 0}, "discriminator_steps=0"),
        ({"finite_difference": True, "penalty": "dragan"}, "penalty='dragan'"),
        ({"auxiliary_weight": -1.0}, "auxiliary_weight=-1"),
        ({"augment_probability": 1.5}, "augment_probability=1.5"),
        ({"loss": "cross"}, "loss='cross'"),
    ],
)
def test_objectives_that_do_not_exist_are_refused(arguments, message):
    """At compile, with the value that came."""
    gan = ganaug.ConditionalGAN((4, 4, 1), 3, **SMALL)
    with pytest.raises(ValueError, match=message):
        gan.compile(**arguments)


def test_each_discriminator_step_has_a_batch_of_its_own():
    """Two steps on two batches, then one of the generator on the last."""
    gan = small_gan(discriminator_steps=2)
    by_hand = small_gan()
    images, labels = batch(12)
    gan.train_step((images, labels))
    noise = by_hand._step_noise()
    for index in range(2):
        real = images[index::2], labels[index::2]
        by_hand.adversarial_step.train_discriminator(real, noise, f"d{index}")
    by_hand.adversarial_step.train_generator(real, noise)
    for one, other in zip(
        gan.networks.values(), by_hand.networks.values(), strict=True
    ):
        for weight, expected in zip(
            one.get_weights(), other.get_weights(), strict=True
        ):
            np.testing.assert_allclose(weight, expected, atol=1e-7)
    counts = [
        int(optimizer.iterations) for optimizer in gan.optimizers.values()
    ]
    assert counts == [2, 1]
