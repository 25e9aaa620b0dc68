"""Measures how fast ganaug trains and starts, and prints the tables.

    python -m benchmarks [--data-dir DIR]

In one go: `start_up`, `matrix_rate`, `training_step`, `growth` and, where
Fashion-MNIST is (`--data-dir`), `time_to_quality`. Each can be run alone, as
can the measurements of pipelines and evaluations, which are modules beside
them. A few hours on 2 CPU cores that do nothing else; needs the extra `bench`.
"""

import argparse
import subprocess
import sys

PARTS = ("start_up", "matrix_rate", "training_step", "growth")


def main():
    """Runs all parts, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir")
    data_dir = parser.parse_args().data_dir
    commands = [[part] for part in PARTS]
    if data_dir is not None:
        commands.append(["time_to_quality", "--data-dir", data_dir])
    for part, *options in commands:
        print(f"\n## python -m benchmarks.{part}\n", flush=True)
        subprocess.run(
            [sys.executable, "-m", f"benchmarks.{part}", *options], check=True
        )


if __name__ == "__main__":
    main()
