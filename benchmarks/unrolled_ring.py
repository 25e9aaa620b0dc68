"""Modes that a GAN covers on a ring of 8 Gaussians, by steps looked ahead.

    python -m benchmarks.unrolled_ring

Data and networks follow Metz et al. (2016). ganaug's own networks draw images,
so the two networks here are small ones on points; objectives, noise and
unrolling are ganaug's. To be done within minutes, batches are smaller (128 for
512), the discriminator learns faster (1e-3 for 1e-4) and training is shorter.

A mode counts as covered where at least 1 % of 1024 drawn points lie within 3
standard deviations of its center, and as visited where they lie within 25
(modes are 76 apart). A generator may hop from mode to mode and happen to end
well, so the last fifth of training counts and not its end alone.

One row has no steps ahead and 6 discriminator steps for each of the generator:
a discriminator that takes as many steps as one that looks 5 ahead. All of it
takes about five minutes.

Reference:
    - [Unrolled GAN, Metz et al., 2016](https://arxiv.org/abs/1611.02163)
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import itertools
import json
import pathlib
import time
from typing import Annotated

import keras
import numpy as np
import tensorflow as tf
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ganaug.gan.losses import get_loss
from ganaug.gan.noise import Noise
from ganaug.gan.objectives import Objectives
from ganaug.gan.unrolled import check_unrollable, unroll
from ganaug.seeds import seeded_initializers

NUM_MODES = 8
RADIUS = 2.0
STD = 0.02
LATENT_DIM = 256
BATCH_SIZE = 128
LEARNING_RATE = 1e-3
NUM_DRAWN = 1024
# Of the drawn points, for a mode to be covered or visited.
LEAST_SHARE = 0.01
COVERED, VISITED = 3 * STD, 25 * STD
NUM_LOOKS = 50
LAST_LOOKS = 10
# Steps ahead, and steps of the discriminator for each of the generator.
KINDS = ((0, 1), (0, 6), (5, 1), (10, 1))


def centers():
    """The middles of the modes, float32 `(8, 2)`."""
    angles = 2 * np.pi * np.arange(NUM_MODES) / NUM_MODES
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return (RADIUS * ring).astype("float32")


def draw_real(noise, purpose, num):
    """Points of the data, `(num, 2)`, drawn from the step's noise."""
    modes = tf.cast(
        NUM_MODES * noise.uniform(f"{purpose} modes", num), tf.int32
    )
    around = STD * noise.normal(f"{purpose} points", num, 2)
    return tf.gather(tf.constant(centers()), modes) + around


def look(points):
    """Counts modes covered and visited, and the share of points near any."""
    offsets = np.asarray(points)[:, None] - centers()
    distances = np.sqrt((offsets**2).sum(-1))
    covered, visited = (
        int(((distances <= radius).mean(axis=0) >= LEAST_SHARE).sum())
        for radius in (COVERED, VISITED)
    )
    near = float((distances <= COVERED).any(axis=1).mean())
    return {"covered": covered, "visited": visited, "near": near}


def networks(seed):
    """Makes a generator and a discriminator of points."""

    def dense(units, activation=None):
        return keras.layers.Dense(
            units,
            activation,
            kernel_initializer=keras.initializers.Orthogonal(0.8),
        )

    with seeded_initializers(seed):
        generator = keras.Sequential(
            [
                keras.Input((LATENT_DIM,)),
                dense(128, "relu"),
                dense(128, "relu"),
                dense(2),
            ]
        )
        discriminator = keras.Sequential(
            [
                keras.Input((2,)),
                keras.layers.Rescaling(0.25),
                dense(128, "relu"),
                dense(1),
                keras.layers.Reshape(()),
            ]
        )
    return generator, discriminator


def train(unrolled_steps, discriminator_steps, steps, seed):
    """Trains one GAN, and looks at what it draws on the way.

    Args:
        unrolled_steps: Integer. Steps of the discriminator that the generator
            looks ahead.
        discriminator_steps: Integer. Steps of the discriminator for each of
            the generator.
        steps: Integer. Steps of the generator.
        seed: Integer. Fixes initial weights and noise.

    Returns:
        A dict for JSON with what was looked at and the time a step took.
    """
    generator, discriminator = networks(seed)
    objectives = Objectives(get_loss("non_saturating"))
    g_optimizer = keras.optimizers.Adam(LEARNING_RATE, beta_1=0.5)
    d_optimizer = keras.optimizers.Adam(LEARNING_RATE, beta_1=0.5)
    g_optimizer.build(generator.trainable_variables)
    d_optimizer.build(discriminator.trainable_variables)
    check_unrollable(d_optimizer)

    def judged_by(network):
        return lambda points, labels: (network(points), None)

    def fakes(noise, purpose):
        return generator(
            noise.normal(f"{purpose} latents", BATCH_SIZE, LATENT_DIM)
        ), None

    def train_discriminator(noise, purpose):
        real = draw_real(noise, purpose, BATCH_SIZE), None
        fake = fakes(noise, purpose)
        variables = discriminator.trainable_variables
        with tf.GradientTape() as tape:
            objective = objectives.discriminator(
                judged_by(discriminator), real, fake, noise, purpose
            )[1]
        d_optimizer.apply(tape.gradient(objective, variables), variables)

    def train_generator(noise):
        real = draw_real(noise, "g", BATCH_SIZE), None
        variables = generator.trainable_variables
        with tf.GradientTape() as tape:
            fake = fakes(noise, "g")
            ahead = unroll(
                discriminator,
                d_optimizer,
                unrolled_steps,
                lambda network: objectives.discriminator(
                    judged_by(network), real, fake, noise, "ahead"
                )[1],
            )
            objective = objectives.generator(
                judged_by(ahead), real, fake, noise, "g"
            )[1]
        g_optimizer.apply(tape.gradient(objective, variables), variables)

    @tf.function
    def train_steps(first, last):
        for step in tf.range(first, last):
            noise = Noise(seed, step, 0)
            for index in range(discriminator_steps):
                train_discriminator(noise, f"d{index}")
            train_generator(noise)

    # No step has this number.
    latents = Noise(seed, -1, 0).normal("look", NUM_DRAWN, LATENT_DIM)
    bounds = np.linspace(0, steps, NUM_LOOKS + 1).astype("int64")
    looks, started = [], None
    for first, last in itertools.pairwise(bounds):
        train_steps(tf.constant(first), tf.constant(last))
        looks.append(look(generator(latents)))
        # The first round compiles.
        started = started or time.perf_counter()
    seconds = time.perf_counter() - started
    return {
        "unrolled_steps": unrolled_steps,
        "discriminator_steps": discriminator_steps,
        "seed": seed,
        "ms_per_step": 1000 * seconds / (steps - int(bounds[1])),
        "looks": looks,
    }


def show(runs, steps):
    """Prints one row for each kind of training."""
    table = Table(
        title=f"Ring of {NUM_MODES} Gaussians, {steps} steps, means over the "
        f"last {LAST_LOOKS} of {NUM_LOOKS} looks"
    )
    for column in (
        "steps ahead",
        "D steps",
        "modes covered, by seed",
        "covered",
        "visited",
        "points near",
        "ms a step",
    ):
        table.add_column(column, justify="right")
    for kind in KINDS:
        own = [
            run
            for run in runs
            if (run["unrolled_steps"], run["discriminator_steps"]) == kind
        ]
        means = {
            name: [
                np.mean([at[name] for at in run["looks"][-LAST_LOOKS:]])
                for run in own
            ]
            for name in ("covered", "visited", "near")
        }
        table.add_row(
            *map(str, kind),
            " ".join(f"{covered:.1f}" for covered in means["covered"]),
            f"{np.mean(means['covered']):.1f}",
            f"{np.mean(means['visited']):.1f}",
            f"{np.mean(means['near']):.0%}",
            f"{np.mean([run['ms_per_step'] for run in own]):.1f}",
        )
    Console(width=90).print(table)


def main(
    steps: Annotated[
        int, typer.Option(help="Steps of each training.", min=NUM_LOOKS)
    ] = 5000,
    seeds: Annotated[
        int, typer.Option(help="Trainings of each kind.", min=1)
    ] = 3,
    out: Annotated[
        pathlib.Path | None, typer.Option(help="JSON file for all looks.")
    ] = None,
):
    """Trains GANs on the ring and counts the modes that they cover."""
    trainings = [(*kind, seed) for seed in range(seeds) for kind in KINDS]
    runs = [
        train(ahead, discriminator_steps, steps, seed)
        for ahead, discriminator_steps, seed in track(trainings)
    ]
    show(runs, steps)
    if out is not None:
        out.write_text(json.dumps({"steps": steps, "runs": runs}) + "\n")


if __name__ == "__main__":
    typer.run(main)
