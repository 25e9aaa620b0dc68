"""The record of a bank on disk, `bank.json`: written, read and checked."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np

from ganaug import __version__
from ganaug.data.images import check_value_range
from ganaug.synthesis.columns import column_specs, file_name

FORMAT = "ganaug-bank"
FORMAT_VERSION = 1
RECORD = "bank.json"
FINGERPRINTS = "fingerprints.bin"
# A file with holes can be huge and cost its maker nothing.
MAX_RECORD_BYTES = 2**28


def dump_record(record):
    """Turns a record into the bytes of its file, with its own SHA-256.

    Args:
        record: Dict of plain Python data.

    Returns:
        Bytes.
    """
    # Through JSON and back, so that the hash is that of what is read.
    record = json.loads(json.dumps(record))
    return json.dumps({**record, "sha256": _sha256(record)}, indent=1).encode()


def parse_record(path):
    """Reads what `dump_record` made, and checks that it was not changed.

    Args:
        path: File.

    Returns:
        A dict, without the SHA-256.

    Raises:
        ValueError: It is cut, changed, not ours, or of a later format.
    """
    path = Path(path)
    if path.stat().st_size > MAX_RECORD_BYTES:
        refuse(path.parent, f"`{path.name}` is too large")
    try:
        record = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError):
        refuse(path.parent, f"`{path.name}` is not JSON: it was cut or changed")
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        refuse(path.parent, f"`{path.name}` was not written by ganaug")
    if record.get("format_version") != FORMAT_VERSION:
        refuse(
            path.parent,
            f"its format version is {record.get('format_version')!r}, and "
            f"ganaug {__version__} reads {FORMAT_VERSION}",
        )
    sha256 = record.pop("sha256", None)
    if sha256 != _sha256(record):
        refuse(path.parent, f"`{path.name}` was changed")
    return record


def read_record(folder):
    """Reads the record in a bank's folder and checks that it can be trusted.

    Args:
        folder: `pathlib.Path` of the folder.

    Returns:
        A dict.

    Raises:
        ValueError: The record is cut, changed, not ours, of a later format, or
            its numbers do not fit one another.
    """
    record = parse_record(folder / RECORD)
    try:
        _check_record(record)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        refuse(folder, f"`{RECORD}` has a wrong entry ({error!r})")
    return record


def record_specs(record):
    """Says which columns the bank of a record has.

    Args:
        record: Dict.

    Returns:
        A dict, as `ganaug.synthesis.columns.column_specs` gives it.
    """
    images = record["images"]
    blended = record["drawn_with"]["class_interpolation"] > 0
    return column_specs(
        images["shape"],
        images["dtype"],
        len(record["class_names"]) if blended else None,
    )


def check_file(folder, name, num_bytes, sha256):
    """Checks that a file of a bank is there and whole.

    Args:
        folder: `pathlib.Path`.
        name: String. The file in it.
        num_bytes: Integer.
        sha256: String; `None` to look at the size alone.

    Raises:
        ValueError: It is missing, cut or changed.
    """
    path = folder / name
    if not path.is_file():
        refuse(folder, f"it has no `{name}`")
    size = path.stat().st_size
    if size != num_bytes:
        refuse(folder, f"`{name}` was cut: it has {size} of {num_bytes} bytes")
    if sha256 is not None and file_sha256(path) != sha256:
        refuse(folder, f"`{name}` was changed")


def file_sha256(path):
    """Computes the SHA-256 of a file of any size.

    Args:
        path: File.

    Returns:
        A string of hexadecimal digits.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse(folder, why):
    """Raises the one error of a folder that is no whole bank.

    Args:
        folder: `pathlib.Path` of the folder.
        why: String.

    Raises:
        ValueError: Always.
    """
    raise ValueError(
        f"This is not a whole bank of ganaug: {why}. Copy it again from where "
        f"it was made, or make it anew. Received: {os.fspath(folder)!r}"
    )


def _sha256(record):
    return hashlib.sha256(
        json.dumps(record, sort_keys=True).encode()
    ).hexdigest()


def _check_record(record):
    """Checks what the SHA-256 cannot: a record made to do harm."""
    names, counts = record["class_names"], record["class_counts"]
    if not all(isinstance(name, str) for name in names):
        raise TypeError("class names are not text")
    if len(counts) != len(names) or not all(
        type(count) is int and count >= 0 for count in counts
    ):
        raise ValueError("class counts do not fit the classes")
    shape = record["images"]["shape"]
    if len(shape) != 3 or not all(
        type(side) is int and side >= 1 for side in shape
    ):
        raise ValueError("the images' shape is not that of images")
    if np.dtype(record["images"]["dtype"]).kind not in "uif":
        raise ValueError("the images' dtype is not that of images")
    check_value_range(record["images"]["value_range"])
    ids = record["drawn_with"]["artifacts"]
    if not all(isinstance(name, str) for name in ids):
        raise TypeError("ids of artifacts are not text")
    if record["num_classes"] not in (None, len(names)):
        raise ValueError("class names do not fit the number of classes")
    if type(record["num_fingerprints"]) is not int:
        raise TypeError("the number of fingerprints is not an integer")
    files = {*map(file_name, record_specs(record)), FINGERPRINTS}
    if set(record["sha256s"]) != files:
        raise ValueError(f"its files are not {sorted(files)}")
