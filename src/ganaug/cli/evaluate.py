"""`ganaug evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from ganaug.cli.options import (
    ClassCounts,
    ControlsName,
    Data,
    DataDir,
    ImageSize,
    Json,
    Latents,
    Run,
    TestFraction,
)
from ganaug.cli.output import print_report
from ganaug.cli.session import session


def evaluate(
    run: Run,
    data: Data,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for report.html, report.json and report.md: new, "
            "empty, or of the same evaluation, which then goes on. More seeds "
            "add what is missing."
        ),
    ] = None,
    ratio: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Share of synthetic images."),
    ] = 0.25,
    seeds: Annotated[
        int, typer.Option(min=1, help="Number of paired seeds.")
    ] = 5,
    steps: Annotated[
        int, typer.Option(min=1, help="Optimizer steps of each classifier.")
    ] = 800,
    horizontal_flip: Annotated[
        bool,
        typer.Option(
            "--horizontal-flip",
            help="Classic augmentation may mirror images.",
        ),
    ] = False,
    allow_overlap: Annotated[
        bool,
        typer.Option(
            "--allow-overlap",
            help="Go on where test images were trained on; the report says so.",
        ),
    ] = False,
    controls: Annotated[
        ControlsName,
        typer.Option(
            help="all: class weights, over-sampling, SMOTE, focal loss and "
            "RandAugment too."
        ),
    ] = "default",
    latents: Latents = "prior",
    data_dir: DataDir = None,
    image_size: ImageSize = None,
    class_counts: ClassCounts = None,
    test_fraction: TestFraction = 0.2,
    as_json: Json = False,
):
    """Measure what the GAN in RUN gains for a classifier on DATA."""
    with session() as console:
        from ganaug.artifact import SAMPLES
        from ganaug.artifact_files import check_output_folder
        from ganaug.commands.evaluate import CELLS, write_report
        from ganaug.commands.evaluate import evaluate as run_evaluate
        from ganaug.data.sources import load_data

        if out is not None and not (out / CELLS).is_dir():
            check_output_folder(out)
        real = load_data(
            data, data_dir, image_size, class_counts, test_fraction
        )
        if out is not None:
            # Now, so that one that cannot be is known before the long work.
            out.mkdir(parents=True, exist_ok=True)
        report = run_evaluate(
            run,
            real,
            console,
            ratio=ratio,
            seeds=seeds,
            steps=steps,
            horizontal_flip=horizontal_flip,
            allow_overlap=allow_overlap,
            latents=latents,
            controls=controls,
            run_dir=None if out is None else out / CELLS,
        )
        if out is not None:
            samples = run / SAMPLES
            pictures = (
                {"Synthetic images of each class": samples}
                if samples.is_file()
                else {}
            )
            write_report(report, out, pictures)
        print_report(report, {}, as_json)
