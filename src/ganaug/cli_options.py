"""Arguments and options that commands of the command line share."""

import enum
from pathlib import Path
from typing import Annotated

import typer


class PresetName(enum.StrEnum):
    """Sizes and strengths that fit an image size."""

    tiny = "tiny"
    small = "small"
    medium = "medium"


class ModelName(enum.StrEnum):
    """What learns."""

    gan = "gan"
    vae = "vae"
    vae_gan = "vae-gan"


class ArchitectureName(enum.StrEnum):
    """The networks."""

    r3gan = "r3gan"
    resnet = "resnet"
    dcgan = "dcgan"
    mlp = "mlp"


class LossName(enum.StrEnum):
    """The adversarial loss."""

    relativistic = "relativistic"
    non_saturating = "non_saturating"
    minimax = "minimax"
    least_squares = "least_squares"
    hinge = "hinge"
    wasserstein = "wasserstein"


class LatentsName(enum.StrEnum):
    """Where latents come from."""

    prior = "prior"
    around = "around"
    interpolated = "interpolated"
    transferred = "transferred"


class MeasureName(enum.StrEnum):
    """A measure of quality while training."""

    kernel_distance = "kernel_distance"
    coverage = "coverage"
    recall = "recall"
    label_fidelity = "label_fidelity"


def _parse_size(text):
    parts = text.lower().split("x")
    if not 1 <= len(parts) <= 2 or not all(part.isdigit() for part in parts):
        raise typer.BadParameter("Expected HEIGHTxWIDTH or one number.")
    return int(parts[0]), int(parts[-1])


def _parse_counts(text):
    parts = text.split(",")
    if not all(part.strip().isdigit() for part in parts):
        raise typer.BadParameter("Expected numbers separated by commas.")
    return [int(part) for part in parts]


Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="digits, tfds:NAME, an image folder (CLASS/*.png, or train/ and "
        "test/ of those), or an .npz with images and labels.",
    ),
]
Run = Annotated[
    Path, typer.Argument(metavar="RUN", help="Folder that `train` wrote.")
]
DataDir = Annotated[
    Path | None, typer.Option(help="TFDS folder with the prepared data set.")
]
ImageSize = Annotated[
    object | None,
    typer.Option(
        parser=_parse_size,
        metavar="HxW",
        help="Resize images of a folder or of TFDS to this size.",
    ),
]
ClassCounts = Annotated[
    object | None,
    typer.Option(
        parser=_parse_counts,
        metavar="N,N,...",
        help="Keep so many training images of each class, at random; the "
        "same ones in every command.",
    ),
]
TestFraction = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=0.9,
        help="Share held out for testing where DATA has no test set; the same "
        "images in every command.",
    ),
]
Latents = Annotated[
    LatentsName,
    typer.Option(
        help="Where the latents come from; all but prior need a model with "
        "an encoder (vae, vae-gan)."
    ),
]
Seed = Annotated[
    int | None, typer.Option(min=0, help="Default: drawn at random.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
