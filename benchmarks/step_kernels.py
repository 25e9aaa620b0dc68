"""In which kernels the time of a training step goes.

    python -m benchmarks.step_kernels [--steps 20]

The step of the default GAN, with R1 and R2 and without, one operation at a
time. oneDNN, which has TensorFlow's kernels for convolutions and matrix
products on CPUs, tells how long each took; what it does not tell of is left:
TensorFlow's other kernels, and what it takes to call all of them. Minutes on 2
CPU cores that do nothing else.
"""

import argparse
import collections
import contextlib
import os
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.step_settings import BATCH_SIZE, make_step
from benchmarks.tables import make_table, show

SHAPES = ((8, 8, 1), (28, 28, 1), (32, 32, 3))
PENALTIES = {"R1 + R2": {}, "no penalty": {"penalty": "none"}}
# Where a line of oneDNN's has what, after the word "exec".
KIND, IMPLEMENTATION, DIRECTION = 2, 3, 4


@contextlib.contextmanager
def output_of_the_process():
    """Catches what libraries print, too.

    Yields:
        A list, which has the lines at the end.
    """
    lines = []
    sys.stdout.flush()
    with tempfile.TemporaryFile("w+") as file:
        stdout = os.dup(1)
        os.dup2(file.fileno(), 1)
        try:
            yield lines
        finally:
            os.dup2(stdout, 1)
            os.close(stdout)
            file.seek(0)
            lines.extend(file)


def sum_by_kernel(lines):
    """Sums the times that oneDNN tells of.

    Args:
        lines: Strings, of which other lines are passed over.

    Returns:
        A dict from pairs of strings, what was computed and by which kind of
        kernel, to pairs: how often, and in how many milliseconds.
    """
    sums = collections.defaultdict(lambda: (0, 0.0))
    for line in lines:
        words = line.strip().split(",")
        if words[0] != "onednn_verbose" or "exec" not in words:
            continue
        words = words[words.index("exec") :]
        what = words[KIND]
        if words[DIRECTION] not in ("undef", "forward_training"):
            what += f", {words[DIRECTION].replace('_', ' ')}"
        # A kernel for several instruction sets has their names behind a colon.
        kernel = words[IMPLEMENTATION].split(":")[0]
        calls, spent = sums[what, kernel]
        sums[what, kernel] = calls + 1, spent + float(words[-1])
    return dict(sums)


def main():
    """Measures and prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=20)
    steps = parser.parse_args().steps
    # oneDNN reads it when its first kernel runs.
    os.environ["ONEDNN_VERBOSE"] = "1"
    table = make_table(
        *("training", "images", "what", "kernel"),
        *("calls a step", "ms a step", "of the step"),
    )
    for image_shape in SHAPES:
        for name, compiled in PENALTIES.items():
            step, _ = make_step(image_shape, inter=1, compiled=compiled)
            for _ in range(3):
                step()
            with output_of_the_process() as lines:
                started = time.perf_counter()
                for _ in range(steps):
                    step()
                spent = 1000 * (time.perf_counter() - started)
            sums = sum_by_kernel(lines)
            if not sums:
                raise SystemExit("oneDNN told of no kernel.")
            rest = spent - sum(of_it for _, of_it in sums.values())
            rows = sorted(sums.items(), key=lambda row: -row[1][1])
            for (what, kernel), (calls, time_of_it) in [
                *rows,
                (("all that is not oneDNN's", ""), (None, rest)),
                (("the step", ""), (None, spent)),
            ]:
                table.add_row(
                    f"r3gan, {name}",
                    " x ".join(map(str, image_shape)),
                    *(what, kernel),
                    "" if calls is None else f"{calls / steps:,.0f}",
                    f"{time_of_it / steps:,.2f}",
                    f"{time_of_it / spent:.1%}",
                )
            show(f"{image_shape}, {name}: measured", stderr=True)
    show(f"Batches of {BATCH_SIZE}.", table)


if __name__ == "__main__":
    main()
