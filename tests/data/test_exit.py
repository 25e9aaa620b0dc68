"""TensorFlow's threads do not keep Python from ending."""

import subprocess
import sys
import threading
import time

import pytest

from ganaug.data.exit import QUIET, Calls

READS_AT_EXIT = """
import numpy as np
import tensorflow as tf
from ganaug.data import large_arrays

large_arrays.MAX_BYTES = 0
read = large_arrays.row_reader(np.zeros((4000, 64, 64, 3), np.uint8))
draw = lambda step: tf.random.stateless_uniform(
    (256,), tf.stack([step, step]), 0, 4000, tf.int32
)
dataset = tf.data.Dataset.counter().map(draw).map(read, num_parallel_calls=4)
batches = iter(dataset.prefetch(64))
print(next(batches).shape)
"""


def test_python_ends_while_batches_are_read():
    done = subprocess.run(
        [sys.executable, "-c", READS_AT_EXIT],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "(256, 64, 64, 3)\n"


def test_calls_that_are_under_way_are_waited_for():
    calls, begun, go_on, answered = (
        Calls(),
        *(threading.Event() for _ in range(3)),
    )

    def call():
        with calls:
            begun.set()
            go_on.wait()
            answered.set()

    thread = threading.Thread(target=call)
    thread.start()
    begun.wait()
    threading.Timer(0.3, go_on.set).start()
    calls.end()
    assert answered.is_set()
    assert time.monotonic() >= calls.latest + QUIET
    thread.join()


def test_after_the_end_calls_fail():
    calls = Calls()
    with calls:
        pass
    calls.end()
    with pytest.raises(StopIteration), calls:
        pass
