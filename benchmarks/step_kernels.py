"""In which kernels the time of a training step goes.

    python -m benchmarks.step_kernels [--steps 20]

The step of the default GAN, with R1 and R2 and without, one operation at a
time. oneDNN, which has TensorFlow's kernels for convolutions and matrix
products on CPUs, tells how long each took. What it does not tell of is left:
TensorFlow's other kernels, and what it takes to call all of them. Minutes on 2
CPU cores that do nothing else.
"""

import argparse
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
# What oneDNN computes, in its words and in the table's.
FORWARD = "convolution forward"
KINDS = {
    ("convolution", "forward_training"): FORWARD,
    ("convolution", "forward_inference"): FORWARD,
    ("convolution", "backward_data"): "backward, images",
    ("convolution", "backward_weights"): "backward, weights",
    ("gemm_api", "undef"): "matrix product",
    ("matmul", "undef"): "matrix product",
    ("reorder", "undef"): "reorder",
}
OTHER = "others of oneDNN's"
COLUMNS = (*dict.fromkeys(KINDS.values()), OTHER)
# Where a line of oneDNN's has what, after the word "exec".
KIND, DIRECTION = 2, 4


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


def sum_by_kind(lines):
    """Sums the times that oneDNN tells of.

    Args:
        lines: Strings, of which other lines are passed over.

    Returns:
        A dict from `COLUMNS` to floats, milliseconds.
    """
    sums = dict.fromkeys(COLUMNS, 0.0)
    for line in lines:
        words = line.strip().split(",")
        if words[0] != "onednn_verbose" or "exec" not in words:
            continue
        words = words[words.index("exec") :]
        kind = KINDS.get((words[KIND], words[DIRECTION]), OTHER)
        sums[kind] += float(words[-1])
    return sums


def measure(image_shape, compiled, steps):
    """Measures where the time of a step goes.

    Args:
        image_shape: Sequence of three integers.
        compiled: Dict of arguments of `ConditionalGAN.compile`.
        steps: Integer.

    Returns:
        A pair: a dict from `COLUMNS` to floats and a float, milliseconds of a
        step in oneDNN's kernels and in all.

    Raises:
        RuntimeError: oneDNN told of nothing.
    """
    # oneDNN reads it when its first kernel runs.
    os.environ["ONEDNN_VERBOSE"] = "1"
    with output_of_the_process():
        step, _ = make_step(image_shape, inter=1, compiled=compiled)
        for _ in range(3):
            step()
    with output_of_the_process() as lines:
        started = time.perf_counter()
        for _ in range(steps):
            step()
        spent = 1000 * (time.perf_counter() - started)
    sums = sum_by_kind(lines)
    if not any(sums.values()):
        raise RuntimeError("oneDNN told of no kernel.")
    return {kind: of_it / steps for kind, of_it in sums.items()}, spent / steps


def main():
    """Measures and prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=20)
    steps = parser.parse_args().steps
    table = make_table(
        *("training", "images", "ms a step"),
        *COLUMNS,
        "not oneDNN's",
    )
    for image_shape in SHAPES:
        for name, compiled in PENALTIES.items():
            sums, spent = measure(image_shape, compiled, steps)
            rest = spent - sum(sums.values())
            table.add_row(
                f"r3gan, {name}",
                " x ".join(map(str, image_shape)),
                f"{spent:.0f}",
                *(f"{of_it / spent:.1%}" for of_it in (*sums.values(), rest)),
            )
            show(f"{image_shape}, {name}: measured", stderr=True)
    show(table, f"Batches of {BATCH_SIZE}.")


if __name__ == "__main__":
    main()
