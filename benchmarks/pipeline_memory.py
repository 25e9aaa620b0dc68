"""What memory a pipeline with synthetic images takes: epochs, size of a bank.

    python -m benchmarks.pipeline_memory

Each row is a process of its own, in which `RssAnon` of Linux is read: memory
that is not the contents of files, which the system can drop at any time. Linux
only; about five minutes on 2 CPU cores.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

IMAGE_SHAPE = (32, 32, 3)
NUM_CLASSES = 10
BANK_SIZES = (1_000, 10_000, 100_000, 400_000)
EPOCHS = 100
WAYS = {
    "live": {"ratio": 0.5},
    "bank in memory": {"ratio": 0.5, "source": "bank"},
    "bank in memory, a tenth renewed each epoch": {
        "ratio": 0.5,
        "source": "bank",
        "refresh": 0.1,
    },
    "bank in memory, the data set grows": {"mode": "extend", "source": "bank"},
}


def resident():
    """Anonymous memory of this process, in MB."""
    text = Path("/proc/self/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", text)[1]) / 1024


def make_artifact():
    """A generator that has hardly learnt, small enough to draw quickly."""
    import numpy as np

    import ganaug

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (640, *IMAGE_SHAPE), np.uint8)
    gan = ganaug.ConditionalGAN(
        IMAGE_SHAPE, NUM_CLASSES, "mlp", width=16, seed=0
    )
    gan.compile()
    gan.fit(images, np.arange(640) % 10, steps_per_epoch=1, verbose=0)
    return gan.to_artifact()


def write(folder, num_images):
    """Writes a bank."""
    from ganaug.synthesis.generating import write_bank
    from ganaug.synthesis.generators import Generators

    write_bank(
        Generators(make_artifact()), num_images // NUM_CLASSES, folder, seed=0
    )


def iterate(source, epochs):
    """Goes through epochs of 100 real batches, prints memory after some.

    Args:
        source: String. A key of `WAYS`, or the folder of a bank.
        epochs: Integer.
    """
    import numpy as np
    import tensorflow as tf

    import ganaug

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6400, *IMAGE_SHAPE), np.uint8)
    # Five classes have half as many as the others, so there is room to grow.
    labels = np.arange(6400) % 15 % NUM_CLASSES
    dataset = tf.data.Dataset.from_tensor_slices((images, labels))
    dataset = dataset.shuffle(1000, seed=0).batch(64)
    arguments = WAYS.get(source)
    if arguments is None:
        arguments = {"source": source, "ratio": 0.5}
    else:
        arguments = {"pretrained": make_artifact(), **arguments}
    augmenter = ganaug.GANAugmenter(**arguments, seed=0)
    callback = augmenter.epoch_callback() if augmenter.follows_epochs else None
    dataset = dataset.apply(augmenter)
    for epoch in range(epochs):
        if callback is not None:
            callback.on_epoch_begin(epoch)
        for _ in dataset:
            pass
        if epoch in (4, epochs // 2, epochs - 1):
            print(epoch + 1, round(resident()), flush=True)


def in_process(*arguments):
    """Runs a part of this module in a process and reads what it prints."""
    output = subprocess.run(
        [sys.executable, "-m", "benchmarks.pipeline_memory", *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return [tuple(map(int, line.split())) for line in output.splitlines()]


def main():
    """Measures and prints two tables."""
    epochs = Table("source", *(f"epoch {n}" for n in (5, 51, 100)))

    def add(name, source):
        rows = in_process("iterate", source, str(EPOCHS))
        epochs.add_row(name, *(f"{memory} MB" for _, memory in rows))

    for way in WAYS:
        add(way, way)
    sizes = Table("images of the bank", "on disk", "memory after 10 epochs")
    with tempfile.TemporaryDirectory() as folder:
        for size in BANK_SIZES:
            bank = str(Path(folder) / str(size))
            in_process("write", bank, str(size))
            [*_, (_, memory)] = in_process("iterate", bank, "10")
            num_bytes = sum(f.stat().st_size for f in Path(bank).iterdir())
            sizes.add_row(
                f"{size:,}", f"{num_bytes / 2**20:,.0f} MB", f"{memory} MB"
            )
        add(f"bank on disk, {BANK_SIZES[-1]:,} images", bank)
    console = Console()
    console.print(epochs)
    console.print(sizes)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        what, path, number = sys.argv[1:]
        {"write": write, "iterate": iterate}[what](path, int(number))
