"""What benchmarks say, of times that are known."""

import subprocess
import sys

import benchmarks.__main__
import benchmarks.turns
import numpy as np
import pytest
from benchmarks.quality_courses import (
    REAL,
    Course,
    Courses,
    compare,
    make_tables,
)
from benchmarks.step_kernels import output_of_the_process, sum_by_kind
from benchmarks.tables import REPOSITORY, describe_machine, make_table, show
from benchmarks.time_to_quality import FIRST_LOOK, LATER, looks
from benchmarks.training_step import verdict


def test_tables_are_markdown(capsys):
    table = make_table("what", "seconds [s]")
    table.add_row("a " * 100, "1")
    show(table)
    lines = [
        line for line in capsys.readouterr().out.splitlines() if "|" in line
    ]
    assert [line.count("|") for line in lines] == [3, 3, 3]
    assert "seconds [s]" in lines[0] and "a " * 100 in lines[2]


def test_the_machine_is_named():
    said = describe_machine()
    assert "cores" in said and "tensorflow 2." in said and "code of" in said


def test_looks_are_a_quarter_apart_and_end_at_the_limit():
    times = np.array(looks(100))
    assert (times[0], times[-1]) == (FIRST_LOOK, 100)
    np.testing.assert_allclose(times[1:-1] / times[:-2], LATER)
    assert 1 < times[-1] / times[-2] <= LATER
    assert looks(2) == [2]


def _courses(*times, imports=0.0, ended=600.0):
    return [
        Course(imports, [(3.0, 0.6), (ended, 0.7)])
        if time is None
        else Course(imports, [(3.0, 0.6), (time, 0.75), (ended, 0.79)])
        for time in times
    ]


def test_ratios_to_the_best_peer():
    found = {
        REAL: [Course(looks=[(0.0, 0.9)])] * 2,
        "ganaug, GAN": _courses(20.0, 25.0, imports=10.0),
        "ganaug, VAE": _courses(None, 10.0),
        "PyTorch, slow": _courses(90.0, 200.0),
        "PyTorch, fast": _courses(60.0, 100.0, imports=3.0),
        # Quick where it comes there, and it seldom does.
        "PyTorch, unsure": _courses(None, 30.0),
    }
    assert compare(found, 0.75) == {
        "ganaug, GAN": "3.0, 4.0",
        "ganaug, VAE": "not reached, 10.0",
    }
    assert compare(found, 0.75, imports=True)["ganaug, GAN"] == "2.1, 2.9"
    assert compare(found, 0.8)["ganaug, GAN"] == "not reached, not reached"
    table, ratios = make_tables(found)
    assert (table.row_count, ratios.row_count) == (6, 2)


def test_a_peer_that_was_given_up_bounds_the_ratio():
    found = {
        "ganaug, GAN": _courses(20.0),
        "PyTorch, late": _courses(None, ended=600.0),
    }
    assert compare(found, 0.75) == {"ganaug, GAN": "over 30.0"}
    assert compare({"ganaug, GAN": _courses(20.0)}, 0.75) == {}


def test_a_peer_that_failed_bounds_nothing():
    failed = Course(looks=[(10.0, 0.6)], failed=True)
    found = {
        "ganaug, GAN": _courses(20.0, 20.0),
        "PyTorch, broken": [failed, *_courses(None)],
        "PyTorch, late": _courses(None, None),
    }
    assert compare(found, 0.75) == {"ganaug, GAN": "over 30.0, over 30.0"}
    del found["PyTorch, late"]
    assert compare(found, 0.75) == {"ganaug, GAN": "peer failed, over 30.0"}
    assert failed.words(0.75) == "failed"


def test_courses_are_kept_in_a_file(tmp_path):
    path = tmp_path / "courses.json"
    one, two = _courses(20.0, None, imports=7.0)
    courses = Courses(path, 600)
    courses.add(REAL, 0, Course(looks=[(0.0, 0.9)]))
    courses.add("one", 0, one)
    courses.add("one", 1, two)
    assert courses.by_name(["one", "two"]) == {}
    courses.add("two", 0, Course(failed=True))
    assert not courses.lacks("two", 0)
    # Its seed 1 has no real images yet.
    assert courses.by_name(["one"])["one"] == [one]
    again = Courses(path, 600)
    assert again.by_name(["one"]) == courses.by_name(["one"])
    assert again.by_name(["one"])["one"][0].reached == {0.75: 20.0}
    # What failed is tried again.
    assert again.lacks("two", 0)
    with pytest.raises(ValueError, match=r"must be 600.*limit=300"):
        Courses(path, 300)


def test_steps_are_compared_turn_by_turn():
    times = {
        "ganaug": np.array([[1.0, 0], [2, 0], [4, 0]]),
        "PyTorch": np.array([[2.0, 0], [3, 0], [8, 0]]),
        "slow": np.array([[9.0, 0], [9, 0], [9, 0]]),
    }
    ours, theirs = ["ganaug"], ["PyTorch", "slow", "that failed"]
    assert verdict(times, ours, theirs) == "2.00 (1.75 to 2.00)"
    assert verdict(times, ours, ["that failed"]) == ""


def test_turns_are_taken_back_and_forth():
    order = []

    class Known:
        def __init__(self, name):
            self.name = name

        def run(self, steps):
            order.append((self.name, steps))
            return np.array([1.0, 2.0])

    known = {name: Known(name) for name in "abc"}
    times = benchmarks.turns.take_turns(known, {"a": 4, "b": 4, "c": 1}, 2)
    assert [name for name, _ in order] == [*"abc", *"abc", *"cba"]
    assert order[3:6] == [("a", 4), ("b", 4), ("c", 1)]
    np.testing.assert_array_equal(times["c"], [[1, 2], [1, 2]])


def test_kernels_are_summed_by_what_they_compute():
    start = "onednn_verbose,v1,primitive,exec,cpu,convolution"
    lines = [
        "onednn_verbose,v1,info,oneDNN v3.7.3",
        f"{start},jit:avx512_core,backward_weights,src,,,mb64_ic1,0.5\n",
        f"{start},jit:avx512_core,backward_weights,src,,,mb64_ic9,0.25\n",
        f"{start},brg_conv_fwd:avx2,forward_training,src,,,mb64,2\n",
        "onednn_verbose,v1,primitive,exec,cpu,gemm_api,,undef,src,,,64x9,4\n",
        "onednn_verbose,v1,primitive,exec,cpu,pooling,jit,x,,,mb64,1\n",
        "onednn_verbose,v1,primitive,create,cpu,convolution,jit,x,9\n",
        "something else, exec\n",
    ]
    sums = sum_by_kind(lines)
    assert {kind: of_it for kind, of_it in sums.items() if of_it} == {
        "backward, weights": 0.75,
        "convolution forward": 2.0,
        "matrix product": 4.0,
        "others of oneDNN's": 1.0,
    }


def test_what_libraries_print_is_caught(capfd):
    with output_of_the_process() as lines:
        subprocess.run(["echo", "from a library"], check=True)
    assert lines == ["from a library\n"]
    print("seen")
    assert capfd.readouterr().out == "seen\n"


def test_a_part_that_fails_does_not_stop_the_others(tmp_path, monkeypatch):
    part = tmp_path / "parts"
    part.mkdir()
    (part / "__init__.py").touch()
    (part / "good.py").write_text("print('measured')")
    (part / "bad.py").write_text("raise SystemExit(3)")
    said = []
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(benchmarks.__main__, "PACKAGE", "parts")
    statuses = [
        benchmarks.__main__.run(name, [], said.append)
        for name in ("bad", "good")
    ]
    assert statuses == [3, 0]
    assert "exit status 3" in "".join(said) and "measured\n" in said


def test_what_is_broken_off_leaves_no_process(monkeypatch):
    """Though nobody has got it to end it."""
    begun = []

    class Kept(subprocess.Popen):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            begun.append(self)

    def broken_off(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Kept)
    monkeypatch.setattr(benchmarks.turns.select, "select", broken_off)
    with pytest.raises(KeyboardInterrupt):
        benchmarks.turns.Contestant(
            "subprocess:run", {"args": ["sleep", "600"]}
        )
    assert begun[0].returncode is not None


def test_a_contestant_that_cannot_be_made_says_why():
    with pytest.raises(RuntimeError, match="No module named 'nowhere'"):
        benchmarks.turns.Contestant("nowhere:made", {})


def test_what_is_missing_is_said_at_once():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--only", "time_to_quality"],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
    )
    assert done.returncode == 2 and "needs --data-dir" in done.stderr
