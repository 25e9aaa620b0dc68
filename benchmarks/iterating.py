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


def loop(dataset, batches, anew=False):
    """Makes a function that iterates a pipeline for a while.

    Args:
        dataset: Endless `tf.data.Dataset` of batches.
        batches: Integer. How many are timed at a time.
        anew: Boolean. Whether each turn has an iterator of its own, so that
            what tf.data's tuner chooses for one does not decide all turns.
            Defaults to `False`.

    Returns:
        A function without arguments that iterates and returns the seconds for
        a batch, and those of the processor.
    """
    dataset = dataset.prefetch(2)
    kept = None if anew else iter(dataset)

    def run():
        iterator = iter(dataset) if anew else kept
        for _ in range(SKIPPED):
            next(iterator)
        started = seconds()
        for _ in range(batches):
            next(iterator)
        return (seconds() - started) / batches

    return run
