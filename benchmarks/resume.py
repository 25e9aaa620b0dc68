"""Trainings that are killed again and again, and what they end with.

    python -m benchmarks.resume

`ganaug train` is killed with SIGKILL: at random moments of start, training and
writing, or in the very moment that a file is half written. The same command is
started again until it ends by itself. Then every tensor of the last state of
training and every byte of `weights.safetensors` is compared with a training
that was left alone. Exits with 1 where one differs. Some fifteen minutes.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ganaug.gan.training_state import CheckpointFolder, hash_tensors

DATA = ("digits", "--class-counts", "40,30,20,15,12,9,7,5,4,3")
SEED = ("--preset", "tiny", "--seed", "0")
# Seconds of a process that is killed at any moment.
LONGEST = 25.0


@dataclass
class Case:
    """A training, and how it is killed.

    Args:
        name: String.
        options: Tuple of strings for `ganaug train`.
        kills: Integer.
        when: String: `"any"` moment, `"training"`: a random moment after a
            new checkpoint, or `"writing"`: a file is half written.
    """

    name: str
    options: tuple
    kills: int
    when: str
    moments: list = field(default_factory=list)
    restarts: int = 0
    trainings: int = 0
    half_written: int = 0
    differing: list = field(default_factory=list)


R3GAN = ("--steps", "60", "--checkpoint-every")
MLP = ("--architecture", "mlp", "--batch-size", "8", "--steps")
CASES = (
    Case("r3gan", (*R3GAN, "10"), 4, "any"),
    Case("r3gan", (*R3GAN, "10"), 4, "training"),
    Case("r3gan", (*R3GAN, "1"), 4, "writing"),
    Case("mlp", (*MLP, "60", "--checkpoint-every", "1"), 4, "writing"),
    Case("mlp", (*MLP, "300", "--checkpoint-every", "20"), 4, "training"),
)


def command(case, run):
    """The arguments of one process."""
    return [
        *(sys.executable, "-m", "ganaug", "train"),
        *(*DATA, *SEED, *case.options, "--out", str(run)),
    ]


def states(run):
    """Names of the states on disk."""
    return {path.name for path in (run / "training").glob("step-*.safetensors")}


def half_written(run):
    """Files that are being written, or whose writing was cut short."""
    return {path.name for path in (run / "training").glob("*.partial")}


def wait_for_moment(case, run, process, random_, partials):
    """Returns when it is time to kill."""
    if case.when == "any":
        end = time.monotonic() + random_.uniform(0, LONGEST)
        while time.monotonic() < end and process.poll() is None:
            time.sleep(0.01)
        return
    if case.when == "writing":
        # The first files are written at once; later ones are to be met too.
        num_new = random_.choice((0, 1, 2, 5))
        before, seen = states(run), set()
        while process.poll() is None:
            if len(seen) >= num_new and half_written(run) - partials:
                return
            seen |= states(run) - before
        return
    before = states(run)
    while process.poll() is None and not states(run) - before:
        time.sleep(0.002)
    time.sleep(random_.uniform(0, 1.0))


def start(case, run, random_):
    """Runs one process; returns whether it ended by itself."""
    partials = half_written(run)
    begun = time.monotonic()
    process = subprocess.Popen(
        command(case, run), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        if len(case.moments) < case.kills:
            wait_for_moment(case, run, process, random_, partials)
            process.kill()
    finally:
        # Its errors are few lines, which fit into the pipe.
        errors = process.communicate()[1].decode()
    if process.returncode == 0:
        return True
    if process.returncode != -signal.SIGKILL:
        raise RuntimeError(f"`ganaug train` failed:\n{errors}")
    cut = half_written(run) - partials
    case.half_written += bool(cut)
    newest = max(states(run), default="no state")
    case.moments.append(
        f"{time.monotonic() - begun:.1f} s: "
        + newest.removesuffix(".safetensors")
        + (" (writing)" if cut else "")
    )
    return False


def differences(run, expected):
    """Names of what is not the same in two runs."""
    mine, other = (
        CheckpointFolder(path).load_latest()[0] for path in (run, expected)
    )
    found = [
        key
        for key in sorted({*mine, *other})
        if key not in mine
        or key not in other
        or hash_tensors({key: mine[key]}) != hash_tensors({key: other[key]})
    ]
    name = "weights.safetensors"
    if (run / name).read_bytes() != (expected / name).read_bytes():
        found.append(name)
    return found, len(mine)


def take(case, folder, expected, random_, console):
    """Kills trainings until it was often enough, and lets the last one end."""
    num_tensors = 0
    while len(case.moments) < case.kills:
        case.trainings += 1
        run = folder / f"killed-{case.trainings}"
        while not start(case, run, random_):
            case.restarts += 1
            console.print(f"{case.name}, {case.when}: {case.moments[-1]}")
        found, num_tensors = differences(run, expected)
        case.differing += found
        shutil.rmtree(run)
    return num_tensors


def main():
    """Runs all cases and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, help="for each case; default 4")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    console = Console(width=100)
    random_ = random.Random(arguments.seed)
    table = Table(title="Killed trainings, compared with one left alone")
    for column in (
        *("training", "killed", "trainings", "kills", "restarts"),
        *("half-written files", "tensors", "identical"),
    ):
        table.add_column(column)
    with tempfile.TemporaryDirectory() as folder:
        expected = {}
        for case in CASES:
            case.kills = arguments.kills or case.kills
            if case.options not in expected:
                whole = Path(folder) / f"whole-{len(expected)}"
                start(Case(case.name, case.options, 0, "any"), whole, random_)
                expected[case.options] = whole
            num_tensors = take(
                case, Path(folder), expected[case.options], random_, console
            )
            numbers = (
                *(case.trainings, len(case.moments), case.restarts),
                *(case.half_written, num_tensors),
            )
            identical = "yes"
            if case.differing:
                identical = "no: " + ", ".join(case.differing[:3])
            console.print(f"{case.name}, {case.when}: identical: {identical}")
            table.add_row(
                f"{case.name}, every {case.options[-1]}",
                case.when,
                *map(str, numbers),
                identical,
            )
    console.print(table)
    sys.exit(any(case.differing for case in CASES))


if __name__ == "__main__":
    main()
