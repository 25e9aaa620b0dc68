"""Further processes that do a part of an evaluation's trainings."""

import contextlib
import io
import multiprocessing
import os
import signal
import threading


@contextlib.contextmanager
def helping_processes(number, work, *arguments):
    """Starts processes that train beside this one, and ends them.

    They share a folder: what one has begun the others leave to it. Where one
    dies, the others do its work.

    Args:
        number: Integer. How many; 0 for none.
        work: Function of a module. What each of them does.
        *arguments: Its arguments, which can be pickled.
    """
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(
            target=_help,
            args=(work, arguments),
            daemon=True,
        )
        for _ in range(number)
    ]
    with _without_interrupts():
        for process in processes:
            process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


@contextlib.contextmanager
def _without_interrupts():
    """Lets processes inherit that the parent alone answers to Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _help(work, arguments):
    parent = multiprocessing.parent_process()

    def end_with_parent():
        # A parent that is killed tells nobody.
        parent.join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            work(*arguments)
    except Exception:
        # It goes wrong in the process that is seen too, which says so.
        os._exit(1)
