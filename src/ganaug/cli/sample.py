"""`ganaug sample`."""

from pathlib import Path
from typing import Annotated

import typer

from ganaug.cli.options import Json, Latents, Run, Seed
from ganaug.cli.output import print_json
from ganaug.cli.session import session


def sample(
    run: Run,
    out: Annotated[Path, typer.Option(help="PNG file to write.")],
    class_name: Annotated[
        str | None,
        typer.Option(
            "--class",
            metavar="NAME",
            help="Name or number of a class. Default: every class.",
        ),
    ] = None,
    num: Annotated[int, typer.Option(min=1, help="Images of each class.")] = 10,
    seed: Seed = None,
    truncation: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="Standard deviation of the latents: less is more typical.",
        ),
    ] = 1.0,
    latents: Latents = "prior",
    as_json: Json = False,
):
    """Draw synthetic images into one picture."""
    with session():
        from ganaug.commands.sample import sample as run_sample
        from ganaug.data.findings import few

        result = run_sample(
            run,
            out,
            class_name,
            num,
            seed,
            truncation=truncation,
            latents=latents,
        )
        if as_json:
            print_json(result)
        else:
            print(
                f"{result['file']}: {result['num']} images of each class "
                f"({few(result['classes'])}), seed {result['seed']}"
            )
