"""`ganaug train`, killed for real, and started again."""

import random
import signal
import subprocess
import sys
import time

import pytest
import typer.testing

from ganaug.cli import app
from ganaug.gan.training_state import CheckpointFolder, hash_tensors

TRAIN = (
    *("train", "digits", "--class-counts", "12,9,7,6,5,5,4,4,3,3"),
    *("--architecture", "mlp", "--preset", "tiny", "--seed", "0"),
    # Means of losses are over fewer steps, and 20 would not end at each.
    *("--steps", "400", "--batch-size", "8", "--checkpoint-every", "50"),
    "--out",
)
KILLS = 1
# Seconds that a process may take until its next checkpoint.
PATIENCE = 240


def newest_step(run):
    steps = [
        int(path.stem.removeprefix("step-"))
        for path in (run / "training").glob("step-*.safetensors")
    ]
    return max(steps, default=0)


def start_and_kill(run, seconds):
    """Kills a training so many seconds after its first new checkpoint."""
    before = newest_step(run)
    process = subprocess.Popen(
        [sys.executable, "-m", "ganaug", *TRAIN, str(run)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while newest_step(run) == before and process.poll() is None:
            assert time.monotonic() < deadline, "no checkpoint came"
            time.sleep(0.002)
        time.sleep(seconds)
    finally:
        process.kill()
        errors = process.communicate()[1].decode()
    assert process.returncode == -signal.SIGKILL, errors


def last_state(run):
    return hash_tensors(CheckpointFolder(run).load_latest()[0])


def contents(run):
    """Every file that does not tell how long the training took."""
    return {
        str(path.relative_to(run)): path.read_bytes()
        for path in run.rglob("*")
        if path.is_file()
        and path.name not in ("README.md", "ganaug.json")
        and path.parent.name != "training"
    }


def train(run):
    done = typer.testing.CliRunner().invoke(app, [*TRAIN, str(run)])
    assert done.exit_code == 0, done.stderr
    return done


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_killed_training_ends_as_if_it_had_not_been(tmp_path):
    """The same command goes on with it, to the same bits in every file."""
    random_ = random.Random(0)
    run = tmp_path / "killed"
    for _ in range(KILLS):
        start_and_kill(run, random_.uniform(0, 0.05))
    assert 0 < newest_step(run) < 400
    done = train(run)
    assert "Training goes on from step" in done.stderr
    train(tmp_path / "whole")
    assert last_state(run) == last_state(tmp_path / "whole")
    killed, whole = contents(run), contents(tmp_path / "whole")
    assert set(killed) == set(whole)
    for name in ("weights.safetensors", "losses.csv", "samples.png"):
        assert name in whole
    assert [name for name in whole if killed[name] != whole[name]] == []


def test_other_options_are_refused(tmp_path):
    """The error names them, and the finished run stays as it is."""
    short = [*TRAIN, str(tmp_path / "run"), "--steps", "2"]
    done = typer.testing.CliRunner().invoke(app, short)
    assert done.exit_code == 0, done.stderr
    before = contents(tmp_path / "run")
    done = typer.testing.CliRunner().invoke(app, [*short, "--seed", "1"])
    assert done.exit_code == 1
    assert "these differ: ['model: seed']" in done.stderr
    assert contents(tmp_path / "run") == before


def test_a_kill_before_anything_was_kept(tmp_path):
    """What is left of the first file does not keep the command from it."""
    folder = tmp_path / "run" / "training"
    folder.mkdir(parents=True)
    (folder / "settings.json.123.partial").write_text('{"form')
    done = typer.testing.CliRunner().invoke(
        app, [*TRAIN, str(tmp_path / "run"), "--steps", "2"]
    )
    assert done.exit_code == 0, done.stderr
    assert not list(folder.glob("*.partial"))
    (tmp_path / "other" / "training").mkdir(parents=True)
    (tmp_path / "other" / "training" / "notes.txt").write_text("mine")
    done = typer.testing.CliRunner().invoke(
        app, [*TRAIN, str(tmp_path / "other")]
    )
    assert done.exit_code == 1
    assert "holds something else" in done.stderr
