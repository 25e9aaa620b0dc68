"""Learning rates of all kinds, kept, saved and shown as Keras does."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganaug
from ganaug.gan.learning_rates import LearningRates
from ganaug.gan.training_state import hash_tensors, snapshot


def schedule(first=0.01):
    return keras.optimizers.schedules.ExponentialDecay(first, 5, 0.5)


def make_gan(**choices):
    gan = ganaug.ConditionalGAN(
        (8, 8, 1), 3, "mlp", latent_dim=4, width=8, depth=1, seed=3
    )
    gan.compile(**choices)
    return gan


def make_rates(rate, decay_steps=None):
    step = keras.Variable(0, dtype="int64", trainable=False)
    gentleness = keras.Variable(1.0, trainable=False)
    rates = LearningRates(step, gentleness, decay_steps)
    rates.adopt("optimizer", keras.optimizers.SGD(rate))
    return rates, step


def now(rates):
    return float(rates.optimizers["optimizer"].learning_rate)


def test_they_fall_along_a_cosine():
    """From the first to a tenth, and stay there; halved where softened."""
    rates, step = make_rates(0.4, decay_steps=8)
    seen = []
    for number in range(11):
        step.assign(number)
        rates.set_for_step()
        seen.append(now(rates))
    progress = np.minimum(np.arange(11) / 8, 1)
    expected = 0.4 * (0.1 + 0.9 * (1 + np.cos(np.pi * progress)) / 2)
    np.testing.assert_allclose(seen, expected, rtol=1e-6)
    rates.soften()
    assert now(rates) == pytest.approx(0.02)
    step.assign(0)
    rates.set_for_step()
    assert now(rates) == pytest.approx(0.2)


def test_compiled_again_they_fall_from_the_start_again():
    """Steps count from there."""
    step = keras.Variable(500, dtype="int64", trainable=False)
    rates = LearningRates(step, keras.Variable(1.0, trainable=False), 8, 500)
    rates.adopt("optimizer", keras.optimizers.SGD(0.4))
    rates.set_for_step()
    assert now(rates) == pytest.approx(0.4)
    step.assign(508)
    rates.set_for_step()
    assert now(rates) == pytest.approx(0.04)


def test_what_a_callback_sets_stays():
    """A constant rate is the user's to change, also after a rollback."""
    rates, _ = make_rates(0.4)
    rates.soften()
    rates.optimizers["optimizer"].learning_rate = 0.3
    rates.set_for_step()
    assert now(rates) == pytest.approx(0.3)
    rates.soften()
    assert now(rates) == pytest.approx(0.15)


def test_a_schedule_sees_the_optimizer_s_steps():
    """Gentle or not, it is asked as Keras asks it."""
    rates, _ = make_rates(schedule())
    optimizer = rates.optimizers["optimizer"]
    optimizer.build([])
    rates.soften()
    for steps in (0, 5, 10):
        optimizer.iterations.assign(steps)
        assert now(rates) == pytest.approx(0.005 * 0.5 ** (steps / 5))


def test_a_schedule_and_decay_steps_are_too_much():
    """The error says which optimizer has the schedule."""
    with pytest.raises(ValueError, match="`g_optimizer` has a schedule of its"):
        make_gan(g_optimizer=keras.optimizers.Adam(schedule()), decay_steps=10)


@pytest.mark.parametrize("decay_steps", [0, -3, 2.5])
def test_decay_steps_are_checked(decay_steps):
    """A number of steps is wanted."""
    with pytest.raises(ValueError, match=f"decay_steps={decay_steps}"):
        LearningRates(None, None, decay_steps)


@pytest.mark.parametrize("softened", [0, 2])
@pytest.mark.parametrize(
    "choices",
    [
        lambda: {},
        lambda: {"decay_steps": 9},
        lambda: {
            "d_optimizer": keras.optimizers.Adam(schedule()),
            "g_optimizer": keras.optimizers.LossScaleOptimizer(
                keras.optimizers.SGD(schedule())
            ),
        },
    ],
)
def test_a_keras_file_keeps_them(make_images, tmp_path, choices, softened):
    """First rates in the settings, and what rollbacks left in the state."""
    gan = make_gan(**choices())
    configs = gan.optimizer_configs()
    for _ in range(softened):
        gan.soften()
    gan.fit(make_images(), steps_per_epoch=2, verbose=0)
    assert gan.optimizer_configs() == configs
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    for model in (gan, loaded):
        model.fit(make_images(), steps_per_epoch=2, verbose=0)
    assert hash_tensors(snapshot(loaded)) == hash_tensors(snapshot(gan))
    for name, optimizer in gan.optimizers.items():
        assert float(optimizer.learning_rate) == float(
            loaded.optimizers[name].learning_rate
        )


def test_an_optimizer_that_is_saved_alone_has_its_own_schedule():
    """What is gentle about it belongs to the model."""
    gan = make_gan(d_optimizer=keras.optimizers.Adam(schedule()))
    gan.soften()
    assert float(gan.d_optimizer.learning_rate) == pytest.approx(0.005)
    alone = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(gan.d_optimizer)
    )
    assert float(alone.learning_rate) == pytest.approx(0.01)


def test_a_schedule_that_cannot_be_saved(make_images, tmp_path):
    """Training does not need it; only saving does, and breaks nothing."""

    class Halving(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.01 * 0.5 ** tf.cast(step, tf.float32)

    gan = make_gan(d_optimizer=keras.optimizers.Adam(Halving()))
    with pytest.raises(NotImplementedError, match="get_config"):
        gan.save(tmp_path / "gan.keras")
    gan.soften()
    gan.fit(make_images(), steps_per_epoch=2, verbose=0)
    assert float(gan.d_optimizer.learning_rate) == pytest.approx(0.00125)
