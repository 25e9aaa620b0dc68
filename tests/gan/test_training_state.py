"""What a training goes on from: whole, or the one before."""

import errno
import json
import logging
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import ganaug
from ganaug.gan.conditional_vae import ConditionalVAE
from ganaug.gan.conditional_vae_gan import ConditionalVAEGAN
from ganaug.gan.training_state import (
    CheckpointFolder,
    hash_tensors,
    restore,
    snapshot,
    variables,
)


def make_gan(architecture="mlp", width=8, seed=3, **choices):
    gan = ganaug.ConditionalGAN(
        (8, 8, 1), 3, architecture, width=width, latent_dim=4, seed=seed
    )
    gan.compile(**choices)
    return gan


def state_of(step):
    """A small state and notes that tell the step."""
    tensors = {
        "generator/0000": np.full((3, 2), step, np.float32),
        "state/0000": np.array(step, np.int64),
    }
    return tensors, {"seconds": step / 2, "rollbacks": []}


def save(folder, *steps):
    for step in steps:
        tensors, notes = state_of(step)
        folder.save(tensors, step, notes)


def files(folder):
    return sorted(path.name for path in folder.path.iterdir())


def name_of(step):
    return f"step-{step:09d}.safetensors"


def assert_is(loaded, step):
    tensors, notes, _ = loaded
    expected, expected_notes = state_of(step)
    assert notes == expected_notes
    assert hash_tensors(tensors) == hash_tensors(expected)


def test_restore_puts_back_what_snapshot_copied(make_images):
    """Networks, average, optimizers and counters: all, to the last bit."""
    gan = make_gan(augment_probability="adaptive", decay_steps=9)
    before = snapshot(gan)
    gan.fit(make_images(), batch_size=4, steps_per_epoch=3, verbose=0)
    after = snapshot(gan)
    groups = {key.split("/")[0] for key in before}
    assert groups == {
        *("generator", "discriminator", "ema_generator"),
        *("d_optimizer", "g_optimizer", "state"),
    }
    changed = {
        key.split("/")[0] for key in before if (before[key] != after[key]).any()
    }
    assert changed == groups
    restore(gan, before)
    assert hash_tensors(snapshot(gan)) == hash_tensors(before)
    # Training on changes no copy.
    restore(gan, after)
    kept = hash_tensors(before)
    gan.fit(make_images(), batch_size=4, steps_per_epoch=1, verbose=0)
    assert hash_tensors(before) == kept


@pytest.mark.parametrize(
    "make",
    [
        lambda: ganaug.ConditionalGAN(
            (8, 8, 1), 3, "dcgan", width=4, latent_dim=4, seed=0
        ),
        lambda: ConditionalVAE((8, 8, 1), 3, latent_dim=4, seed=0),
        lambda: ConditionalVAEGAN(
            (8, 8, 1), 3, "mlp", latent_dim=4, width=8, seed=0
        ),
    ],
)
def test_no_variable_is_left_out(make):
    """Every weight of every model is kept, averages and statistics too."""
    model = make()
    model.compile()
    kept = {id(variable) for variable in variables(model).values()}
    metrics = {
        id(variable)
        for metric in model.metrics
        for variable in metric.variables
    }
    left_out = [
        variable.path
        for variable in (*model.variables, *model.non_trainable_variables)
        if id(variable) not in kept | metrics
    ]
    assert not left_out


def test_restore_refuses_another_models_state():
    """Other sizes, or another number of tensors, are an error."""
    gan = make_gan()
    with pytest.raises(ValueError, match="of the same networks and optim"):
        restore(gan, snapshot(make_gan(width=9)))
    tensors = snapshot(gan)
    tensors.pop("state/0000")
    before = hash_tensors(snapshot(gan))
    with pytest.raises(ValueError, match=f"{len(tensors)} tensors for"):
        restore(gan, tensors)
    assert hash_tensors(snapshot(gan)) == before


def test_save_and_load(tmp_path):
    """A state comes back with its notes, from the newest file."""
    folder = CheckpointFolder(tmp_path / "run")
    assert folder.read_settings() is None
    assert folder.load_latest() == (None, {}, [])
    save(folder, 5, 10)
    loaded = folder.load_latest()
    assert_is(loaded, 10)
    assert loaded[2] == []
    assert loaded[0]["state/0000"].shape == ()


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_the_last_few_are_kept(tmp_path, keep):
    """`keep` states stay, and nothing else."""
    folder = CheckpointFolder(tmp_path, keep)
    save(folder, 5, 10, 999, 1000)
    steps = (5, 10, 999, 1000)[-keep:]
    assert files(folder) == [name_of(step) for step in steps]


def spoil_empty(blob):
    return b""


def spoil_cut(blob):
    return blob[:-1]


def spoil_bit(blob):
    return blob[:-3] + bytes([blob[-3] ^ 16]) + blob[-2:]


def spoil_notes(blob):
    assert blob.count(b"seconds") == 1
    return blob.replace(b"seconds", b"secondz")


def spoil_format(blob):
    return blob.replace(b"ganaug-training-state", b"ganaug-training-statE")


@pytest.mark.parametrize(
    "spoil",
    [
        *(spoil_empty, spoil_cut, spoil_bit, spoil_notes, spoil_format),
        lambda blob: b"\xff" * len(blob),
        lambda blob: blob + b"\0",
    ],
)
def test_a_broken_state_is_passed_over(tmp_path, spoil):
    """The one before is used, and the broken one named."""
    folder = CheckpointFolder(tmp_path)
    save(folder, 5, 10, 15)
    newest = folder.path / name_of(15)
    newest.write_bytes(spoil(newest.read_bytes()))
    loaded = folder.load_latest()
    assert_is(loaded, 10)
    assert loaded[2] == [name_of(15)]


def test_no_flipped_bit_goes_unnoticed(tmp_path):
    """Wherever a bit of the file flips: either no harm, or passed over."""
    folder = CheckpointFolder(tmp_path)
    save(folder, 5)
    path = folder.path / name_of(5)
    blob = path.read_bytes()
    passed_over = 0
    for place in range(len(blob)):
        flipped = bytearray(blob)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        loaded = folder.load_latest()
        if loaded[0] is None:
            passed_over += 1
        else:
            assert_is(loaded, 5)
    assert passed_over > 0.9 * len(blob)


def test_a_broken_state_crowds_out_no_good_one(tmp_path):
    """Where all have to be made anew, broken ones of later steps go."""
    folder = CheckpointFolder(tmp_path, keep=1)
    save(folder, 50)
    (folder.path / name_of(50)).write_bytes(b"broken")
    assert folder.load_latest() == (None, {}, [name_of(50)])
    save(folder, 10)
    assert_is(folder.load_latest(), 10)
    assert files(folder) == [name_of(10)]


def full_disk(*arguments, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("failing", ["replace", "fsync", "open"])
def test_a_full_disk_leaves_the_states_before(tmp_path, monkeypatch, failing):
    """Wherever writing fails, earlier states stay and nothing half-written."""
    folder = CheckpointFolder(tmp_path)
    save(folder, 5, 10)
    before = files(folder)
    with monkeypatch.context() as patch:
        if failing == "open":
            patch.setattr(pathlib.Path, "open", full_disk)
        else:
            patch.setattr(os, failing, full_disk)
        with pytest.raises(OSError, match="No space left"):
            save(folder, 15)
    assert files(folder) == before
    assert_is(folder.load_latest(), 10)
    save(folder, 15)
    assert_is(folder.load_latest(), 15)


WRITE_TOO_MUCH = """
import resource, sys
import numpy as np
from ganaug.gan.training_state import CheckpointFolder

folder = CheckpointFolder(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
folder.save({"a": np.zeros(1000, np.float32)}, 5, {})
try:
    folder.save({"a": np.zeros(100_000, np.float32)}, 10, {})
except OSError as error:
    print(error.strerror)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_a_write_that_really_fails(tmp_path):
    """A file that the system cuts short leaves no trace."""
    done = subprocess.run(
        [sys.executable, "-c", WRITE_TOO_MUCH, tmp_path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == os.strerror(errno.EFBIG)
    folder = CheckpointFolder(tmp_path)
    assert files(folder) == [name_of(5)]
    assert folder.load_latest()[0]["a"].shape == (1000,)


def test_what_a_kill_left_half_written_is_removed(tmp_path):
    """The next state that is written clears it away."""
    folder = CheckpointFolder(tmp_path)
    save(folder, 5)
    (folder.path / f"{name_of(10)}.123.partial").write_bytes(b"half")
    loaded = folder.load_latest()
    assert_is(loaded, 5)
    assert loaded[2] == []
    save(folder, 10)
    assert files(folder) == [name_of(5), name_of(10)]


def test_settings(tmp_path):
    """Settings come back, with the format and the version in the file."""
    folder = CheckpointFolder(tmp_path)
    folder.write_settings({"begun_at": 0, "settings": {"fit": {}}})
    assert folder.read_settings() == {
        "begun_at": 0,
        "settings": {"fit": {}},
        "format": "ganaug-training-state",
        "ganaug": ganaug.__version__,
    }
    assert files(folder) == ["settings.json"]


@pytest.mark.parametrize(
    "garbage", [b"", b"{", b"\xff\xfe", b"[]", b"3", b'{"format": "other"}']
)
def test_settings_that_are_garbage(tmp_path, garbage):
    """They are an error that says what to do, not a training begun anew."""
    folder = CheckpointFolder(tmp_path)
    folder.path.mkdir()
    (folder.path / "settings.json").write_bytes(garbage)
    with pytest.raises(ValueError, match=r"Remove the folder.*settings\.json"):
        folder.read_settings()


def test_remains_of_a_kill_before_the_settings(tmp_path):
    """They are removed, and nothing that is somebody's."""
    folder = CheckpointFolder(tmp_path)
    folder.remove_remains()
    folder.path.mkdir()
    half = folder.path / "settings.json.123.partial"
    half.write_text('{"form')
    folder.remove_remains()
    assert not folder.path.exists()
    folder.path.mkdir()
    (folder.path / "notes.txt").write_text("mine")
    folder.remove_remains()
    assert files(folder) == ["notes.txt"]
    folder.write_settings({})
    half.write_text('{"form')
    folder.remove_remains()
    assert half.exists()


def test_fit_says_which_state_was_broken(make_images, tmp_path, caplog):
    """The log names it, and the training ends as if nothing had been."""

    def fit(epochs, run_dir=None):
        gan = make_gan()
        gan.fit(
            make_images(),
            batch_size=4,
            steps_per_epoch=4,
            epochs=epochs,
            verbose=0,
            run_dir=run_dir,
            checkpoint_every=2,
        )
        return hash_tensors(snapshot(gan))

    fit(2, tmp_path)
    path = tmp_path / "training" / name_of(8)
    path.write_bytes(path.read_bytes()[:-1])
    with caplog.at_level(logging.INFO, "ganaug"):
        resumed = fit(3, tmp_path)
    assert f"not whole: {name_of(8)}" in caplog.text
    assert "goes on from step 6" in caplog.text
    assert resumed == fit(3)
    settings = json.loads((tmp_path / "training/settings.json").read_text())
    assert settings["begun_at"] == 0
