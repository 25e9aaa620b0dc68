"""Evaluations that are killed and go on."""

import functools
import json
from dataclasses import dataclass

import keras
import numpy as np
import pytest
from imblearn.over_sampling import SMOTE

import ganaug
from ganaug.evaluate.arms import BASELINE, Arm
from ganaug.evaluate.cells import (
    CELLS,
    CONFIGURATION,
    FORMAT_VERSION,
    CellKey,
    Cells,
)
from ganaug.evaluate.description import describe
from ganaug.evaluate.training import ClassifierTrainer


def flip(dataset):
    return dataset.map(lambda x, y: (x[:, :, ::-1], y))


@pytest.fixture
def evaluate(evaluate_quickly):
    """A function that evaluates an arm and two controls over three seeds."""

    def evaluate(folder=None, **kwargs):
        kwargs = {
            "arms": {"flip": flip},
            "controls": {BASELINE: Arm(), "weights": Arm(class_weights=True)},
            "seeds": 3,
            **kwargs,
        }
        return evaluate_quickly(run_dir=folder, **kwargs)

    return evaluate


class Killed(BaseException):
    """What ends the work in these tests."""


@pytest.fixture
def count_trainings(monkeypatch):
    """A list that grows with each training; one may be the last."""
    train, done = ClassifierTrainer.train, []

    def counted(self, *args):
        if counted.last is not None and len(done) >= counted.last:
            raise Killed
        done.append(1)
        return train(self, *args)

    counted.last = None
    monkeypatch.setattr(ClassifierTrainer, "train", counted)
    counted.done = done
    return counted


@pytest.mark.parametrize("after", [0, 4, 8])
def test_a_killed_evaluation_goes_on(
    evaluate, tmp_path, count_trainings, after
):
    """To the very same numbers; what was finished is not made again."""
    count_trainings.last = after
    with pytest.raises(Killed):
        evaluate(tmp_path / "run")
    # What a kill has cut off is as if it were not there.
    name = CellKey("flip", 2).file_name + ".123.partial"
    (tmp_path / "run" / CELLS / name).write_text('{"arm": "flip", "se')
    count_trainings.last = None
    report = evaluate(tmp_path / "run")
    assert len(count_trainings.done) == 9
    assert report.arms == evaluate().arms
    assert len(count_trainings.done) == 18


def test_more_seeds_add_what_is_missing(evaluate, tmp_path, count_trainings):
    """And the report is that of all of them."""
    evaluate(tmp_path / "run", seeds=2)
    report = evaluate(tmp_path / "run", seeds=[0, 1, 7])
    assert len(count_trainings.done) == 9
    assert report.seeds == (0, 1, 7)
    assert len(report.arm("flip").recall) == 3
    assert report.arms == evaluate(seeds=[0, 1, 7]).arms


def test_more_arms_add_what_is_missing(evaluate, tmp_path, count_trainings):
    """A report without the earlier ones says so: who hides losers flatters."""
    evaluate(tmp_path / "run")
    arms = {"balanced": Arm(flip, class_balanced=True)}
    report = evaluate(tmp_path / "run", arms=arms)
    assert len(count_trainings.done) == 12
    assert report.arms == evaluate(arms=arms).arms
    assert any("leaves out: 'flip'" in note for note in report.notes)
    both = evaluate(tmp_path / "run", arms={"flip": flip, **arms})
    assert len(count_trainings.done) == 21
    assert not any("leaves out" in note for note in both.notes)
    with pytest.raises(ValueError, match=r"flip.class_balanced=true"):
        evaluate(tmp_path / "run", arms={"flip": Arm(flip, True)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 6}, "steps=6 for 5 there"),
        ({"batch_size": 32}, "batch_size=32 for 64 there"),
        ({"arms": {"flip": Arm(flip, True)}}, "arms.flip.class_balanced=true"),
    ],
)
def test_another_configuration_is_refused(
    evaluate, digits, tmp_path, count_trainings, change, message
):
    """With the difference, before anything is trained."""
    evaluate(tmp_path / "run", seeds=1)
    with pytest.raises(ValueError, match=message):
        evaluate(tmp_path / "run", seeds=1, **change)
    with pytest.raises(ValueError, match=r"train.images.sha256="):
        evaluate(
            tmp_path / "run",
            train=(255 - digits.train.images, digits.train.labels),
            seeds=1,
        )
    assert len(count_trainings.done) == 3


def test_other_folders_are_not_written_into(tmp_path):
    """They stay as they are."""
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="something else"):
        Cells(tmp_path, {})
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    Cells(tmp_path / "new", {"steps": 1})
    kept = json.loads((tmp_path / "new" / CONFIGURATION).read_text())
    assert kept == {"format_version": FORMAT_VERSION, "steps": 1}
    # Of a version that did not write its number.
    (tmp_path / "new" / CONFIGURATION).write_text('{"steps": 1}')
    with pytest.raises(ValueError, match="format_version"):
        Cells(tmp_path / "new", {"steps": 1})


def test_descriptions_tell_arms_apart(small_gan):
    """Settings, arrays, estimators, functions, and what generators draw."""

    @dataclass(frozen=True)
    class Mine:
        number: float
        data: np.ndarray

    one = Mine(0.5, np.arange(3))
    assert describe(one) == describe(Mine(0.5, np.arange(3)))
    assert describe(one) != describe(Mine(0.5, np.arange(4)))
    assert describe(one) != describe(Mine(0.6, np.arange(3)))
    assert describe(SMOTE()) != describe(SMOTE(k_neighbors=2))
    schedules = [
        keras.optimizers.schedules.ExponentialDecay(rate, 10, 0.5)
        for rate in (0.1, 0.1, 0.2)
    ]
    assert describe(schedules[0]) == describe(schedules[1])
    assert describe(schedules[0]) != describe(schedules[2])
    assert describe(flip) == f"{__name__}.flip"

    class Plain:
        def __init__(self, number):
            self.number = number

        def method(self, dataset):
            return dataset

    for kind in (lambda plain: plain, lambda plain: plain.method):
        first, same, other = (kind(Plain(number)) for number in (1, 1, 2))
        assert describe(first) == describe(same)
        assert describe(first) != describe(other)
    assert describe(functools.partial(flip, 1)) != describe(
        functools.partial(flip, 2)
    )
    augmenters = [
        ganaug.GANAugmenter(small_gan, ratio=ratio, seed=seed)
        for ratio, seed in ((0.25, 0), (0.25, 0), (0.5, 0), (0.25, 1))
    ]
    first, same, *others = map(describe, augmenters)
    assert first == same
    assert first not in others
    assert json.loads(json.dumps(first)) == first
    bank = ganaug.GANAugmenter(small_gan, source="bank", bank_size=20, seed=0)
    assert describe(bank) != first
