"""The same images, drawn by an Apache Beam pipeline."""

import importlib.util
import json
import re

import numpy as np
import pytest
import tensorflow_datasets as tfds
import typer.testing

from ganaug.cli import app

TWO_WORKERS = (
    "--runner=DirectRunner --direct_num_workers=2 "
    "--direct_running_mode=multi_processing"
)
ASKED = ("--num-per-class", "3", "--num", "7=150", "--num", "1=70")


def generate(*arguments):
    arguments = [str(argument) for argument in ("generate", *arguments)]
    return typer.testing.CliRunner().invoke(app, arguments)


@pytest.mark.skipif(
    importlib.util.find_spec("apache_beam") is None,
    reason="apache-beam is not installed",
)
# Beam's and gRPC's own.
@pytest.mark.filterwarnings("ignore")
def test_two_workers_draw_what_one_process_draws(run, tmp_path):
    """Image for image, with the provenance, in the same order."""
    check_equal(run, tmp_path)


@pytest.mark.skipif(
    importlib.util.find_spec("apache_beam") is None,
    reason="apache-beam is not installed",
)
@pytest.mark.filterwarnings("ignore")
def test_beam_selects_as_one_process_does(run, teacher, tmp_path):
    """And where too few pass, nothing is written."""
    select = ("--teacher", teacher, "--min-confidence", 0.05)
    check_equal(run, tmp_path, *select)
    done = generate(
        *(run, "--out", tmp_path / "none", "--format", "tfds", *ASKED),
        *("--teacher", teacher, "--min-confidence", 0.07),
        *("--max-draws", 1, "--beam", "--runner=DirectRunner"),
    )
    assert done.exit_code == 1, done.stdout
    # Too few of a class, or none.
    assert re.search(r"pass(es)?\s+the\s+selection", done.stderr)
    assert not (tmp_path / "none").exists()


def check_equal(run, tmp_path, *select):
    for name, extra in (("one", ()), ("two", ("--beam", TWO_WORKERS))):
        done = generate(
            *(run, "--out", tmp_path / name, "--format", "tfds"),
            *(*ASKED, "--seed", 5, "--json", *select, *extra),
        )
        assert done.exit_code == 0, done.stderr
        result = json.loads(done.stdout)
        assert (result["num_images"], result["seed"]) == (244, 5)
    folders = [
        tmp_path / name / "synthetic_images" / "1.0.0"
        for name in ("one", "two")
    ]
    one, two = (
        list(
            tfds.builder_from_directory(folder)
            .as_dataset(split="train")
            .as_numpy_iterator()
        )
        for folder in folders
    )
    assert len(one) == 244
    for a, b in zip(one, two, strict=True):
        assert a.keys() == b.keys()
        for key in a:
            np.testing.assert_array_equal(a[key], b[key])
    cards = [
        (tmp_path / name / "README.md").read_text() for name in ("one", "two")
    ]
    assert cards[0] == cards[1]
    assert {path.name for path in tmp_path.iterdir()} == {"run", "one", "two"}


@pytest.mark.parametrize(
    "arguments", [("--format", "npz"), ("--format", "tfds", "--workers", "2")]
)
def test_beam_is_for_tfds_and_has_its_own_workers(run, tmp_path, arguments):
    """Anything else is refused before anything is written."""
    done = generate(
        *(run, "--out", tmp_path / "out", *ASKED, *arguments),
        *("--beam", TWO_WORKERS),
    )
    assert done.exit_code == 1
    assert "Apache Beam writes the format tfds" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.skipif(
    importlib.util.find_spec("apache_beam") is None,
    reason="apache-beam is not installed",
)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("options", "exit_code", "message"),
    [
        ("--nonsense_option=5", 1, "does not know ['nonsense_option']"),
        ("--runer=FlinkRunner", 1, "does not know ['runer']"),
        ("direct_num_workers 2", 1, "'direct_num_workers', '2'"),
        ("--direct_num_workers=abc", 1, "invalid int value: 'abc'"),
        ("--help", 1, "Apache Beam does not take its options"),
        ("'unbalanced", 2, "--beam"),
    ],
)
def test_mistyped_options_are_refused(
    run, tmp_path, options, exit_code, message
):
    """Beam itself would leave them out and go on."""
    done = generate(
        *(run, "--out", tmp_path / "out", "--format", "tfds", *ASKED),
        *("--beam", options, "--json"),
    )
    assert done.exit_code == exit_code
    assert message in " ".join(done.stderr.split())
    assert not done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_how_to_install_beam_is_said(run, tmp_path, monkeypatch):
    """Where it is not."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: (
            None if name == "apache_beam" else find_spec(name, *rest)
        ),
    )
    done = generate(
        *(run, "--out", tmp_path / "out", "--format", "tfds", *ASKED),
        *("--beam", ""),
    )
    assert done.exit_code == 1
    assert "pip install 'ganaug[beam]'" in done.stderr
    assert not (tmp_path / "out").exists()
