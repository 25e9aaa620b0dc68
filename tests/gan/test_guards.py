"""What goes wrong in training is noticed, answered and said."""

import logging
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganaug
from ganaug.gan import guards
from ganaug.gan.conditional_vae import ConditionalVAE
from ganaug.gan.guards import (
    DiversityReference,
    Guard,
    nearest_distance,
    non_finite,
)
from ganaug.gan.training_state import hash_tensors, snapshot

CHANCE = 2 * math.log(2)
LOST = 0.001
NAMES = ("shirt", "boot", "bag")


@pytest.mark.parametrize(
    ("images", "distance"),
    [
        ([[0.0], [1.0], [1.0], [3.0]], (1 + 0 + 0 + 2) / 4),
        # Root of the mean over pixels, so that sizes can be compared.
        ([[0.0, 0.0], [3.0, 4.0]], math.sqrt(12.5)),
        ([[1.0, 2.0]] * 5, 0.0),
        ([[[0.0], [0.0]], [[2.0], [2.0]]], 2.0),
    ],
)
def test_nearest_distance(images, distance):
    """The mean over images of the distance to the nearest other one."""
    assert nearest_distance(np.array(images)) == pytest.approx(distance)


def test_nearest_distance_of_twins_is_zero():
    """Rounding makes no distance of none, and no NaN."""
    rng = np.random.default_rng(0)
    image = rng.normal(size=(8, 8, 3)).astype(np.float32)
    assert nearest_distance(np.stack([image] * 9)) == pytest.approx(0, abs=1e-7)


def random_images(count, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 4, 4, 1))


def test_diversity_is_compared_with_the_real_images():
    """The real images' own is 1, their copies' 0, and others' in between."""
    images = random_images(20)
    labels = np.repeat([0, 1], 10)
    reference = DiversityReference(images, labels, seed=0)
    assert reference.labels().tolist() == [0] * 10 + [1] * 10
    assert reference.labels().dtype == np.int32
    assert reference.ratios(images) == pytest.approx({0: 1, 1: 1})
    images[10:] = images[10]
    assert reference.ratios(images) == pytest.approx({0: 1, 1: 0}, abs=1e-6)
    halved = reference.ratios(images / 2)
    assert halved == pytest.approx({0: 0.5, 1: 0}, abs=1e-6)


def test_which_classes_are_judged():
    """Those with eight images at least that are not all the same one."""
    images = random_images(7 + 8 + 9 + 50)
    labels = np.repeat([0, 1, 2, 3], [7, 8, 9, 50])
    images[labels == 2] = 0.5
    reference = DiversityReference(images, labels, seed=0)
    assert reference.classes == [1, 3]
    assert reference.sizes == [8, 32]


def test_of_many_classes_some_are_judged():
    """Twenty from the first to the last, so that a look stays short."""
    labels = np.repeat(np.arange(100), 8)
    reference = DiversityReference(random_images(800), labels, seed=0)
    assert len(set(reference.classes)) == 20
    assert (reference.classes[0], reference.classes[-1]) == (0, 99)


def test_where_no_class_has_enough_images():
    """Nothing is compared."""
    reference = DiversityReference(random_images(6), np.arange(6) // 3, seed=0)
    assert reference.labels().tolist() == []
    assert reference.ratios(random_images(0)) == {}


VARIED = {0: 0.9, 1: 0.8}
ALIKE = {0: 0.9, 1: 0.1}


@pytest.mark.parametrize(
    ("looks", "problems"),
    [
        # The discriminator: two looks in a row, and no loss but a low one.
        ([(100, LOST, {})], [None]),
        ([(100, LOST, {}), (200, LOST, {})], [None, "discriminator wins"]),
        ([(100, LOST, {}), (200, 1.0, {}), (300, LOST, {})], [None] * 3),
        ([(100, 0.02, {}), (200, 0.02, {})], [None] * 2),
        ([(100, math.nan, {}), (200, math.nan, {})], [None] * 2),
        # Collapse: of what was varied before, or late in training.
        ([(100, 1.0, ALIKE), (200, 1.0, ALIKE)], [None] * 2),
        (
            [(250, 1.0, VARIED), (500, 1.0, ALIKE), (750, 1.0, ALIKE)],
            [None, None, "mode collapse"],
        ),
        # The noise of the initial weights is no variety.
        (
            [(10, 1.0, VARIED), (300, 1.0, ALIKE), (500, 1.0, ALIKE)],
            [None] * 3,
        ),
        ([(1000, 1.0, ALIKE), (1250, 1.0, ALIKE)], [None, "mode collapse"]),
        ([(900, 1.0, ALIKE), (1000, 1.0, ALIKE)], [None] * 2),
        (
            [(2000, 1.0, ALIKE), (2100, 1.0, VARIED), (2200, 1.0, ALIKE)],
            [None] * 3,
        ),
        # However often one looks, it has to last for 100 steps.
        (
            [(step, 1.0, ALIKE) for step in (2000, 2001, 2099, 2100)],
            [None, None, None, "mode collapse"],
        ),
        # What is between is neither collapsed nor once varied.
        (
            [(300, 1.0, {0: 0.3}), (400, 1.0, {0: 0.1}), (500, 1.0, {0: 0.1})],
            [None] * 3,
        ),
        # A look at each of them does not make two of one.
        ([(2000, LOST, VARIED), (2100, 1.0, ALIKE)], [None] * 2),
        # A class without a ratio, and a ratio that is NaN, are no collapse.
        ([(2000, 1.0, {0: math.nan}), (2100, 1.0, {0: math.nan})], [None] * 2),
    ],
)
def test_look(looks, problems):
    """A problem is said when looks in a row find it for long enough."""
    guard = Guard(CHANCE, NAMES)
    for look, problem in zip(looks, problems, strict=True):
        answer = guard.look(*look)
        assert (answer is None) == (problem is None), look
        if problem is not None:
            assert problem in answer


def test_look_says_what_it_saw():
    """The numbers and the name of the worst class are in the words."""
    guard = Guard(CHANCE, NAMES)
    alike = {0: 0.15, 1: 0.04, 2: 0.7}
    guard.look(1000, 1.0, alike)
    words = guard.look(1100, 1.0, alike)
    assert "2 classes" in words
    assert "'boot' with 4% of the real" in words
    assert guard.diversity == alike
    guard = Guard(CHANCE, NAMES)
    guard.look(100, LOST, {})
    assert "0.001, where guessing costs 1.4" in guard.look(200, LOST, {})


def test_without_a_chance_level_nobody_wins():
    """A Wasserstein critic's loss may be anything."""
    guard = Guard(None, NAMES)
    looks = [guard.look(step, -5.0, {}) for step in (100, 200, 300)]
    assert looks == [None] * 3


def test_suspicion_is_told_and_kept():
    """One bad look is a suspicion, which a restored guard shares."""
    guard = Guard(CHANCE, NAMES)
    guard.look(300, 1.0, VARIED)
    assert not guard.is_suspicious
    guard.look(400, 1.0, ALIKE)
    assert guard.is_suspicious
    state = guard.state()
    restored = Guard(CHANCE, NAMES)
    restored.restore(state)
    assert restored.is_suspicious
    assert "mode collapse" in restored.look(500, 1.0, ALIKE)
    # And what was given away does not change.
    restored.look(600, 1.0, VARIED)
    assert state["since"] == {"won": None, "collapsed": 400}
    restored.restore({})
    assert not restored.is_suspicious
    assert restored.state()["risen"] == []


def test_non_finite():
    """The first loss that is no number is named."""
    assert non_finite({"d_loss": 1.0, "g_loss": np.float32(2)}) is None
    assert non_finite({}) is None
    assert non_finite({"a": 1.0, "b": math.nan}) == "`b` is nan"
    assert non_finite({"a": -math.inf}) == "`a` is -inf"


class Fault(keras.callbacks.Callback):
    """Does something to the model after each of some steps."""

    def __init__(self, inject, steps, times=math.inf):
        super().__init__()
        self.inject = inject
        self.steps = steps
        self.times = times

    def on_train_batch_end(self, batch, logs=None):
        if self.model.current_step in self.steps and self.times > 0:
            self.times -= 1
            self.inject(self.model)


def fill(variable, value):
    variable.assign(np.full(variable.shape, value))


def nan_in_discriminator(model):
    fill(model.discriminator.trainable_variables[0], np.nan)


def nan_in_average(model):
    fill(model.ema_generator.variables[0], np.nan)


def deaf_to_latents(model):
    """Makes all images of a class alike."""
    for layer in model.generator.layers:
        if isinstance(layer, keras.layers.Dense):
            # The first one takes the latents, and nothing else of it is left.
            fill(layer.kernel, 0.0)
            return


def discriminator_knows(model):
    """Makes the running mean of a discriminator that has won."""
    model.d_loss_average.assign(0.0)


def make_gan(**choices):
    gan = ganaug.ConditionalGAN(
        (8, 8, 1), 2, "mlp", latent_dim=4, width=8, depth=1, seed=3
    )
    gan.compile(**choices)
    return gan


@pytest.fixture
def fit(make_images, caplog, said):
    """A function that fits for some steps; returns what was logged."""
    data = make_images((12, 9))

    def fit(model, *faults, **choices):
        caplog.clear()
        choices = {"steps_per_epoch": 16, "checkpoint_every": 2, **choices}
        with caplog.at_level(logging.WARNING, "ganaug"):
            model.fit(
                data,
                batch_size=4,
                callbacks=faults,
                verbose=0,
                **choices,
            )
        return said()

    return fit


def learning_rates(model):
    return [
        float(optimizer.learning_rate.numpy())
        for optimizer in model.optimizers.values()
    ]


def assert_finite(model):
    for key, value in snapshot(model).items():
        assert np.isfinite(value).all(), key


def test_a_good_training_is_left_alone(fit):
    """No rollback, no word, and the weights of a training without guards."""
    guarded, bare = make_gan(), make_gan()
    assert fit(guarded) == []
    assert fit(bare, guards=False) == []
    assert guarded.learnt.training["rollbacks"] == []
    assert hash_tensors(snapshot(guarded)) == hash_tensors(snapshot(bare))


@pytest.mark.parametrize("decay_steps", [None, 16])
def test_nan_once_is_rolled_back(fit, decay_steps):
    """Training ends well, with half the rates, and the log says so."""
    choices = {"decay_steps": decay_steps, "penalty": "r1"}
    gan, good = make_gan(**choices), make_gan(**choices)
    fit(good)
    messages = fit(gan, Fault(nan_in_discriminator, {7}, times=1))
    assert messages == [
        "Training failed at step 8: `d_loss` is nan. Back to step 6 with "
        "learning rates times 0.5 and the penalty times 2 (rollback 1 of at "
        "most 3)."
    ]
    assert gan.current_step == 16
    assert gan.learnt.training["rollbacks"] == [
        {"failed_at": 8, "back_to": 6, "problem": "`d_loss` is nan"}
    ]
    assert_finite(gan)
    assert learning_rates(gan) == pytest.approx(
        [rate / 2 for rate in learning_rates(good)]
    )
    assert gan.gentleness_value == 0.5
    # Other noise too, so that the step does not fail in the same way.
    assert int(gan.attempt.numpy()) == 1


def test_each_rollback_is_gentler(fit):
    """Twice back to one state: a quarter of the rates, four times penalty."""
    gan = make_gan(penalty="r1")
    first = learning_rates(gan)
    messages = fit(gan, Fault(nan_in_discriminator, {7}, times=2))
    assert len(messages) == 2
    assert "times 0.25 and the penalty times 4 (rollback 2" in messages[1]
    assert learning_rates(gan) == pytest.approx([rate / 4 for rate in first])
    assert int(gan.attempt.numpy()) == 2
    # And from a later state, which knows of one rollback.
    gan = make_gan()
    messages = fit(
        gan,
        Fault(nan_in_discriminator, {3}, times=1),
        Fault(nan_in_discriminator, {7}, times=1),
    )
    assert "Back to step 2 " in messages[0]
    assert "Back to step 6 " in messages[1]
    assert learning_rates(gan) == pytest.approx([rate / 4 for rate in first])
    assert gan.learnt.training["rollbacks"][1]["back_to"] == 6


class Slope(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule as a user writes one who does not mean to save it."""

    def __init__(self, first):
        self.first = first

    def __call__(self, step):
        return self.first / (1.0 + keras.ops.cast(step, "float32"))


def exponential_decay(first):
    return keras.optimizers.schedules.ExponentialDecay(first, 5, 0.5)


def function(first):
    return lambda: keras.ops.convert_to_tensor(first)


def adam(rate):
    return keras.optimizers.Adam(rate)


def weight_decay(rate):
    return keras.optimizers.AdamW(rate, weight_decay=0.1)


def loss_scale(rate):
    return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(rate))


def take_steps(model, rollbacks, steps=3):
    """Trains after rollbacks; returns rates and the networks' weights."""
    rng = np.random.default_rng(0)
    images = tf.constant(rng.uniform(-1, 1, (6, 8, 8, 1)), tf.float32)
    for _ in range(rollbacks):
        model.soften()
    # Rollbacks change the noise too, which is not what is compared.
    model.attempt.assign(2)
    for _ in range(steps):
        model.train_step((images, tf.constant([0, 1, 0, 1, 0, 1])))
    return learning_rates(model), np.concatenate(
        [
            weight.ravel()
            for network in model.networks.values()
            for weight in network.get_weights()
        ]
    )


@pytest.mark.parametrize(
    ("make_optimizer", "make_rate"),
    [
        (adam, float),
        (adam, exponential_decay),
        (adam, Slope),
        (adam, function),
        (weight_decay, float),
        (weight_decay, exponential_decay),
        (loss_scale, float),
        (loss_scale, exponential_decay),
        (loss_scale, function),
    ],
)
def test_gentler_means_half_the_learning_rate(make_optimizer, make_rate):
    """Whatever gives it: training then is that with a quarter of the rate."""

    def trained(first, rollbacks):
        gan = make_gan(
            d_optimizer=make_optimizer(make_rate(first)),
            g_optimizer=make_optimizer(make_rate(first)),
        )
        return take_steps(gan, rollbacks)

    rates, weights = trained(0.125, rollbacks=2)
    expected_rates, expected = trained(0.125 / 4, rollbacks=0)
    assert rates == expected_rates
    np.testing.assert_array_equal(weights, expected)
    faster, other = trained(0.125, rollbacks=0)
    assert faster == [4 * rate for rate in rates]
    assert np.abs(weights - other).max() > 1e-3


def test_gentler_means_more_penalty():
    """A rollback doubles the penalty's share of the discriminator's loss."""

    def trained(gamma, rate, rollbacks):
        gan = make_gan(
            penalty="r1",
            gamma=gamma,
            d_optimizer=keras.optimizers.SGD(rate),
            g_optimizer=keras.optimizers.SGD(rate),
        )
        return take_steps(gan, rollbacks)[1]

    softened = trained(3.0, 1 / 8, rollbacks=2)
    np.testing.assert_array_equal(softened, trained(12.0, 1 / 32, rollbacks=0))
    assert np.abs(softened - trained(3.0, 1 / 32, rollbacks=0)).max() > 1e-5


def test_gentler_means_less_kl_for_a_vae():
    """A rollback halves the KL weight."""

    def trained(kl_weight, rate, rollbacks):
        vae = ConditionalVAE((8, 8, 1), 2, width=8, latent_dim=4, seed=3)
        vae.compile(keras.optimizers.SGD(rate), kl_weight=kl_weight)
        return take_steps(vae, rollbacks)[1]

    softened = trained(4.0, 1 / 64, rollbacks=2)
    np.testing.assert_array_equal(softened, trained(1.0, 1 / 256, rollbacks=0))
    assert np.abs(softened - trained(4.0, 1 / 256, rollbacks=0)).max() > 1e-5


@pytest.mark.parametrize("max_rollbacks", [0, 2])
def test_nan_always_ends_with_an_explanation(fit, max_rollbacks, tmp_path):
    """After so many rollbacks; the weights are the last good ones."""
    gan, good = make_gan(penalty="r1"), make_gan(penalty="r1")
    fit(good, steps_per_epoch=6)
    with pytest.raises(RuntimeError) as error:
        fit(
            gan,
            Fault(nan_in_discriminator, {7}),
            max_rollbacks=max_rollbacks,
            run_dir=tmp_path,
        )
    words = str(error.value)
    assert words.startswith("Training failed at step 8: `d_loss` is nan. ")
    assert "Raise `gamma`, lower the learning rates" in words
    assert "weights are those of step 6, the last good ones" in words
    before = (
        "It was rolled back 2 times before, at last with learning rates times "
        "0.25 and the penalty times 4. "
    )
    assert (before in words) == (max_rollbacks == 2)
    assert ("rolled back" in words) == (max_rollbacks == 2)
    assert hash_tensors(snapshot(gan)) == hash_tensors(snapshot(good))
    assert gan.learnt.training["steps"] == 6
    assert len(gan.learnt.training["rollbacks"]) == max_rollbacks
    assert gan.generate([0, 1], seed=0).dtype == np.uint8
    # The folder has the good state, and nothing later.
    names = sorted(path.name for path in (tmp_path / "training").iterdir())
    assert names[-1] == "step-000000006.safetensors"


def nan_in_generator(model):
    fill(model.generator.trainable_variables[0], np.nan)


@pytest.mark.parametrize(
    ("choices", "advice"),
    [
        ({"penalty": "none"}, "Choose a `penalty`"),
        ({"penalty": "r1", "gamma": 0}, "Raise `gamma`"),
    ],
)
def test_without_a_penalty_none_is_spoken_of(fit, choices, advice):
    """What cannot be doubled is not said to be, and advice is another."""
    gan = make_gan(**choices)
    with pytest.raises(RuntimeError) as error:
        fit(gan, Fault(nan_in_discriminator, {7}), max_rollbacks=1)
    words = str(error.value)
    assert "before, at last with learning rates times 0.5. " in words
    assert f"{advice}, lower the learning rates, or look" in words


@pytest.mark.parametrize(
    ("kl_weight", "gentler"),
    [
        (0.5, "the learning rate times 0.5 and the KL weight times 0.5"),
        (0.0, "the learning rate times 0.5"),
    ],
)
def test_a_vae_says_what_its_gentler_settings_are(fit, kl_weight, gentler):
    """It has no penalty, and its KL weight is halved."""

    def make_vae():
        vae = ConditionalVAE((8, 8, 1), 2, width=8, latent_dim=4, seed=3)
        vae.compile(kl_weight=kl_weight)
        return vae

    messages = fit(make_vae(), Fault(nan_in_generator, {7}, times=1))
    assert messages == [
        "Training failed at step 8: `reconstruction_loss` is nan. Back to "
        f"step 6 with {gentler} (rollback 1 of at most 3)."
    ]
    with pytest.raises(RuntimeError) as error:
        fit(make_vae(), Fault(nan_in_generator, {7}), max_rollbacks=1)
    words = str(error.value)
    assert f"rolled back 1 time before, at last with {gentler}. " in words
    assert "Lower the learning rate or `kl_weight`, or look" in words


def test_compiled_anew_nothing_is_gentle():
    """Settings that are chosen after rollbacks are those that one asked for."""
    optimizer = keras.optimizers.Adam(exponential_decay(0.1))
    gan = make_gan(d_optimizer=optimizer)
    gan.soften()
    assert learning_rates(gan)[0] == pytest.approx(0.05)
    gan.compile(d_optimizer=optimizer)
    assert learning_rates(gan)[0] == pytest.approx(0.1)
    # And it is made gentle once more, not twice.
    gan.soften()
    assert learning_rates(gan)[0] == pytest.approx(0.05)
    assert gan.gentler_settings == "learning rates times 0.5"


def test_without_guards_nan_ends_training(fit):
    """It is the one thing that is looked for then; nothing is tried anew."""
    gan = make_gan()
    with pytest.raises(RuntimeError, match="step 8: `d_loss` is nan"):
        fit(gan, Fault(nan_in_discriminator, {7}), guards=False)
    assert_finite(gan)
    assert gan.current_step == 6


def test_nan_that_no_loss_shows(fit):
    """Weights are looked at too, the average's among them."""
    gan = make_gan()
    messages = fit(gan, Fault(nan_in_average, {7}, times=1))
    assert "failed at step 8: " in messages[0]
    assert "weights are NaN or infinite" in messages[0]
    assert_finite(gan)
    assert gan.current_step == 16


def test_nan_in_the_very_last_step(fit):
    """A training never ends with NaN, also where no look is due."""
    gan = make_gan()
    messages = fit(
        gan, Fault(nan_in_discriminator, {7}, times=1), steps_per_epoch=7
    )
    assert "failed at step 7: " in messages[0]
    assert gan.current_step == 7
    assert_finite(gan)
    gan = make_gan()
    with pytest.raises(RuntimeError, match="weights are NaN or infinite"):
        fit(gan, Fault(nan_in_discriminator, {7}), steps_per_epoch=7)
    assert_finite(gan)
    assert gan.current_step == 6


def test_a_discriminator_that_wins(fit, monkeypatch):
    """Two looks find it; training goes back before the first of them."""
    # The mean takes a fiftieth of the next loss before it is looked at.
    monkeypatch.setattr(guards, "WON", 0.1)
    monkeypatch.setattr(guards, "PATIENCE", 2)
    gan = make_gan()
    messages = fit(gan, Fault(discriminator_knows, {7, 9}, times=2))
    assert len(messages) == 1
    assert "failed at step 10: the discriminator wins: " in messages[0]
    assert "Back to step 6 " in messages[0]
    assert gan.current_step == 16
    with pytest.raises(RuntimeError, match="the discriminator wins"):
        fit(make_gan(), Fault(discriminator_knows, range(7, 17)))


def test_a_discriminator_that_really_wins(make_images):
    """Without a penalty, against a generator that does not learn."""
    data = make_images((12, 9))
    data.images[:] = 255
    gan = make_gan(
        loss="non_saturating",
        penalty="none",
        diff_augment="",
        d_optimizer=keras.optimizers.Adam(0.05),
        g_optimizer=keras.optimizers.SGD(0.0),
    )
    with pytest.raises(RuntimeError, match="the discriminator wins"):
        gan.fit(
            data,
            batch_size=8,
            steps_per_epoch=600,
            checkpoint_every=50,
            max_rollbacks=1,
            verbose=0,
        )
    assert_finite(gan)


@pytest.fixture
def watched_early(monkeypatch):
    """Training of a few steps counts as long, and noise as variety."""
    monkeypatch.setattr(guards, "WARM_UP", 8)
    monkeypatch.setattr(guards, "PATIENCE", 2)
    # At the start a generator has little; before the warm-up none is needed.
    monkeypatch.setattr(guards, "COLLAPSED", 0.001)


def test_mode_collapse(fit, watched_early):
    """Images of a class that are all alike are noticed and undone."""
    gan = make_gan()
    messages = fit(gan, Fault(deaf_to_latents, range(7, 10), times=3))
    assert len(messages) == 1
    assert "failed at step 10: mode collapse: " in messages[0]
    assert "2 classes are all alike" in messages[0]
    assert "Back to step 6 " in messages[0]
    assert gan.current_step == 16
    assert_finite(gan)


def test_mode_collapse_again_and_again(fit, watched_early):
    """It is given up, with what is left of the variety."""
    gan, good = make_gan(), make_gan()
    fit(good, steps_per_epoch=6)
    with pytest.raises(RuntimeError, match="mode collapse") as error:
        fit(gan, Fault(deaf_to_latents, range(7, 17)))
    assert "rolled back 3 times before" in str(error.value)
    assert hash_tensors(snapshot(gan)) == hash_tensors(snapshot(good))


def test_a_look_at_every_step_finds_no_more(digits):
    """How often one looks does not decide what is a failure."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 10, "mlp", preset="tiny", seed=0)
    gan.compile()
    gan.fit(
        digits.train,
        batch_size=8,
        steps_per_epoch=200,
        checkpoint_every=1,
        verbose=0,
    )
    assert gan.learnt.training["rollbacks"] == []


def test_no_class_with_enough_images(make_images):
    """Guards that have nothing to compare with leave training alone."""
    gan = make_gan()
    gan.fit(
        make_images((4, 3)),
        batch_size=4,
        steps_per_epoch=4,
        checkpoint_every=2,
        verbose=0,
    )
    assert gan.learnt.training["rollbacks"] == []
