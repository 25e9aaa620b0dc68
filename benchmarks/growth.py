"""How a training step's time and memory grow with all that can be large.

    python -m benchmarks.growth [--rounds 5] [--only GROUP ...]

Every row is a process of its own; those of a group take turns. The data sets
of up to a million images come out of a generator, as they would into `fit`. In
the last group nothing is trained on their batches, which shows how long these
take themselves. Memory is that of Linux after the last turn: what is no
file's, what is, which the system can drop at any time, and the most that it
ever was, both together. A row that fails takes its group with it, and not the
others. Linux only; about an hour on 2 CPU cores, and 0.9 GB in the folder for
temporary files.
"""

import argparse
import contextlib
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import re
import time
from pathlib import Path

import numpy as np

from benchmarks.tables import make_table, show
from benchmarks.turns import Contestant, take_turns

CHUNK = 1000
TRAINED, READ = "images in the data set", "images in it, batches alone"
# Steps of a turn: batches that lie ready must not be most of them.
STEPS = {READ: 500}
DEFAULTS = {"image_shape": (28, 28, 1), "num_classes": 10, "batch_size": 64}
GROUPS = {
    "images in a batch": [{"batch_size": n} for n in (16, 64, 256)],
    "width": [{"width": n} for n in (24, 48, 96)],
    "image size": [
        {"image_shape": shape}
        for shape in ((8, 8, 1), (16, 16, 1), (28, 28, 1), (32, 32, 3))
    ]
    + [{"image_shape": (64, 64, 3), "batch_size": 16}],
    "classes": [{"num_classes": n} for n in (10, 100, 1000)],
    TRAINED: [{"num_images": n} for n in (1_000, 10_000, 100_000, 1_000_000)],
    READ: [{"num_images": n} for n in (1_000, 10_000, 100_000, 1_000_000)],
}


def make_step(
    image_shape, num_classes, batch_size, num_images=None, width=None
):
    """Makes what takes a training step, of a whole data set where one is named.

    Args:
        image_shape: Sequence of three integers.
        num_classes: Integer.
        batch_size: Integer.
        num_images: Integer, or `None` for one random batch.
        width: Integer, or `None` for the default.

    Returns:
        A function without arguments, and facts for the table.
    """
    import tensorflow as tf

    import ganaug
    from benchmarks.training_step import make_batch

    gan = ganaug.ConditionalGAN(
        tuple(image_shape), num_classes, width=width, seed=0
    )
    gan.compile()
    train = tf.function(gan.train_step, jit_compile=False)
    if num_images is None:
        batch = make_batch(image_shape, num_classes, batch_size)
        return lambda: train(batch)["d_loss"].numpy(), {}
    next_batch, facts = make_reading(
        image_shape, num_classes, batch_size, num_images
    )
    return lambda: train(next_batch())["d_loss"].numpy(), facts


def make_reading(image_shape, num_classes, batch_size, num_images):
    """Makes what takes the next batch to train on.

    Args:
        image_shape: As in `make_step`, and so the others.
        num_classes: Integer.
        batch_size: Integer.
        num_images: Integer.

    Returns:
        A function without arguments, and facts for the table.
    """
    started = time.perf_counter()
    data = stream(image_shape, num_classes, num_images)
    reading = time.perf_counter() - started
    batches = iter(training_batches(data, batch_size))
    return lambda: next(batches), {"reading": reading}


def stream(image_shape, num_classes, num_images):
    """Reads a data set that comes out of a generator, as `fit` does.

    Args:
        image_shape: As in `make_step`, and so the others.
        num_classes: Integer.
        num_images: Integer, a multiple of 1,000.

    Returns:
        A `LabeledImages`.
    """
    import tensorflow as tf

    from ganaug.data.labeled_images import as_labeled_images

    def chunks():
        rng = np.random.default_rng(0)
        for _ in range(num_images // CHUNK):
            images = rng.integers(0, 256, (CHUNK, *image_shape), np.uint8)
            yield images, np.arange(CHUNK) % num_classes

    return as_labeled_images(
        tf.data.Dataset.from_generator(
            chunks,
            output_signature=(
                tf.TensorSpec((CHUNK, *image_shape), tf.uint8),
                tf.TensorSpec((CHUNK,), tf.int64),
            ),
        )
    )


def training_batches(data, batch_size):
    """Makes the batches that `fit` trains on.

    Args:
        data: `LabeledImages`.
        batch_size: Integer.

    Returns:
        An endless `tf.data.Dataset`.
    """
    import tensorflow as tf

    from ganaug.data.batches import class_balanced_batches
    from ganaug.data.images import to_unit

    return (
        class_balanced_batches(data, batch_size, seed=0)
        .map(
            lambda images, labels: (to_unit(images, data.value_range), labels),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        .prefetch(tf.data.AUTOTUNE)
    )


def memory_of(contestant):
    """Reads how much memory a contestant has.

    Args:
        contestant: `Contestant`.

    Returns:
        A tuple of floats in MB: what is no file's, what is, and the most that
        both have been.
    """
    text = Path(f"/proc/{contestant.pid}/status").read_text()
    anonymous, file, shared, most = (
        int(re.search(rf"{name}:\s+(\d+)", text)[1]) / 1024
        for name in ("RssAnon", "RssFile", "RssShmem", "VmHWM")
    )
    # Files in a file system that is in memory count as shared.
    return anonymous, file + shared, most


def measure(name, rows, rounds):
    """Measures a group.

    Args:
        name: String. A key of `GROUPS`.
        rows: List of dicts, what is not as in `DEFAULTS`.
        rounds: Integer.

    Returns:
        A list of tuples, one for each row: times as `take_turns` returns them,
        memory, and facts.
    """
    maker = "make_reading" if name == READ else "make_step"
    with contextlib.ExitStack() as stack:
        contestants = {
            place: stack.enter_context(
                Contestant(
                    f"benchmarks.growth:{maker}", {**DEFAULTS, **changes}
                )
            )
            for place, changes in enumerate(rows)
        }
        times = take_turns(contestants, STEPS.get(name, 6), rounds)
        return [
            (times[place], memory_of(contestant), contestant.facts)
            for place, contestant in contestants.items()
        ]


def main():
    """Measures and prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=GROUPS)
    arguments = parser.parse_args()
    table = make_table(
        *("what grows", "to", "images/s", "quartiles", "ms a step"),
        *("MB, no file's", "files'", "at most", "seconds to read"),
    )
    failed = []
    try:
        for name in arguments.only or GROUPS:
            rows = GROUPS[name]
            try:
                measured = measure(name, rows, arguments.rounds)
            except RuntimeError as error:
                failed.append(f"{name}: {error}")
                show(failed[-1], stderr=True)
                continue
            for changes, (times, memory, facts) in zip(
                rows, measured, strict=True
            ):
                batch_size = {**DEFAULTS, **changes}["batch_size"]
                speeds = batch_size / times[:, 0]
                low, median, high = np.percentile(speeds, [25, 50, 75])
                reading = facts.get("reading")
                table.add_row(
                    *(name, _words(changes), f"{median:,.0f}"),
                    f"{low:,.0f} to {high:,.0f}",
                    _milliseconds(1000 * batch_size / median),
                    *(f"{number:,.0f}" for number in memory),
                    "" if reading is None else f"{reading:.1f}",
                )
            show(f"{name}: measured", stderr=True)
    finally:
        show(table, *failed)
    if failed:
        raise SystemExit(1)


def _milliseconds(number):
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _words(changes):
    value, *others = changes.values()
    if isinstance(value, tuple):
        value = " x ".join(map(str, value))
    else:
        value = f"{value:,}"
    return f"{value} (batches of {others[0]})" if others else value


if __name__ == "__main__":
    main()
