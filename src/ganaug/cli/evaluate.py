"""`ganaug evaluate`."""

import contextlib
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from ganaug.cli.options import (
    ClassCounts,
    ClassifierName,
    ControlsName,
    Data,
    DataDir,
    FeaturesName,
    ImageSize,
    Json,
    Latents,
    Run,
    TestFraction,
    parse_shares,
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
            "or controls add what is missing."
        ),
    ] = None,
    ratio: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Share of synthetic images."),
    ] = 0.25,
    ratios: Annotated[
        object | None,
        typer.Option(
            parser=parse_shares,
            metavar="R,R,...",
            help="Further shares, shown beside and not judged.",
        ),
    ] = None,
    learning_curve: Annotated[
        object | None,
        typer.Option(
            parser=parse_shares,
            metavar="S,S,...",
            help="Shares of the real images, such as 0.25,0.5, to train on "
            "too: tells how many more real images the gain is worth.",
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="Number of paired seeds.")
    ] = 5,
    steps: Annotated[
        int, typer.Option(min=1, help="Optimizer steps of each classifier.")
    ] = 800,
    classifier: Annotated[
        ClassifierName,
        typer.Option(help="A small convolutional or residual network."),
    ] = "cnn",
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
            help="all: rotations, class weights, over-sampling, SMOTE, focal "
            "loss and RandAugment too."
        ),
    ] = "default",
    latents: Latents = "prior",
    features: Annotated[
        FeaturesName,
        typer.Option(
            help="Measure the synthetic images in the features of a classifier "
            "of the data, or of Inception, if Keras has its weights."
        ),
    ] = "classifier",
    retrain: Annotated[
        bool,
        typer.Option(
            "--retrain",
            help="Train a generator for each seed, as RUN was trained, so "
            "that the intervals hold its variance too.",
        ),
    ] = False,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that share the trainings.")
    ] = 1,
    data_dir: DataDir = None,
    image_size: ImageSize = None,
    class_counts: ClassCounts = None,
    test_fraction: TestFraction = 0.2,
    as_json: Json = False,
):
    """Measure what the GAN in RUN gains for a classifier on DATA."""
    with session() as console:
        from ganaug.artifact_files import check_output_folder
        from ganaug.commands.evaluate import (
            CELLS,
            EvaluationOptions,
            write_report,
        )
        from ganaug.commands.evaluate import evaluate as run_evaluate
        from ganaug.commands.helpers import helping_processes
        from ganaug.data.sources import load_data

        if out is not None and not (out / CELLS).is_dir():
            check_output_folder(out)
        data_arguments = (
            data,
            data_dir,
            image_size,
            class_counts,
            test_fraction,
        )
        real = load_data(*data_arguments)
        options = EvaluationOptions(
            ratio=ratio,
            ratios=tuple(ratios or ()),
            learning_curve=tuple(learning_curve or ()),
            seeds=seeds,
            steps=steps,
            classifier=classifier,
            horizontal_flip=horizontal_flip,
            allow_overlap=allow_overlap,
            latents=latents,
            controls=controls,
            features=features,
            retrain=retrain,
        )
        with contextlib.ExitStack() as stack:
            if out is not None:
                # Now, so that one that cannot be is known before the long work.
                out.mkdir(parents=True, exist_ok=True)
                run_dir = out / CELLS
            elif workers > 1 or retrain:
                run_dir = Path(
                    stack.enter_context(tempfile.TemporaryDirectory())
                )
            else:
                run_dir = None
            stack.enter_context(
                helping_processes(
                    workers - 1, run, data_arguments, options, run_dir
                )
            )
            report, pictures = run_evaluate(
                run, real, console, options, run_dir
            )
        files = {}
        if out is not None:
            files = write_report(report, out, pictures)
        print_report(report, files, as_json)
