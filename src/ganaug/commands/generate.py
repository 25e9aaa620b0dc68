"""`ganaug generate`: a data set of synthetic images to keep."""

import contextlib
import importlib.util
import os
import shutil
from pathlib import Path

import numpy as np

from ganaug import artifact
from ganaug.artifact_files import check_output_folder
from ganaug.augment.sampling_strategy import by_class
from ganaug.commands.selection import make_selection
from ganaug.data.splits import fingerprints
from ganaug.export import image_folder, npz
from ganaug.export.card import write_card
from ganaug.progress import ProgressReport
from ganaug.seeds import resolve_seed
from ganaug.synthesis.bank_folder import PLAN
from ganaug.synthesis.bank_record import RECORD, parse_record
from ganaug.synthesis.generating import write_bank
from ganaug.synthesis.generators import Generators

BANK = "bank"
FORMATS = (BANK, "tfds", "folder", "npz")
# Where the bank of another format is drawn, beside the folder that is wanted.
PARTIAL_BANK = ".bank.partial"
USE_BANK = """\
```python
import ganaug

augmenter = ganaug.GANAugmenter(source="path/to/this/folder", ratio=0.25)
```

`ganaug.synthesis.bank.Bank.open` reads images, labels and provenance.
"""


def generate(
    run,
    out,
    console,
    num_per_class=None,
    num=None,
    format=BANK,
    seed=None,
    latents="prior",
    truncation=1.0,
    num_workers=1,
    beam_options=None,
    real_images=None,
    **selecting,
):
    """Draws a data set of synthetic images and writes it into a folder.

    Whatever the format, the images are first drawn into a bank on disk. So
    they are the same in every format, and where the work was killed the same
    call goes on with it. An Apache Beam pipeline draws the same images without
    a bank; where it ends early, it is begun anew.

    Args:
        run: Folder with an artifact.
        out: Folder: new, empty, or with a bank of the same call.
        console: `rich.console.Console` for progress.
        num_per_class: Integer. Images of each class that `num` does not name.
            Defaults to 0.
        num: Dict from names or numbers of classes to integers. Defaults to
            none.
        format: String: `"bank"`, `"tfds"`, `"folder"` or `"npz"`. Defaults to
            `"bank"`.
        seed: Integer. Defaults to a random one, or to that of the work that
            goes on.
        latents: String or dict, as in `Generators`. Where the latents come
            from. Defaults to `"prior"`.
        truncation: Float. Standard deviation of the latents. Defaults to
            `1.0`.
        num_workers: Integer. Processes that draw. Defaults to `1`.
        beam_options: List of strings, options of Apache Beam and its runner,
            which then draws; for the format `"tfds"`. Defaults to no Beam.
        real_images: As in `ganaug.commands.selection.make_selection`.
            Defaults to none.
        **selecting: Further arguments of `make_selection`. By default every
            image is kept.

    Returns:
        A dict for JSON: what was written where.

    Raises:
        FileExistsError: The folder holds something else.
        FileNotFoundError: There is no artifact in `run`.
        OSError: The disk is full; what was drawn stays.
        RuntimeError: Apache Beam is not installed.
        ValueError: The artifact is broken, or an argument is wrong.
    """
    if beam_options is not None:
        _check_beam(format, num_workers)
    exporter = _exporter(format)
    out = Path(os.path.abspath(out))
    bank_folder = out
    if exporter is not None:
        check_output_folder(out)
        bank_folder = out.with_name(out.name + PARTIAL_BANK)
    generators = Generators(
        artifact.load(run), latents=latents, truncation=truncation
    )
    counts = _counts(num_per_class, num, generators.class_names)
    selection = make_selection(
        generators.value_range, real_images=real_images, **selecting
    )
    if real_images is not None:
        _tell_unguarded(console, generators, real_images)
    if exporter is not None:
        exporter.check_source(generators)
    if beam_options is not None:
        from ganaug.export.beam import write_with_beam

        if any(counts):
            console.print(f"drawing {sum(counts)} images with Apache Beam")
        bank = write_with_beam(
            generators,
            counts,
            out,
            resolve_seed(seed),
            beam_options,
            selection,
        )
        return _result(out, format, bank)
    with _progress(console, "drawing") as on_progress:
        bank = write_bank(
            generators,
            counts,
            bank_folder,
            _seed_under_way(bank_folder) if seed is None else seed,
            selection,
            num_workers,
            on_progress=on_progress,
        )
    if exporter is None:
        write_card(bank, out, USE_BANK)
    else:
        with _progress(console, "writing") as on_progress:
            exporter.write(bank, out, on_progress)
        shutil.rmtree(bank_folder)
    return _result(out, format, bank)


def _tell_unguarded(console, generators, real_images):
    """Says where images that were learnt are not among those compared with."""
    learnt = np.asarray(generators.fingerprints)
    missing = int((~np.isin(learnt, fingerprints(real_images))).sum())
    if missing:
        console.print(
            f"Warning: {missing} of the {len(learnt)} images that the "
            "generator learnt are not in the data that copies are compared "
            "with, so copies of them are not left out. Name the data set that "
            "it was trained on, with the same options.",
            highlight=False,
        )


def _result(out, format, bank):
    return {
        "folder": str(out),
        "format": format,
        "num_images": len(bank),
        "class_counts": dict(
            zip(bank.class_names, bank.class_counts, strict=True)
        ),
        "seed": bank.record["seed"],
        "artifacts": list(bank.ids),
    }


def _check_beam(format, num_workers):
    if format != "tfds" or num_workers > 1:
        raise ValueError(
            "Apache Beam writes the format tfds, with the workers that its "
            "own options name. Received: "
            f"format={format!r}, num_workers={num_workers}, with Beam options"
        )
    if importlib.util.find_spec("apache_beam") is None:
        raise RuntimeError(
            "Apache Beam is not installed: `pip install 'ganaug[beam]'`, or "
            "leave its options out, to draw in this process or several here."
        )


def _exporter(format):
    """The module that writes a format; `None` for a bank."""
    if format not in FORMATS:
        raise ValueError(
            f"`format` must be one of {FORMATS}. Received: format={format!r}"
        )
    if format == "tfds":
        # TFDS costs a second to import.
        import tensorflow_datasets as tfds

        from ganaug.export import tfds_data_set

        # One progress bar is enough.
        tfds.disable_progress_bar()
        return tfds_data_set
    return {BANK: None, "folder": image_folder, "npz": npz}[format]


def _counts(num_per_class, num, class_names):
    if num_per_class is None and not num:
        raise ValueError(
            "How many images? Give `num_per_class` (--num-per-class), `num` "
            "(--num NAME=COUNT), or both. Received: num_per_class=None, "
            f"num={num!r}"
        )
    counts = [num_per_class or 0] * len(class_names)
    for label, count in by_class(num or {}, class_names, "num").items():
        counts[label] = count
    return counts


def _seed_under_way(bank_folder):
    """A call without a seed goes on with the one that was drawn."""
    for name in (RECORD, PLAN):
        if (bank_folder / name).is_file():
            return parse_record(bank_folder / name)["seed"]
    return None


@contextlib.contextmanager
def _progress(console, name):
    report = ProgressReport(console, name, "images")
    try:
        yield report.update
    finally:
        report.stop()
