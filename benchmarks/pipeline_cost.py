"""What an augmentation costs in a tf.data pipeline, per image.

    python -m benchmarks.pipeline_cost

Every pipeline feeds batches of 64 from memory in one process; they take turns,
and the table shows the median over the rounds with the quartiles, and the
median of what each adds to the bare pipeline in the same round: by the clock,
and in processor time of all threads. About eight minutes on 2 CPU cores.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

import ganaug
from benchmarks.iterating import loop
from ganaug.evaluate.transforms import Classic
from ganaug.synthesis.generating import write_bank
from ganaug.synthesis.generators import Generators

BATCH_SIZE = 64
BATCHES = 100
ROUNDS = 15
BANK_SIZE = 2000
NUM_CLASSES = 10
SLOW = (
    "GANAugmenter, ratio 0.25, live",
    "GANAugmenter, ratio 0.5, live",
    "Keras RandAugment",
)
SLOW_ROUNDS = 5


def rand_augment(dataset):
    """Keras's RandAugment layer."""
    layer = keras.layers.RandAugment(value_range=(0, 255), seed=0)
    return dataset.map(lambda x, y: (layer(x, training=True), y))


def mix_up(dataset):
    """Keras's MixUp layer, which mixes one-hot labels too."""
    layer = keras.layers.MixUp(seed=0)

    def mix(images, labels):
        mixed = layer(
            {
                "images": tf.cast(images, tf.float32),
                "labels": tf.one_hot(labels, NUM_CLASSES),
            },
            training=True,
        )
        return mixed["images"], mixed["labels"]

    return dataset.map(mix, num_parallel_calls=tf.data.AUTOTUNE)


def pipelines(image_shape, folder):
    """Endless pipelines by name, all from the same images in memory."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4096, *image_shape), np.uint8)
    labels = rng.integers(0, NUM_CLASSES, 4096)
    gan = ganaug.ConditionalGAN(image_shape, NUM_CLASSES, seed=0)
    gan.compile()
    # How well it draws costs nothing; that it draws is what is measured.
    gan.fit(images, labels, steps_per_epoch=1, verbose=0)
    artifact = gan.to_artifact()
    bare = (
        tf.data.Dataset.from_tensor_slices((images, labels))
        .shuffle(4096, seed=0)
        .repeat()
        .batch(BATCH_SIZE)
    )

    def augmenter(ratio, **source):
        return ganaug.GANAugmenter(
            artifact, ratio=ratio, value_range=(0, 255), seed=0, **source
        )

    write_bank(
        Generators(artifact),
        [BANK_SIZE // NUM_CLASSES] * NUM_CLASSES,
        folder,
        seed=0,
    )

    made = {
        "bare": bare,
        "a map that adds 1 to labels": bare.map(
            lambda x, y: (x, y + 1), num_parallel_calls=tf.data.AUTOTUNE
        ),
        "Keras MixUp": bare.apply(mix_up),
        "shifts (Keras RandomTranslation)": bare.apply(Classic()),
        "GANAugmenter, ratio 0.25, live": bare.apply(augmenter(0.25)),
        "GANAugmenter, ratio 0.5, live": bare.apply(augmenter(0.5)),
        "GANAugmenter, ratio 0.5, bank in memory": bare.apply(
            augmenter(0.5, source="bank", bank_size=BANK_SIZE)
        ),
        "GANAugmenter, ratio 0.5, bank on disk": bare.apply(
            augmenter(0.5, source=folder)
        ),
    }
    if image_shape[-1] == 3:
        made["Keras RandAugment"] = bare.apply(rand_augment)
    return made


def main():
    """Measures and prints one table for each image shape."""
    folders = tempfile.TemporaryDirectory()
    for index, image_shape in enumerate(((8, 8, 1), (28, 28, 1), (32, 32, 3))):
        table = Table(title=f"Microseconds an image, {image_shape}")
        table.add_column("pipeline")
        for column in ("median", "quartiles", "adds", "processor adds"):
            table.add_column(column, justify="right")
        loops = {
            name: loop(dataset, BATCHES)
            for name, dataset in pipelines(
                image_shape, Path(folders.name) / str(index)
            ).items()
        }
        times = {name: [] for name in loops}
        for turn in range(ROUNDS):
            for name, run in loops.items():
                # What takes long needs fewer turns to be known as well.
                if turn < SLOW_ROUNDS or name not in SLOW:
                    times[name].append(run() / BATCH_SIZE * 1e6)
        for name, values in times.items():
            low, median, high = np.percentile(values, [25, 50, 75], axis=0)
            added = np.median(
                np.subtract(values, times["bare"][: len(values)]), axis=0
            )
            table.add_row(
                name,
                f"{median[0]:.1f}",
                f"{low[0]:.1f} to {high[0]:.1f}",
                *(f"{one:.1f}" for one in added),
            )
        Console(width=90).print(table)


if __name__ == "__main__":
    main()
