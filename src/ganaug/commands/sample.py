"""`ganaug sample`: a picture of what a pretrained generator draws."""

import os
from pathlib import Path

import numpy as np

from ganaug import artifact
from ganaug.augment.sampling_strategy import class_index
from ganaug.pictures import save_image_grid
from ganaug.seeds import resolve_seed

COLUMNS = 10


def sample(
    run,
    out,
    class_name=None,
    num=10,
    seed=None,
    truncation=1.0,
    latents="prior",
):
    """Draws images of one class, or of every class, into one picture.

    Args:
        run: Folder with an artifact.
        out: File to write, which must end in `.png`.
        class_name: String, name or number of a class. Defaults to every
            class, a row for each.
        num: Integer. Images of each class. Defaults to `10`.
        seed: Integer. Defaults to a random one.
        truncation: Float. Standard deviation of the latents. Defaults to
            `1.0`.
        latents: String or dict, as in `Generators`. Where they come from.
            Defaults to `"prior"`.

    Returns:
        A dict for JSON: the file, classes, number and seed.

    Raises:
        FileNotFoundError: There is no artifact in `run`.
        ValueError: The artifact is broken, or an argument is wrong.
    """
    out = Path(out)
    if out.suffix.lower() != ".png":
        raise ValueError(
            f"`out` must end in .png. Received: {os.fspath(out)!r}"
        )
    if num < 1:
        raise ValueError(f"`num` must be at least 1. Received: num={num}")
    pretrained = artifact.load(run)
    seed = resolve_seed(seed)
    names = pretrained.class_names
    classes = range(len(names))
    if class_name is not None:
        if pretrained.num_classes is None:
            raise ValueError(
                "The model was trained without classes. Leave out "
                f"`class_name` (--class). Received: class_name={class_name!r}"
            )
        classes = [class_index(class_name, names)]
    labels = np.repeat(np.asarray(classes), num)
    images = pretrained.generate(
        len(labels) if pretrained.num_classes is None else labels,
        seed,
        truncation=truncation,
        latents=latents,
    )
    rows = np.split(images, len(classes))
    row_names = [names[label] for label in classes]
    if len(classes) == 1:
        starts = range(0, num, COLUMNS)
        rows = [images[start : start + COLUMNS] for start in starts]
        row_names = [row_names[0], *[""] * (len(rows) - 1)]
    out.parent.mkdir(parents=True, exist_ok=True)
    save_image_grid(out, rows, row_names, pretrained.value_range)
    return {
        "file": str(out),
        "classes": [names[label] for label in classes],
        "num": num,
        "seed": seed,
    }
