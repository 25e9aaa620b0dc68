"""Taking turns at iterating endless pipelines."""

import time

# Batches that a pipeline may have made while it was not its turn.
SKIPPED = 40


def loop(dataset, batches):
    """Makes a function that iterates a pipeline for a while.

    Args:
        dataset: Endless `tf.data.Dataset` of batches.
        batches: Integer. How many are timed at a time.

    Returns:
        A function without arguments that goes on with the iteration and
        returns the seconds for a batch.
    """
    iterator = iter(dataset.prefetch(2))

    def run():
        for _ in range(SKIPPED):
            next(iterator)
        started = time.perf_counter()
        for _ in range(batches):
            next(iterator)
        return (time.perf_counter() - started) / batches

    return run
