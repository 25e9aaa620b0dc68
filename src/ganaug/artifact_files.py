"""Files of an artifact: whole or not there, and known by their SHA-256."""

import hashlib
import os
from pathlib import Path

import safetensors.numpy

from ganaug.artifact_record import RECORD, refuse


def check_output_folder(path):
    """Checks that a folder is new or empty, so that nothing is overwritten.

    Args:
        path: Folder.

    Returns:
        A `pathlib.Path`.

    Raises:
        FileExistsError: It holds something, or is a file.
    """
    path = Path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        what = "another run" if (path / RECORD).exists() else "something else"
        raise FileExistsError(
            f"The output folder holds {what}, which is not overwritten. Name "
            f"a new or empty folder. Received: {os.fspath(path)!r}"
        )
    return path


def write_file(path, blob):
    """Writes a file such that it is never there in part.

    Args:
        path: `pathlib.Path`.
        blob: Bytes.
    """
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(blob)
    os.replace(partial, path)


def write_tensors(path, tensors):
    """Writes a safetensors file.

    Args:
        path: `pathlib.Path`.
        tensors: Dict from strings to NumPy arrays.

    Returns:
        A string: the SHA-256 of the file.
    """
    blob = safetensors.numpy.save(tensors)
    write_file(path, blob)
    return hashlib.sha256(blob).hexdigest()


def read_tensors(path, sha256, max_bytes):
    """Reads a safetensors file of an artifact.

    Args:
        path: `pathlib.Path`.
        sha256: String. That of the file that was written.
        max_bytes: Integer. A larger file is not read.

    Returns:
        A dict from strings to NumPy arrays.

    Raises:
        ValueError: It is not there, too large, another file, or no such file.
    """
    folder, name = path.parent, path.name
    if not path.is_file():
        refuse(folder, f"it has no `{name}`")
    num_bytes = path.stat().st_size
    if num_bytes > max_bytes:
        refuse(folder, f"`{name}` has {num_bytes} bytes")
    blob = path.read_bytes()
    if hashlib.sha256(blob).hexdigest() != sha256:
        refuse(folder, f"`{name}` was cut or changed")
    try:
        return safetensors.numpy.load(blob)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        refuse(folder, f"`{name}` cannot be read ({error})")
