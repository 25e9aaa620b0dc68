"""SampleGrids: the same images at every look, as files and for TensorBoard."""

import keras
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

import ganaug
from ganaug.gan import sample_grids
from ganaug.gan.sample_grids import SampleGrids


def make_gan(num_classes=3):
    gan = ganaug.ConditionalGAN(
        (8, 8, 1), num_classes, "mlp", width=8, latent_dim=8, seed=3
    )
    gan.compile()
    return gan


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def drawn(monkeypatch):
    """Collects what is drawn: rows and names of each picture."""
    pictures = []
    draw = sample_grids.save_image_grid

    def save(path, rows, row_names, *args):
        pictures.append((rows, list(row_names)))
        draw(path, rows, row_names, *args)

    monkeypatch.setattr(sample_grids, "save_image_grid", save)
    return pictures


def test_pictures_are_named_by_their_steps(make_images, tmp_path):
    """One for each multiple, and one for the end."""
    grids = SampleGrids(tmp_path / "made" / "grids", every=2)
    make_gan().fit(
        make_images(), steps_per_epoch=5, verbose=0, callbacks=[grids]
    )
    assert names(tmp_path / "made" / "grids") == [
        "step-000002.png",
        "step-000004.png",
        "step-000005.png",
    ]
    with PIL.Image.open(tmp_path / "made/grids/step-000005.png") as picture:
        assert picture.format == "PNG"
        assert np.asarray(picture)[..., :3].std() > 0


def test_all_pictures_are_of_the_same_latents(make_images, tmp_path, drawn):
    """A model that did not change gives the same picture twice."""
    data = make_images(class_names=["cat", "dog", "owl"])
    grids = SampleGrids(tmp_path, every=9, seed=1, num_per_class=5)
    gan = make_gan()
    gan.fit(data, steps_per_epoch=1, verbose=0, callbacks=[grids])
    grids.look(2)
    (first, row_names), (second, _) = drawn
    assert row_names == ["cat", "dog", "owl"]
    assert np.shape(first) == (3, 5, 8, 8, 1)
    np.testing.assert_array_equal(first, second)
    other = SampleGrids(tmp_path, seed=2, num_per_class=5)
    other.set_model(gan)
    other.look(2)
    assert (np.asarray(drawn[-1][0]) != np.asarray(first)).any()


def test_of_many_classes_twenty_are_shown(make_images, tmp_path, drawn):
    """From the first to the last, each by its own name."""
    grids = SampleGrids(tmp_path, num_per_class=2)
    make_gan(num_classes=50).fit(
        make_images([1] * 50), steps_per_epoch=1, verbose=0, callbacks=[grids]
    )
    ((rows, row_names),) = drawn
    assert len(rows) == len(set(row_names)) == 20
    assert (row_names[0], row_names[-1]) == ("0", "49")


def test_a_model_without_classes_fills_a_square(make_images, tmp_path, drawn):
    """As many rows as columns, without names."""
    grids = SampleGrids(tmp_path, num_per_class=3)
    make_gan(num_classes=None).fit(
        make_images().images, steps_per_epoch=1, verbose=0, callbacks=[grids]
    )
    ((rows, row_names),) = drawn
    assert np.shape(rows) == (3, 3, 8, 8, 1)
    assert row_names == [""] * 3


def test_tensorboard_gets_the_pictures(make_images, tmp_path):
    """As its image plugin wants them: width, height and the PNG itself."""
    grids = SampleGrids(
        tmp_path / "grids", every=2, tensorboard_dir=tmp_path / "board"
    )
    make_gan().fit(
        make_images(), steps_per_epoch=4, verbose=0, callbacks=[grids]
    )
    (path,) = (tmp_path / "board").iterdir()
    found = {}
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        event = tf.compat.v1.Event.FromString(record)
        for value in event.summary.value:
            assert value.tag == "samples"
            assert value.metadata.plugin_data.plugin_name == "images"
            found[event.step] = value.tensor.string_val
    assert sorted(found) == [2, 4]
    for step, (width, height, png) in found.items():
        file = tmp_path / "grids" / f"step-{step:06d}.png"
        assert png == file.read_bytes()
        with PIL.Image.open(file) as picture:
            assert picture.size == (int(width), int(height))


def test_a_resumed_training_makes_the_same_pictures(make_images, tmp_path):
    """No step is left out and none is added."""

    class Kill(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.current_step == 5:
                raise InterruptedError

    arguments = {
        "steps_per_epoch": 7,
        "verbose": 0,
        "run_dir": tmp_path / "run",
        "checkpoint_every": 4,
    }
    data = make_images()
    cut = SampleGrids(tmp_path / "cut", every=2)
    with pytest.raises(InterruptedError):
        make_gan().fit(data, **arguments, callbacks=[cut, Kill()])
    cut = SampleGrids(tmp_path / "cut", every=2)
    make_gan().fit(data, **arguments, callbacks=[cut])
    whole = SampleGrids(tmp_path / "whole", every=2)
    make_gan().fit(data, steps_per_epoch=7, verbose=0, callbacks=[whole])
    steps = [f"step-00000{step}.png" for step in (2, 4, 6, 7)]
    assert names(tmp_path / "cut") == names(tmp_path / "whole") == steps
    for name in steps:
        assert (tmp_path / "cut" / name).read_bytes() == (
            tmp_path / "whole" / name
        ).read_bytes()


@pytest.mark.parametrize("name", ["every", "num_per_class"])
def test_numbers_must_be_positive(tmp_path, name):
    """The error names the argument."""
    with pytest.raises(ValueError, match=f"`{name}` must be a positive"):
        SampleGrids(tmp_path, **{name: 0})


def test_a_folder_that_cannot_be_made_is_said_at_once(make_images, tmp_path):
    """Before the first step, not after hours."""
    (tmp_path / "file").write_text("")
    gan = make_gan()
    with pytest.raises(FileExistsError):
        gan.fit(
            make_images(),
            steps_per_epoch=1,
            verbose=0,
            callbacks=[SampleGrids(tmp_path / "file")],
        )
    assert gan.current_step == 0
