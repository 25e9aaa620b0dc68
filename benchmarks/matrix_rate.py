"""How near training comes to the rate of a large matrix product.

    python -m benchmarks.matrix_rate [--rounds 7]

Floating-point operations are those that TensorFlow's profiler counts in the
graph of a training step. Steps and matrix products take turns in one process.
A few minutes on 2 CPU cores.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import time

import numpy as np
import tensorflow as tf

from benchmarks.tables import make_table, show
from benchmarks.training_step import (
    BATCH_SIZE,
    HALF,
    NUM_CLASSES,
    halves,
    make_batch,
    make_gan,
)

CASES = (
    ("r3gan", (28, 28, 1), True),
    ("r3gan", (28, 28, 1), False),
    ("r3gan", (32, 32, 3), True),
    ("r3gan", (32, 32, 3), False),
)
SIDE = 2048


def count_operations(function, batch):
    """Counts the floating-point operations of a training step.

    Args:
        function: `tf.function` of a batch.
        batch: Pair of tensors.

    Returns:
        An integer.
    """
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder(
        profiler.ProfileOptionBuilder.float_operation()
    )
    traced = function.get_concrete_function(batch).graph
    ends = [tensor.op.name for tensor in traced.outputs]
    ends += [operation.name for operation in traced.control_outputs]
    # Gradients that nobody asks for are in the traced graph, and not run.
    pruned = tf.compat.v1.graph_util.extract_sub_graph(
        traced.as_graph_def(), ends
    )
    run = {node.name for node in pruned.node}

    def total(scope):
        own = scope.float_ops if scope.name in run else 0
        return own + sum(map(total, scope.children))

    return total(
        profiler.profile(
            traced, cmd="scope", options=options.with_empty_output().build()
        )
    )


def seconds_of(step, times):
    """Times a function.

    Args:
        step: Function without arguments.
        times: Integer. Calls.

    Returns:
        A float, seconds for a call.
    """
    started = time.perf_counter()
    for _ in range(times):
        step()
    return (time.perf_counter() - started) / times


def make_product(dtype):
    """Makes a large matrix product.

    Args:
        dtype: String.

    Returns:
        A function without arguments that waits for its end.
    """
    rng = np.random.default_rng(0)
    one, other = (
        tf.constant(rng.normal(size=(SIDE, SIDE)), dtype) for _ in range(2)
    )
    product = tf.function(lambda: tf.linalg.matmul(one, other)[0, 0])
    return lambda: product().numpy()


def main():
    """Measures and prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    table = make_table(
        *("training", "images", "GFLOP a step", "GFLOP/s"),
        *("of the float32 product's", "of its own dtype's"),
    )
    products = {
        half: make_product(("float32", "bfloat16")[half]) for half in halves()
    }
    products_now = []
    for product in products.values():
        product()
    for architecture, image_shape, penalized in CASES:
        for half in products:
            gan = make_gan(
                architecture, image_shape, penalized, half, NUM_CLASSES
            )
            batch = make_batch(image_shape, NUM_CLASSES, BATCH_SIZE)
            train = tf.function(gan.train_step, jit_compile=False)
            number = count_operations(train, batch)

            def step(train=train, batch=batch):
                train(batch)["d_loss"].numpy()

            step()
            rates = np.array(
                [
                    [
                        number / seconds_of(step, 6),
                        *(
                            2 * SIDE**3 / seconds_of(product, 10)
                            for product in products.values()
                        ),
                    ]
                    for _ in range(rounds)
                ]
            )
            shares = np.percentile(
                rates[:, :1] / rates[:, 1:], [50, 25, 75], axis=0
            )
            table.add_row(
                architecture + (", R1 + R2" if penalized else "") + HALF[half],
                " x ".join(map(str, image_shape)),
                f"{number / 1e9:.1f}",
                f"{np.median(rates[:, 0]) / 1e9:.0f}",
                *(
                    "{:.2f} ({:.2f} to {:.2f})".format(*shares[:, column])
                    for column in (0, int(half))
                ),
            )
            products_now.append(np.median(rates[:, 1:], 0) / 1e9)
            show(table, stderr=True)
    said = ", ".join(
        f"{low:.0f} to {high:.0f}"
        for low, high in zip(
            np.min(products_now, 0), np.max(products_now, 0), strict=True
        )
    )
    show(table, f"Matrix products beside these: {said} GFLOP/s.")


if __name__ == "__main__":
    main()
