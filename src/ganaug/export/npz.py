"""Synthetic images in one .npz file."""

import numpy as np

from ganaug.export.card import write_card
from ganaug.export.provenance import write_provenance
from ganaug.export.whole_folder import whole_folder

FILE = "images.npz"
USE = """\
`images.npz` holds `images`, `labels`, `class_names` and `value_range`. Whoever
reads it has all images in memory.

```python
import ganaug

data = ganaug.load_data("path/to/this/folder/images.npz", test_fraction=0)
```
"""


def check_source(source):
    """Checks that the images can be such a file: any can.

    Args:
        source: `ganaug.synthesis.bank.Bank`, or the generators of one.
    """


def write(bank, path, on_progress=None):
    """Writes `images.npz`, the card and the provenance.

    The images keep their dtype and value range. They need not fit in memory
    to be written, but they must to be read.

    Args:
        bank: `ganaug.synthesis.bank.Bank`.
        path: Folder, new or empty.
        on_progress: Callable `on_progress(num_done, num_images)`, called once.
            Defaults to `None`.

    Raises:
        FileExistsError: The folder holds something.
    """
    with whole_folder(path) as folder:
        np.savez(
            folder / FILE,
            images=bank.images,
            labels=bank.labels,
            class_names=np.array(bank.class_names),
            value_range=np.array(bank.value_range),
        )
        write_provenance(bank, folder)
        write_card(bank, folder, USE)
    if on_progress is not None:
        on_progress(len(bank), len(bank))
