"""`ganaug evaluate`."""

import contextlib
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from ganaug.cli.options import (
    DATA_HELP,
    ClassCounts,
    ClassifierName,
    ControlsName,
    DataDir,
    FeaturesName,
    ImageSize,
    Json,
    Latents,
    TestFraction,
    parse_shares,
)
from ganaug.cli.output import print_report
from ganaug.cli.session import session

# What goes with a file that says all else.
WITH_CONFIG = {"context", "config", "out", "workers", "data_dir", "as_json"}


def evaluate(
    context: typer.Context,
    run: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="Folder that `train` wrote."),
    ] = None,
    data: Annotated[
        str | None, typer.Argument(metavar="DATA", help=DATA_HELP)
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help="In place of RUN and DATA: a file with data, generators that "
            "each seed trains anew, arms and controls.",
        ),
    ] = None,
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
    _check_usage(context, config, run, data)
    if config is not None:
        _evaluate_file(config, out, workers, data_dir, as_json)
        return
    with session() as console:
        from ganaug.artifact_files import check_output_folder
        from ganaug.commands.evaluate import (
            CELLS,
            EvaluationOptions,
            help_evaluate,
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
                    workers - 1,
                    help_evaluate,
                    run,
                    data_arguments,
                    options,
                    run_dir,
                )
            )
            report, pictures = run_evaluate(
                run, real, console, options, run_dir
            )
        files = {}
        if out is not None:
            files = write_report(report, out, pictures)
        print_report(report, files, as_json)


def _check_usage(context, config, run, data):
    if config is None:
        missing = [
            name
            for name, value in (("RUN", run), ("DATA", data))
            if value is None
        ]
        if missing:
            raise typer.BadParameter(
                f"Missing {' and '.join(missing)}, or a file: --config."
            )
        return
    given = [
        parameter
        for parameter in context.params
        if parameter not in WITH_CONFIG
        and context.get_parameter_source(parameter).name != "DEFAULT"
    ]
    if given:
        names = ", ".join(name.replace("_", "-") for name in given)
        raise typer.BadParameter(
            f"With --config the file says all of that. Leave out: {names}."
        )


def _evaluate_file(config, out, workers, data_dir, as_json):
    with session() as console, contextlib.ExitStack() as stack:
        from ganaug.artifact_files import check_output_folder
        from ganaug.commands.evaluate import CELLS, write_report
        from ganaug.commands.evaluation_plan import read_plan
        from ganaug.commands.helpers import helping_processes
        from ganaug.commands.planned_evaluation import (
            evaluate_plan,
            help_with_plan,
            load_planned,
            rehearse,
        )

        if out is not None and not (out / CELLS).is_dir():
            check_output_folder(out)
        plan = read_plan(config)
        real = load_planned(plan, data_dir)
        if out is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            run_dir = Path(folder) / CELLS
        else:
            run_dir = out / CELLS
        if not run_dir.is_dir():
            console.print("rehearsing: a step of each generator")
            rehearse(plan, real)
        stack.enter_context(
            helping_processes(
                workers - 1, help_with_plan, plan, data_dir, run_dir
            )
        )
        report = evaluate_plan(plan, real, console, run_dir)
        files = {} if out is None else write_report(report, out, {})
        print_report(report, files, as_json)
