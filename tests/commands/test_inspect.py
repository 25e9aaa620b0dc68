"""`ganaug inspect`: findings, recommendations and the time."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from ganaug.commands.inspect import inspect, print_inspection
from ganaug.commands.recommendations import (
    choose_seeds,
    ratio_text,
    recommend,
)
from ganaug.data.inspection import inspect_images
from ganaug.data.labeled_images import LabeledImages


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=80)


def written(console):
    """What was printed, without line breaks."""
    return " ".join(console.file.getvalue().split())


@pytest.fixture
def npz(tmp_path, make_images):
    """A function that writes 24 images with changes."""

    def write(shape=(8, 8, 1), **changes):
        data = make_images((14, 10), shape)
        path = tmp_path / "data.npz"
        np.savez(path, images=data.images, labels=data.labels, **changes)
        return path

    return write


def recommended(train, test=None, preset="tiny"):
    """Recommendations by name."""
    rows = recommend(train, test, inspect_images(train, test), preset)
    assert all(set(row) == {"name", "value", "reason"} for row in rows)
    return {row["name"]: row for row in rows}


def test_everything_about_digits(console):
    """Plain data for JSON, with a time measured in real steps."""
    result = inspect("digits", console, class_counts=[30, *[3] * 9])
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["image_shape"] == [8, 8, 1]
    assert result["imbalance_ratio"] == 10
    assert result["classes"][0] == {"name": "0", "train": 30, "test": 70}
    assert result["splits"]["test"]["num_images"] == 700
    assert [finding["name"] for finding in result["findings"]] == [
        "small classes"
    ]
    timing = result["timing"]
    assert timing["timed_steps"] == 5
    assert 0 < timing["least"] <= timing["seconds_per_step"] <= timing["most"]
    assert timing["seconds"] == timing["seconds_per_step"] * timing["steps"]
    assert timing["steps"] == next(
        row["value"]
        for row in result["recommendations"]
        if row["name"] == "steps"
    )
    assert "timing 7 training steps" in written(console)


@pytest.fixture
def no_training(monkeypatch):
    """Any training is a failure."""

    def fit(*args, **kwargs):
        pytest.fail("training began")

    monkeypatch.setattr("ganaug.commands.inspect.ConditionalGAN.fit", fit)


def test_without_timing(npz, console, no_training):
    """Nothing is trained, and the report says that."""
    result = inspect(npz(), console, timing=False)
    assert result["timing"] is None
    assert written(console) == ""
    print_inspection(result, console)
    assert "time of training was not measured" in written(console)
    assert "nothing is wrong" not in written(console)  # small classes


def test_data_that_training_refuses(npz, console, no_training):
    """Reported, not raised, and no time is measured."""
    path = npz(class_names=["a", "b", "c"])
    result = inspect(path, console)
    assert result["timing"] is None
    assert result["findings"][0]["name"] == "empty classes"
    print_inspection(result, console)
    assert "ERROR empty classes: There is no training image of c." in written(
        console
    )


def test_images_too_small_for_a_gan(npz, console, no_training):
    """An error, and no settings for the training."""
    result = inspect(npz((3, 3, 1)), console)
    (finding,) = [
        finding
        for finding in result["findings"]
        if finding["name"] == "image shape"
    ]
    assert finding["level"] == "error"
    assert "at least 4 pixels" in finding["text"]
    names = [row["name"] for row in result["recommendations"]]
    assert "preset" not in names
    assert "seeds" in names


def test_the_printed_report(npz, console):
    """Names with markup in them, findings with examples, and the time."""
    result = inspect(npz(class_names=["[b]a[/b]", "b"]), console, timing=False)
    result["findings"] = [
        {
            "level": "error",
            "name": "leakage",
            "text": "So it is.",
            "count": 12,
            "examples": ["test[1] = train[2]"],
        }
    ]
    result["timing"] = {
        "batch_size": 64,
        "timed_steps": 5,
        "seconds_per_step": 0.5,
        "least": 0.25,
        "most": 4.0,
        "steps": 1200,
        "seconds": 600.0,
    }
    print_inspection(result, console)
    text = written(console)
    assert "Images of 8 x 8 x 1, uint8, value range 0 to 255. 2 classes." in (
        text
    )
    assert "[b]a[/b]" in text
    assert (
        "Findings: 1 error ERROR leakage: So it is. test[1] = train[2] ..."
        in text
    )
    assert "0.500 s a step of 64 images (0.250 to 4.000 in 5 steps)" in text
    assert "1200 steps take about 10 min (5 min to 80 min)" in text


def test_many_classes_are_abridged(npz, console):
    """The smallest are shown, and the number of the others."""
    result = inspect(npz(), console, timing=False)
    result["classes"] = [
        {"name": f"class{i}", "train": 100 - i, "test": 1} for i in range(30)
    ]
    print_inspection(result, console)
    text = written(console)
    assert "class29 71" in text
    assert "class9 91" not in text
    assert "and 10 larger ones" in text


def test_balanced_and_long_tailed_data(make_images):
    """Balanced data: a GAN is doubtful. A long tail: worth a try."""
    balanced = recommended(make_images((15, 10)))
    assert balanced["GAN"]["value"] == "doubtful"
    assert balanced["class-balanced batches"]["value"] == "no need"
    tail = recommended(make_images((16, 10)))
    assert tail["GAN"]["value"] == "try it, and evaluate"
    assert tail["class-balanced batches"]["value"] == "yes"
    assert "more real images" not in tail
    assert ratio_text(1.0) == "All classes have as many images."


def test_scarce_classes_need_real_images(make_images):
    """Fewer than five images."""
    rows = recommended(make_images((16, 5, 4), class_names=list("abc")))
    assert rows["more real images"]["value"] == "c"


def test_flips_are_never_recommended(make_images):
    """Only the user knows what a mirror does to a class."""
    rows = recommended(make_images((10, 10)))
    assert rows["horizontal_flip"]["value"] == "yours to say"
    assert "flip" not in rows["diff_augment"]["value"]
    assert "color" not in rows["diff_augment"]["value"]


def test_settings_for_the_size(make_images):
    """The preset, its steps, and a smaller size for large images."""
    rows = recommended(make_images((10, 10)), preset="small")
    assert rows["preset"]["value"] == "small"
    assert rows["steps"]["value"] > 0
    assert "image_size" not in rows
    large = recommended(make_images((10, 10), (41, 8, 1)), preset="medium")
    assert large["image_size"]["value"] == "32x32"


def test_gray_images_need_one_channel(make_images):
    """Where all channels are the same."""
    images = make_images((10, 10)).images.repeat(3, axis=3)
    labels = np.repeat([0, 1], 10)
    rows = recommended(LabeledImages(images, labels))
    assert rows["channels"]["value"] == 1
    assert "channels" not in recommended(make_images((10, 10), (8, 8, 3)))


def test_seeds_for_the_test_set(make_images):
    """The fewer test images, the more seeds, up to ten, and it is said."""
    counts = [2000, 70, 40, 10]
    seeds = [choose_seeds(np.full(10, count))[0] for count in counts]
    assert seeds == sorted(seeds)
    assert (seeds[0], seeds[-1]) == (5, 10)
    # One class with few images spoils a mean over classes.
    assert choose_seeds(np.array([1000, 5]))[1] > 0.02
    # No score counts a class without test images.
    assert choose_seeds(np.array([50, 50, 0])) == choose_seeds(
        np.array([50, 50])
    )
    train, test = make_images((10, 10)), make_images((4, 4), seed=1)
    row = recommended(train, test)["seeds"]
    assert row["value"] == 10
    assert "more test images would help" in row["reason"]
    assert "seeds" not in recommended(train)
