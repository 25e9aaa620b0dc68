"""Progress, on a terminal and in a log."""

import io

import pytest
from rich.console import Console

from ganaug.progress import ProgressReport


def show(is_terminal, total=1000, text="loss {}"):
    stream = io.StringIO()
    report = ProgressReport(
        Console(file=stream, force_terminal=is_terminal, width=100),
        "training",
        "steps",
    )
    for completed in range(1, total + 1):
        report.update(completed, total, text.format(completed))
    report.stop()
    return stream.getvalue()


def test_a_log_gets_some_lines():
    """About twenty, the last of them at the end, with the time left."""
    lines = show(False).splitlines()
    assert 19 <= len(lines) <= 22
    assert lines[-1] == "training 1000/1000 steps loss 1000 left 0:00"
    assert lines[0].startswith("training 51/1000 steps loss 51 left ")


@pytest.mark.parametrize("total", [1, 3])
def test_short_work_is_logged_too(total):
    """Also where there are fewer steps than lines."""
    assert f"{total}/{total} steps" in show(False, total)


def test_there_may_be_no_further_facts():
    """Then nothing stands in their place."""
    assert show(False, 1, text="") == "training 1/1 steps left ?\n"


def test_a_terminal_gets_a_bar():
    """With the same facts."""
    shown = show(True)
    assert "1000/1000 steps" in shown
    assert "loss 1000" in shown
