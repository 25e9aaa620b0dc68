"""Keras's own callbacks in `fit`."""

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import (
    EventAccumulator,
)

import ganaug
from ganaug.gan.sample_grids import SampleGrids


class Poison(keras.callbacks.Callback):
    """Puts NaN in the generator, once."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if self.model.current_step == self.step:
            self.step = None
            weight = self.model.generator.trainable_variables[0]
            weight.assign(np.full(weight.shape, np.nan))


def make_model(model_class=ganaug.ConditionalGAN):
    model = model_class(
        (8, 8, 1), 3, architecture="mlp", width=8, latent_dim=4, seed=3
    )
    model.compile()
    return model


def read_board(folder):
    """What TensorBoard shows: by name, pairs of an epoch and a number."""
    board = EventAccumulator(str(folder))
    board.Reload()
    return {
        name: [
            (event.step, float(tf.make_ndarray(event.tensor_proto)))
            for event in board.Tensors(name)
        ]
        for name in board.Tags()["tensors"]
    }


@pytest.mark.parametrize(
    "model_class", [ganaug.ConditionalGAN, ganaug.ConditionalVAE]
)
def test_tensorboard_shows_every_loss_of_every_epoch(
    make_images, tmp_path, model_class
):
    """The numbers of the history, to the bit."""
    model = make_model(model_class)
    history = model.fit(
        make_images(),
        steps_per_epoch=2,
        epochs=3,
        verbose=0,
        callbacks=[keras.callbacks.TensorBoard(tmp_path)],
    )
    shown = read_board(tmp_path / "train")
    # Keras knows of the one optimizer of a VAE.
    shown.pop("epoch_learning_rate", None)
    names = {metric.name for metric in model.metrics}
    assert set(history.history) == names
    assert shown == {
        f"epoch_{name}": list(enumerate(history.history[name]))
        for name in names
    }


def test_tensorboard_shows_each_epoch_once_after_a_rollback(
    make_images, tmp_path
):
    """Those that were kept, and not those that were taken again."""
    model = make_model()
    history = model.fit(
        make_images(),
        steps_per_epoch=3,
        epochs=3,
        verbose=0,
        checkpoint_every=2,
        callbacks=[keras.callbacks.TensorBoard(tmp_path), Poison(5)],
    )
    assert len(model.learnt.training["rollbacks"]) == 1
    assert read_board(tmp_path / "train")["epoch_d_loss"] == list(
        enumerate(history.history["d_loss"])
    )


def test_tensorboard_shows_the_pictures(make_images, tmp_path):
    """Among its images, by the step."""
    grids = SampleGrids(
        tmp_path / "grids", every=2, tensorboard_dir=tmp_path / "board"
    )
    make_model().fit(
        make_images(), steps_per_epoch=4, verbose=0, callbacks=[grids]
    )
    board = EventAccumulator(str(tmp_path / "board"))
    board.Reload()
    metadata = board.SummaryMetadata("samples")
    assert metadata.plugin_data.plugin_name == "images"
    events = board.Tensors("samples")
    assert [event.step for event in events] == [2, 4]
    for event in events:
        _, _, png = tf.make_ndarray(event.tensor_proto)
        file = tmp_path / "grids" / f"step-{event.step:06d}.png"
        np.testing.assert_array_equal(
            tf.io.decode_png(png), tf.io.decode_png(file.read_bytes())
        )


def test_several_callbacks_see_the_same_losses(make_images, tmp_path):
    """One ends the training; the others have logged it till then."""
    history = make_model().fit(
        make_images(),
        steps_per_epoch=2,
        epochs=9,
        verbose=0,
        callbacks=[
            keras.callbacks.TensorBoard(tmp_path),
            keras.callbacks.CSVLogger(tmp_path / "log.csv"),
            # No loss can be better than the first by so much.
            keras.callbacks.EarlyStopping(
                "g_loss", mode="min", min_delta=1e9, patience=2
            ),
        ],
    )
    assert history.epoch == [0, 1, 2]
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    shown = read_board(tmp_path / "train")
    for name, losses in history.history.items():
        assert [float(row[name]) for row in rows] == losses
        assert shown[f"epoch_{name}"] == list(enumerate(losses))
