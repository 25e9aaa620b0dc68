"""The command line: what it prints, writes and refuses."""

import json
import re
import subprocess
import sys
import typing

import keras
import numpy as np
import pytest
import tensorflow as tf
import typer.testing
from PIL import Image

import ganaug.commands.evaluate as evaluate_command
import ganaug.commands.train
from ganaug import artifact
from ganaug.cli import app, options
from ganaug.evaluate.arms import (
    BASELINE,
    CLASSIC,
    all_controls,
    default_controls,
)
from ganaug.evaluate.classifiers import CLASSIFIERS
from ganaug.fidelity.scores import MEASURES
from ganaug.gan.architectures import ARCHITECTURES
from ganaug.gan.latent_kinds import LATENTS
from ganaug.gan.losses import LOSSES
from ganaug.gan.presets import PRESETS


def ganaug_command(*arguments):
    return typer.testing.CliRunner().invoke(app, [str(a) for a in arguments])


# Balanced data have half as many controls.
COUNTS = "5,5,5,5,5,5,5,5,5,5"


@pytest.fixture
def linear_classifier(monkeypatch, linear):
    """The smallest classifier in place of the default one."""
    monkeypatch.setitem(evaluate_command.CLASSIFIERS, "cnn", linear)


@pytest.fixture
def two_controls(monkeypatch):
    """Two of the default controls."""

    def two(*args, **kwargs):
        every = default_controls(*args, **kwargs)
        return {name: every[name] for name in (BASELINE, CLASSIC)}

    monkeypatch.setattr("ganaug.commands.controls.default_controls", two)


def test_train_sample_evaluate(tmp_path, linear_classifier, two_controls):
    """The three commands in a row, as in the README."""
    run = tmp_path / "run"
    done = ganaug_command(
        *("train", "digits", "--out", run, "--steps", 3, "--seed", 5),
        *("--class-counts", COUNTS, "--json"),
    )
    assert done.exit_code == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["steps"], result["seed"]) == (3, 5)
    assert result["num_images"] == 50
    assert "training 3/3 steps d_loss 0." in done.stderr
    assert "images/s" in done.stderr
    assert {path.name for path in run.iterdir()} == {
        *("README.md", "ganaug.json", "samples.png", "weights.safetensors"),
        *("losses.csv", "losses.png", "grids", "training"),
    }
    assert (
        "training a gan: architecture r3gan, preset tiny, float32, seed 5, "
        "3 steps of 64 out of 50 images of 10 classes"
    ) in " ".join(done.stderr.split())
    lines = (run / "losses.csv").read_text().splitlines()
    assert lines[0] == "step,d_loss,g_loss"
    assert [line[:4] for line in lines[1:]] == ["1,0.", "2,0.", "3,0."]

    grid = tmp_path / "pictures" / "grid.png"
    done = ganaug_command(
        *("sample", run, "--class", "7", "--num", 23, "--out", grid, "--json")
    )
    assert done.exit_code == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["classes"], result["num"]) == (["7"], 23)
    with Image.open(grid) as picture:
        # Three rows of at most ten.
        assert picture.width > 2 * picture.height

    out = tmp_path / "report"
    done = ganaug_command(
        *("evaluate", run, "digits", "--class-counts", COUNTS, "--json"),
        *("--seeds", 1, "--steps", 5, "--ratio", 0.5, "--out", out),
    )
    assert done.exit_code == 0, done.stderr
    result = json.loads(done.stdout)
    files = result.pop("files")
    assert result == json.loads((out / "report.json").read_text())
    assert files["report_html"] == str(out / "report.html")
    assert [arm["name"] for arm in result["arms"]] == [
        *(BASELINE, CLASSIC),
        "classic + GAN",
        "best control + GAN",
        "real + GAN",
        "synthetic only",
    ]
    assert result["about"]["ratio"] == 0.5
    assert result["settings"]["train_images_per_class"][0] == 5
    # 2 controls to choose among and to test, two arms, and two references.
    assert "evaluating 8/8 trainings" in done.stderr
    assert result["chosen_control"] in [
        arm["name"] for arm in result["arms"] if arm["role"] == "control"
    ]
    assert result["samples"]["memorization"]["verdict"]
    assert "data:image/png" in (out / "report.html").read_text("utf-8")
    assert "| **classic + GAN** |" in (out / "report.md").read_text("utf-8")
    # The GAN learnt exactly the training images: nothing to say about others.
    assert len(result["notes"]) == 1

    # More seeds are added to what is there; another setting is refused.
    more = ganaug_command(
        *("evaluate", run, "digits", "--class-counts", COUNTS, "--json"),
        *("--seeds", 2, "--steps", 5, "--ratio", 0.5, "--out", out),
    )
    assert more.exit_code == 0, more.stderr
    arms = json.loads(more.stdout)["arms"]
    assert "seed 1)" in more.stderr
    for arm, before in zip(arms, result["arms"], strict=True):
        assert len(arm["accuracy"]) == 2
        # With more seeds, another control may be the best.
        if arm["on_top_of"] == before["on_top_of"]:
            assert arm["accuracy"][:1] == before["accuracy"]
            assert f"({arm['name']}, seed 0)" not in more.stderr
    other = ganaug_command(
        *("evaluate", run, "digits", "--class-counts", COUNTS),
        *("--seeds", 2, "--steps", 5, "--ratio", 0.25, "--out", out),
    )
    assert other.exit_code == 1
    assert "ratio=0.25 for 0.5 there" in " ".join(other.stderr.split())


def test_processes_share_an_evaluation(run):
    """With a generator for each seed, more than one ratio, and no folder."""
    # Balanced data have half as many controls.
    done = ganaug_command(
        *("evaluate", run, "digits", "--class-counts"),
        *("4,4,4,4,4,4,4,4,4,4", "--seeds", 1, "--steps", 2),
        *("--ratios", "0.75", "--learning-curve", "0.5", "--json"),
        *("--workers", 2, "--retrain"),
    )
    assert done.exit_code == 0, done.stderr
    report = json.loads(done.stdout)
    assert [value for value, _ in report["sweeps"]["classic + GAN"]] == [
        *(0, 0.25, 0.75)
    ]
    assert [
        arm["name"] for arm in report["arms"] if arm["role"] == "curve"
    ] == ["classic, 50% of the images", "best control, 50% of the images"]
    assert report["files"] == {}
    # Each seed had a generator of its own.
    assert "a generator of its own" in " ".join(report["notes"])
    assert report["about"]["retrain"] is True


@pytest.fixture
def asked(run, monkeypatch):
    """A function that gives what a command asks of the evaluation."""

    def asked(*arguments):
        found = {}

        def evaluate(*args, **kwargs):
            found.update(kwargs)
            raise ValueError("asked for enough")

        monkeypatch.setattr(evaluate_command, "evaluate_augmentation", evaluate)
        done = ganaug_command("evaluate", run, "digits", *arguments)
        assert "asked for enough" in done.stderr
        return found

    return asked


def test_controls_are_chosen_by_a_word(asked):
    """Few by default; balanced data need fewer."""
    tailed = ("--class-counts", "40,30,20,15,12,9,7,5,4,3")
    controls = asked(*tailed)["controls"]
    assert list(controls) == list(default_controls(10))
    controls = asked(*tailed, "--controls", "all")["controls"]
    assert list(controls) == list(all_controls(10, (0, 255)))
    controls = asked("--class-counts", COUNTS)["controls"]
    assert list(controls) == list(default_controls(10, imbalanced=False))


@pytest.mark.parametrize("name", list(CLASSIFIERS))
def test_classifiers_are_chosen_by_name(asked, name):
    """Each that there is."""
    assert asked("--classifier", name)["classifier"] is CLASSIFIERS[name]


def test_trainings_are_not_lost_for_the_samples(
    run, monkeypatch, two_controls, linear_classifier
):
    """A report without them says why."""

    def fail(*_):
        raise ValueError("too few images to compare")

    monkeypatch.setattr(evaluate_command, "measure_samples", fail)
    done = ganaug_command(
        *("evaluate", run, "digits", "--class-counts"),
        *("40,30,20,15,12,9,7,5,4,3", "--seeds", 1, "--steps", 1, "--json"),
    )
    assert done.exit_code == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["samples"] is None
    assert "not be measured: too few images to compare" in report["notes"][-1]


def test_inception_without_weights_is_an_error(run, no_training, monkeypatch):
    """At once, and not after the trainings."""

    def refuse(value_range):
        raise FileNotFoundError("no weights of Inception")

    monkeypatch.setattr(evaluate_command, "inception_features", refuse)
    done = ganaug_command(
        *("evaluate", run, "digits", "--class-counts"),
        *("40,30,20,15,12,9,7,5,4,3", "--features", "inception"),
    )
    assert done.exit_code == 1
    assert "no weights of Inception" in done.stderr


def test_without_classes(tmp_path):
    """Images are drawn, but nothing that needs their classes."""
    run, grid = tmp_path / "run", tmp_path / "grid.png"
    done = ganaug_command(
        *("train", "digits", "--out", run, "--steps", 3, "--architecture"),
        *("dcgan", "--unconditional"),
    )
    assert done.exit_code == 0, done.stderr
    assert "without classes" in done.stderr
    done = ganaug_command("sample", run, "--num", 23, "--out", grid)
    assert done.exit_code == 0, done.stderr
    assert "23 images of each class (image), seed " in done.stdout
    with Image.open(grid) as picture:
        # Three rows of at most ten.
        assert 4 * picture.height > picture.width > 2 * picture.height
    done = ganaug_command("sample", run, "--class", 0, "--out", grid)
    assert done.exit_code == 1
    assert "without classes. Leave out `class_name` (--class)" in done.stderr
    done = ganaug_command("evaluate", run, "digits")
    assert done.exit_code == 1
    assert "leave `--unconditional` out" in done.stderr


@pytest.mark.parametrize(
    ("offered", "there_are"),
    [
        (options.ModelName, ganaug.commands.train.MODELS),
        (options.ArchitectureName, ARCHITECTURES),
        (options.LossName, LOSSES),
        (options.PresetName, PRESETS),
    ],
)
def test_all_there_is_can_be_chosen(offered, there_are):
    """The command line names the choices without loading what they are."""
    assert set(typing.get_args(offered)) == set(there_are)


def test_latents_of_the_command_line():
    """One kind, or several with their shares; nothing else."""
    assert options.LATENTS == LATENTS
    assert options.parse_latents("around") == "around"
    assert options.parse_latents("prior=2, around=0.5") == {
        "prior": 2.0,
        "around": 0.5,
    }
    two = "prior=1,prior=2"
    for wrong in ("near", "prior=x", "prior=1,near=2", "prior,around", "", two):
        with pytest.raises(typer.BadParameter, match="prior=2,around=1"):
            options.parse_latents(wrong)


def test_the_best_is_chosen_by_a_measure_there_is():
    """Not by all: some are best for one good image, repeated."""
    assert set(typing.get_args(options.MeasureName)) < set(MEASURES)


def test_demo(tmp_path, two_controls):
    """One folder with everything, and the table on standard output."""
    out = tmp_path / "demo"
    done = ganaug_command(
        *("demo", "--out", out, "--steps", 2, "--seeds", 1),
        *("--classifier-steps", 3),
    )
    assert done.exit_code == 0, done.stderr
    assert "classic + GAN" in done.stdout
    assert re.search("USE IT|NO MEASURABLE GAIN", done.stdout)
    for name in (
        *("report.html", "report.json", "artifact/samples.png"),
        *("artifact/losses.png", "artifact/ganaug.json"),
    ):
        assert (out / name).is_file(), name
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert report["settings"]["train_images_per_class"] == [
        *(100, 66, 44, 29, 19, 13, 8, 6, 4, 3)
    ]
    assert report["settings"]["test_images_per_class"] == [70] * 10


def test_the_demo_finds_a_free_folder(tmp_path, monkeypatch):
    """A second demo does not stumble over the first."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ganaug-demo").mkdir()
    (tmp_path / "ganaug-demo-2").mkdir()

    def demo(out, console, **kwargs):
        raise ValueError(f"would write to {out}")

    monkeypatch.setattr("ganaug.commands.demo.demo", demo)
    assert "would write to ganaug-demo-3" in ganaug_command("demo").stderr


@pytest.fixture
def no_training(monkeypatch):
    """Any training is a failure: bad input must be found before."""

    def fit(*args, **kwargs):
        pytest.fail("training began")

    monkeypatch.setattr(keras.Model, "fit", fit)


def npz(tmp_path, **changes):
    rng = np.random.default_rng(0)
    arrays = {
        "images": rng.integers(0, 256, (20, 8, 8, 1), np.uint8),
        "labels": np.arange(20) % 2,
        **changes,
    }
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": np.arange(20) % 2 - 1}, "labels from -1"),
        ({"labels": (np.arange(20) % 2) / 2}, "labels.dtype=float64"),
        ({"images": np.zeros((20, 8), np.uint8)}, "images.shape=(20, 8)"),
        ({"images": np.zeros((20, 8, 8, 5), np.uint8)}, "1 to 4 channels"),
        ({"images": np.full((20, 8, 8), 200.0)}, "value_range"),
        ({"images": np.full((20, 8, 8), np.nan)}, "NaN"),
        ({"value_range": [0, 1]}, "outside of their value range"),
        ({"labels": np.arange(20) % 2 * 2}, "no image of ['1']"),
        ({"labels": np.zeros(20, int)}, "at least 2 classes"),
        (
            {
                "images": np.zeros((0, 8, 8), np.uint8),
                "labels": np.zeros(0, int),
            },
            "data set is empty",
        ),
        (
            {"images": np.arange(180, dtype=np.uint8).reshape(20, 3, 3)},
            "at least 4 pixels",
        ),
    ],
)
def test_bad_data_are_refused_before_training(
    tmp_path, no_training, changes, message
):
    """One line on standard error, exit code 1, and no folder left behind."""
    run = tmp_path / "run"
    done = ganaug_command("train", npz(tmp_path, **changes), "--out", run)
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.splitlines()[-1].startswith("ganaug: error: ")
    assert done.stdout == ""
    assert not run.exists()


@pytest.mark.parametrize("command", ["train", "evaluate", "demo"])
def test_folders_in_use_are_refused(run, no_training, command):
    """Whatever would write into another run says so first."""
    arguments = {
        "train": ["train", "digits"],
        "evaluate": ["evaluate", run, "digits"],
        "demo": ["demo"],
    }[command]
    before = sorted(run.iterdir())
    done = ganaug_command(*arguments, "--out", run)
    assert done.exit_code == 1
    assert "holds another run" in done.stderr
    assert sorted(run.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sample", "RUN", "--class", "cat", "--out", "a.png"], "'cat'"),
        (["sample", "RUN", "--out", "a.txt"], "must end in .png"),
        (["sample", "nowhere", "--out", "a.png"], "no `ganaug.json`"),
        (["evaluate", "nowhere", "digits"], "no `ganaug.json`"),
        (["evaluate", "RUN", "tfds:no_such_set"], "does not know"),
        (["evaluate", "RUN", "digits", "--class-counts", "1,2"], "10 classes"),
        (["evaluate", "RUN", "NPZ"], "the same classes"),
        (["evaluate", "RUN", "NPZ"], "0, 1 in the data"),
        (
            ["evaluate", "RUN", "NPZ", "--test-fraction", "0"],
            "needs a test set",
        ),
        (["train", "nowhere", "--out", "new"], "no such data set"),
        (["train", "no.npz", "--out", "new"], "no such data set"),
        (["train", ".", "--image-size", "0", "--out", "new"], "(0, 0)"),
        (
            ["train", "digits", "--model", "vae", "--horizontal-flip"]
            + ["--out", "new"],
            "a VAE has none",
        ),
    ],
)
def test_bad_input_is_refused(
    run, tmp_path, monkeypatch, no_training, arguments, message
):
    """One line on standard error and exit code 1."""
    monkeypatch.chdir(tmp_path)
    names = {"RUN": run, "NPZ": npz(tmp_path)}
    done = ganaug_command(*(names.get(word, word) for word in arguments))
    assert done.exit_code == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_test_set_that_the_gan_learnt_is_refused(
    run, tmp_path, digits, two_controls, linear_classifier
):
    """Unless it is allowed, and then the report says so."""
    data = digits
    path = tmp_path / "leak.npz"
    np.savez(
        path,
        images=data.test.images,
        labels=data.test.labels,
        test_images=data.train.images,
        test_labels=data.train.labels,
    )
    arguments = ["evaluate", run, path, "--seeds", 1, "--steps", 1]
    done = ganaug_command(*arguments)
    assert done.exit_code == 1
    assert "145 of 145 test images" in done.stderr
    done = ganaug_command(*arguments, "--allow-overlap")
    assert done.exit_code == 0
    assert "Overlap was allowed" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 9 TiB"),
        tf.errors.ResourceExhaustedError(
            None, None, "Unable to allocate 9 TiB\n" + 500 * "node\n"
        ),
    ],
)
def test_too_little_memory(tmp_path, monkeypatch, error):
    """One line that says what to do."""

    def load_data(*args):
        raise error

    monkeypatch.setattr("ganaug.data.sources.load_data", load_data)
    done = ganaug_command("train", "digits", "--out", tmp_path / "run")
    assert done.exit_code == 1
    assert "lower --image-size or --batch-size" in done.stderr
    assert "Received: Unable to allocate 9 TiB" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "digits"],
        ["train", "digits", "--out", "x", "--stepz", "3"],
        ["train", "digits", "--out", "x", "--steps", "0"],
        ["train", "digits", "--out", "x", "--preset", "huge"],
        ["train", "digits", "--out", "x", "--class-counts", "1,b"],
        ["train", "digits", "--out", "x", "--image-size", "8x8x8"],
        ["train", "digits", "--out", "x", "--image-size", "²"],
        ["train", "digits", "--out", "x", "--architecture", "biggan"],
        ["evaluate", "x", "digits", "--ratio", "1.5"],
        ["evaluate", "x", "digits", "--ratios", "0.5,x"],
        ["evaluate", "x", "digits", "--learning-curve", "0.5,2"],
        ["sample", "x", "--out", "a.png", "--num", "0"],
        ["explode"],
    ],
)
def test_wrong_usage(arguments):
    """Unknown flags and impossible values: exit code 2."""
    done = ganaug_command(*arguments)
    assert done.exit_code == 2
    assert done.stdout == ""


def test_an_interrupted_training_is_kept(tmp_path, monkeypatch):
    """Ctrl-C ends training, not what was learnt; exit code 130."""
    progress = ganaug.commands.train.TrainingProgress

    class Interrupt(progress):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)
            if batch == 1:
                raise KeyboardInterrupt

    monkeypatch.setattr(ganaug.commands.train, "TrainingProgress", Interrupt)
    run = tmp_path / "run"
    done = ganaug_command(
        *("train", "digits", "--out", run, "--steps", 50, "--json")
    )
    assert done.exit_code == 130
    assert json.loads(done.stdout)["interrupted"]
    assert artifact.load(run).training["steps"] == 2


def test_version_and_module():
    """`python -m ganaug --version`, in a process of its own."""
    printed = subprocess.run(
        [sys.executable, "-m", "ganaug", "--version"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert printed.strip() == ganaug.__version__
