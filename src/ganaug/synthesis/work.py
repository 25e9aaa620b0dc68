"""Chunks class by class until the quotas are full, in one process or more."""

import concurrent.futures
import math
import multiprocessing
import os
import pickle
import signal
import threading
from collections import Counter
from dataclasses import dataclass, field

from ganaug.synthesis.generators import CHUNK_SIZE

# Chunks under way for each process, so that none waits for the next one.
CHUNKS_AHEAD = 2


@dataclass
class ClassState:
    """How far a class is.

    Args:
        quota: Integer. Images that are wanted.
        filled: Integer. Images that are there.
        chunks: Integer. Chunks that were taken.
        passed: `Counter` of the candidates that passed each filter.
    """

    quota: int
    filled: int = 0
    chunks: int = 0
    passed: Counter = field(default_factory=Counter)

    def take(self, num_images, passed):
        """Counts a chunk.

        Args:
            num_images: Integer. Images of it that were kept.
            passed: Dict from names of filters to numbers of candidates.
        """
        self.filled += num_images
        self.chunks += 1
        self.passed.update(passed)


def fill_quotas(maker, states, num_workers=1, may_be_empty=False):
    """Makes chunks until every class has its quota.

    The chunks of a class come in the order of their numbers, and what comes
    does not depend on `num_workers`.

    Args:
        maker: `ganaug.synthesis.chunks.ChunkMaker`.
        states: List of `ClassState`, one for each class, from which the work
            goes on. They are kept up to date.
        num_workers: Integer. Processes to work in; 1 for this one alone.
            Defaults to `1`.
        may_be_empty: Boolean. Whether it is no error that nothing of a class
            passes the selection. Defaults to `False`.

    Yields:
        `Chunk`s, cut off at the quota.

    Raises:
        ValueError: Nothing of a class passes the selection, or the maker
            cannot be sent to other processes.
        RuntimeError: A process ended before its work was done.
    """
    limits = [_max_chunks(maker, state.quota) for state in states]
    sent = [state.chunks for state in states]
    ready = [{} for _ in states]
    active = list(range(len(states)))

    def close_if_done(label):
        state = states[label]
        if state.filled == state.quota or state.chunks >= limits[label]:
            active.remove(label)
            if not may_be_empty:
                _check_not_empty(maker, label, state)

    for label in list(active):
        close_if_done(label)
    with _executor(maker, num_workers) as executor:
        futures = set()
        while active:
            while len(futures) < executor.num_ahead:
                label = _next_label(active, states, sent, limits)
                if label is None:
                    break
                futures.add(executor.submit(label, sent[label]))
                sent[label] += 1
            done, futures = concurrent.futures.wait(
                futures, return_when=concurrent.futures.FIRST_COMPLETED
            )
            for future in done:
                made = executor.result(future)
                waiting, state = ready[made.label], states[made.label]
                waiting[made.number] = made
                while state.chunks in waiting:
                    chunk = waiting.pop(state.chunks)
                    chunk = chunk.first(state.quota - state.filled)
                    state.take(len(chunk), chunk.passed)
                    yield chunk
                close_if_done(made.label)


def _max_chunks(maker, quota):
    if maker.selection is None:
        return math.ceil(quota / CHUNK_SIZE)
    return math.ceil(quota * maker.selection.max_draws / CHUNK_SIZE)


def _next_label(active, states, sent, limits):
    """The first class that needs a chunk even if all under way are full."""
    for label in active:
        state = states[label]
        under_way = sent[label] - state.chunks
        if (
            state.filled + under_way * CHUNK_SIZE < state.quota
            and sent[label] < limits[label]
        ):
            return label
    return None


def _check_not_empty(maker, label, state):
    if state.filled or not state.quota:
        return
    raise ValueError(
        "No synthetic image of class "
        f"{maker.generators.class_names[label]!r} passes the selection. Make "
        "it less strict, train the generator longer, or ask for no image of "
        f"this class. Received: of {state.chunks * CHUNK_SIZE} candidates "
        f"passed {dict(state.passed)}"
    )


class _InThisProcess:
    """Makes a chunk when it is submitted."""

    num_ahead = 1

    def __init__(self, maker):
        self._maker = maker

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def submit(self, label, number):
        future = concurrent.futures.Future()
        future.set_result(self._maker(label, number))
        return future

    def result(self, future):
        return future.result()


class _InProcesses:
    """Makes chunks in processes that end with this one."""

    def __init__(self, maker, num_workers):
        self.num_ahead = CHUNKS_AHEAD * num_workers
        threads = max(1, (os.cpu_count() or 1) // num_workers)
        # As bytes: TensorFlow may not wake up before its threads are set.
        self._pool = concurrent.futures.ProcessPoolExecutor(
            num_workers,
            multiprocessing.get_context("spawn"),
            _start_worker,
            (_as_bytes(maker), threads),
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._pool.shutdown(cancel_futures=True)

    def submit(self, label, number):
        return self._pool.submit(_make_chunk, label, number)

    def result(self, future):
        try:
            return future.result()
        except concurrent.futures.process.BrokenProcessPool as error:
            raise RuntimeError(
                "A process that draws images ended before its work was done; "
                "its own message is above. Perhaps memory ran out: use fewer "
                "workers. Work on disk goes on where it stopped."
            ) from error


def _executor(maker, num_workers):
    if (
        isinstance(num_workers, bool)
        or not isinstance(num_workers, int)
        or num_workers < 1
    ):
        raise ValueError(
            "`num_workers` must be a positive number of processes. "
            f"Received: num_workers={num_workers!r}"
        )
    if num_workers == 1:
        return _InThisProcess(maker)
    return _InProcesses(maker, num_workers)


def _as_bytes(maker):
    try:
        return pickle.dumps(maker)
    except Exception as error:
        raise ValueError(
            "The generators, or the models that select, cannot be sent to "
            "other processes. Use `num_workers=1`, or models that Keras can "
            "save, such as an artifact read from its folder. Received: "
            f"{type(error).__name__}: {error}"
        ) from error


def _start_worker(maker, threads):
    import tensorflow as tf

    # The parent alone answers to Ctrl-C, and has the GPU.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    global _make_chunk_here
    _make_chunk_here = pickle.loads(maker)
    parent = multiprocessing.parent_process()

    def end_with_parent():
        # A parent that is killed tells nobody.
        parent.join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def _make_chunk(label, number):
    return _make_chunk_here(label, number)
