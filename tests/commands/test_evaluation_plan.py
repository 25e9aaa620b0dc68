"""Evaluations that a file says in full."""

import json
import pathlib

import numpy as np
import pytest
import typer.testing

from ganaug.cli import app
from ganaug.commands.evaluation_plan import read_plan
from ganaug.commands.planned_evaluation import PlanParts, help_with_plan
from ganaug.data.labeled_images import LabeledImages
from ganaug.data.sources import RealData
from ganaug.evaluate.arms import BASELINE
from ganaug.evaluate.classifiers import CLASSIFIERS

BENCHMARKS = pathlib.Path(__file__).parents[2] / "benchmarks" / "evaluations"
PLANS = list(BENCHMARKS.glob("*.toml"))

PLAN = """
data = "digits"
train_per_class = [30, 20, 10, 9, 8, 7, 6, 5, 4, 3]
validation_per_class = 4
seeds = 2
first_seed = 7
steps = 3
learning_curve = [0.5]
controls = ["real only", "classic", "MixUp"]

[generators.small]
model = "vae"
steps = 2
model_arguments.width = 8

[arms."MixUp + VAE"]
generator = "small"
on_top_of = "MixUp"
ratio = 0.25
latents = { prior = 2, around = 1 }

[arms."tuned"]
generator = "small"
on_top_of = "classic"
ratio = 0.25
tune.num_trainings = 16
tune.search.ratio = [0.25, 0.5]

[references."VAE alone"]
generator = "small"
ratio = 1.0
"""


@pytest.fixture
def write_plan(tmp_path):
    """A function that writes a plan, with a text replaced by another one."""

    def write(old="", new=""):
        assert old in PLAN
        path = tmp_path / "plan.toml"
        path.write_text(PLAN.replace(old, new, 1) if old else PLAN, "utf-8")
        return path

    return write


def evaluate(*arguments):
    return typer.testing.CliRunner().invoke(
        app, ["evaluate", *map(str, arguments)]
    )


def test_a_plan_is_evaluated(tmp_path, monkeypatch, linear, write_plan):
    """And a second seed added to it, by a process that helps."""
    monkeypatch.setitem(CLASSIFIERS, "cnn", linear)
    out = tmp_path / "out"
    path = write_plan("seeds = 2", "seeds = 1")
    done = evaluate("--config", path, "--out", out)
    assert done.exit_code == 0, done.stderr
    path = write_plan()
    help_with_plan(read_plan(path), None, out / "trainings")
    monkeypatch.setattr("ganaug.SeededGenerator.train", None)
    done = evaluate("--config", path, "--out", out, "--json")
    assert done.exit_code == 0, done.stderr
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert json.loads(done.stdout)["verdicts"] == report["verdicts"]
    assert {arm["name"]: arm["role"] for arm in report["arms"]} == {
        "real only": "control",
        "classic": "control",
        "MixUp": "control",
        "MixUp + VAE": "candidate",
        "tuned": "candidate",
        "VAE alone": "reference",
        "MixUp, 50% of the images": "curve",
        "classic, 50% of the images": "curve",
    }
    assert report["seeds"] == [7, 8]
    assert report["settings"]["own_images_per_seed"]
    assert report["settings"]["train_images_per_class"][0] == 30
    assert report["about"]["configuration"]["arms"]["tuned"]["ratio"] == 0.25
    tuned = report["settings"]["arms"]["tuned"]["learn"]["tune"]
    # As the other arms are trained, on top of the same control.
    assert (tuned["steps"], tuned["on_top_of"]) == (3, "classic")
    assert list(tuned["controls"]) == ["classic"]
    assert sum("seed 7: Chosen" in note for note in report["notes"]) == 1
    generators = out / "trainings" / "generators"
    assert sum(place.is_dir() for place in generators.iterdir()) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("data =", "datum =", "unknown ['datum'], missing ['data']"),
        ("seeds = 2", "seeds = ", "plan.toml: Invalid value"),
        ("seeds = 2", 'seeds = "2"', "`seeds` must be of type int"),
        ("seeds = 2", "seeds = true", "seeds=True"),
        ("seeds = 2", "seeds = 0", "`seeds` must be a positive integer"),
        ("first_seed = 7", "first_seed = -1", "first_seed=-1"),
        ("steps = 3", "steps = 3\nbatch_size = 0", "batch_size=0"),
        ("steps = 3", 'classifier = "big"', "one of ('cnn', 'residual')"),
        ("[0.5]", '["half"]', "a list of numbers"),
        ("[30, 20", "[3.5, 20", "a list of integers"),
        ("[30, 20, ", "[", "one number for each of the 10 classes"),
        ("[30, 20", "[3000, 20", "more images than there are"),
        (
            "train_per_class = [30, 20, 10, 9, 8, 7, 6, 5, 4, 3]\n",
            "",
            "left out",
        ),
        ('["real only", ', "[", "'real only' among them"),
        ('"classic", ', '"clasic", ', "controls=['real only', 'clasic'"),
        (
            'controls = ["real only", "classic", "MixUp"]',
            'controls = "x"',
            "controls='x'",
        ),
        ('model = "vae"', 'model = "vea"', "Generator 'small': `model` must"),
        ('model = "vae"', 'modell = "vae"', "`generators.small` must be"),
        ('generator = "small"', 'generator = "s"', "out of ['small']"),
        ('on_top_of = "MixUp"', 'on_top_of = "Mix"', "on_top_of='Mix'"),
        ("ratio = 0.25\nlat", "ratoi = 0.25\nlat", "Received: ['ratoi']"),
        ("around = 1", "near = 1", "Arm 'MixUp + VAE': `latents` must be"),
        ("tune.num_trainings = 16\ntune.search.ratio", "tune", "be a table"),
        ('data = "digits"', 'data = "d"', "no such data set"),
        ('generator = "small"', 'generator = ["small"]', "out of ['small']"),
        ("validation_per_class = 4\n", "", "validation_per_class=None"),
        ("tune.num_tr", "tune.num_xr", "with ('search', 'num_trainings')"),
        ("trainings = 16", "trainings = 8", "num_trainings=8"),
        ("= [0.25, 0.5]", "= 0.25", "without values ['ratio']"),
        ("= [0.25, 0.5]", "= [25, 0.5]", "ratio=25"),
        ("search.ratio", "search.rate", "unknown names ['rate']"),
        ("ratio = 0.25\nlat", "ratio = 25\nlat", "Arm 'MixUp + VAE'"),
        ("ratio = 1.0", 'ratio = 1.0\nmode = "extnd"', "mode='extnd'"),
        ("\nsteps = 2", "\nsteps = 0", "Generator 'small': `steps` must be"),
        ('"vae"', '"vae"\narchitecture = "x"', "architecture='x'"),
        ("width = 8", "widht = 8", "widht"),
    ],
)
def test_plans_that_are_wrong_are_refused(
    tmp_path, monkeypatch, write_plan, old, new, message
):
    """In one line that names what is wrong, before anything is trained."""
    monkeypatch.setattr(
        "ganaug.commands.planned_evaluation.evaluate_augmentation", None
    )
    done = evaluate("--config", write_plan(old, new), "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.splitlines()[-1].startswith("ganaug: error: ")
    assert "NoneType" not in done.stderr


def test_a_file_goes_with_nothing_that_it_says(tmp_path, write_plan):
    """Rather than one of the two being ignored."""
    done = evaluate("run", "digits", "--config", write_plan(), "--ratio", 0.5)
    assert done.exit_code == 2
    for name in ("run", "data", "ratio"):
        assert name in done.stderr.partition("Leave out")[2]
    done = evaluate("run")
    assert done.exit_code == 2
    assert "Missing DATA" in done.stderr
    done = evaluate("--config", tmp_path / "none.toml")
    assert done.exit_code == 1
    assert "none.toml" in done.stderr


def test_what_comes_on_top_of_nothing_is_tuned_so(digits, write_plan):
    """And not on top of a control that the arm does not have."""
    plan = read_plan(write_plan('on_top_of = "classic"\n'))
    arm = PlanParts(plan, digits, None).arms["tuned"]
    assert arm.on_top_of is None
    assert arm.learn.tune["on_top_of"] == BASELINE
    assert list(arm.learn.tune["controls"]) == [BASELINE]


@pytest.mark.parametrize("name", sorted(path.stem for path in PLANS))
def test_the_tables_plans_fit_their_data(name):
    """Arms are on top of controls that there are, and can be made."""
    plan = read_plan(BENCHMARKS / f"{name}.toml")
    side = 8 if plan.data == "digits" else 28
    labels = np.arange(10).repeat(2)
    images = np.random.default_rng(0).integers(
        0, 256, (20, side, side, 1), dtype=np.uint8
    )
    kind = LabeledImages(images, labels)
    parts = PlanParts(plan, RealData(plan.data, kind, kind), None)
    assert parts.train.train_per_class == tuple(plan.train_per_class)
    assert {arm.on_top_of for arm in parts.arms.values()} <= set(parts.controls)
    assert any(arm.learn.tune for arm in parts.arms.values())
    balanced = len(set(plan.train_per_class)) == 1
    assert balanced != any("logit" in control for control in parts.controls)
