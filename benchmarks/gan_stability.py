"""How often training fails: the default recipe against the tutorial's GAN.

Each run is watched by the guards of `fit` with no rollback allowed, so that the
first NaN, discriminator's win or mode collapse ends it and is counted. Runs are
kept one a line in a file, and those that are there are not repeated.

    python -m benchmarks.gan_stability --data-dir DIR --out stability.jsonl

`DIR` is where `examples/prepare_fashion_mnist.py` put the data set. About 150
minutes of one CPU core, so 75 in two processes: `--seeds 0 1 2 3 4` makes a
part of the runs, each process has a file of its own, and the table of both
files joined is that of the whole.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import ganaug
from ganaug.data.images import to_unit
from ganaug.gan.guards import DiversityReference

SEEDS = range(10)
LONG_TAIL = (100, 66, 44, 29, 19, 13, 8, 6, 4, 3)
# Training steps for each data set and architecture.
STEPS = {
    "digits": {"r3gan": 3000, "mlp": 3000},
    "long-tailed digits": {"r3gan": 3000, "mlp": 3000},
    "Fashion-MNIST subset": {"r3gan": 600, "mlp": 3000},
}
SUBSET = 2000


def load(name, data_dir, seed):
    """Loads the training images of a data set.

    Args:
        name: String. A key of `STEPS`.
        data_dir: Folder of TFDS.
        seed: Integer. Another one takes another subset of Fashion-MNIST.

    Returns:
        A `LabeledImages`.
    """
    if name == "digits":
        return ganaug.load_data("digits").train
    if name == "long-tailed digits":
        return ganaug.load_data("digits", class_counts=LONG_TAIL).train
    data = ganaug.load_data("tfds:fashion_mnist", data_dir=data_dir).train
    rng = np.random.default_rng(seed)
    return data.subset(rng.permutation(len(data))[:SUBSET])


def train_once(data, architecture, steps, seed):
    """Trains once and tells how it went.

    Args:
        data: `LabeledImages`.
        architecture: String.
        steps: Integer.
        seed: Integer.

    Returns:
        A dict for JSON.
    """
    gan = ganaug.ConditionalGAN(
        data.image_shape, data.num_classes, architecture, seed=seed
    )
    gan.compile(decay_steps=steps if architecture == "r3gan" else None)
    started, failure = time.perf_counter(), None
    try:
        gan.fit(data, steps_per_epoch=steps, verbose=0, max_rollbacks=0)
    except RuntimeError as error:
        failure = str(error)
    reference = DiversityReference(
        to_unit(data.images, data.value_range).numpy(), data.labels, seed=0
    )
    diversity = reference.ratios(gan.draw_for_guard(reference.labels()))
    return {
        "failure": failure,
        "diversity": round(float(np.mean(list(diversity.values()))), 3),
        "seconds": round(time.perf_counter() - started, 1),
    }


def main():
    """Runs what is missing in the file, and prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    arguments = parser.parse_args()
    rows = []
    if arguments.out.exists():
        rows = [json.loads(line) for line in arguments.out.open()]
    done = {(row["data"], row["architecture"], row["seed"]) for row in rows}
    for seed in arguments.seeds:
        for name, steps in STEPS.items():
            for architecture, number in steps.items():
                if (name, architecture, seed) in done:
                    continue
                data = load(name, arguments.data_dir, seed)
                row = {
                    "data": name,
                    "architecture": architecture,
                    "seed": seed,
                    "steps": number,
                    **train_once(data, architecture, number, seed),
                }
                rows.append(row)
                with arguments.out.open("a") as file:
                    file.write(json.dumps(row) + "\n")
    table = Table("data", "architecture", "steps", "failed", "diversity")
    for name, steps in STEPS.items():
        for architecture, number in steps.items():
            mine = [
                row
                for row in rows
                if (row["data"], row["architecture"]) == (name, architecture)
            ]
            spread = [row["diversity"] for row in mine]
            table.add_row(
                name,
                architecture,
                str(number),
                f"{sum(bool(row['failure']) for row in mine)} of {len(mine)}",
                f"{min(spread):.2f} to {max(spread):.2f}",
            )
    Console().print(table)


if __name__ == "__main__":
    main()
