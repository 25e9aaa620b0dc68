"""Functions that TensorFlow's threads call until Python ends."""

import atexit
import functools
import os
import threading
import time

# Seconds without a call after which no more is under way, and after which
# nobody waits any longer.
QUIET, PATIENCE = 0.1, 5.0


class Calls:
    """Calls out of TensorFlow's threads.

    Where an iterator is alive when Python ends, Python waits for the iterator's
    threads to finish their work, and they wait for Python to answer: forever.
    So before its end, calls that are under way are waited for, and new ones
    fail, of which nobody is told.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._under_way = 0
        self.latest = time.monotonic()
        self._ended = False

    def __enter__(self):
        with self._lock:
            self._under_way += 1
            self.latest = time.monotonic()
        if self._ended:
            self.__exit__()
            # The one failure of which TensorFlow does not warn.
            raise StopIteration

    def __exit__(self, *_):
        with self._lock:
            self._under_way -= 1
            # Its thread has still to hand over what it returns.
            self.latest = time.monotonic()

    def end(self):
        """Lets no new call in, and waits for those that are under way."""
        self._ended = True
        began = time.monotonic()
        while time.monotonic() < began + PATIENCE:
            with self._lock:
                since = max(self.latest, began)
                if not self._under_way and time.monotonic() > since + QUIET:
                    return
            time.sleep(QUIET / 10)


@functools.cache
def _calls():
    calls = Calls()
    atexit.register(calls.end)
    if hasattr(os, "register_at_fork"):
        # The threads that call are not in the child.
        os.register_at_fork(after_in_child=calls.__init__)
    return calls


def answers_until_exit(function):
    """Lets a function fail once Python ends, and not be waited for.

    Args:
        function: Callable, for `tf.numpy_function`.

    Returns:
        A callable of the same arguments. It raises `StopIteration` from the
        moment on when Python begins to end.
    """
    calls = _calls()

    @functools.wraps(function)
    def answer(*arguments):
        with calls:
            return function(*arguments)

    return answer
