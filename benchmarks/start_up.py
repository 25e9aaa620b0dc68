"""How long ganaug takes to begin.

    python -m benchmarks.start_up [--rounds 7]

`import ganaug`, `ganaug --help` and the first training step, each in new
processes, and for comparison a Python that does nothing, and the import of
TensorFlow that the first step needs. A few minutes on 2 CPU cores.
"""

import argparse
import os
import subprocess
import sys
import time

import numpy as np

from benchmarks.tables import make_table, show

FIRST_STEP = """
import time
import numpy as np, keras, tensorflow
import ganaug
started = time.perf_counter()
gan = ganaug.ConditionalGAN({shape}, 10, seed=0)
gan.compile()
rng = np.random.default_rng(0)
images = rng.integers(0, 256, (640, *{shape}), np.uint8)
gan.fit(images, np.arange(640) % 10, steps_per_epoch=1, verbose=0)
print(time.perf_counter() - started)
"""


def run(*arguments):
    """Runs a process to its end.

    Args:
        *arguments: Strings.

    Returns:
        A pair: seconds, and what it printed.
    """
    started = time.perf_counter()
    done = subprocess.run(
        arguments,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return time.perf_counter() - started, done.stdout


def import_seconds(module):
    """Measures an import within a new process.

    Args:
        module: String.

    Returns:
        A float, seconds.
    """
    code = (
        f"import time; t = time.perf_counter(); import {module}; "
        "print(time.perf_counter() - t)"
    )
    return float(run(sys.executable, "-c", code)[1])


def first_step(shape):
    """Measures building, compiling and the first step.

    Args:
        shape: Tuple of three integers.

    Returns:
        A float, seconds.
    """
    code = FIRST_STEP.format(shape=shape)
    return float(run(sys.executable, "-c", code)[1].split()[-1])


def main():
    """Measures and prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    measures = {
        "python -c pass": lambda: run(sys.executable, "-c", "pass")[0],
        "import ganaug": lambda: import_seconds("ganaug"),
        "ganaug --help": lambda: run(sys.executable, "-m", "ganaug", "--help")[
            0
        ],
        "import tensorflow": lambda: import_seconds("tensorflow"),
        "first step, 8 x 8 x 1": lambda: first_step((8, 8, 1)),
        "first step, 28 x 28 x 1": lambda: first_step((28, 28, 1)),
    }
    times = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            times[name].append(measure())
    table = make_table("what", "seconds", "quartiles")
    for name, of_it in times.items():
        low, median, high = np.percentile(of_it, [25, 50, 75])
        table.add_row(name, f"{median:.3f}", f"{low:.3f} to {high:.3f}")
    show(table)


if __name__ == "__main__":
    main()
