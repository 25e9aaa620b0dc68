"""The work of drawing a bank: order, processes, stops."""

import concurrent.futures
import errno
import hashlib
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from ganaug.synthesis import bank_folder, work
from ganaug.synthesis.bank import Bank
from ganaug.synthesis.chunks import chunk_seed
from ganaug.synthesis.filters import CopyFilter
from ganaug.synthesis.generating import draw_bank, write_bank
from ganaug.synthesis.generators import Generators
from ganaug.synthesis.selection import Selection

COUNTS = (130, 1, 70)


@pytest.fixture(scope="module")
def generators(make_artifact):
    """Generators whose banks have all columns."""
    return Generators(make_artifact(1), class_interpolation=0.5)


@pytest.fixture(scope="module")
def selection(generators):
    """A selection that about half of the images pass."""
    images = draw_bank(generators, 150, seed=99).images
    return Selection([CopyFilter(images, 0.5)], max_draws=6)


@pytest.fixture(scope="module")
def expected(generators, selection, tmp_path_factory):
    """SHA-256s of the files of a bank that was written in one go."""
    path = tmp_path_factory.mktemp("banks") / "bank"
    bank = write_bank(generators, COUNTS, path, 5, selection)
    assert bank.class_counts == COUNTS
    assert 0.2 < np.divide(*bank_totals(bank)) < 0.8
    return sha256s(path)


def bank_totals(bank):
    return [
        np.sum(bank.record["num_passed"]["copies"]),
        np.sum(bank.record["num_candidates"]),
    ]


def sha256s(path):
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in path.iterdir()
    }


class Stop(Exception):
    """What stops the work in these tests."""


def stop_after(num_chunks):
    """Makes an `on_progress` that stops the work."""
    calls = []

    def on_progress(num_done, num_images):
        calls.append((num_done, num_images))
        if len(calls) == num_chunks:
            raise Stop

    return on_progress


def test_a_finished_bank_has_these_files(expected):
    """And no trace of the work."""
    assert set(expected) == {
        *("bank.json", "images.bin", "targets.bin", "provenance.bin"),
        "fingerprints.bin",
    }


def test_progress_is_told(generators):
    """After each chunk, up to the whole."""
    calls = []
    draw_bank(
        generators, COUNTS, 0, on_progress=lambda *call: calls.append(call)
    )
    assert calls == [
        *((64, 201), (128, 201), (130, 201)),
        *((131, 201), (195, 201), (201, 201)),
    ]


class Scrambled:
    """Makes chunks in threads that take their time."""

    num_ahead = 5

    def __init__(self, maker, num_workers):
        self._maker = maker
        self._random = random.Random(num_workers)
        self._pool = concurrent.futures.ThreadPoolExecutor(self.num_ahead)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._pool.shutdown()

    def submit(self, label, number):
        return self._pool.submit(
            self._make, label, number, self._random.choice([0, 0.01, 0.05])
        )

    def _make(self, label, number, seconds):
        time.sleep(seconds)
        return self._maker(label, number)

    def result(self, future):
        return future.result()


@pytest.mark.parametrize("num_workers", [2, 3, 4])
def test_the_order_of_the_work_does_not_matter(
    generators, selection, expected, tmp_path, monkeypatch, num_workers
):
    """Chunks may come in any order."""
    monkeypatch.setattr(work, "_executor", Scrambled)
    path = tmp_path / "bank"
    write_bank(generators, COUNTS, path, 5, selection, num_workers)
    assert sha256s(path) == expected


@pytest.mark.parametrize("num_chunks", [1, 2, 4])
def test_work_goes_on_where_it_stopped(
    generators, selection, expected, tmp_path, num_chunks
):
    """And ends with the very same bytes."""
    path = tmp_path / "bank"
    for _ in range(2):
        with pytest.raises(Stop):
            write_bank(
                generators,
                COUNTS,
                path,
                5,
                selection,
                on_progress=stop_after(num_chunks),
            )
        with pytest.raises(FileNotFoundError, match="the same command"):
            Bank.open(path)
    lines = (path / "journal.jsonl").read_text().splitlines()
    assert len(lines) == 2 * num_chunks
    write_bank(generators, COUNTS, path, 5, selection)
    assert sha256s(path) == expected


def cut_line(path):
    journal = path / "journal.jsonl"
    os.truncate(journal, journal.stat().st_size - 9)


def change_image(path):
    with open(path / "images.bin", "r+b") as file:
        file.seek(70 * 30)
        file.write(b"broken")


def lose_images(path):
    os.remove(path / "images.bin")


def lose_journal(path):
    os.remove(path / "journal.jsonl")


def stop_at_the_plan(path):
    shutil.rmtree(path)
    path.mkdir()
    (path / "plan.json.partial").write_bytes(b"{")


@pytest.mark.parametrize(
    "damage",
    [cut_line, change_image, lose_images, lose_journal, stop_at_the_plan],
)
def test_what_was_damaged_is_drawn_again(
    generators, selection, expected, tmp_path, damage
):
    """Whatever a kill or a power cut leaves."""
    path = tmp_path / "bank"
    with pytest.raises(Stop):
        write_bank(
            generators, COUNTS, path, 5, selection, on_progress=stop_after(6)
        )
    damage(path)
    write_bank(generators, COUNTS, path, 5, selection)
    assert sha256s(path) == expected


@pytest.mark.parametrize("name", ["file_sha256", "os.replace"])
def test_a_stop_while_it_is_finished(
    generators, selection, expected, tmp_path, monkeypatch, name
):
    """With all images there, or just before the last rename."""
    path = tmp_path / "bank"
    replace = os.replace

    def stop(*files):
        if name == "file_sha256" or files[1].name == "bank.json":
            raise Stop
        replace(*files)

    with monkeypatch.context() as patch, pytest.raises(Stop):
        if name == "os.replace":
            patch.setattr(bank_folder.os, "replace", stop)
        else:
            patch.setattr(bank_folder, "file_sha256", stop)
        write_bank(generators, COUNTS, path, 5, selection)
    calls = []
    write_bank(
        generators,
        COUNTS,
        path,
        5,
        selection,
        on_progress=lambda *call: calls.append(call),
    )
    assert not calls
    shutil.rmtree(path / "bank.json.partial", ignore_errors=True)
    assert sha256s(path) == expected


def test_a_finished_bank_is_left_as_it_is(generators, tmp_path):
    """Asking for it again opens it; traces of the work are removed."""
    path = tmp_path / "bank"
    write_bank(generators, 10, path, 5)
    before = sha256s(path)
    (path / "journal.jsonl").write_text("left over")
    bank = write_bank(
        generators, 10, path, 5, on_progress=lambda *call: pytest.fail()
    )
    assert len(bank) == 30
    assert sha256s(path) == before


@pytest.mark.parametrize("stops", [True, False])
def test_a_bank_of_another_call_is_not_overwritten(
    generators, selection, make_artifact, tmp_path, stops
):
    """Finished or not; the error says what differs."""
    path = tmp_path / "bank"
    if stops:
        with pytest.raises(Stop):
            write_bank(generators, 10, path, 5, on_progress=stop_after(1))
    else:
        write_bank(generators, 10, path, 5)
    before = sha256s(path)
    for kwargs, name in (
        ({"seed": 6}, "seed"),
        ({"num_per_class": 11}, "num_wanted"),
        ({"selection": selection}, "selection"),
        ({"generators": Generators(make_artifact(3))}, "drawn_with"),
    ):
        call = {
            "generators": generators,
            "num_per_class": 10,
            "seed": 5,
            **kwargs,
        }
        with pytest.raises(FileExistsError, match=rf"other \['{name}'"):
            write_bank(path=path, **call)
    assert sha256s(path) == before


def test_other_folders_are_not_overwritten(generators, tmp_path):
    """Nor files."""
    (tmp_path / "thesis.tex").write_text("years of work")
    for path in (tmp_path, tmp_path / "thesis.tex"):
        with pytest.raises(FileExistsError, match="something else"):
            write_bank(generators, 10, path, 5)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_full_disk_stops_the_work_and_loses_nothing(
    generators, selection, expected, tmp_path, monkeypatch
):
    """The error says how far it is; with room, the work goes on."""
    path = tmp_path / "bank"
    written = []
    write_all = bank_folder._write_all

    def write_until_full(file, blob):
        written.append(len(blob))
        if len(written) > 15:
            file.write(blob[:7])
            raise OSError(errno.ENOSPC, "No space left on device")
        write_all(file, blob)

    with monkeypatch.context() as patch:
        patch.setattr(bank_folder, "_write_all", write_until_full)
        with pytest.raises(OSError, match=r"full after \d+ of 201 images"):
            write_bank(generators, COUNTS, path, 5, selection)
    write_bank(generators, COUNTS, path, 5, selection)
    assert sha256s(path) == expected


def test_too_little_room_is_told_before_the_work(
    generators, tmp_path, monkeypatch
):
    """With what is needed and what is left."""
    monkeypatch.setattr(
        bank_folder.shutil,
        "disk_usage",
        lambda path: shutil._ntuple_diskusage(10**9, 10**9 - 9000, 9000),
    )
    with pytest.raises(OSError, match=r"needs 111.0 MB.*0.0 MB left"):
        write_bank(
            generators,
            500_000,
            tmp_path / "new" / "bank",
            5,
            on_progress=lambda *call: pytest.fail(),
        )
    # So fewer images may be asked for.
    assert not (tmp_path / "new").exists()


def test_classes_that_stay_short_leave_no_gaps(generators, tmp_path):
    """The bank on disk is the one in memory."""
    images = draw_bank(generators, 150, seed=99).images
    selection = Selection([CopyFilter(images, 0.7)], max_draws=1)
    with pytest.warns(UserWarning, match=r"cat: \d+ of 130"):
        memory = draw_bank(generators, COUNTS, 5, selection)
    path = tmp_path / "bank"
    with pytest.warns(UserWarning, match=r"fox: \d+ of 70"):
        disk = write_bank(generators, COUNTS, path, 5, selection)
    assert disk.class_counts == memory.class_counts
    assert 0 < disk.class_counts[0] < 130
    for name in ("images", "targets", "provenance"):
        np.testing.assert_array_equal(
            getattr(disk, name), getattr(memory, name)
        )
    assert "images.bin.partial" not in sha256s(path)


def test_a_stop_among_closed_gaps(generators, tmp_path, monkeypatch):
    """Files that are closed up already are drawn again."""
    images = draw_bank(generators, 150, seed=99).images
    selection = Selection([CopyFilter(images, 0.7)], max_draws=1)
    path, whole = tmp_path / "bank", tmp_path / "whole"
    with pytest.warns(UserWarning, match="Too few"):
        write_bank(generators, COUNTS, whole, 5, selection)

    def stop(path):
        raise Stop

    with (
        monkeypatch.context() as patch,
        pytest.raises(Stop),
        pytest.warns(UserWarning, match="Too few"),
    ):
        patch.setattr(bank_folder, "file_sha256", stop)
        write_bank(generators, COUNTS, path, 5, selection)
    with pytest.warns(UserWarning, match="Too few"):
        write_bank(generators, COUNTS, path, 5, selection)
    assert sha256s(path) == sha256s(whole)


def test_chunks_have_seeds_of_their_own():
    """No two chunks share one, nor follow one another as numbers."""
    seeds = np.array(
        [
            chunk_seed(seed, purpose, turn, label, number)
            for seed in (0, 1)
            for purpose in ("bank", "calibration")
            for turn in (0, 1)
            for label in range(4)
            for number in range(8)
        ]
    )
    assert seeds.dtype == np.int64
    assert seeds.min() >= 0
    assert len(np.unique(seeds[:, 0])) == len(np.unique(seeds[:, 1])) == 256
    near = np.abs(seeds[:, None, :] - seeds[None]).max(-1)
    assert np.unique(near)[1] > 2**20


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"num_per_class": 0}, "num_per_class=0"),
        ({"num_per_class": -1}, "num_per_class=-1"),
        ({"num_per_class": [1, 2]}, r"num_per_class=\[1, 2\]"),
        ({"num_per_class": [1, 2, 0.5]}, "one integer"),
        ({"num_per_class": "many"}, "num_per_class='many'"),
        ({"seed": -1}, "seed=-1"),
        ({"num_workers": 0}, "num_workers=0"),
        ({"num_workers": True}, "num_workers=True"),
        ({"num_workers": 1.5}, "num_workers=1.5"),
    ],
)
def test_bad_arguments_are_refused(generators, kwargs, message):
    """With the value that came."""
    with pytest.raises(ValueError, match=message):
        draw_bank(generators, **{"num_per_class": 2, "seed": 0, **kwargs})


def test_what_cannot_be_sent_to_other_processes_is_told(generators):
    """Such as a filter that holds a function without a name."""

    class Filter:
        name, is_relative, settings = "own", False, None
        check = score = threshold = lambda *args: None

    selection = Selection([Filter()])
    with pytest.raises(ValueError, match=r"Use `num_workers=1`.*Received: "):
        draw_bank(generators, 2, 0, selection, num_workers=2)


def test_workers_that_are_killed_and_work_that_goes_on(
    generators, selection, expected, tmp_path
):
    """SIGKILL in the midst of the work, and its processes end too.

    Then one process finishes it, with the same bytes.
    """
    path = tmp_path / "bank"
    (tmp_path / "call.pickle").write_bytes(
        pickle.dumps((generators, selection))
    )
    (tmp_path / "script.py").write_text(
        "import os, pathlib, pickle, sys, time\n"
        "from ganaug.synthesis.generating import write_bank\n"
        "def wait(num_done, num_images):\n"
        "    if num_done > 70:\n"
        "        print('half', flush=True)\n"
        "        time.sleep(60)\n"
        "if __name__ == '__main__':\n"
        f"    call = pathlib.Path({str(tmp_path)!r}, 'call.pickle')\n"
        "    generators, selection = pickle.loads(call.read_bytes())\n"
        f"    write_bank(generators, {COUNTS}, {str(path)!r}, 5, selection,\n"
        "               num_workers=2, on_progress=wait)\n"
    )
    process = subprocess.Popen(
        [sys.executable, tmp_path / "script.py"],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "half\n"
        workers = children(process.pid)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert len(workers) >= 2
    until = time.monotonic() + 20
    while any(map(is_running, workers)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(map(is_running, workers))
    assert (path / "journal.jsonl").stat().st_size
    assert not (path / "bank.json").exists()
    write_bank(generators, COUNTS, path, 5, selection)
    assert sha256s(path) == expected


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
