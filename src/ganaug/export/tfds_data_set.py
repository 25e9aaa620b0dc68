"""Synthetic images as a prepared TFDS data set."""

import contextlib
import io
import itertools
import tempfile

import numpy as np
import tensorflow_datasets as tfds

from ganaug.export.card import write_card
from ganaug.export.eight_bit import check_channels, eight_bit_images
from ganaug.export.whole_folder import whole_folder

NAME = "synthetic_images"
TARGET = "target"
USE = f"""\
Beside `image` and `label`, each example holds its provenance: `artifact`,
`seed` and `index`; where images were drawn between classes, also `target`, the
shares of all classes in it. The examples are sorted by class.

```python
import tensorflow_datasets as tfds

ds = tfds.load(
    "{NAME}",
    data_dir="path/to/this/folder",
    split="train",
    as_supervised=True,
)
```

ganaug reads it as `tfds:{NAME}`, with `--data-dir path/to/this/folder`.
"""


class SyntheticImages(
    tfds.core.GeneratorBasedBuilder,
    # What is prepared is read without this class.
    skip_registration=True,
):
    """Prepares a TFDS data set of synthetic images.

    Args:
        bank: `ganaug.synthesis.bank.Bank`, or one without images that says
            what they will be.
        examples: Iterable of pairs of row and example, as `make_example` makes
            it, or an Apache Beam transform that gives them.
        data_dir: Folder of TFDS.
    """

    name = NAME
    VERSION = tfds.core.Version("1.0.0")

    def __init__(self, bank, examples, data_dir):
        self._bank = bank
        self._examples = examples
        super().__init__(data_dir=data_dir)

    def _info(self):
        bank = self._bank
        features = {
            "image": tfds.features.Image(shape=bank.image_shape),
            "label": tfds.features.ClassLabel(names=bank.class_names),
            "artifact": tfds.features.Text(),
            "seed": tfds.features.Tensor(shape=(2,), dtype=np.int64),
            "index": tfds.features.Scalar(dtype=np.int64),
        }
        if bank.settings["class_interpolation"]:
            features[TARGET] = tfds.features.Tensor(
                shape=(len(bank.class_names),), dtype=np.float32
            )
        return tfds.core.DatasetInfo(
            builder=self,
            description="Synthetic images, drawn by generators that ganaug "
            f"pretrained: {', '.join(bank.ids)}. Seed {bank.record['seed']}.",
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
            # In the order of the bank.
            disable_shuffling=True,
        )

    def _split_generators(self, manager):
        return {"train": self._examples}

    def _generate_examples(self):
        raise AssertionError("The split says where its examples come from.")


def make_example(image, label, provenance, target, ids):
    """Makes an example of the data set.

    Args:
        image: uint8 array `(height, width, channels)`.
        label: Integer.
        provenance: Row of `Bank.provenance`.
        target: Row of `Bank.targets`, or `None`.
        ids: Tuple of strings, the ids of the artifacts.

    Returns:
        A dict.
    """
    example = {
        "image": image,
        "label": int(label),
        "artifact": ids[provenance[0]],
        "seed": np.array(provenance[1:3]),
        "index": int(provenance[3]),
    }
    return example if target is None else {**example, TARGET: target}


def _examples(bank, on_progress):
    images = eight_bit_images(bank, on_progress)
    targets = bank.targets
    if targets is None:
        targets = itertools.repeat(None, len(bank))
    rows = zip(images, bank.labels, bank.provenance, targets, strict=True)
    for row, example in enumerate(rows):
        yield row, make_example(*example, bank.ids)


def check_source(source):
    """Checks that the images can be a TFDS data set.

    Args:
        source: `ganaug.synthesis.bank.Bank`, or the generators of one.

    Raises:
        ValueError: There are no image files with so many channels, or TFDS
            would not keep a class name.
    """
    check_channels(source.image_shape)
    # TFDS writes one line for each class and strips it.
    wrong = [
        name
        for name in source.class_names
        if not name or name != name.strip() or "\n" in name
    ]
    if wrong:
        raise ValueError(
            "TFDS keeps no class name that is empty, has spaces around it or "
            "breaks the line. Use the format npz or bank. "
            f"Received: class_names={wrong}"
        )


def write(bank, path, on_progress=None):
    """Writes the data set `synthetic_images` with the provenance, and the card.

    Args:
        bank: `ganaug.synthesis.bank.Bank`.
        path: Folder, new or empty: the `data_dir` of the data set.
        on_progress: Callable `on_progress(num_done, num_images)`. Defaults to
            `None`.

    Raises:
        FileExistsError: The folder holds something.
        ValueError: As in `check_source`.
    """
    prepare(bank, _examples(bank, on_progress), path)


def prepare(bank, examples, path, **download_config):
    """Prepares the data set, and writes the card.

    Args:
        bank: As in `SyntheticImages`.
        examples: As in `SyntheticImages`.
        path: Folder, new or empty: the `data_dir` of the data set.
        **download_config: Arguments of `tfds.download.DownloadConfig`.

    Raises:
        FileExistsError: The folder holds something.
        ValueError: As in `check_source`.
    """
    check_source(bank)
    with whole_folder(path) as folder:
        builder = SyntheticImages(bank, examples, folder)
        offline = tfds.download.DownloadConfig(
            try_download_gcs=False, **download_config
        )
        # It speaks on standard output of a download, which there is none of,
        # and makes a folder for it.
        with (
            contextlib.redirect_stdout(io.StringIO()),
            tempfile.TemporaryDirectory() as downloads,
        ):
            builder.download_and_prepare(
                download_dir=downloads, download_config=offline
            )
        write_card(bank, folder, USE, eight_bit=True)
