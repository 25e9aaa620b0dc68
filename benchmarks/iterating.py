"""Taking turns at iterating endless pipelines."""

import time

import numpy as np

# Batches that a pipeline may have made while it was not its turn.
SKIPPED = 40


def seconds():
    """Looks at both clocks.

    Returns:
        A float array `(2,)`: seconds of the clock, and those of all threads of
        this process on a processor.
    """
    return np.array([time.perf_counter(), time.process_time()])


def loop(dataset, batches):
    """Makes a function that iterates a pipeline for a while.

    Args:
        dataset: Endless `tf.data.Dataset` of batches.
        batches: Integer. How many are timed at a time.

    Returns:
        A function without arguments that goes on with the iteration and
        returns the seconds for a batch, and those of the processor.
    """
    iterator = iter(dataset.prefetch(2))

    def run():
        for _ in range(SKIPPED):
            next(iterator)
        started = seconds()
        for _ in range(batches):
            next(iterator)
        return (seconds() - started) / batches

    return run
