"""What every command of the command line runs in."""

import contextlib
import logging
import os
import sys
import tempfile

import typer

INTERRUPTED = 130


def _import_tensorflow():
    """Imports TensorFlow without what it logs of CPUs and missing GPUs.

    Some of it is written before any log level is read, so standard error is
    turned away for as long as the import lasts; where the import fails, all of
    it is shown.
    """
    # Later on, what it logs of graph rewrites it gave up is no help either;
    # real errors are exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            import keras  # noqa: F401
            import tensorflow  # noqa: F401
        except BaseException:
            log.seek(0)
            os.write(kept, log.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextlib.contextmanager
def _short_of_memory():
    """Says what to do where TensorFlow or NumPy ask for too much memory."""
    import tensorflow as tf

    try:
        yield
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        # TensorFlow's goes on with the graph.
        what = str(error).partition("\n")[0][:200]
        raise RuntimeError(
            "There is not enough memory. Where the command has them, lower "
            "--image-size or --batch-size, or take a smaller --preset. "
            f"Received: {what}"
        ) from None


@contextlib.contextmanager
def _logged(console):
    """Shows on the console what the package logs: rollbacks, resumes."""
    from rich.logging import RichHandler

    logger = logging.getLogger("ganaug")
    handler = RichHandler(
        console=console, show_time=False, show_level=False, show_path=False
    )
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextlib.contextmanager
def session():
    """Runs a command with a console on standard error.

    Errors are one line there and an exit code: 1 the input was refused or the
    work failed; 130 interrupted. Typer itself ends with 2 on wrong usage.

    Yields:
        A `rich.console.Console`.
    """
    from rich.console import Console

    console = Console(stderr=True)
    try:
        _import_tensorflow()
        with _logged(console), _short_of_memory():
            yield console
    except typer.Exit:  # a RuntimeError, of all things
        raise
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        print(f"ganaug: error: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        print("ganaug: interrupted", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
