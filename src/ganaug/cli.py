"""The command line: parse, call, print.

The result goes to standard output, progress and errors to standard error.
Exit codes are those of `ganaug.cli_session`.
"""

import itertools
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

import ganaug
from ganaug.cli_options import (
    ArchitectureName,
    ClassCounts,
    Data,
    DataDir,
    ImageSize,
    Json,
    Latents,
    LatentsName,
    LossName,
    MeasureName,
    ModelName,
    PresetName,
    Run,
    Seed,
    TestFraction,
)
from ganaug.cli_session import INTERRUPTED, session

app = typer.Typer(
    help="Pretrain a GAN on an image data set, mix its images into a tf.data "
    "pipeline, and measure what a classifier gains.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _load(console, source, **options):
    from ganaug.data.sources import load_data

    data = load_data(source, **options)
    for note in data.notes:
        console.print(note)
    return data


def _print_json(result):
    print(json.dumps(result, indent=2, allow_nan=False))


def _version(wanted):
    if wanted:
        print(ganaug.__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_version,
            is_eager=True,
            help="Print the version.",
        ),
    ] = False,
):
    pass


@app.command()
def train(
    data: Data,
    out: Annotated[
        Path,
        typer.Option(
            help="Run folder: new, empty, or of a training that was killed; "
            "then the same command goes on with it."
        ),
    ],
    model: Annotated[
        ModelName, typer.Option(help="What learns.")
    ] = ModelName.gan,
    architecture: Annotated[
        ArchitectureName | None,
        typer.Option(help="Default: r3gan; mlp for a vae."),
    ] = None,
    loss: Annotated[
        LossName | None,
        typer.Option(help="Default: what is usual for the architecture."),
    ] = None,
    unconditional: Annotated[
        bool, typer.Option("--unconditional", help="Leave the classes aside.")
    ] = False,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Training steps. Default: the preset's."),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(min=2, help="Images in a step.")
    ] = 64,
    seed: Seed = None,
    preset: Annotated[
        PresetName | None,
        typer.Option(help="Default: the one for the image size."),
    ] = None,
    horizontal_flip: Annotated[
        bool,
        typer.Option(
            "--horizontal-flip",
            help="Mirrored images keep their class: augment with them.",
        ),
    ] = False,
    checkpoint_every: Annotated[
        int,
        typer.Option(
            min=1,
            help="Steps between checkpoints, sample grids and looks of the "
            "guards.",
        ),
    ] = 250,
    no_guards: Annotated[
        bool,
        typer.Option(
            "--no-guards",
            help="Do not roll back when the discriminator wins or images are "
            "all alike; NaN still stops training.",
        ),
    ] = False,
    validation_fraction: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=0.5,
            help="Share of the training images held out to measure quality "
            "while training; the best generator is kept. 0: the last is.",
        ),
    ] = 0.0,
    keep_best: Annotated[
        MeasureName,
        typer.Option(help="Which is best, with --validation-fraction."),
    ] = MeasureName.kernel_distance,
    data_dir: DataDir = None,
    image_size: ImageSize = None,
    class_counts: ClassCounts = None,
    test_fraction: TestFraction = 0.2,
    as_json: Json = False,
):
    """Pretrain a GAN on DATA and keep it in a run folder."""
    with session() as console:
        from ganaug.commands.train import (
            TrainingOptions,
            check_run_folder,
        )
        from ganaug.commands.train import train as run_train

        check_run_folder(out)
        real = _load(
            console,
            data,
            data_dir=data_dir,
            image_size=image_size,
            class_counts=class_counts,
            test_fraction=test_fraction,
        )
        result = run_train(
            real,
            out,
            console,
            TrainingOptions(
                model=model.value,
                architecture=architecture and architecture.value,
                loss=loss and loss.value,
                unconditional=unconditional,
                steps=steps,
                batch_size=batch_size,
                seed=seed,
                preset=preset and preset.value,
                horizontal_flip=horizontal_flip,
                checkpoint_every=checkpoint_every,
                guards=not no_guards,
                validation_fraction=validation_fraction,
                keep_best=keep_best.value,
            ),
        )
        if as_json:
            _print_json(result)
        else:
            print(
                f"{result['run']}: trained for {result['steps']} steps on "
                f"{result['num_images']} images in {result['seconds']:.0f} s. "
                f"Look at {result['samples']}"
            )
        if result["interrupted"]:
            print(
                "ganaug: interrupted; kept what was learnt. The same command "
                "goes on from the last checkpoint.",
                file=sys.stderr,
            )
            raise typer.Exit(INTERRUPTED)


@app.command()
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
            _print_json(result)
            return
        from rich.console import Console

        print_inspection(result, Console())


@app.command()
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
    latents: Latents = LatentsName.prior,
    as_json: Json = False,
):
    """Draw synthetic images into one picture."""
    with session():
        from ganaug.commands.sample import sample as run_sample

        result = run_sample(
            run,
            out,
            class_name,
            num,
            seed,
            truncation=truncation,
            latents=latents.value,
        )
        if as_json:
            _print_json(result)
        else:
            print(
                f"{result['file']}: {result['num']} images of "
                f"{', '.join(result['classes'])}, seed {result['seed']}"
            )


@app.command()
def evaluate(
    run: Run,
    data: Data,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder, new or empty, for report.html and report.json."
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
    latents: Latents = LatentsName.prior,
    data_dir: DataDir = None,
    image_size: ImageSize = None,
    class_counts: ClassCounts = None,
    test_fraction: TestFraction = 0.2,
    as_json: Json = False,
):
    """Measure what the GAN in RUN gains for a classifier on DATA."""
    with session() as console:
        from ganaug.artifact import SAMPLES, check_output_folder

        if out is not None:
            check_output_folder(out)
        real = _load(
            console,
            data,
            data_dir=data_dir,
            image_size=image_size,
            class_counts=class_counts,
            test_fraction=test_fraction,
        )
        if out is not None:
            # Now, so that one that cannot be is known before the long work.
            out.mkdir(parents=True, exist_ok=True)
        from ganaug.commands.evaluate import evaluate as run_evaluate
        from ganaug.commands.evaluate import write_report

        report = run_evaluate(
            run,
            real,
            console,
            ratio=ratio,
            seeds=seeds,
            steps=steps,
            horizontal_flip=horizontal_flip,
            allow_overlap=allow_overlap,
            latents=latents.value,
        )
        if out is not None:
            samples = run / SAMPLES
            pictures = (
                {"Synthetic images of each class": samples}
                if samples.is_file()
                else {}
            )
            write_report(report, out, pictures)
        _print_report(report, {}, as_json)


@app.command()
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
        from ganaug.artifact import check_output_folder

        if out is None:
            out = _free_folder("ganaug-demo")
        check_output_folder(out)
        from ganaug.commands.demo import demo as run_demo

        report, files = run_demo(
            out,
            console,
            steps=steps,
            seeds=seeds,
            classifier_steps=classifier_steps,
        )
        _print_report(report, files, as_json)


def _free_folder(name):
    numbered = (f"{name}-{number}" for number in itertools.count(2))
    return next(
        path
        for path in map(Path, itertools.chain([name], numbered))
        if not path.exists()
    )


def _print_report(report, files, as_json):
    if as_json:
        _print_json({**report.to_dict(), "files": files})
        return
    from rich.console import Console

    report.print(Console())
    for name, path in files.items():
        print(f"{name}: {path}")


def main():
    """Runs the command line."""
    app(prog_name="ganaug")
