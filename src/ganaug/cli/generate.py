"""`ganaug generate`."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ganaug.cli.options import FormatName, Json, Latents, Run, Seed
from ganaug.cli.output import print_json
from ganaug.cli.session import session


def _parse_num(text):
    name, equals, count = text.rpartition("=")
    if not (name and equals and count.isdecimal()):
        raise typer.BadParameter("Expected NAME=COUNT.")
    return name, int(count)


def generate(
    run: Run,
    out: Annotated[
        Path,
        typer.Option(
            help="Folder to write: new, empty, or with a bank that this "
            "command began."
        ),
    ],
    num_per_class: Annotated[
        int | None, typer.Option(min=1, help="Images of each class.")
    ] = None,
    num: Annotated[
        list[object] | None,
        typer.Option(
            parser=_parse_num,
            metavar="NAME=COUNT",
            help="Images of one class, by name or number; may be repeated. "
            "Classes that are not named get --num-per-class, or none.",
        ),
    ] = None,
    format: Annotated[
        FormatName,
        typer.Option(
            help="A bank for GANAugmenter, a TFDS data set, a folder of PNG "
            "files for each class, or one .npz file."
        ),
    ] = "bank",
    seed: Seed = None,
    latents: Latents = "prior",
    truncation: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="Standard deviation of the latents: less is more typical.",
        ),
    ] = 1.0,
    workers: Annotated[
        int,
        typer.Option(
            min=1, help="Processes that draw; they give the same images."
        ),
    ] = 1,
    beam: Annotated[
        str | None,
        typer.Option(
            metavar="OPTIONS",
            help="Draw with Apache Beam, for the format tfds, and with these "
            "options of its pipeline, separated by spaces; for instance "
            "'--runner=DirectRunner --direct_num_workers=2'.",
        ),
    ] = None,
    as_json: Json = False,
):
    """Draw a data set of synthetic images to keep. Goes on where it stopped."""
    named = dict(num or [])
    if len(named) < len(num or []):
        raise typer.BadParameter("A class is named twice.", param_hint="--num")
    try:
        options = None if beam is None else shlex.split(beam)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--beam") from None
    with session() as console:
        from ganaug.commands.generate import generate as run_generate

        result = run_generate(
            run,
            out,
            console,
            num_per_class,
            named,
            format,
            seed,
            latents,
            truncation,
            workers,
            options,
        )
        if as_json:
            print_json(result)
        else:
            print(
                f"{result['folder']}: {result['num_images']} images, format "
                f"{result['format']}, seed {result['seed']}. Its README.md "
                "says how to read it."
            )
