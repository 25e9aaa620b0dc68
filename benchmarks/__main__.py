"""Measures how fast ganaug trains and starts, and prints the tables.

    python -m benchmarks [--data-dir DIR] [--out FILE] [--only PART ...]

In one go: `start_up`, `matrix_rate`, `training_step`, `step_settings`,
`step_kernels`, `growth` and, where Fashion-MNIST is (`--data-dir`),
`time_to_quality`. What they print, tables in Markdown below the machine, the
versions and the command, is written to `--out` too. A part that fails does not
stop the others. Each can be run alone, with options of its own, as can the
measurements of pipelines and evaluations, which are modules beside them. Many
hours on 2 CPU cores that do nothing else, most of them of `time_to_quality`;
needs the extra `bench`.
"""

import argparse
import contextlib
import subprocess
import sys
from pathlib import Path

from benchmarks.tables import describe_machine

PACKAGE = "benchmarks"
PARTS = (
    *("start_up", "matrix_rate", "training_step", "step_settings"),
    *("step_kernels", "growth", "time_to_quality"),
)


def run(part, options, say):
    """Runs one part in a process of its own.

    Args:
        part: String. One of `PARTS`.
        options: List of strings.
        say: Function of a string that ends in a line's end.

    Returns:
        An integer, the exit status.
    """
    module = f"{PACKAGE}.{part}"
    # Where data are is nobody's business.
    words = [word if word.startswith("-") else "..." for word in options]
    say(f"\n## {' '.join(['python -m', module, *words])}\n\n")
    with subprocess.Popen(
        [sys.executable, "-m", module, *options],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        for line in process.stdout:
            say(line)
    if process.returncode:
        say(f"\nIt failed with exit status {process.returncode}.\n")
    return process.returncode


def main():
    """Runs all parts, and tells which failed."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data-dir")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", nargs="+", choices=PARTS)
    arguments = parser.parse_args()
    parts = arguments.only or PARTS
    if "time_to_quality" in parts and arguments.data_dir is None:
        if arguments.only:
            parser.error("`time_to_quality` needs --data-dir.")
        parts = [part for part in parts if part != "time_to_quality"]
        print("Without time_to_quality, for which there is no --data-dir.")
    with contextlib.ExitStack() as stack:
        file = None
        if arguments.out is not None:
            file = stack.enter_context(
                arguments.out.open("w", encoding="utf-8")
            )

        def say(text):
            for stream in (sys.stdout, file):
                if stream is not None:
                    stream.write(text)
                    stream.flush()

        say(f"{describe_machine()}\n")
        failed = []
        for part in parts:
            options = []
            if part == "time_to_quality":
                options = ["--data-dir", arguments.data_dir]
            if run(part, options, say):
                failed.append(part)
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
