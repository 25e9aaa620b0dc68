"""What each architecture with its usual loss draws, after equally many images.

Every model learns from the same Fashion-MNIST training images and has seen the
same number of them. Its images are compared with real test images, in the
features of a small classifier that was trained on other training images.

    python -m benchmarks.gan_quality --data-dir DIR --out quality.jsonl

`DIR` is where `examples/prepare_fashion_mnist.py` put the data set. Models are
kept one a line in the file, and those that are there are not repeated. With
`--seeds` the table has means and ranges. About 40 minutes on 2 CPU cores for a
seed.
"""

import argparse
import itertools
import json
from pathlib import Path

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

import ganaug
from ganaug.data.labeled_images import LabeledImages
from ganaug.fidelity.features import train_feature_extractor
from ganaug.fidelity.scores import classification_accuracy_score, score_images
from ganaug.gan.conditional_vae import ConditionalVAE
from ganaug.gan.conditional_vae_gan import ConditionalVAEGAN
from ganaug.pictures import save_image_grid

TRAIN = 20_000
EXTRACTOR = 4_000
FAKES = 5_000
BATCH_SIZE = 64
# What tells rows apart.
KEYS = ("model", "seed", "dtype_policy")
# Model, its arguments and those of `compile`.
MODELS = {
    "mlp, non-saturating": (ganaug.ConditionalGAN, {"architecture": "mlp"}, {}),
    "dcgan, non-saturating": (
        ganaug.ConditionalGAN,
        {"architecture": "dcgan"},
        {},
    ),
    "dcgan, least squares, auxiliary": (
        ganaug.ConditionalGAN,
        {"architecture": "dcgan", "conditioning": "auxiliary"},
        {"loss": "least_squares"},
    ),
    "resnet, hinge, spectral norm.": (
        ganaug.ConditionalGAN,
        {"architecture": "resnet"},
        {},
    ),
    "r3gan, relativistic, R1 + R2": (ganaug.ConditionalGAN, {}, {}),
    "r3gan, R1 + R2 by finite differences": (
        ganaug.ConditionalGAN,
        {},
        {"finite_difference": True},
    ),
    "r3gan, R1 + R2 every 4 steps": (
        ganaug.ConditionalGAN,
        {},
        {"penalty_interval": 4},
    ),
    "VAE (mlp)": (ConditionalVAE, {}, {}),
    "VAE-GAN (r3gan)": (ConditionalVAEGAN, {}, {}),
}


def train(name, data, images_seen, seed):
    """Trains a model of the table.

    Args:
        name: String. A key of `MODELS`.
        data: `LabeledImages`.
        images_seen: Integer. Real images to learn from, repeats counted.
        seed: Integer.

    Returns:
        A `GenerativeModel`.
    """
    model_class, arguments, choices = MODELS[name]
    model = model_class(
        data.image_shape, data.num_classes, seed=seed, **arguments
    )
    model.compile(**choices)
    steps = images_seen // (BATCH_SIZE * model.batches_per_step)
    if model.architecture != "mlp" or model_class is ConditionalVAE:
        model.compile(decay_steps=steps, **choices)
    model.fit(
        data,
        batch_size=BATCH_SIZE,
        steps_per_epoch=steps,
        verbose=0,
        guards=False,
    )
    return model


def main():
    """Trains what is missing in the file, and prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--images-seen", type=int, default=96_000)
    parser.add_argument("--only", default="", help="Part of a model's name.")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--dtype-policy", default="float32")
    arguments = parser.parse_args()
    rows = []
    if arguments.out.exists():
        rows = [json.loads(line) for line in arguments.out.open()]
    data = ganaug.load_data("tfds:fashion_mnist", data_dir=arguments.data_dir)
    order = np.random.default_rng(0).permutation(len(data.train))
    images = data.train.subset(order[:TRAIN])
    extractor = train_feature_extractor(
        data.train.subset(order[-EXTRACTOR:]), seed=0
    )
    test = data.test.subset(
        np.random.default_rng(1).permutation(len(data.test))[:FAKES]
    )
    known = {(row["model"], row["seed"]) for row in rows}
    if {row["dtype_policy"] for row in rows} - {arguments.dtype_policy}:
        parser.error("`--out` has models of another `--dtype-policy`.")
    for name, seed in itertools.product(MODELS, range(arguments.seeds)):
        if (name, seed) in known or arguments.only not in name:
            continue
        keras.config.set_dtype_policy(arguments.dtype_policy)
        model = train(name, images, arguments.images_seen, seed)
        # Its images are judged alike, whatever they are drawn with.
        keras.config.set_dtype_policy("float32")
        training = model.learnt.training
        fake = LabeledImages(
            model.generate(test.labels, seed=0),
            test.labels,
            test.class_names,
            test.value_range,
        )
        scores = score_images(test, fake, extractor)
        row = {
            "model": name,
            "seed": seed,
            "dtype_policy": arguments.dtype_policy,
            "images_seen": training["images_seen"],
            "kernel_distance": round(scores.kernel_distance, 4),
            "coverage": round(scores.coverage, 3),
            "label_fidelity": round(scores.label_fidelity, 3),
            "classification_accuracy": round(
                classification_accuracy_score(fake, test, seed=0), 3
            ),
            "images_per_second": round(
                training["images_seen"] / training["seconds"]
            ),
        }
        rows.append(row)
        with arguments.out.open("a") as file:
            file.write(json.dumps(row) + "\n")
        save_image_grid(
            arguments.out.with_name(
                f"{name} {seed}.png".replace(" ", "_").replace(",", "")
            ),
            [
                fake.images[fake.labels == label][:8]
                for label in range(fake.num_classes)
            ],
            fake.class_names,
            fake.value_range,
        )
    Console(width=150).print(make_table(rows))


def make_table(rows):
    """Makes a table of means over seeds, with ranges.

    Args:
        rows: List of dicts, one for each model and seed.

    Returns:
        A `rich.table.Table`.
    """
    columns = [key for key in rows[0] if key not in KEYS]
    table = Table("model", "seeds", *columns)
    for name in dict.fromkeys(row["model"] for row in rows):
        of_model = [row for row in rows if row["model"] == name]
        cells = []
        for column in columns:
            values = [row[column] for row in of_model]
            cells.append(f"{np.mean(values):.4g}")
            if min(values) < max(values):
                cells[-1] += f" ({min(values):.4g} to {max(values):.4g})"
        table.add_row(name, str(len(of_model)), *cells)
    return table


if __name__ == "__main__":
    main()
