"""What the price of mixing in a pipeline consists of.

    python -m benchmarks.mixing_parts

Pipelines that do more and more of what the least mixing does take turns, all
from images in memory: a `map` that adds 1 to the labels; one that chooses
places and rows at random, and mixes the labels; one that reads images out of a
bank too, with four small operations more that see to it; and one that, without
those, puts them into the batch. The table shows the processor
time of all threads that each adds to a batch, and beside it three hundredths of
what a batch costs that is decoded and shuffled: what may be added where 0.97 of
the images per second shall be left. A few minutes on 2 CPU cores.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from benchmarks.iterating import loop
from benchmarks.pipeline_throughput import (
    BANK_SIZE,
    BATCH_SIZE,
    CASES,
    add_1,
    decoding_pipeline,
    make_artifact,
    mixed,
    real_images,
)

ROUNDS = 60
BATCHES = 80
SHARE = 0.03
PARTS = ("choosing", "reading", "writing")


def partly_mixed(dataset, images, labels, part):
    """The least mixing up to one of its parts.

    Args:
        dataset: `tf.data.Dataset` of batches of images and labels.
        images: Array of the bank's images.
        labels: Array of their labels.
        part: One of `PARTS`.

    Returns:
        A `tf.data.Dataset`.
    """
    bank_images = tf.constant(images[:BANK_SIZE])
    bank_labels = tf.constant(labels[:BANK_SIZE])
    kept = tf.range(BATCH_SIZE)

    def mix(index, batch):
        real_images, real_labels = batch
        for_places, for_rows = tf.unstack(
            tf.random.stateless_uniform([2, BATCH_SIZE], [index, 0])
        )
        places = tf.math.top_k(for_places, BATCH_SIZE // 2).indices
        rows = tf.cast(for_rows[: BATCH_SIZE // 2] * BANK_SIZE, tf.int32)
        mixed_labels = tf.dynamic_stitch(
            [kept, places], [real_labels, tf.gather(bank_labels, rows)]
        )
        if part == "choosing":
            return real_images, mixed_labels
        read = tf.gather(bank_images, rows)
        if part == "reading":
            # What nothing depends on would not be read.
            first = tf.cast(tf.reshape(read, [-1])[0], mixed_labels.dtype)
            return real_images, mixed_labels + first
        stitched = tf.dynamic_stitch([kept, places], [real_images, read])
        return stitched, mixed_labels

    return dataset.enumerate().map(mix, num_parallel_calls=tf.data.AUTOTUNE)


def measure(pipelines, base):
    """Lets pipelines take turns.

    Args:
        pipelines: Dict from names to endless datasets of batches.
        base: One of the names.

    Returns:
        A dict from names to float arrays of microseconds of processor time for
        a batch: that of the base, and what others add to it in the same round.
    """
    loops = {name: loop(made, BATCHES) for name, made in pipelines.items()}
    times = {name: [] for name in pipelines}
    for turn in range(ROUNDS):
        for name in list(loops)[:: 1 if turn % 2 else -1]:
            times[name].append(loops[name]()[1] * 1e6)
    first = np.array(times.pop(base))
    return {base: first} | {
        name: np.array(values) - first for name, values in times.items()
    }


def summary(values):
    """Puts a median and quartiles in words.

    Args:
        values: Float array.

    Returns:
        A string.
    """
    low, median, high = np.percentile(values, [25, 50, 75])
    return f"{median:.0f} ({low:.0f} to {high:.0f})"


def main():
    """Measures and prints the table."""
    table = Table(
        *("images", "may add", "a map adds"),
        *(f"and {part}" for part in PARTS),
        "ganaug adds",
    )
    for kind, image_shape, encode, decode in CASES:
        images, labels = real_images(image_shape)
        bare = (
            tf.data.Dataset.from_tensor_slices((images, labels))
            .shuffle(1024, seed=0)
            .repeat()
            .batch(BATCH_SIZE)
        )
        pipelines = {
            "bare": bare,
            "a map": bare.map(add_1, num_parallel_calls=tf.data.AUTOTUNE),
        }
        for part in PARTS:
            pipelines[part] = partly_mixed(bare, images, labels, part)
        artifact = make_artifact(image_shape, images, labels)
        pipelines["ganaug"] = mixed(bare, artifact)
        pipelines["decoded"] = decoding_pipeline(images, labels, encode, decode)
        times = measure(pipelines, "bare")
        decoded = times.pop("decoded") + times.pop("bare")
        table.add_row(
            f"{kind} {' x '.join(map(str, image_shape))}",
            summary(SHARE * decoded),
            *(summary(values) for values in times.values()),
        )
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
