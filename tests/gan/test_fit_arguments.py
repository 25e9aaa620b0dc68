"""Arguments of `fit`: checked, and what they come to."""

import json
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganaug
from ganaug.gan.fit_arguments import FitArguments


def arguments(**choices):
    return FitArguments(
        **{
            "batch_size": 4,
            "epochs": 3,
            "initial_epoch": 0,
            "steps_per_epoch": None,
            "class_balanced": True,
            "verbose": 0,
            "callbacks": (),
            "run_dir": None,
            "checkpoint_every": 250,
            "keep_checkpoints": 3,
            "guards": True,
            "max_rollbacks": 3,
            **choices,
        }
    )


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("batch_size", 1, (0, 1.5, True, None)),
        ("epochs", 1, (0, "2")),
        ("steps_per_epoch", 1, (0, -1, 2.0)),
        ("checkpoint_every", 1, (0, None)),
        ("keep_checkpoints", 1, (0,)),
        ("initial_epoch", 0, (-1, 0.0, None)),
        ("max_rollbacks", 0, (-1, 1.5, None, True)),
    ],
)
def test_numbers_are_checked(name, good, bad):
    """The smallest one will do; what is no such number is named."""
    assert getattr(arguments(**{name: good}), name) == good
    for number in bad:
        with pytest.raises(ValueError, match=f"Received: {name}={number!r}"):
            arguments(**{name: number})


@pytest.mark.parametrize("number", [-1, 1.5, None, True])
def test_fit_checks_before_it_reads_data(number):
    """Whatever the data are."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 2, "mlp", width=4, latent_dim=4)
    gan.compile()
    with pytest.raises(ValueError, match=f"max_rollbacks={number}"):
        gan.fit("no data", max_rollbacks=number)


@pytest.mark.parametrize(
    ("num_images", "given", "steps"),
    [(8, None, 2), (9, None, 3), (1, None, 1), (9, 50, 50)],
)
def test_an_epoch_is_a_pass_by_default(num_images, given, steps):
    """As many batches as all images make, the last of them not full."""
    filled = arguments(steps_per_epoch=given).for_data(num_images)
    assert filled.steps_per_epoch == steps
    assert filled.num_steps == 3 * steps


def test_epochs_that_were_trained_before_do_not_count():
    """As in Keras, `epochs` is where to stop."""
    later = arguments(epochs=7, initial_epoch=5, steps_per_epoch=10)
    assert (later.num_epochs, later.num_steps) == (2, 20)


def test_settings_are_plain():
    """NumPy's numbers are written to a file like others."""
    plain = arguments(batch_size=4, steps_per_epoch=10).settings()
    numpy = arguments(
        batch_size=np.int64(4),
        steps_per_epoch=np.int32(10),
        max_rollbacks=np.int64(3),
    )
    assert json.loads(json.dumps(numpy.settings())) == plain
    assert plain["batch_size"] == 4


def test_callbacks_and_places_are_no_settings():
    """A training goes on with other ones."""
    other = arguments(
        callbacks=(keras.callbacks.Callback(),),
        epochs=9,
        run_dir="elsewhere",
        verbose=1,
        keep_checkpoints=1,
    )
    assert other.settings() == arguments().settings()


def test_several_workers_are_refused():
    """Keras's own words for it are a page of arrays."""
    model = mock.Mock(
        steps_per_execution=1,
        distribute_strategy=mock.Mock(
            spec=tf.distribute.MultiWorkerMirroredStrategy
        ),
    )
    with pytest.raises(ValueError, match="`train_step` in a loop of your own"):
        arguments().check_model(model)
