"""Finished trainings of an evaluation, kept so that it can go on."""

import dataclasses
import hashlib
import json
import os
from pathlib import Path

import numpy as np

CONFIGURATION = "configuration.json"
CELLS = "cells.jsonl"


class Cells:
    """The scores of each arm and seed, in memory and, if asked, in a folder.

    A cell is one training of one classifier. Each is written when it is
    finished, so a kill loses the one under way.

    Args:
        folder: Folder: new, empty, or of the same evaluation; `None` to keep
            nothing.
        configuration: Dict of plain data: all that the scores depend on but
            the seeds, of which there may be more later.

    Raises:
        FileExistsError: The folder holds something else.
        ValueError: It holds an evaluation with another configuration.
    """

    def __init__(self, folder, configuration):
        self._scores = {}
        self._path = None
        if folder is None:
            return
        folder = Path(folder)
        self._path = folder / CELLS
        configuration = json.loads(json.dumps(configuration))
        if (folder / CONFIGURATION).is_file():
            _check_same(folder, configuration)
            self._read()
            return
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise FileExistsError(
                "The folder holds something else than an evaluation. Name a "
                f"new or empty one. Received: {os.fspath(folder)!r}"
            )
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / (CONFIGURATION + ".partial")
        partial.write_text(json.dumps(configuration, indent=1), "utf-8")
        os.replace(partial, folder / CONFIGURATION)

    def _read(self):
        if not self._path.is_file():
            return
        whole = []
        for line in self._path.read_bytes().splitlines(keepends=True):
            try:
                cell = json.loads(line)
                key = cell["arm"], cell["seed"]
                scores = {
                    name: tuple(value) if isinstance(value, list) else value
                    for name, value in cell["scores"].items()
                }
            except (ValueError, TypeError, LookupError):
                # Cut off where the work was.
                break
            if not line.endswith(b"\n"):
                break
            self._scores[key] = scores
            whole.append(line)
        partial = self._path.with_name(CELLS + ".partial")
        partial.write_bytes(b"".join(whole))
        os.replace(partial, self._path)

    def get(self, arm, seed):
        """Finds a finished training.

        Args:
            arm: String.
            seed: Integer.

        Returns:
            The dict of its scores, or `None`.
        """
        return self._scores.get((arm, seed))

    def put(self, arm, seed, scores):
        """Keeps a finished training.

        Args:
            arm: String.
            seed: Integer.
            scores: Dict, as `classification_scores` gives it.
        """
        self._scores[arm, seed] = scores
        if self._path is None:
            return
        line = json.dumps({"arm": arm, "seed": seed, "scores": scores})
        with self._path.open("ab") as file:
            file.write(f"{line}\n".encode())
            file.flush()
            os.fsync(file.fileno())


def describe(value):
    """Describes what an arm is made of, to tell it from another one.

    Args:
        value: Plain data, an array, a dataclass such as `Arm`, an estimator of
            scikit-learn, a schedule of Keras, a callable, or anything that has
            a `description` of such parts, as `GANAugmenter` does. Of functions
            the name must do.

    Returns:
        Plain data for JSON.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        data = np.ascontiguousarray(value)
        return {
            "shape": list(value.shape),
            "sha256": hashlib.sha256(data.tobytes()).hexdigest(),
        }
    if isinstance(value, (list, tuple)):
        return [describe(part) for part in value]
    if isinstance(value, dict):
        return {str(key): describe(part) for key, part in value.items()}
    kind = value if hasattr(value, "__qualname__") else type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if hasattr(value, "description"):
        return {"kind": name, **describe(value.description)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: getattr(value, field.name)
            for field in dataclasses.fields(value)
        }
        return {"kind": name, **describe(fields)}
    if not isinstance(value, type):
        if hasattr(value, "get_params"):
            return {"kind": name, **describe(value.get_params(deep=False))}
        if hasattr(value, "get_config"):
            return {"kind": name, **describe(value.get_config())}
    return name


def _check_same(folder, configuration):
    kept = json.loads((folder / CONFIGURATION).read_text("utf-8"))
    differing = sorted(_differences(kept, configuration, ""))
    if differing:
        raise ValueError(
            "The folder holds an evaluation with another configuration, and "
            "scores of both would be mixed. Name another folder, or the same "
            "configuration. Received: "
            + "; ".join(differing[:5])
            + (f"; and {len(differing) - 5} more" if len(differing) > 5 else "")
        )


def _differences(kept, given, place):
    """Names the places where two structures of plain data differ."""
    if isinstance(kept, dict) and isinstance(given, dict):
        for key in kept.keys() | given.keys():
            inner = f"{place}.{key}" if place else key
            yield from _differences(kept.get(key), given.get(key), inner)
    elif (
        isinstance(kept, list)
        and isinstance(given, list)
        and len(kept) == len(given)
    ):
        for index, pair in enumerate(zip(kept, given, strict=True)):
            yield from _differences(*pair, f"{place}[{index}]")
    elif kept != given:
        yield f"{place}={_short(given)} for {_short(kept)} there"


def _short(value, length=60):
    text = json.dumps(value)
    return text if len(text) <= length else text[: length - 3] + "..."
