"""`ganaug train`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ganaug.cli.options import (
    ArchitectureName,
    ClassCounts,
    Data,
    DataDir,
    ImageSize,
    Json,
    LossName,
    MeasureName,
    ModelName,
    PrecisionName,
    PresetName,
    Seed,
    TestFraction,
)
from ganaug.cli.output import print_json
from ganaug.cli.session import INTERRUPTED, session


def train(
    data: Data,
    out: Annotated[
        Path,
        typer.Option(
            help="Run folder: new, empty, or of a training that was killed; "
            "then the same command goes on with it."
        ),
    ],
    model: Annotated[ModelName, typer.Option(help="What learns.")] = "gan",
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
    ] = "kernel_distance",
    precision: Annotated[
        PrecisionName,
        typer.Option(
            help="Keras's dtype policy of the networks. auto: the one that "
            "pays on this machine."
        ),
    ] = "float32",
    data_dir: DataDir = None,
    image_size: ImageSize = None,
    class_counts: ClassCounts = None,
    test_fraction: TestFraction = 0.2,
    as_json: Json = False,
):
    """Pretrain a GAN on DATA and keep it in a run folder."""
    with session() as console:
        from ganaug.commands.train import TrainingOptions, check_run_folder
        from ganaug.commands.train import train as run_train
        from ganaug.data.sources import load_data

        check_run_folder(out)
        result = run_train(
            load_data(data, data_dir, image_size, class_counts, test_fraction),
            out,
            console,
            TrainingOptions(
                model=model,
                architecture=architecture,
                loss=loss,
                unconditional=unconditional,
                steps=steps,
                batch_size=batch_size,
                seed=seed,
                preset=preset,
                horizontal_flip=horizontal_flip,
                checkpoint_every=checkpoint_every,
                guards=not no_guards,
                validation_fraction=validation_fraction,
                keep_best=keep_best,
                precision=precision,
            ),
        )
        if as_json:
            print_json(result)
        else:
            print(
                f"{result['run']}: trained for {result['steps']} steps on "
                f"{result['num_images']} images in {result['seconds']:.0f} s. "
                f"Look at {result['samples']}"
            )
        if result["interrupted"]:
            print(
                "ganaug: interrupted; kept what was learnt. The same command "
                "goes on from the last checkpoint, or begins anew where there "
                "is none yet.",
                file=sys.stderr,
            )
            raise typer.Exit(INTERRUPTED)
