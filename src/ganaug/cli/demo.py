"""`ganaug demo`."""

import itertools
from pathlib import Path
from typing import Annotated

import typer

from ganaug.cli.options import Json
from ganaug.cli.output import print_report
from ganaug.cli.session import session


def demo(
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write, new or empty. Default: ganaug-demo, with a "
            "number behind it where that is taken."
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="GAN training steps. Default: the preset's."),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="Number of paired seeds.")
    ] = 5,
    classifier_steps: Annotated[
        int, typer.Option(min=1, help="Optimizer steps of each classifier.")
    ] = 800,
    as_json: Json = False,
):
    """Do the main job on bundled long-tailed digits, in some minutes."""
    with session() as console:
        from ganaug.commands.demo import demo as run_demo

        report, files = run_demo(
            _free_folder("ganaug-demo") if out is None else out,
            console,
            steps=steps,
            seeds=seeds,
            classifier_steps=classifier_steps,
        )
        print_report(report, files, as_json)


def _free_folder(name):
    numbered = (f"{name}-{number}" for number in itertools.count(2))
    return next(
        path
        for path in map(Path, itertools.chain([name], numbered))
        if not path.exists()
    )
