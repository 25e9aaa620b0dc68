"""Folders that are there whole or not at all."""

import contextlib
import os
import shutil
from pathlib import Path

from ganaug.artifact_files import check_output_folder

PARTIAL = ".partial"
# Only a folder with this file in it is taken for what a killed process left.
MARKER = ".ganaug-partial"


@contextlib.contextmanager
def whole_folder(path):
    """Lets a folder be written beside its place, and then moves it there.

    Where the writing fails, nothing is left. Where it is killed, what is left
    has `.partial` behind its name, and the next writing removes it.

    Args:
        path: Folder, new or empty.

    Yields:
        A `pathlib.Path`: the folder to write into.

    Raises:
        FileExistsError: `path`, or the folder beside it, holds something.
    """
    path = check_output_folder(os.path.abspath(path))
    partial = path.with_name(path.name + PARTIAL)
    if (partial / MARKER).is_file():
        shutil.rmtree(partial)
    check_output_folder(partial)
    partial.mkdir(parents=True, exist_ok=True)
    (partial / MARKER).touch()
    try:
        yield partial
        if path.exists():
            path.rmdir()
        os.replace(partial, path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    Path(path, MARKER).unlink()
