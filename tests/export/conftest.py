"""Banks that need no generator."""

import numpy as np
import pytest

from ganaug.synthesis.bank import Bank
from ganaug.synthesis.columns import IMAGES, PROVENANCE, TARGETS, MemoryColumn


@pytest.fixture
def make_bank():
    """A function that makes banks of random images."""

    def make(
        shape=(5, 4, 1),
        counts=(300, 0, 2),
        class_names=("b|ear", "fox", "cat"),
        dtype="uint8",
        value_range=(0.0, 255.0),
        targets=False,
    ):
        rng = np.random.default_rng(0)
        num_images = sum(counts)
        pixels = rng.integers(0, 256, (num_images, *shape))
        low, high = value_range
        pixels = pixels / 255 * (high - low) + low
        columns = {
            IMAGES: pixels.astype(dtype),
            PROVENANCE: rng.integers(0, 2, (num_images, 4), np.int64),
        }
        if targets:
            columns[TARGETS] = rng.random((num_images, 3), np.float32)
        record = {
            "images": {
                "shape": shape,
                "dtype": dtype,
                "value_range": value_range,
            },
            "drawn_with": {
                "artifacts": ["0123", "4567"],
                "latents": "prior",
                "truncation": 0.5,
                "class_interpolation": 0.25 * targets,
            },
            "class_names": class_names,
            "num_classes": 3,
            "class_counts": counts,
            "seed": 7,
            "selection": None,
            "versions": {"ganaug": "1.2.3"},
        }
        columns = {name: MemoryColumn(array) for name, array in columns.items()}
        return Bank(record, columns, np.zeros(0, np.uint64))

    return make
