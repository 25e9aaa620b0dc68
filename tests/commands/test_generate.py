"""`ganaug generate`: what it writes, goes on with and refuses."""

import json
import re
import typing

import keras
import numpy as np
import pytest
import typer.testing

import ganaug
from ganaug import artifact
from ganaug.cli import app, options
from ganaug.commands import generate as command
from ganaug.synthesis import work
from ganaug.synthesis.bank import Bank
from ganaug.synthesis.bank_folder import BankFolder
from ganaug.synthesis.filters import CopyFilter
from ganaug.synthesis.generators import Generators

ASKED = ("--num-per-class", 3, "--num", "7=70", "--num", "1=1", "--seed", 5)
COUNTS = [3, 1, 3, 3, 3, 3, 3, 70, 3, 3]


def generate(*arguments):
    arguments = [str(argument) for argument in ("generate", *arguments)]
    return typer.testing.CliRunner().invoke(app, arguments)


def test_every_format_has_the_same_images(run, tmp_path):
    """And what the command says of them is so."""
    sources = {
        "folder": tmp_path / "folder",
        "npz": tmp_path / "npz" / "images.npz",
        "tfds": "tfds:synthetic_images",
    }
    for name in ("bank", *sources):
        done = generate(
            *(run, "--out", tmp_path / name, "--format", name, *ASKED),
            "--json",
        )
        assert done.exit_code == 0, done.stderr
        result = json.loads(done.stdout)
        assert "drawing 95/95 images" in done.stderr
        assert list(result["class_counts"].values()) == COUNTS
        assert (result["num_images"], result["seed"]) == (95, 5)
        assert (result["format"], result["folder"]) == (
            name,
            str(tmp_path / name),
        )
        assert (tmp_path / name / "README.md").is_file()
    bank = Bank.open(tmp_path / "bank")
    assert list(bank.class_counts) == COUNTS
    assert len(np.unique(bank.images, axis=0)) > 80
    for name, source in sources.items():
        found = ganaug.load_data(source, tmp_path / name, test_fraction=0)
        np.testing.assert_array_equal(found.train.images, bank.images)
        np.testing.assert_array_equal(found.train.labels, bank.labels)
        assert found.train.class_names == bank.class_names
    # No bank under way, and no partial folder.
    assert {path.name for path in tmp_path.iterdir()} == {
        *("run", "bank", *sources)
    }
    with np.load(tmp_path / "folder" / "provenance.npz") as provenance:
        row = 20
        image = Generators(artifact.load(run)).remake(
            int(provenance["labels"][row]),
            provenance["seeds"][row],
            int(provenance["indices"][row]),
        )
    np.testing.assert_array_equal(image, bank.images[row])


def test_two_processes_draw_what_one_does(run, tmp_path, monkeypatch):
    """Byte for byte, whoever draws which images."""
    processes = []

    class Counted(work._InProcesses):
        def __init__(self, maker, num_workers):
            processes.append(num_workers)
            super().__init__(maker, num_workers)

    monkeypatch.setattr(work, "_InProcesses", Counted)
    written = []
    for workers in (1, 2):
        path = tmp_path / f"bank{workers}"
        done = generate(run, "--out", path, *ASKED, "--workers", workers)
        assert done.exit_code == 0, done.stderr
        written.append(
            {file.name: file.read_bytes() for file in path.iterdir()}
        )
    assert set(written[0]) > {"images.bin", "provenance.bin", "bank.json"}
    assert written[0] == written[1]
    assert processes == [2]


def test_latents_and_truncation_are_used(run, tmp_path):
    """Without any noise, the images of a class are one."""
    done = generate(
        *(run, "--out", tmp_path / "bank", "--num", "7=5", "--truncation", 0)
    )
    assert done.exit_code == 0, done.stderr
    assert "5 images, format bank, seed " in done.stdout
    images = Bank.open(tmp_path / "bank").images
    assert len(images) == 5
    assert (images == images[0]).all()
    done = generate(
        *(run, "--out", tmp_path / "other", "--num", "7=5"),
        *("--latents", "around"),
    )
    assert done.exit_code == 1
    assert "Received: latents='around'" in done.stderr


def test_bad_images_are_left_out(run, digits, teacher, tmp_path):
    """Each class keeps its quota, of images that pass, in every format."""
    select = (
        *("--no-copies-of", "digits", "--class-counts"),
        ",".join(map(str, digits.train.class_counts)),
        *("--teacher", teacher, "--min-confidence", 0.05, "--max-draws", 30),
    )
    for name in ("bank", "npz"):
        done = generate(
            *(run, "--out", tmp_path / name, "--format", name),
            *("--num-per-class", 4, "--seed", 5, *select),
        )
        assert done.exit_code == 0, done.stderr
    bank = Bank.open(tmp_path / "bank")
    assert bank.class_counts == (4,) * 10
    model = keras.saving.load_model(teacher)
    given = model.predict(bank.images.astype("float32"), verbose=0)
    assert (given[np.arange(40), bank.labels] >= 0.05).all()
    given = bank.record["selection"]["filters"]["copies"]
    assert given == CopyFilter(digits.train).settings
    # Something was left out.
    assert min(bank.record["num_passed"]["teacher"]) < min(
        bank.record["num_candidates"]
    )
    assert set(bank.record["selection"]["filters"]) == {"teacher", "copies"}
    card = (tmp_path / "npz" / "README.md").read_text("utf-8")
    assert '"min_confidence": 0.05' in card
    with np.load(tmp_path / "npz" / "images.npz") as arrays:
        np.testing.assert_array_equal(arrays["images"], bank.images)
    # Another selection is another bank.
    done = generate(
        *(run, "--out", tmp_path / "bank", "--num-per-class", 4, "--seed", 5),
        *select[:-4],
    )
    assert done.exit_code == 1
    assert "selection" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (("--teacher", "none.keras"), 1, "no such file"),
        (("--teacher", "ganaug.json"), 1, "file that Keras can load"),
        (("--teacher", "TEACHER", "--teacher-range", "1"), 2, "LOW,HIGH"),
        (("--teacher", "TEACHER", "--teacher-range", "1,0"), 1, "value_range"),
        (
            ("--teacher", "TEACHER", "--min-confidence", "1"),
            1,
            "No synthetic image of class",
        ),
        (("--no-copies-of", "nowhere"), 1, "no such data set"),
        (("--min-confidence", "0.9"), 2, "is for --teacher"),
        (("--class-counts", "1,2"), 2, "is for --no-copies-of"),
        (("--no-copies-of", "DATA"), 1, "of shape (6, 6, 1)"),
    ],
)
def test_selections_that_cannot_be(
    run, teacher, tmp_path, monkeypatch, arguments, exit_code, message
):
    """In words, and no data set comes of it."""
    monkeypatch.chdir(run)
    data = tmp_path / "other.npz"
    np.savez(
        data,
        images=np.arange(720, dtype=np.uint8).reshape(20, 6, 6),
        labels=np.arange(20) % 10,
    )
    names = {"TEACHER": teacher, "DATA": data}
    done = generate(
        *(run, "--out", tmp_path / "out", "--num-per-class", 2),
        *(names.get(word, word) for word in arguments),
    )
    assert done.exit_code == exit_code
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "README.md").exists()


def test_training_images_that_are_not_compared_with_are_told(run, tmp_path):
    """Copies of them would be kept."""
    done = generate(
        *(run, "--out", tmp_path / "out", "--num-per-class", 2),
        *("--no-copies-of", "digits", "--class-counts"),
        "39,30,20,15,12,9,7,5,4,3",
    )
    assert done.exit_code == 0, done.stderr
    said = " ".join(done.stderr.split())
    assert re.search(r"[1-9]\d* of the 145 images that the generator", said)


class Stop(Exception):
    """What stops the work in this test."""


@pytest.mark.parametrize("format", ["bank", "folder"])
def test_the_same_command_goes_on(run, tmp_path, monkeypatch, format):
    """Also without a seed: with the one that was drawn at first."""
    out = tmp_path / "out"
    arguments = (run, "--out", out, "--num-per-class", 2, "--format", format)
    write, written = BankFolder.write, []

    def write_some(folder, chunk):
        if len(written) == 4:
            raise Stop
        written.append(chunk.label)
        write(folder, chunk)

    monkeypatch.setattr(BankFolder, "write", write_some)
    assert isinstance(generate(*arguments).exception, Stop)
    assert len(written) == 4
    if format == "folder":
        assert not out.exists()
    monkeypatch.setattr(
        BankFolder,
        "write",
        lambda folder, chunk: (
            written.append(chunk.label) or write(folder, chunk)
        ),
    )
    done = generate(*arguments, "--json")
    assert done.exit_code == 0, done.stderr
    assert sorted(written) == list(range(10))
    assert {path.name for path in tmp_path.iterdir()} == {"run", "out"}
    whole = generate(
        *(run, "--out", tmp_path / "whole", "--num-per-class", 2),
        *("--seed", json.loads(done.stdout)["seed"]),
    )
    assert whole.exit_code == 0, whole.stderr
    expected = Bank.open(tmp_path / "whole").images
    if format == "bank":
        np.testing.assert_array_equal(Bank.open(out).images, expected)
        # A finished one is left as it is.
        again = generate(*arguments)
        assert again.exit_code == 0, again.stderr
        assert len(written) == 20
    else:
        found = ganaug.load_data(out, test_fraction=0).train
        np.testing.assert_array_equal(found.images, expected)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        ((), 1, "How many images?"),
        (("--num", "7"), 2, "Expected NAME=COUNT"),
        (("--num", "7=1", "--num", "7=2"), 2, "named twice"),
        (("--num", "cow=1"), 1, "cow"),
        (("--num", "7=0"), 1, "not all 0"),
        (("--num-per-class", "0"), 2, "--num-per-class"),
        (("--num-per-class", "1", "--format", "jpg"), 2, "--format"),
    ],
)
def test_what_is_refused(run, tmp_path, arguments, exit_code, message):
    """Nothing is written then."""
    done = generate(run, "--out", tmp_path / "out", *arguments)
    assert done.exit_code == exit_code
    assert message in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("format", ["bank", "folder", "npz", "tfds"])
def test_nothing_is_overwritten(run, tmp_path, format):
    """It says so before it draws anything."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    done = generate(run, "--out", out, "--num", "7=1", "--format", format)
    assert done.exit_code == 1
    assert "something else" in done.stderr
    assert "drawing" not in done.stderr
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_no_artifact(tmp_path):
    """The folder is no run."""
    done = generate(tmp_path, "--out", tmp_path / "out", "--num-per-class", 1)
    assert done.exit_code == 1
    assert str(tmp_path) in done.stderr.replace("\n", "")


def test_formats_of_the_command_line():
    """It names those that there are, without loading them."""
    assert typing.get_args(options.FormatName) == command.FORMATS
