"""Training that is stopped and goes on, to the very same weights."""

import shutil

import keras
import numpy as np
import pytest

import ganaug
from ganaug.gan.callbacks import LossHistory
from ganaug.gan.conditional_vae import ConditionalVAE
from ganaug.gan.conditional_vae_gan import ConditionalVAEGAN
from ganaug.gan.training_state import CheckpointFolder, hash_tensors, snapshot

COUNTS = (12, 9, 3)


class Stopped(Exception):
    """Stands for whatever ends a process."""


class StopAt(keras.callbacks.Callback):
    """Ends the training after a step."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if self.model.current_step >= self.step:
            raise Stopped


class Poison(keras.callbacks.Callback):
    """Puts NaN in the generator after a step, so often at most."""

    def __init__(self, step, times=1):
        super().__init__()
        self.step = step
        self.times = times

    def on_train_batch_end(self, batch, logs=None):
        if self.model.current_step == self.step and self.times:
            self.times -= 1
            weight = self.model.generator.trainable_variables[0]
            weight.assign(np.full(weight.shape, np.nan))


class Noted(keras.callbacks.Callback):
    """Notes the steps it saw."""

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(self.model.current_step)

    def training_notes(self):
        return {"steps": self.steps}

    def restore_training_notes(self, notes):
        self.steps = [] if notes is None else list(notes["steps"])


def make_gan(architecture="mlp", seed=3, **choices):
    gan = ganaug.ConditionalGAN(
        (8, 8, 1), 3, architecture, latent_dim=4, width=8, depth=1, seed=seed
    )
    gan.compile(**choices)
    return gan


@pytest.fixture
def data(make_images):
    """Images of which one class has few."""
    return make_images(COUNTS)


@pytest.fixture
def fit(data):
    """A function that fits a model for 2 epochs of 7 steps."""

    def fit(model, run_dir=None, callbacks=(), x=data, **choices):
        choices = {
            "batch_size": 4,
            "steps_per_epoch": 7,
            "epochs": 2,
            "checkpoint_every": 3,
            **choices,
        }
        return model.fit(
            x, run_dir=run_dir, callbacks=callbacks, verbose=0, **choices
        )

    return fit


@pytest.fixture
def stop_and_resume(fit, tmp_path):
    """A function that stops a training at some steps, and then ends it."""

    def stop_and_resume(make, stops, **choices):
        for stop in stops:
            with pytest.raises(Stopped):
                fit(make(), tmp_path, [StopAt(stop)], **choices)
        model = make()
        fit(model, tmp_path, **choices)
        return model

    return stop_and_resume


def digest(model):
    return hash_tensors(snapshot(model))


@pytest.mark.parametrize(
    ("stops", "compiled", "fitted"),
    [
        ((2, 4, 6, 7, 11), {}, {}),
        ((8,), {"augment_probability": "adaptive", "decay_steps": 14}, {}),
        ((5,), {"penalty": "r1", "gamma": 1.0, "penalty_interval": 4}, {}),
        ((8,), {"discriminator_steps": 2}, {"class_balanced": False}),
        ((9,), {"unrolled_steps": 1}, {"guards": False}),
        (
            (4,),
            {"fake_labels": "uniform", "g_optimizer": "rmsprop"},
            {"epochs": 1, "checkpoint_every": 1},
        ),
    ],
)
def test_a_stopped_training_ends_with_the_same_weights(
    fit, stop_and_resume, stops, compiled, fitted
):
    """Networks, average, optimizers and counters, to the last bit.

    The stops: before the first checkpoint, in the middle of an epoch, at a
    checkpoint, at the end of an epoch, and in the second one.
    """

    def make():
        # With a rate of its own, which Keras's optimizers write as they are.
        return make_gan(d_optimizer=keras.optimizers.Adam(1e-3), **compiled)

    whole = make()
    fit(whole, **fitted)
    resumed = stop_and_resume(make, stops, **fitted)
    assert resumed.current_step == whole.current_step
    assert digest(resumed) == digest(whole)


def test_the_default_recipe_is_resumed_exactly(fit, stop_and_resume):
    """R3GAN with adaptive augmentation and decay, all at once."""

    def make():
        gan = ganaug.ConditionalGAN(
            (8, 8, 1), 3, width=4, depth=1, latent_dim=4, seed=3
        )
        gan.compile(
            augment_probability="adaptive", decay_steps=14, penalty_interval=2
        )
        return gan

    whole = make()
    fit(whole)
    assert digest(stop_and_resume(make, [11])) == digest(whole)


@pytest.mark.parametrize(
    "make_model",
    [
        lambda: ConditionalVAE((8, 8, 1), 3, width=8, latent_dim=4, seed=3),
        lambda: ConditionalVAEGAN(
            (8, 8, 1), 3, "mlp", latent_dim=4, width=8, seed=3
        ),
        lambda: ganaug.ConditionalGAN(
            (8, 8, 1), None, "mlp", latent_dim=4, width=8, seed=3
        ),
    ],
)
def test_other_models_are_resumed_exactly(fit, stop_and_resume, make_model):
    """VAEs, VAE-GANs, and GANs without classes."""

    def make():
        model = make_model()
        model.compile()
        return model

    whole = make()
    fit(whole)
    assert digest(stop_and_resume(make, [8])) == digest(whole)


def own_networks():
    latents = keras.Input((4,))
    labels = keras.Input((), dtype="int32")
    embedded = keras.layers.Embedding(3, 4)(labels)
    features = keras.layers.Concatenate()([latents, embedded])
    features = keras.layers.Dropout(0.3)(features)
    pixels = keras.layers.Dense(64, activation="tanh")(features)
    generator = keras.Model(
        [latents, labels], keras.layers.Reshape((8, 8, 1))(pixels)
    )
    images = keras.Input((8, 8, 1))
    labels = keras.Input((), dtype="int32")
    features = keras.layers.Flatten()(images)
    features = keras.layers.Concatenate()(
        [features, keras.layers.Embedding(3, 4)(labels)]
    )
    features = keras.layers.Dense(8, activation="relu")(features)
    logits = keras.layers.Dense(1)(features)
    discriminator = keras.Model(
        [images, labels], keras.layers.Reshape(())(logits)
    )
    return {"generator": generator, "discriminator": discriminator}


def test_networks_of_ones_own_are_resumed_exactly(fit, stop_and_resume):
    """Also where Keras numbered their layers otherwise, and with Dropout."""

    def make():
        keras.utils.set_random_seed(0)
        gan = ganaug.ConditionalGAN(
            (8, 8, 1), 3, latent_dim=4, seed=3, **own_networks()
        )
        gan.compile(penalty="none")
        return gan

    whole = make()
    fit(whole)
    assert digest(stop_and_resume(make, [8])) == digest(whole)


@pytest.mark.parametrize("stop", [3, 8])
def test_several_steps_in_one_execution(fit, tmp_path, stop):
    """They give the weights of single steps; so does a resumed training.

    The numbers of steps need not fit: executions end where an epoch does.
    """
    whole = make_gan()
    fit(whole, epochs=1, steps_per_epoch=13)
    several = make_gan(steps_per_execution=5)
    fit(several, epochs=1, steps_per_epoch=13)
    assert several.current_step == 13
    assert digest(several) == digest(whole)
    with pytest.raises(Stopped):
        fit(
            make_gan(steps_per_execution=5),
            tmp_path,
            [StopAt(stop)],
            epochs=1,
            steps_per_epoch=13,
        )
    resumed = make_gan(steps_per_execution=5)
    fit(resumed, tmp_path, epochs=1, steps_per_epoch=13)
    assert digest(resumed) == digest(whole)


def test_several_steps_in_one_execution_and_several_epochs(fit, tmp_path):
    """Epochs have to be whole executions, and a resumed one may be less."""
    with pytest.raises(ValueError, match="multiple of `steps_per_execution`"):
        fit(make_gan(steps_per_execution=5))
    whole = make_gan()
    history = fit(whole, steps_per_epoch=10)
    assert history.epoch == [0, 1]
    # Stopped at step 3, which no execution of 5 steps ends with.
    with pytest.raises(Stopped):
        fit(make_gan(), tmp_path, [StopAt(4)], steps_per_epoch=10)
    resumed = make_gan(steps_per_execution=5)
    fit(resumed, tmp_path, steps_per_epoch=10)
    assert resumed.current_step == 20
    assert digest(resumed) == digest(whole)


def test_settings_without_a_state_do_not_bind(fit, tmp_path):
    """A training that never kept a state leaves the folder to the next."""
    with pytest.raises(Stopped):
        fit(make_gan(), tmp_path, [StopAt(0)])
    assert [path.name for path in (tmp_path / "training").iterdir()] == [
        "settings.json"
    ]
    other = make_gan(gamma=3.0)
    fit(other, tmp_path)
    whole = make_gan(gamma=3.0)
    fit(whole)
    assert digest(other) == digest(whole)


def test_other_settings_are_refused_by_name(fit, data, tmp_path):
    """The error says what differs, and the folder stays as it is."""
    with pytest.raises(Stopped):
        fit(make_gan(), tmp_path, [StopAt(4)])
    folder = tmp_path / "training"
    before = {path: path.read_bytes() for path in folder.iterdir()}
    images = data.images.copy()
    images[0, 0, 0] ^= 1
    other_data = type(data)(images, data.labels)
    renamed = type(data)(data.images, data.labels, ("a", "b", "c"))
    for make, choices, differing in (
        (
            lambda: make_gan(seed=4),
            {},
            "['model: seed']. The model that began it has seed=3: make yours "
            "with it",
        ),
        (lambda: make_gan(gamma=3.0), {}, "['compile: gamma']"),
        (
            lambda: make_gan(g_optimizer=keras.optimizers.Adam(0.01)),
            {},
            "['compile: g_optimizer']",
        ),
        (
            make_gan,
            {"batch_size": 5, "guards": False},
            "['fit: batch_size', 'fit: guards']",
        ),
        (
            make_gan,
            {"x": other_data},
            "['the images, the labels or their order']. Images must come in "
            "the same order too: fit a dataset before it is shuffled, which "
            "`fit` does by itself",
        ),
        (make_gan, {"x": renamed}, "['data: class_names']"),
    ):
        with pytest.raises(ValueError, match="other settings") as error:
            fit(make(), tmp_path, **choices)
        assert str(error.value).endswith(f"where these differ: {differing}")
    vae = ConditionalVAE((8, 8, 1), 3, latent_dim=4, seed=3)
    vae.compile()
    with pytest.raises(ValueError, match="'model: class'"):
        fit(vae, tmp_path)
    assert before == {path: path.read_bytes() for path in folder.iterdir()}


class Fails(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        raise ArithmeticError


def test_a_training_that_fails_before_its_first_step_taught_nothing(
    fit, tmp_path
):
    """Noise is not kept as if it had been learnt."""
    gan = make_gan()
    with pytest.raises(ArithmeticError):
        fit(gan, callbacks=[Fails()])
    with pytest.raises(ValueError, match="has not been trained"):
        gan.save_pretrained(tmp_path / "run")


def test_a_compile_that_fails_leaves_nothing_to_fit(fit):
    """Not a mixture of old choices and new ones."""
    gan = make_gan()
    fit(gan)
    with pytest.raises(ValueError, match="gamma=-1"):
        gan.compile(gamma=-1)
    with pytest.raises(ValueError, match="Call `compile"):
        fit(gan)
    gan.compile(gamma=1)
    fit(gan)


def test_a_finished_training_returns_at_once(fit, tmp_path):
    """No step is taken; the model has the weights of the end."""
    gan = make_gan()
    fit(gan, tmp_path)

    class Never(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            raise AssertionError("a step was taken")

    again = make_gan()
    history = fit(again, tmp_path, [Never()])
    assert history.history == {}
    assert digest(again) == digest(gan)
    assert again.learnt.training["steps"] == 14
    assert (
        again.learnt.training["seconds"] == gan.learnt.training["seconds"] > 0
    )


def test_a_finished_training_can_be_made_longer(fit, tmp_path):
    """With more epochs, from the start or from an epoch on, as in Keras."""
    whole = make_gan()
    fit(whole, epochs=4)
    fit(make_gan(), tmp_path / "a", epochs=2)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    for name, initial_epoch in (("a", 0), ("b", 2)):
        longer = make_gan()
        history = fit(
            longer, tmp_path / name, epochs=4, initial_epoch=initial_epoch
        )
        assert history.epoch == [2, 3]
        assert digest(longer) == digest(whole)


def test_a_model_that_was_trained_before(fit, tmp_path):
    """Its steps count on, and a lost first checkpoint is an error."""
    whole = make_gan()
    fit(whole, epochs=1)
    fit(whole, epochs=1)

    def begun():
        gan = make_gan()
        fit(gan, epochs=1)
        return gan

    with pytest.raises(Stopped):
        fit(begun(), tmp_path, [StopAt(8)], epochs=1)
    with pytest.raises(ValueError, match="began at step 7, and no state"):
        fit(make_gan(), tmp_path, epochs=1)
    with pytest.raises(Stopped):
        fit(begun(), tmp_path, [StopAt(11)], epochs=1)
    # There is a state now, so that a new model will do.
    resumed = make_gan()
    fit(resumed, tmp_path, epochs=1)
    assert resumed.current_step == 14
    assert digest(resumed) == digest(whole)


def test_checkpoints_stay_as_many_as_asked_for(fit, tmp_path):
    """Steps 3, 6, 9, 12 and the last are kept, and of those the newest."""
    fit(make_gan(), tmp_path, keep_checkpoints=2)
    assert sorted(
        path.name for path in (tmp_path / "training").glob("step-*")
    ) == [f"step-{step:09d}.safetensors" for step in (12, 14)]


def test_callbacks_with_notes_are_resumed(fit, tmp_path):
    """They know at the end what they would without a stop or a rollback."""
    whole = [LossHistory(every=3), Noted()]
    fit(make_gan(), callbacks=whole)
    assert whole[1].steps == list(range(1, 15))
    stopped = [LossHistory(every=3), Noted(), StopAt(8)]
    with pytest.raises(Stopped):
        fit(make_gan(), tmp_path, stopped)
    resumed = [LossHistory(every=3), Noted()]
    fit(make_gan(), tmp_path, resumed)
    assert resumed[1].steps == whole[1].steps
    assert resumed[0].losses["step"] == [3, 6, 9, 12]
    for name, values in whole[0].losses.items():
        assert resumed[0].losses[name] == values
    rolled_back = [Noted(), Poison(8)]
    fit(make_gan(), callbacks=rolled_back)
    assert rolled_back[0].steps == whole[1].steps


def test_notes_go_to_callbacks_of_their_kind(fit, tmp_path):
    """Another callback in the place begins anew."""
    with pytest.raises(Stopped):
        fit(make_gan(), tmp_path, [Noted(), StopAt(8)])
    history = LossHistory(every=3)
    fit(make_gan(), tmp_path, [history])
    assert history.losses["step"] == [9, 12]


def test_early_stopping_stops(fit, tmp_path):
    """A callback of Keras's ends the training, which keeps its state."""
    gan = make_gan()
    stop = keras.callbacks.EarlyStopping(
        "d_loss", mode="min", min_delta=1e9, patience=1
    )
    history = fit(gan, tmp_path, [stop], epochs=5)
    assert history.epoch == [0, 1]
    assert gan.current_step == 14
    tensors, _, _ = CheckpointFolder(tmp_path).load_latest()
    assert hash_tensors(tensors) == digest(gan)


def test_history_has_every_epoch_once(fit, tmp_path):
    """Also after a rollback into the middle of an epoch, or a resume."""
    whole = fit(make_gan(), epochs=3)
    assert whole.epoch == [0, 1, 2]
    # From step 19 back to 18, and from step 15 over the border back to 12.
    for step, epochs_as_before in ((19, 2), (14, 1)):
        gan = make_gan()
        poison = Poison(step)
        history = fit(gan, callbacks=[poison], epochs=3)
        assert poison.times == 0
        assert len(gan.learnt.training["rollbacks"]) == 1
        assert history.epoch == [0, 1, 2]
        assert gan.history is history
        for name, values in history.history.items():
            assert len(values) == 3
            assert np.isfinite(values).all()
            np.testing.assert_array_equal(
                values[:epochs_as_before],
                whole.history[name][:epochs_as_before],
            )
    with pytest.raises(Stopped):
        fit(make_gan(), tmp_path, [StopAt(11)], epochs=3)
    resumed = fit(make_gan(), tmp_path, epochs=3)
    assert resumed.epoch == [1, 2]
    assert resumed.history["d_loss"][1] == whole.history["d_loss"][2]


def decaying():
    return make_gan(decay_steps=14)


def scheduled():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 5, 0.5)
    return make_gan(d_optimizer=keras.optimizers.Adam(schedule))


@pytest.mark.parametrize("make", [decaying, scheduled])
def test_a_resume_after_a_rollback_is_exact(fit, tmp_path, make):
    """Stopped after the rollback, before and after the next checkpoint."""
    whole = make()
    fit(whole, callbacks=[Poison(8)])
    assert whole.gentleness_value == 0.5
    for name, stop in (("before", 7), ("after", 10)):
        poison = Poison(8)
        with pytest.raises(Stopped):
            fit(make(), tmp_path / name, [poison, StopAfterRollback(stop)])
        assert poison.times == 0
        resumed = make()
        # What fails by itself fails once more where nothing is known of it.
        again = [Poison(8)] if name == "before" else []
        fit(resumed, tmp_path / name, again)
        assert digest(resumed) == digest(whole)
        rollbacks = resumed.learnt.training["rollbacks"]
        assert rollbacks == whole.learnt.training["rollbacks"]
        assert len(rollbacks) == 1


class StopAfterRollback(StopAt):
    """Ends the training after a step that is taken once more."""

    def on_train_batch_end(self, batch, logs=None):
        if self.model.gentleness_value < 1:
            super().on_train_batch_end(batch, logs)


def test_a_write_that_fails_ends_training(fit, tmp_path, monkeypatch):
    """Its error is the user's, and later the training goes on exactly."""
    whole = make_gan()
    fit(whole)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with pytest.raises(Stopped):
        fit(make_gan(), tmp_path, [StopAt(4)])
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        with pytest.raises(OSError, match="No space left"):
            fit(make_gan(), tmp_path)
    resumed = make_gan()
    fit(resumed, tmp_path)
    assert digest(resumed) == digest(whole)


def test_an_interrupted_training_can_go_on_in_the_process(fit, tmp_path):
    """As in a notebook: the same model, fitted once more."""
    whole = make_gan()
    fit(whole)
    gan = make_gan()
    with pytest.raises(Stopped):
        fit(gan, tmp_path, [StopAt(8)])
    assert gan.learnt.training["steps"] == 8
    fit(gan, tmp_path)
    assert digest(gan) == digest(whole)


def test_resuming_is_logged(fit, tmp_path, said):
    """The log says from where training goes on."""
    with pytest.raises(Stopped):
        fit(make_gan(), tmp_path, [StopAt(8)])
    fit(make_gan(), tmp_path)
    assert said() == ["Training goes on from step 6."]
    fit(make_gan(), tmp_path)
    assert said()[1:] == ["Training was complete; nothing is left to do."]
