"""Arguments and options that commands of the command line share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

PresetName = Literal["tiny", "small", "medium"]
PrecisionName = Literal["float32", "mixed_bfloat16", "mixed_float16", "auto"]
ModelName = Literal["gan", "vae", "vae-gan"]
ClassifierName = Literal["cnn", "residual"]
FeaturesName = Literal["classifier", "inception"]
ControlsName = Literal["default", "all"]
ArchitectureName = Literal["r3gan", "resnet", "dcgan", "mlp"]
LossName = Literal[
    "relativistic",
    "non_saturating",
    "minimax",
    "least_squares",
    "hinge",
    "wasserstein",
]
LATENTS = ("prior", "around", "interpolated", "transferred")
FormatName = Literal["bank", "tfds", "folder", "npz"]
MeasureName = Literal["kernel_distance", "coverage", "recall", "label_fidelity"]


def _parse_size(text):
    parts = text.lower().split("x")
    if not 1 <= len(parts) <= 2 or not all(part.isdecimal() for part in parts):
        raise typer.BadParameter("Expected HEIGHTxWIDTH or one number.")
    return int(parts[0]), int(parts[-1])


def _parse_counts(text):
    parts = text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise typer.BadParameter("Expected numbers separated by commas.")
    return [int(part) for part in parts]


def parse_shares(text):
    """Reads numbers between 0 and 1 that are separated by commas.

    Args:
        text: String.

    Returns:
        A list of floats.
    """
    try:
        shares = [float(part) for part in text.split(",")]
    except ValueError:
        shares = [-1.0]
    if not all(0 <= share <= 1 for share in shares):
        raise typer.BadParameter(
            "Expected numbers from 0 to 1, separated by commas."
        )
    return shares


def parse_latents(text):
    """Reads a kind of latents, or several with their shares.

    Args:
        text: String, such as `"around"` or `"prior=2,around=1"`.

    Returns:
        A string, or a dict from strings to floats.
    """
    if text in LATENTS:
        return text
    shares = {}
    for part in text.split(","):
        kind, _, share = part.partition("=")
        try:
            number = float(share)
        except ValueError:
            number = None
        if number is None or kind.strip() in shares:
            shares = {}
            break
        shares[kind.strip()] = number
    if not shares or not set(shares) <= set(LATENTS):
        raise typer.BadParameter(
            f"Expected one of {', '.join(LATENTS)}, or several with their "
            "shares, such as prior=2,around=1."
        )
    return shares


DATA_HELP = (
    "digits, tfds:NAME, an image folder (CLASS/*.png, or train/ and test/ of "
    "those), or an .npz with images and labels."
)
Data = Annotated[str, typer.Argument(metavar="DATA", help=DATA_HELP)]
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
    object,
    typer.Option(
        parser=parse_latents,
        metavar="KIND|KIND=N,...",
        help=f"Where the latents come from: {', '.join(LATENTS)}; all but "
        "prior need a model with an encoder (vae, vae-gan). Or a mixture, such "
        "as prior=2,around=1.",
    ),
]
Seed = Annotated[
    int | None, typer.Option(min=0, help="Default: drawn at random.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
