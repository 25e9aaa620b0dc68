"""Prepares TFDS's `fashion_mnist` without a network.

Debian's package `dataset-fashion-mnist` brings the four files of the data set.
Their content is right, but they were compressed anew, so TFDS's checksums
refuse the files as they are. Here TFDS's own builder reads them, unpacked, and
writes its usual records: 70,000 images in well under a minute.

    apt-get install dataset-fashion-mnist
    python examples/prepare_fashion_mnist.py --data-dir data
    ganaug train tfds:fashion_mnist --data-dir data --out runs/fashion
"""

import argparse
import gzip
import tempfile
from pathlib import Path

import tensorflow_datasets as tfds
from tensorflow_datasets.image_classification import mnist

SOURCE = Path("/usr/share/datasets/fashion-mnist")
FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", 60_000),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", 10_000),
}


def prepare_fashion_mnist(data_dir, source=SOURCE):
    """Writes the prepared data set into a TFDS folder.

    Args:
        data_dir: Folder of TFDS, where `tfds.load(..., data_dir=data_dir)` and
            `ganaug --data-dir` find it.
        source: Folder with the four `.gz` files. Defaults to where Debian's
            package puts them.

    Raises:
        FileNotFoundError: A file is not there.
    """
    source = Path(source)
    for images, labels, _ in FILES.values():
        for name in (images, labels):
            if not (source / f"{name}.gz").is_file():
                raise FileNotFoundError(
                    "Install Debian's package dataset-fashion-mnist, or name "
                    f"the folder with its files. Received: {source}, which has "
                    f"no {name}.gz"
                )
    with tempfile.TemporaryDirectory() as unpacked:
        for images, labels, _ in FILES.values():
            for name in (images, labels):
                content = gzip.decompress((source / f"{name}.gz").read_bytes())
                (Path(unpacked) / name).write_bytes(content)

        # The name `fashion_mnist` is TFDS's own already.
        with tfds.core.registered.skip_registration():

            class FashionMNIST(mnist.FashionMNIST):
                name = "fashion_mnist"

                def _split_generators(self, dl_manager):
                    return {
                        split: self._generate_examples(
                            number,
                            f"{unpacked}/{images}",
                            f"{unpacked}/{labels}",
                        )
                        for split, (images, labels, number) in FILES.items()
                    }

        builder = FashionMNIST(data_dir=data_dir)
        builder.download_and_prepare()
        return builder.data_path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--source", type=Path, default=SOURCE)
    arguments = parser.parse_args()
    print(prepare_fashion_mnist(arguments.data_dir, arguments.source))
