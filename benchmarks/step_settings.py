"""What settings, and what a step could do otherwise, are worth in its speed.

    python -m benchmarks.step_settings [--rounds 7] [--only NAME ...]

The step of the default GAN, with R1 and R2, as it is and with one thing
changed at a time: threads, kernels, XLA, several steps in one call, the
optimizer, passes of the discriminator, cheaper penalties (which are other
methods: what they do to quality `gan_quality` shows). Every row is a process of
its own; they take turns. A quarter of an hour on 2 CPU cores, alone.
"""

import argparse
import contextlib
import dataclasses
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.tables import make_table, show
from benchmarks.turns import Contestant, take_turns

BATCH_SIZE = 64
NUM_CLASSES = 10
SHAPES = ((8, 8, 1), (28, 28, 1))
AS_IT_IS = "as it is"
CASES = {
    AS_IT_IS: {},
    "one thread within an operation": {"intra": 1},
    "one operation at a time": {"inter": 1},
    "four threads within an operation": {"intra": 4},
    "without oneDNN": {"onednn": False},
    "XLA": {"jit_compile": True},
    "8 steps in one call": {"together": 8},
    "Keras's Adam": {"fused_adam": False},
    "real and fake images judged apart": {"joined": False},
    "penalty every 4 steps": {"compiled": {"penalty_interval": 4}},
    "penalty by finite differences": {"compiled": {"finite_difference": True}},
}


def make_step(
    image_shape,
    intra=0,
    inter=0,
    onednn=True,
    jit_compile=False,
    together=1,
    fused_adam=True,
    joined=True,
    compiled=None,
):
    """Makes what takes training steps on one random batch.

    Args:
        image_shape: Sequence of three integers.
        intra: Integer. Threads within an operation; 0 for TensorFlow's choice.
        inter: Integer. Operations at a time; 0 for TensorFlow's choice.
        onednn: Boolean. Whether TensorFlow may use oneDNN's kernels.
        jit_compile: Boolean. Whether XLA compiles the step.
        together: Integer. Training steps in one call.
        fused_adam: Boolean. Whether Adam is ganaug's, rather than Keras's.
        joined: Boolean. Whether real and fake images are judged together.
        compiled: Dict of further arguments of `ConditionalGAN.compile`.

    Returns:
        A function without arguments, and how many steps it takes.
    """
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = str(int(onednn))
    import keras
    import tensorflow as tf

    import ganaug
    from benchmarks.training_step import make_batch
    from ganaug.gan.adversarial_step import AdversarialStep

    tf.config.threading.set_intra_op_parallelism_threads(intra)
    tf.config.threading.set_inter_op_parallelism_threads(inter)
    gan = ganaug.ConditionalGAN(tuple(image_shape), NUM_CLASSES, seed=0)
    optimizers = {}
    if not fused_adam:
        recipe = gan.recipe
        optimizers = {
            name: keras.optimizers.Adam(
                recipe.learning_rate, recipe.beta_1, recipe.beta_2
            )
            for name in ("d_optimizer", "g_optimizer")
        }
    gan.compile(**optimizers, **(compiled or {}))
    if not joined:
        gan.objectives = dataclasses.replace(gan.objectives, joined=False)
        gan.adversarial_step = AdversarialStep(gan)
    batch = make_batch(image_shape, NUM_CLASSES, BATCH_SIZE)

    def steps():
        if together == 1:
            return gan.train_step(batch)["d_loss"]
        loss = 0.0
        for _ in tf.range(together):
            loss = gan.train_step(batch)["d_loss"]
        return loss

    train = tf.function(steps, jit_compile=jit_compile)
    return lambda: train().numpy(), {"steps": together}


def measure(image_shape, names, rounds):
    """Measures all cases of a size.

    Args:
        image_shape: Sequence of three integers.
        names: List of keys of `CASES`.
        rounds: Integer.

    Returns:
        A pair of dicts: from names to float arrays `(rounds, 2)`, seconds of a
        training step by the clock and on the processors; and from names to
        why a case failed.

    Raises:
        RuntimeError: The step as it is failed, which all are compared with.
    """
    failed = {}
    with contextlib.ExitStack() as stack:
        contestants = {}
        for name in names:
            try:
                contestants[name] = stack.enter_context(
                    Contestant(
                        "benchmarks.step_settings:make_step",
                        {"image_shape": list(image_shape), **CASES[name]},
                    )
                )
                contestants[name].run(1)
            except RuntimeError as error:
                contestants.pop(name, None)
                failed[name] = str(error)[:200]
        if AS_IT_IS in failed:
            raise RuntimeError(failed[AS_IT_IS])
        second = contestants[AS_IT_IS].run(2)[0]
        steps = np.clip(2 / second, 8, 200)
        calls = {
            name: int(steps / contestant.facts["steps"])
            for name, contestant in contestants.items()
        }
        times = take_turns(contestants, calls, rounds)
        return {
            name: of_it / contestants[name].facts["steps"]
            for name, of_it in times.items()
        }, failed


def main():
    """Measures and prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", nargs="+", choices=CASES)
    arguments = parser.parse_args()
    names = list(arguments.only or CASES)
    if AS_IT_IS not in names:
        names.insert(0, AS_IT_IS)
    table = make_table(
        *("images", "step", "images/s", "quartiles"),
        *("times as fast", "processor ms a step"),
    )
    try:
        for image_shape in SHAPES:
            times, failed = measure(image_shape, names, arguments.rounds)
            show(f"{image_shape}: failed: {failed or 'none'}", stderr=True)
            for name, of_it in times.items():
                clock, processor = of_it.T
                low, rate, high = np.percentile(
                    BATCH_SIZE / clock, [25, 50, 75]
                )
                ratio = np.percentile(
                    times[AS_IT_IS][:, 0] / clock, [50, 25, 75]
                )
                table.add_row(
                    " x ".join(map(str, image_shape)),
                    name,
                    f"{rate:,.0f}",
                    f"{low:,.0f} to {high:,.0f}",
                    "{:.2f} ({:.2f} to {:.2f})".format(*ratio),
                    f"{1000 * np.median(processor):.1f}",
                )
    finally:
        # Broken off, what was measured is not lost.
        show(table)


if __name__ == "__main__":
    main()
