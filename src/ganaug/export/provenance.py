"""Where each image of a data set comes from, in a file beside it."""

import numpy as np

PROVENANCE_FILE = "provenance.npz"


def write_provenance(bank, folder):
    """Writes `provenance.npz`: arrays with one row for each image.

    `artifacts` holds the ids of the artifacts, and `sources` which of them
    drew an image; `seeds` the seed pairs, `indices` the rows of what was drawn
    with them, `labels` the classes. With those,
    `ganaug.synthesis.generators.Generators.remake` makes an image again.
    Images between classes also have `targets`, their soft labels.

    Args:
        bank: `ganaug.synthesis.bank.Bank`.
        folder: `pathlib.Path` of the folder.
    """
    provenance = bank.provenance
    arrays = {
        "artifacts": np.array(bank.ids),
        "sources": provenance[:, 0].astype(np.int32),
        "seeds": provenance[:, 1:3],
        "indices": provenance[:, 3],
        "labels": bank.labels,
        "class_names": np.array(bank.class_names),
    }
    if bank.targets is not None:
        arrays["targets"] = bank.targets
    np.savez(folder / PROVENANCE_FILE, **arrays)
