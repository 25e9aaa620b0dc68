"""The record of an artifact, `ganaug.json`: written, read and checked."""

import base64
import hashlib
import importlib.metadata
import json
import os

import numpy as np

from ganaug import __version__
from ganaug.data.images import check_value_range
from ganaug.gan.architectures import ARCHITECTURES, LIMITS

FORMAT = "ganaug-artifact"
FORMAT_VERSION = 2
RECORD = "ganaug.json"
# A file with holes can be huge and cost its maker nothing.
MAX_RECORD_BYTES = 2**28
DTYPES = (
    *("uint8", "uint16", "uint32", "int8", "int16", "int32", "int64"),
    *("float16", "float32", "float64"),
)
MAX_CLASSES = 65536
MAX_SIDE = 2048


def _sha256(record):
    rest = {key: value for key, value in record.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _plain(value):
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} does not go into JSON: {value!r}")


def dump_record(record):
    """Turns a record into the bytes of its file, with its own SHA-256.

    Args:
        record: Dict of plain Python data and NumPy scalars.

    Returns:
        Bytes.
    """
    # Through JSON and back, so that the hash is that of what is read.
    record = json.loads(json.dumps(record, default=_plain))
    return json.dumps({**record, "sha256": _sha256(record)}, indent=2).encode()


def make_record(artifact, weights, latents):
    """Writes down what is known of an artifact.

    Args:
        artifact: `ganaug.artifact.Artifact`.
        weights: Dict with the `"sha256"` of the file of weights.
        latents: Dict with the `"sha256"` of the file of latents, their
            `"count"` and the `"kinds"` that can be drawn, or `None` where
            there are none.

    Returns:
        A dict, of which `dump_record` makes the file.
    """
    arguments = {**artifact.arguments, "image_shape": [*artifact.image_shape]}
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "architecture": {
            "name": arguments.pop("architecture"),
            "arguments": arguments,
        },
        "images": {
            "dtype": artifact.image_dtype,
            "value_range": list(artifact.value_range),
        },
        "class_names": list(artifact.class_names),
        "training": artifact.training,
        "fingerprints": {
            "algorithm": "first 8 bytes of BLAKE2b of the 8-bit picture",
            "count": len(artifact.fingerprints),
            "base64": base64.b64encode(
                artifact.fingerprints.astype("<u8").tobytes()
            ).decode(),
        },
        "weights": weights,
        "latents": latents,
        "versions": {
            "ganaug": __version__,
            **{
                name: importlib.metadata.version(name)
                for name in ("tensorflow", "keras", "numpy")
            },
        },
    }


def read_fingerprints(record):
    """Decodes the fingerprints in a record.

    Args:
        record: Dict that `read_record` gave.

    Returns:
        A NumPy array of `uint64`.
    """
    text = record["fingerprints"]["base64"]
    return np.frombuffer(base64.b64decode(text), "<u8")


def read_record(path):
    """Reads the record in a folder and checks that it can be trusted.

    Args:
        path: `pathlib.Path` of the folder.

    Returns:
        A dict.

    Raises:
        ValueError: The record is cut, changed, not ours, of a later format, or
            made to do harm.
    """
    if (path / RECORD).stat().st_size > MAX_RECORD_BYTES:
        refuse(path, f"`{RECORD}` is too large")
    try:
        record = json.loads((path / RECORD).read_text("utf-8"))
    except (ValueError, RecursionError):
        refuse(path, f"`{RECORD}` is not JSON")
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        refuse(path, f"`{RECORD}` was not written by ganaug")
    if record.get("format_version") != FORMAT_VERSION:
        refuse(
            path,
            f"its format version is {record.get('format_version')!r}, and "
            f"ganaug {__version__} reads {FORMAT_VERSION}",
        )
    if record.get("sha256") != _sha256(record):
        refuse(path, f"`{RECORD}` was changed")
    try:
        check_record(record)
    except (KeyError, TypeError, ValueError) as error:
        refuse(path, f"`{RECORD}` has a wrong entry ({error!r})")
    return record


def check_record(record):
    """Checks what the SHA-256 cannot: a record made to do harm.

    Args:
        record: Dict.

    Raises:
        KeyError: An entry is missing.
        TypeError: An entry is of another kind.
        ValueError: An entry is out of range.
    """
    architecture = record["architecture"]
    arguments = architecture["arguments"]
    if architecture["name"] not in ARCHITECTURES or set(arguments) != {
        "image_shape",
        "num_classes",
        *LIMITS,
    }:
        raise ValueError("unknown architecture")
    height, width, channels = arguments["image_shape"]
    # Without classes, a generator draws images of one kind.
    num_classes = arguments["num_classes"]
    num_names = 1 if num_classes is None else num_classes
    for number, limit in (
        (num_names, MAX_CLASSES),
        (height, MAX_SIDE),
        (width, MAX_SIDE),
        (channels, 4),
        *((arguments[name], limit) for name, limit in LIMITS.items()),
    ):
        if type(number) is not int or not 1 <= number <= limit:
            raise ValueError(f"{number!r} is not in [1, {limit}]")
    if len(record["class_names"]) != num_names or not all(
        isinstance(name, str) for name in record["class_names"]
    ):
        raise ValueError("class names do not fit the number of classes")
    if any(
        type(bound) not in (int, float)
        for bound in record["images"]["value_range"]
    ):
        raise TypeError("value range is not of numbers")
    check_value_range(record["images"]["value_range"])
    if record["images"]["dtype"] not in DTYPES:
        raise ValueError("dtype is not that of images")
    numbers = base64.b64decode(record["fingerprints"]["base64"], validate=True)
    if len(numbers) != 8 * record["fingerprints"]["count"]:
        raise ValueError("fingerprints do not fit their count")
    if not isinstance(record["training"], dict):
        raise TypeError("training is not an object")
    if not isinstance(record["weights"]["sha256"], str):
        raise TypeError("sha256 is not text")
    latents = record["latents"]
    if latents is not None and (
        type(latents["count"]) is not int
        or not isinstance(latents["sha256"], str)
    ):
        raise TypeError("latents are not named by count and sha256")


def refuse(path, why):
    """Raises the one error of a folder that is no whole artifact.

    Args:
        path: `pathlib.Path` of the folder.
        why: String.

    Raises:
        ValueError: Always.
    """
    raise ValueError(
        f"This is not a whole artifact of ganaug: {why}. Copy it again from "
        f"where it was made, or train anew. Received: {os.fspath(path)!r}"
    )
