"""Contestants in processes of their own that take turns at the processor.

Two frameworks in one process share, and fight over, its threads. So each
contestant is a process that runs some steps when it is told to and waits
otherwise.
"""

import contextlib
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

# Seconds after which a contestant counts as stuck.
PATIENCE = 1800
REPOSITORY = Path(__file__).resolve().parents[1]


class Contestant:
    """A process that repeats steps on demand; a context that ends it.

    Args:
        maker: String `"module:function"`. The function gets `arguments` and
            returns a function without arguments that takes one step and waits
            for its end, or a pair of it and a dict of facts.
        arguments: Dict of plain data.

    Raises:
        RuntimeError: The contestant cannot be made, or takes too long; the
            message is the last line of what it printed.
    """

    def __init__(self, maker, arguments):
        # Not a pipe, which would stop the process when nobody empties it.
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.turns", maker],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            cwd=REPOSITORY,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            # With all that it starts itself.
            start_new_session=True,
        )
        try:
            self.facts = self._ask(arguments)
        except BaseException:
            # Also where the user breaks it off: nobody else knows of it yet.
            self.__exit__()
            raise

    @property
    def pid(self):
        """Integer: the number of the process."""
        return self._process.pid

    def _ask(self, message):
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        answer = self._process.stdout.readline() if ready else ""
        if answer:
            return json.loads(answer)
        self.end()
        self._said.seek(0)
        said = self._said.read().strip().splitlines()
        raise RuntimeError(said[-1] if said else "It ended without a word.")

    def run(self, steps):
        """Lets it take some steps.

        Args:
            steps: Integer.

        Returns:
            A float array `(2,)`: seconds for a step by the clock, and those of
            all threads of the process on a processor.
        """
        return np.array(self._ask(steps))

    def end(self):
        """Ends the process and what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.stdout.close()
        # What it had not read any more.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
        self._said.close()


def take_turns(contestants, steps, rounds):
    """Times contestants in turns, in every second round from last to first.

    So who comes late in a round gains nothing where the machine gets slower.

    Args:
        contestants: Dict from names to `Contestant`.
        steps: Integer, or a dict from names to integers. Steps of a turn.
        rounds: Integer. Turns of each.

    Returns:
        A dict from names to float arrays `(rounds, 2)`, as `Contestant.run`
        gives them.
    """
    for contestant in contestants.values():
        contestant.run(2)
    if not isinstance(steps, dict):
        steps = dict.fromkeys(contestants, steps)
    times = {name: [] for name in contestants}
    order = list(contestants.items())
    for _ in range(rounds):
        for name, contestant in order:
            times[name].append(contestant.run(steps[name]))
        order.reverse()
    return {name: np.array(of_it) for name, of_it in times.items()}


def _serve(maker):
    """What a contestant's process does: makes itself, then obeys."""
    # Whatever a library prints must not come between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    module, function = maker.split(":")
    arguments = json.loads(sys.stdin.readline())
    made = getattr(importlib.import_module(module), function)(**arguments)
    step, facts = made if isinstance(made, tuple) else (made, {})
    answers.write(json.dumps(facts) + "\n")
    answers.flush()
    for line in sys.stdin:
        steps = json.loads(line)
        started = time.perf_counter(), time.process_time()
        for _ in range(steps):
            step()
        ended = time.perf_counter(), time.process_time()
        spent = [
            (after - before) / steps
            for before, after in zip(started, ended, strict=True)
        ]
        answers.write(json.dumps(spent) + "\n")
        answers.flush()


if __name__ == "__main__":
    _serve(sys.argv[1])
