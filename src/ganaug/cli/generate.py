"""`ganaug generate`."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ganaug.cli.options import (
    ClassCounts,
    DataDir,
    FormatName,
    ImageSize,
    Json,
    Latents,
    Run,
    Seed,
    TestFraction,
)
from ganaug.cli.output import print_json
from ganaug.cli.session import session

MIN_CONFIDENCE = 0.5


def _check_belonging(option, value, others):
    """Refuses options that would do nothing without another one."""
    given = [name for name, is_given in others.items() if is_given]
    if value is None and given:
        raise typer.BadParameter(
            f"{', '.join(given)} is for {option}, which is not given."
        )


def _parse_num(text):
    name, equals, count = text.rpartition("=")
    if not (name and equals and count.isdecimal()):
        raise typer.BadParameter("Expected NAME=COUNT.")
    return name, int(count)


def _parse_range(text):
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter("Expected LOW,HIGH, such as 0,1.") from None
    return low, high


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
    no_copies_of: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="Draw others in the place of near-copies of these training "
            "images: DATA as `train` takes it, with the options below.",
        ),
    ] = None,
    teacher: Annotated[
        Path | None,
        typer.Option(
            help="Keras file of a classifier. Draw others in the place of "
            "images that it does not take for their class."
        ),
    ] = None,
    min_confidence: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Least probability that the teacher must give the class.",
        ),
    ] = MIN_CONFIDENCE,
    teacher_range: Annotated[
        object | None,
        typer.Option(
            parser=_parse_range,
            metavar="LOW,HIGH",
            help="Value range of the images that the teacher takes. Default: "
            "that of the GAN's training images.",
        ),
    ] = None,
    teacher_logits: Annotated[
        bool,
        typer.Option(
            "--teacher-logits",
            help="The teacher gives logits, and not probabilities.",
        ),
    ] = False,
    max_draws: Annotated[
        float,
        typer.Option(
            min=1.0,
            help="Candidates drawn at most for each image that is wanted.",
        ),
    ] = 20,
    data_dir: DataDir = None,
    image_size: ImageSize = None,
    class_counts: ClassCounts = None,
    test_fraction: TestFraction = 0.2,
    as_json: Json = False,
):
    """Draw a data set of synthetic images to keep. Goes on where it stopped."""
    named = dict(num or [])
    if len(named) < len(num or []):
        raise typer.BadParameter("A class is named twice.", param_hint="--num")
    _check_belonging(
        "--teacher",
        teacher,
        {
            "--min-confidence": min_confidence != MIN_CONFIDENCE,
            "--teacher-range": teacher_range is not None,
            "--teacher-logits": teacher_logits,
        },
    )
    _check_belonging(
        "--no-copies-of",
        no_copies_of,
        {
            "--data-dir": data_dir is not None,
            "--image-size": image_size is not None,
            "--class-counts": class_counts is not None,
        },
    )
    try:
        options = None if beam is None else shlex.split(beam)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--beam") from None
    with session() as console:
        from ganaug.commands.generate import generate as run_generate

        real_images = None
        if no_copies_of is not None:
            from ganaug.data.sources import load_data

            real_images = load_data(
                no_copies_of, data_dir, image_size, class_counts, test_fraction
            ).train
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
            real_images,
            teacher=teacher,
            min_confidence=min_confidence,
            teacher_range=teacher_range,
            teacher_logits=teacher_logits,
            max_draws=max_draws,
        )
        if as_json:
            print_json(result)
        else:
            print(
                f"{result['folder']}: {result['num_images']} images, format "
                f"{result['format']}, seed {result['seed']}. Its README.md "
                "says how to read it."
            )
