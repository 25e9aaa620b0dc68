"""Tables of measurements in Markdown, and what they were measured with."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Column, Table

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("tensorflow", "keras", "numpy", "torch")
# Of processors that multiply bfloat16.
FLAGS = ("amx_bf16", "avx512_bf16")


def make_table(*columns):
    """Makes a table that is printed as Markdown.

    Args:
        *columns: Strings.

    Returns:
        A `rich.table.Table`.
    """
    return Table(
        *(Column(name, no_wrap=True) for name in columns), box=box.MARKDOWN
    )


def show(*parts, stderr=False):
    """Prints tables and sentences, lines as long as they are.

    Args:
        *parts: `rich.table.Table`s and strings.
        stderr: Boolean. Whether to the error stream, where what is not yet
            the end of a measurement belongs. Defaults to `False`.
    """
    console = Console(stderr=stderr, width=1000, highlight=False, markup=False)
    console.print(*parts, sep="\n")


def describe_machine():
    """Describes the processor, the versions and the code.

    Returns:
        A string.
    """
    cores = os.cpu_count()
    system = Path("/proc/cpuinfo")
    text = system.read_text() if system.is_file() else ""
    names = [
        line.partition(":")[2].strip()
        for line in text.splitlines()
        if line.startswith("model name")
    ]
    flags = [flag for flag in FLAGS if f" {flag}" in text]
    versions = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            version = "not installed"
        versions.append(f"{package} {version}")
    return (
        f"{cores} cores of {names[0] if names else platform.machine()} "
        f"({', '.join(flags) or 'no bfloat16 in hardware'}); "
        f"{', '.join(versions)}; code of {_commit()}."
    )


def _commit():
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=7"],
            check=True,
            capture_output=True,
            cwd=REPOSITORY,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "no repository"
    return said.stdout.strip()
