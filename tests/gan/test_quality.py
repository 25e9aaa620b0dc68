"""QualityMonitor: looks at the right steps, and keeps the best."""

import csv
import math

import keras
import numpy as np
import pytest
import safetensors

import ganaug
from ganaug.data.splits import stratified_split
from ganaug.fidelity.scores import MEASURES
from ganaug.gan.quality import QualityMonitor

HELD_OUT = (8, 6, 4)


def flatten(images):
    """A feature function of a user: the pixels."""
    return images.reshape(len(images), -1) / 255.0


def random_images(class_counts, seed):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(class_counts)), class_counts)
    images = rng.integers(0, 256, (len(labels), 8, 8, 1), np.uint8)
    return ganaug.LabeledImages(images, labels)


@pytest.fixture(scope="module")
def sets():
    """Images to train on, and others."""
    return random_images((6, 4, 2), seed=0), random_images(HELD_OUT, seed=1)


def make_gan(num_classes=3, **kwargs):
    gan = ganaug.ConditionalGAN(
        (8, 8, 1), num_classes, "mlp", width=8, latent_dim=8, seed=3
    )
    gan.compile(**kwargs)
    return gan


def make_monitor(sets, **kwargs):
    kwargs = {"extractor": flatten, "num_images": 18, **kwargs}
    return QualityMonitor(*sets, **kwargs)


def script(monitor, values):
    """Lets the monitor measure what is written, by step, and all alike."""

    def score(model):
        return dict.fromkeys(MEASURES, values[model.current_step])

    monitor._scores.score = score
    return monitor


class Recorder(keras.callbacks.Callback):
    """Remembers the averaged generator at each step, and may end training."""

    def __init__(self, kill_at=None, poison_at=None):
        super().__init__()
        self.weights = {}
        self.kill_at = kill_at
        self.poison_at = poison_at

    def on_train_batch_end(self, batch, logs=None):
        step = self.model.current_step
        self.weights[step] = self.model.ema_generator.get_weights()
        if step == self.kill_at:
            raise Killed
        if step == self.poison_at:
            self.poison_at = None
            weight = self.model.generator.trainable_weights[0]
            weight.assign(weight * math.nan)


class Killed(Exception):
    """Training is cut short."""


def assert_weights(network, expected):
    for weight, value in zip(network.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_looks_come_at_multiples_and_at_the_ends(sets):
    """Each `every` steps, after the first epoch, and after the last step."""
    monitor = make_monitor(sets, every=4)
    gan = make_gan()
    fit = gan.fit(
        sets[0], steps_per_epoch=3, epochs=3, verbose=0, callbacks=[monitor]
    )
    assert monitor.history["step"] == [3, 4, 8, 9]
    assert set(monitor.history) == {"step", *MEASURES}
    # Each epoch's logs have what was measured last.
    for name in set(MEASURES) - {"label_fidelity"}:
        values = monitor.history[name]
        assert fit.history[f"quality_{name}"] == [
            values[0],
            values[1],
            values[3],
        ]
    # A function of the user's recognizes no class.
    assert monitor.history["label_fidelity"] == [None] * 4
    assert "quality_label_fidelity" not in fit.history


def test_several_steps_per_execution_cross_a_multiple(sets):
    """A look comes at the first step that can be seen after it."""
    monitor = make_monitor(sets, every=3)
    gan = make_gan(steps_per_execution=2)
    gan.fit(sets[0], steps_per_epoch=8, verbose=0, callbacks=[monitor])
    assert monitor.history["step"] == [4, 6, 8]


def test_it_counts_the_steps_of_the_model(sets):
    """In a later fit, multiples are those of all its steps."""
    gan = make_gan()
    gan.fit(sets[0], steps_per_epoch=5, verbose=0)
    monitor = make_monitor(sets, every=4)
    gan.fit(sets[0], steps_per_epoch=5, verbose=0, callbacks=[monitor])
    assert monitor.history["step"] == [8, 10]


@pytest.mark.parametrize(
    "measure,best", [("kernel_distance", 6), ("coverage", 2)]
)
def test_the_best_by_the_measure_is_kept(sets, measure, best, tmp_path):
    """Distances are best where small, coverage where large; NaN is never."""
    values = {1: math.nan, 2: 3.0, 3: math.nan, 4: 2.0, 5: 2.0, 6: 1.0, 7: 1.5}
    monitor = script(
        make_monitor(sets, every=1, measure=measure, folder=tmp_path / "q"),
        values,
    )
    recorder = Recorder()
    gan = make_gan()
    gan.fit(
        sets[0], steps_per_epoch=7, verbose=0, callbacks=[monitor, recorder]
    )
    assert (monitor.best_step, monitor.best_value) == (best, values[best])
    before = gan.generator.get_weights()
    # Training itself never goes back.
    assert_weights(gan.ema_generator, recorder.weights[7])
    monitor.restore_best(gan)
    assert_weights(gan.ema_generator, recorder.weights[best])
    assert_weights(gan.generator, before)
    assert gan.current_step == 7
    assert (tmp_path / "q" / "best.safetensors").is_file()


def test_there_is_a_best_only_after_a_look(sets):
    """The error says that nothing was kept yet."""
    monitor = make_monitor(sets)
    assert monitor.best_step is None
    assert monitor.best_value is None
    with pytest.raises(ValueError, match=r"kept yet.*best_step=None"):
        monitor.restore_best(make_gan())


def test_the_best_fits_its_own_network_alone(sets):
    """Weights do not go into a generator of another shape."""
    monitor = make_monitor(sets)
    make_gan().fit(sets[0], steps_per_epoch=1, verbose=0, callbacks=[monitor])
    other = ganaug.ConditionalGAN((8, 8, 1), 3, "mlp", latent_dim=9)
    with pytest.raises(ValueError, match="another model"):
        monitor.restore_best(other)


VALUES = {2: 5.0, 4: 4.0, 5: 3.7, 6: 3.0, 8: 2.0, 10: 3.5}


def train_in(path, sets, recorder=None, values=VALUES, **kwargs):
    monitor = script(
        make_monitor(sets, every=2, folder=path / "quality", **kwargs), values
    )
    gan = make_gan()
    callbacks = [monitor] if recorder is None else [monitor, recorder]
    arguments = {
        "steps_per_epoch": 5,
        "epochs": 2,
        "verbose": 0,
        "callbacks": callbacks,
        "run_dir": path / "run",
        "checkpoint_every": 4,
    }
    if recorder is not None and recorder.kill_at is not None:
        with pytest.raises(Killed):
            gan.fit(sets[0], **arguments)
    else:
        gan.fit(sets[0], **arguments)
    return gan, monitor


@pytest.fixture(scope="module")
def whole(sets, tmp_path_factory):
    """A training that was never stopped: its best weights, its monitor."""
    gan, monitor = train_in(tmp_path_factory.mktemp("whole"), sets)
    monitor.restore_best(gan)
    return gan.ema_generator.get_weights(), monitor


@pytest.mark.parametrize("kill_at", [3, 4, 7, 9])
def test_a_resumed_training_measures_what_one_without_a_stop_does(
    sets, whole, tmp_path, kill_at
):
    """Same looks, same best, wherever it was cut."""
    best_weights, monitor = whole
    train_in(tmp_path, sets, Recorder(kill_at=kill_at))
    gan, resumed = train_in(tmp_path, sets)
    assert resumed.history["step"] == [2, 4, 6, 8, 10]
    assert resumed.history == monitor.history
    assert resumed.best_step == monitor.best_step == 8
    resumed.restore_best(gan)
    assert_weights(gan.ema_generator, best_weights)


def test_an_ended_training_still_has_its_best(sets, tmp_path):
    """Fitting again with the same folder trains nothing and finds it."""
    _, first = train_in(tmp_path, sets)
    gan, again = train_in(tmp_path, sets)
    assert again.history == first.history
    again.restore_best(gan)
    assert again.best_step == 8


def test_the_best_before_a_checkpoint_is_there_after_a_kill(
    sets, tmp_path, said
):
    """Though the file has been overwritten by a better one since."""
    # Of the best the state kept at step 4 knows step 4; step 6 was better.
    recorder = Recorder(kill_at=7)
    train_in(tmp_path, sets, recorder)
    worse = {**VALUES, 6: 9.0, 8: 9.0, 10: 9.0}
    gan, monitor = train_in(tmp_path, sets, values=worse)
    assert monitor.best_step == 4
    monitor.restore_best(gan)
    assert_weights(gan.ema_generator, recorder.weights[4])
    assert not any("best generator" in message for message in said())


def test_a_lost_best_is_said(sets, tmp_path, caplog):
    """Training goes on, and the best from there on is kept."""
    train_in(tmp_path, sets, Recorder(kill_at=9))
    for path in (tmp_path / "quality").iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    _, monitor = train_in(tmp_path, sets)
    assert "of step 8 with 2, is not in" in caplog.text
    assert monitor.best_step == 10
    assert monitor.history["step"] == [2, 4, 6, 8, 10]


def test_other_settings_begin_a_new_history(sets, tmp_path, caplog):
    """Measures of other images cannot be compared."""
    train_in(tmp_path, sets, Recorder(kill_at=7))
    _, monitor = train_in(tmp_path, sets, num_images=20)
    assert "in another way" in caplog.text
    assert monitor.history["step"] == [5, 6, 8, 10]


@pytest.mark.parametrize("in_files", [False, True])
def test_a_rollback_takes_the_measures_back(sets, tmp_path, in_files):
    """What failed is in no history, and is no best."""
    folder = tmp_path if in_files else None
    values = {2: 5.0, 4: 1.0, 6: 0.5, 8: 2.0, 10: 3.5}
    monitor = script(make_monitor(sets, every=2, folder=folder), values)
    recorder = Recorder(poison_at=7)

    class Worse(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.current_step == 7:
                values[6] = 3.0

    gan = make_gan()
    gan.fit(
        sets[0],
        steps_per_epoch=10,
        verbose=0,
        callbacks=[monitor, recorder, Worse()],
        checkpoint_every=4,
    )
    assert len(gan.learnt.training["rollbacks"]) == 1
    assert monitor.history["step"] == [2, 4, 6, 8, 10]
    assert monitor.history["coverage"] == [5.0, 1.0, 3.0, 2.0, 3.5]
    assert monitor.best_step == 4
    monitor.restore_best(gan)
    assert_weights(gan.ema_generator, recorder.weights[4])
    if in_files:
        path = tmp_path / "best.safetensors"
        with safetensors.safe_open(path, "numpy") as file:
            assert file.metadata()["step"] == "4"


def test_early_stopping_and_logs_see_the_measures(sets, tmp_path):
    """Coverage stops training, and all measures are in the CSV file."""
    # The last look comes where the logs of the last epoch can have it.
    values = dict(enumerate([0.1, 0.3, 0.2, 0.2, 0.2, 0.9], 1))
    values = {3 * step: value for step, value in values.items()}
    monitor = script(make_monitor(sets, every=3), values)
    gan = make_gan()
    fit = gan.fit(
        sets[0],
        steps_per_epoch=3,
        epochs=6,
        verbose=0,
        callbacks=[
            monitor,
            keras.callbacks.EarlyStopping(
                "quality_coverage", mode="max", patience=2
            ),
            keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        ],
    )
    assert gan.current_step == 12
    assert fit.history["quality_coverage"] == [0.1, 0.3, 0.2, 0.2]
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["quality_coverage"]) for row in rows] == [
        0.1,
        0.3,
        0.2,
        0.2,
    ]


def test_a_stop_between_multiples_is_measured(sets):
    """The generator that training ended with is in the history."""
    monitor = make_monitor(sets, every=100)

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = self.model.current_step == 7

    gan = make_gan()
    gan.fit(
        sets[0],
        steps_per_epoch=5,
        epochs=9,
        verbose=0,
        callbacks=[monitor, Stop()],
    )
    assert gan.current_step >= 7
    assert monitor.history["step"] == [5, gan.current_step]


@pytest.mark.parametrize(
    "arguments,message",
    [
        ({"every": 0}, "`every` must be a positive integer"),
        ({"num_images": 2.5}, "`num_images` must be a positive integer"),
        ({"num_images": 5}, "`num_images` must be at least 6"),
        ({"measure": "beauty"}, "`measure` must be one of"),
        ({"measure": "label_fidelity"}, "needs a classifier"),
        ({"seed": -1}, "`seed` must be"),
    ],
)
def test_wrong_arguments_are_refused(sets, arguments, message):
    """Before any training, by the argument's name."""
    with pytest.raises(ValueError, match=message):
        make_monitor(sets, **arguments)


def test_a_model_without_classes_has_no_label_fidelity(sets):
    """The best cannot be chosen by it."""
    monitor = make_monitor(sets, measure="label_fidelity", extractor=None)
    gan = make_gan(num_classes=None)
    with pytest.raises(ValueError, match="no label fidelity"):
        gan.fit(
            sets[0].images, steps_per_epoch=1, verbose=0, callbacks=[monitor]
        )


def test_a_model_may_not_be_trained_on_held_out_images(sets):
    """Said before the first step."""
    train, held_out = sets
    both = ganaug.LabeledImages(
        np.concatenate([train.images, held_out.images[3:5]]),
        np.concatenate([train.labels, held_out.labels[3:5]]),
    )
    gan = make_gan()
    with pytest.raises(ValueError, match="2 images that are in the training"):
        gan.fit(
            both, steps_per_epoch=1, verbose=0, callbacks=[make_monitor(sets)]
        )
    assert gan.current_step == 0


def test_it_is_for_models_of_ganaug(sets):
    """Keras's own have no averaged generator."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    with pytest.raises(TypeError, match="a Sequential"):
        model.fit(
            np.zeros((4, 2)),
            np.zeros((4, 1)),
            verbose=0,
            callbacks=[make_monitor(sets)],
        )


def test_quality_rises_while_digits_are_learnt():
    """Coverage rises, and kernel distance falls, in 200 steps."""
    data = ganaug.load_data("digits").train
    train, held_out = stratified_split(data, 40, seed=0)
    monitor = QualityMonitor(train, held_out, every=40, num_images=400)
    gan = ganaug.ConditionalGAN((8, 8, 1), 10, width=8, seed=0)
    gan.compile()
    gan.fit(train, steps_per_epoch=200, verbose=0, callbacks=[monitor])
    assert monitor.history["step"] == [40, 80, 120, 160, 200]
    distances = monitor.history["kernel_distance"]
    assert distances[-1] < distances[0] / 2
    assert monitor.history["coverage"][-1] > monitor.history["coverage"][0]
    assert monitor.best_value == min(distances)
