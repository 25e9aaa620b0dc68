"""Several processes that share one evaluation."""

import json
import multiprocessing
import os
import signal
import time

import pytest

import ganaug
from ganaug.evaluate.arms import BASELINE, Arm
from ganaug.evaluate.cells import CELLS, CONFIGURATION, CellKey, Cells

SEEDS = 4


def work(folder, path, kill_after=None):
    """What each process does: it notes which trainings were its own."""
    import keras

    from ganaug.evaluate.training import ClassifierTrainer

    def build(image_shape, num_classes, value_range):
        return keras.Sequential(
            [
                keras.Input(image_shape),
                keras.layers.Flatten(),
                keras.layers.Dense(num_classes),
            ]
        )

    train, done = ClassifierTrainer.train, []

    def counted(self, *args):
        if kill_after is not None and len(done) == kill_after:
            os.kill(os.getpid(), signal.SIGKILL)
        done.append(1)
        train(self, *args)

    ClassifierTrainer.train = counted
    digits = ganaug.load_data(
        "digits", class_counts=(40, 30, 20, 15, 12, 9, 7, 5, 4, 3)
    )
    report = ganaug.evaluate_augmentation(
        digits.train,
        digits.test,
        {"flip": ganaug.on_top_of_best(flip)},
        controls={BASELINE: Arm(), "weights": Arm(class_weights=True)},
        classifier=build,
        seeds=SEEDS,
        steps=20,
        run_dir=folder,
    )
    facts = report.to_dict()
    facts["settings"].pop("seconds")
    path.write_text(json.dumps({"done": len(done), "facts": facts}))


def flip(dataset):
    return dataset.map(lambda x, y: (x[:, :, ::-1], y))


def start(*arguments):
    process = multiprocessing.get_context("spawn").Process(
        target=work, args=arguments
    )
    process.start()
    return process


def test_processes_share_the_trainings(tmp_path):
    """None is made twice, and each gives the report of one process alone."""
    paths = [tmp_path / f"{place}.json" for place in range(3)]
    pair = [start(tmp_path / "run", path) for path in paths[:2]]
    for process in pair:
        process.join(120)
        assert process.exitcode == 0
    start(tmp_path / "alone", paths[2]).join(120)
    first, second, alone = (json.loads(path.read_text()) for path in paths)
    # Two controls to choose and to test, and an arm.
    assert first["done"] + second["done"] == alone["done"] == SEEDS * 5
    assert first["done"] and second["done"]
    assert first["facts"] == second["facts"] == alone["facts"]


def test_what_a_killed_process_had_begun_is_done_by_another(tmp_path):
    """Its claim ends with it."""
    path = tmp_path / "report.json"
    killed = start(tmp_path / "run", tmp_path / "none.json", 3)
    other = start(tmp_path / "run", path)
    killed.join(120)
    other.join(120)
    assert killed.exitcode == -signal.SIGKILL
    assert other.exitcode == 0
    assert json.loads(path.read_text())["done"] == SEEDS * 5 - 3


def hold(folder, begun):
    with Cells(folder, {}).claim("work", wait=False) as claimed:
        begun.put(claimed)
        time.sleep(60)


def test_claims_exclude_each_other(tmp_path):
    """While the process lives that has one."""
    context = multiprocessing.get_context("spawn")
    begun = context.Queue()
    process = context.Process(target=hold, args=(tmp_path / "run", begun))
    process.start()
    assert begun.get(timeout=60)
    cells = Cells(tmp_path / "run", {})
    with cells.claim("work", wait=False) as claimed:
        assert not claimed
    with cells.claim("other work", wait=False) as claimed:
        assert claimed
    process.kill()
    with cells.claim("work", wait=True) as claimed:
        assert claimed
    process.join()


def test_cells_of_other_processes_are_found(tmp_path):
    """Without being opened anew."""
    one, other = (Cells(tmp_path / "run", {"steps": 1}) for _ in range(2))
    key = CellKey("arm / name", 3, on_top_of="classic")
    assert other.get(key, "data") is None
    one.put(key, "data", {"test": {"recall": (0.5, None)}}, 1.5)
    assert other.get(key, "data") == {"test": {"recall": (0.5, None)}}
    assert other.get(CellKey("arm / name", 3), "data") is None
    assert one.seconds == other.seconds == 1.5
    assert len(list((tmp_path / "run" / CELLS).iterdir())) == 1
    with pytest.raises(ValueError, match="seed 3 had other training images"):
        other.get(key, "other data")


def test_seeds_of_others_come_last(evaluate_quickly, tmp_path):
    """So that nobody waits for a generator that somebody else trains."""
    evaluate_quickly({"flip": Arm(flip)}, seeds=1, run_dir=tmp_path)
    order = []
    configuration = json.loads((tmp_path / CONFIGURATION).read_text())
    with Cells(tmp_path, configuration).claim("seed 1", wait=False):
        evaluate_quickly(
            {"flip": Arm(flip)},
            seeds=3,
            run_dir=tmp_path,
            progress=lambda done, total, arm, seed: order.append(seed),
        )
    assert order == [2, 2, 1, 1, None]


def test_who_reads_cells_reports_the_seconds_of_who_wrote_them(tmp_path):
    """To the last digit, in whatever order they are read."""
    one, other = (Cells(tmp_path / "run", {"steps": 1}) for _ in range(2))
    keys = [CellKey("arm", seed) for seed in range(9)]
    for key in keys:
        one.put(key, "data", {}, (key.seed + 1) * 0.0117777)
    for key in reversed(keys):
        other.get(key, "data")
    assert one.seconds == other.seconds == pytest.approx(0.53, abs=0.005)
