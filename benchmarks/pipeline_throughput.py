"""What a bank and live drawing leave of a pipeline's images per second.

    python -m benchmarks.pipeline_throughput [--only TEXT] [--rounds 15]

A bare pipeline and the same with more take turns in one process, the bare one
before and after each. The table shows the median of the ratios with their
quartiles, and their geometric mean with its standard error, so it does not
matter how fast the machine is. The last column is the median in processor time
of all threads, on which other processes have less influence. For comparison
there are a map that adds 1 to the labels, and the least that mixing can be.
About twenty minutes on 2 CPU cores. `--only "through fit"` measures the
pipelines that have this in their names, `--rounds` says how many turns.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

import ganaug
from benchmarks.iterating import loop, seconds
from ganaug.synthesis.generators import Generators

BATCH_SIZE = 64
NUM_IMAGES = 2048
NUM_CLASSES = 10
BANK_SIZE = 2000
PHOTO_SIZE = 128
CASES = (
    ("PNG", (28, 28, 1), tf.io.encode_png, tf.io.decode_png),
    ("PNG", (32, 32, 3), tf.io.encode_png, tf.io.decode_png),
    ("JPEG", (64, 64, 3), tf.io.encode_jpeg, tf.io.decode_jpeg),
)


def real_images(image_shape):
    """Smooth random images, which compress as photographs do."""
    rng = np.random.default_rng(0)
    height, width, channels = image_shape
    coarse = rng.uniform(0, 255, (NUM_IMAGES, 4, 4, channels))
    smooth = tf.image.resize(coarse, (height, width), "bicubic").numpy()
    noisy = smooth + rng.normal(0, 6, smooth.shape)
    images = np.clip(noisy, 0, 255).astype(np.uint8)
    return images, rng.integers(0, NUM_CLASSES, NUM_IMAGES)


def make_artifact(image_shape, images, labels):
    """A generator that has hardly learnt; what it costs is the same."""
    gan = ganaug.ConditionalGAN(image_shape, NUM_CLASSES, seed=0)
    gan.compile()
    gan.fit(images, labels, steps_per_epoch=1, verbose=0)
    return gan.to_artifact()


def mixed(dataset, artifact):
    """Half of each batch from a bank in memory."""
    augmenter = ganaug.GANAugmenter(
        artifact, ratio=0.5, source="bank", bank_size=BANK_SIZE, seed=0
    )
    return dataset.apply(augmenter)


def least_mix(dataset, images, labels):
    """The least that mixing half of each batch can be: a dozen operations.

    Random rows of a constant at random places, whatever their classes; nothing
    is checked, and every epoch is the same.
    """
    bank_images = tf.constant(images[:BANK_SIZE])
    bank_labels = tf.constant(labels[:BANK_SIZE])
    kept = tf.range(BATCH_SIZE)

    def mix(index, batch):
        for_places, for_rows = tf.unstack(
            tf.random.stateless_uniform([2, BATCH_SIZE], [index, 0])
        )
        places = tf.math.top_k(for_places, BATCH_SIZE // 2).indices
        rows = tf.cast(for_rows[: BATCH_SIZE // 2] * BANK_SIZE, tf.int32)
        return tuple(
            tf.dynamic_stitch([kept, places], [real, tf.gather(bank, rows)])
            for real, bank in zip(
                batch, (bank_images, bank_labels), strict=True
            )
        )

    return dataset.enumerate().map(mix, num_parallel_calls=tf.data.AUTOTUNE)


def decoding_pipeline(images, labels, encode, decode, size=None):
    """Endless batches of images that are decoded and shuffled.

    Args:
        images: Array `(num_images, height, width, channels)`.
        labels: Integer array `(num_images,)`.
        encode: Callable from an image to its encoded bytes.
        decode: Callable from those to an image.
        size: Pair of integers that decoded images are resized to, or `None`.

    Returns:
        A `tf.data.Dataset`.
    """
    encoded = [encode(image).numpy() for image in images]

    def read(content, label):
        image = tf.ensure_shape(decode(content), images.shape[1:])
        if size is not None:
            image = tf.cast(tf.image.resize(image, size), tf.uint8)
        return image, label

    return (
        tf.data.Dataset.from_tensor_slices((encoded, labels))
        .repeat()
        .map(read, num_parallel_calls=tf.data.AUTOTUNE)
        .shuffle(1024, seed=0)
        .batch(BATCH_SIZE)
    )


class Clock(keras.callbacks.Callback):
    """Seconds of the steps after the first ones, in which pipelines fill."""

    def __init__(self, skipped):
        super().__init__()
        self._skipped = skipped

    def on_train_batch_end(self, batch, logs=None):
        """Looks at the clock."""
        if batch == self._skipped - 1:
            self._started = seconds()
        self.seconds = seconds() - getattr(self, "_started", 0)


def fitting(dataset, image_shape, steps=120, skipped=20):
    """A function that trains a small CNN and gives seconds for a batch."""
    model = keras.Sequential(
        [
            keras.Input(image_shape),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    dataset = dataset.prefetch(tf.data.AUTOTUNE)

    def run():
        clock = Clock(skipped)
        model.fit(
            dataset,
            steps_per_epoch=steps,
            callbacks=[clock],
            shuffle=False,
            verbose=0,
        )
        return clock.seconds / (steps - skipped)

    return run


def drawing(artifact):
    """A function that draws in a bare loop, and gives seconds for a batch."""
    generators = Generators(artifact)
    labels = tf.constant(np.arange(BATCH_SIZE) % NUM_CLASSES, tf.int32)
    seeds = iter(range(10**9))

    def run(batches=100):
        started = seconds()
        for _ in range(batches):
            drawn = generators(
                labels,
                tf.constant([next(seeds), 0], tf.int64),
                (0.0, 255.0),
                tf.uint8,
            )
            drawn.images.numpy()
        return (seconds() - started) / batches

    return run


def add_1(images, labels):
    """The least that a map can do: one that does nothing is left out."""
    return images, labels + 1


class Comparison:
    """Measures pipelines beside the bare one, into a table.

    Args:
        only: String. Pipelines without it in their names are left out.
        rounds: Integer. Turns of each.
    """

    def __init__(self, only, rounds):
        self._only = only
        self._rounds = rounds
        self.table = Table(
            *("pipeline", "with", "images/s", "with it", "ratio", "quartiles"),
            *("geometric mean", "processor"),
        )

    def wants(self, name):
        """Tells whether a pipeline is to be measured."""
        return self._only in name

    def add(self, name, base, **others):
        """Measures each beside the bare pipeline, and adds a row for each."""
        for run in (base, *others.values()):
            run()
        times = {what: [] for what in others}
        for _ in range(self._rounds):
            for what, other in others.items():
                before, between, after = base(), other(), base()
                times[what].append(((before + after) / 2, between))
        for what, pairs in times.items():
            pairs = np.array(pairs)
            ratios = pairs[:, 0] / pairs[:, 1]
            (low, median, high), processor = np.percentile(
                ratios, [25, 50, 75], axis=0
            ).T
            logarithms = np.log(ratios[:, 0])
            mean = np.exp(logarithms.mean())
            error = mean * logarithms.std(ddof=1) / len(ratios) ** 0.5
            self.table.add_row(
                name,
                what.replace("_", " "),
                *(
                    f"{BATCH_SIZE / time:,.0f}"
                    for time in np.median(pairs[..., 0], 0)
                ),
                f"{median:.3f}",
                f"{low:.3f} to {high:.3f}",
                f"{mean:.3f} +- {error:.3f}",
                f"{processor[1]:.3f} ({processor[0]:.3f} to "
                f"{processor[2]:.3f})",
            )


def compare_photos(comparison):
    """Measures a pipeline of larger images that are made as small as a GAN's.

    Args:
        comparison: `Comparison` that gets the rows.
    """
    name = (
        f"JPEG {PHOTO_SIZE} x {PHOTO_SIZE} x 3 decoded, resized to 32 x 32 and "
        "shuffled"
    )
    if not comparison.wants(name):
        return
    photos, labels = real_images((PHOTO_SIZE, PHOTO_SIZE, 3))
    image_shape = (32, 32, 3)
    images = tf.image.resize(photos, image_shape[:2]).numpy().astype(np.uint8)
    artifact = make_artifact(image_shape, images, labels)
    bare = decoding_pipeline(
        photos,
        labels,
        tf.io.encode_jpeg,
        tf.io.decode_jpeg,
        image_shape[:2],
    )
    comparison.add(
        name,
        loop(bare, 60, anew=True),
        ganaug=loop(mixed(bare, artifact), 60, anew=True),
        least_mixing=loop(least_mix(bare, images, labels), 60, anew=True),
    )


def main():
    """Measures and prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    if arguments.rounds < 2:
        parser.error("--rounds must be 2 or more, for a standard error")
    comparison = Comparison(arguments.only, arguments.rounds)
    for kind, image_shape, encode, decode in CASES:
        images, labels = real_images(image_shape)
        artifact = make_artifact(image_shape, images, labels)
        size = " x ".join(map(str, image_shape))
        name = f"{kind} {size} decoded and shuffled"
        if comparison.wants(name):
            bare = decoding_pipeline(images, labels, encode, decode)
            adding = bare.map(add_1, num_parallel_calls=tf.data.AUTOTUNE)
            least = least_mix(bare, images, labels)
            comparison.add(
                name,
                loop(bare, 150, anew=True),
                ganaug=loop(mixed(bare, artifact), 150, anew=True),
                least_mixing=loop(least, 150, anew=True),
                adding_1=loop(adding, 150, anew=True),
            )
        if kind == "JPEG":
            # Networks for such images take minutes here.
            continue
        bare = (
            tf.data.Dataset.from_tensor_slices((images, labels))
            .shuffle(NUM_IMAGES, seed=0)
            .repeat()
            .batch(BATCH_SIZE)
        )
        name = f"{size} from memory through fit"
        if comparison.wants(name):
            least = least_mix(bare, images, labels)
            comparison.add(
                name,
                fitting(bare, image_shape),
                ganaug=fitting(mixed(bare, artifact), image_shape),
                least_mixing=fitting(least, image_shape),
            )
        name = f"{size} drawn in a bare loop"
        if comparison.wants(name):
            live = ganaug.GANAugmenter(artifact, ratio=1.0, seed=0)
            comparison.add(
                name, drawing(artifact), live=loop(bare.apply(live), 100)
            )
    compare_photos(comparison)
    if not comparison.table.row_count:
        parser.error(f"no pipeline has {arguments.only!r} in its name")
    Console(width=150).print(comparison.table)


if __name__ == "__main__":
    main()
