"""Progress of long work: a bar on a terminal, now and then a line elsewhere."""

import contextlib
import time

from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

# Lines over the whole work where there is no terminal to draw a bar on.
LINES = 20


class ProgressReport:
    """Shows how far a piece of work is, and the time left.

    On a terminal it draws a bar; into a file or a pipe it writes about twenty
    lines in all, so that a log stays readable and is never silent for long.

    Args:
        console: `rich.console.Console`.
        name: String before each line.
        unit: String after the numbers, such as `"steps"`.
    """

    def __init__(self, console, name, unit):
        self._console = console
        self._name = name
        self._unit = unit
        self._bar = Progress(
            TextColumn(name),
            BarColumn(bar_width=24),
            TextColumn(f"{{task.completed}}/{{task.total}} {unit}"),
            TextColumn("{task.fields[text]}"),
            TextColumn("left"),
            TimeRemainingColumn(compact=True),
            console=console,
        )
        self._task = None

    def update(self, completed, total, text=""):
        """Tells how much is done; the first call starts the clock.

        Args:
            completed: Integer.
            total: Integer.
            text: String, further facts. Defaults to none.
        """
        if self._task is None:
            self._task = self._bar.add_task("", total=total, text="")
            self._started = time.monotonic(), completed
            self._shown = completed
            if self._console.is_terminal:
                self._bar.start()
        self._bar.update(self._task, completed=completed, text=text)
        enough = completed - self._shown >= max(1, total // LINES)
        if not self._console.is_terminal and (enough or completed == total):
            self._shown = completed
            parts = (self._name, f"{completed}/{total}", self._unit, text)
            self._console.print(
                *filter(None, parts),
                f"left {self._time_left(completed, total)}",
                highlight=False,
                soft_wrap=True,
            )

    def _time_left(self, completed, total):
        started, before = self._started
        if completed == before:
            return "?"
        seconds = time.monotonic() - started
        left = round(seconds * (total - completed) / (completed - before))
        return f"{left // 60}:{left % 60:02d}"

    def stop(self):
        """Ends the drawing."""
        if self._console.is_terminal:
            self._bar.stop()


@contextlib.contextmanager
def trainings_shown(console):
    """Shows how far an evaluation is.

    Args:
        console: `rich.console.Console`.

    Yields:
        A callable, as `evaluate_augmentation` takes it for `progress`.
    """
    shown = ProgressReport(console, "evaluating", "trainings")

    def progress(done, total, arm, seed):
        text = "" if arm is None else f"({arm}, seed {seed})"
        shown.update(done, total, text)

    try:
        yield progress
    finally:
        shown.stop()
