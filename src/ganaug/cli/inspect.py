"""`ganaug inspect`."""

from typing import Annotated

import typer

from ganaug.cli.options import (
    ClassCounts,
    Data,
    DataDir,
    ImageSize,
    Json,
    TestFraction,
)
from ganaug.cli.output import print_json
from ganaug.cli.session import session


def inspect(
    data: Data,
    no_timing: Annotated[
        bool,
        typer.Option(
            "--no-timing",
            help="Do not train for a few steps to tell how long it takes.",
        ),
    ] = False,
    data_dir: DataDir = None,
    image_size: ImageSize = None,
    class_counts: ClassCounts = None,
    test_fraction: TestFraction = 0.2,
    as_json: Json = False,
):
    """Look at DATA before training: what is in it, what is wrong."""
    with session() as console:
        from ganaug.commands.inspect import inspect as run_inspect
        from ganaug.commands.inspect import print_inspection

        result = run_inspect(
            data,
            console,
            timing=not no_timing,
            data_dir=data_dir,
            image_size=image_size,
            class_counts=class_counts,
            test_fraction=test_fraction,
        )
        if as_json:
            print_json(result)
            return
        from rich.console import Console

        print_inspection(result, Console())
