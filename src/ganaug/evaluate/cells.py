"""Finished trainings of an evaluation, kept so that it can go on."""

import contextlib
import hashlib
import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import filelock

CONFIGURATION = "configuration.json"
CELLS = "cells"
# Of what is kept of a training. Older ones are refused and not misread.
FORMAT_VERSION = 2
LOCKS = "locks"


@dataclass(frozen=True)
class CellKey:
    """What tells one training from the others of an evaluation.

    Args:
        arm: String. Name of the arm.
        seed: Integer.
        on_top_of: String. The control that the arm came on top of, or `None`.
        purpose: String. What it was for: `"test"` or `"choice"`. Defaults to
            `"test"`.
    """

    arm: str
    seed: int
    on_top_of: str | None = None
    purpose: str = "test"

    @property
    def file_name(self):
        """Name of its file."""
        text = json.dumps(asdict(self), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return f"{self.purpose}-seed{self.seed}-{digest[:16]}.json"


class Cells:
    """The scores of each training, in memory and, if asked, in a folder.

    A cell is one training of one classifier. Each is written when it is
    finished, so a kill loses the one under way. Several processes may work in
    one folder: what one of them has claimed the others leave to it, until it
    is done or dead.

    Args:
        folder: Folder: new, empty, or of the same evaluation; `None` to keep
            nothing.
        configuration: Dict of plain data: all that the scores depend on but
            the seeds, of which there may be more later. So may there be of
            what is under `"arms"`, a dict by name: what has the same name must
            be the same.

    Raises:
        FileExistsError: The folder holds something else.
        ValueError: It holds an evaluation with another configuration.
    """

    def __init__(self, folder, configuration):
        self._scores = {}
        self._seconds = {}
        # Arms that the folder knows, and that are not asked for now.
        self.left_out = ()
        self._folder = None
        if folder is None:
            return
        self._folder = folder = Path(folder)
        configuration = {
            "format_version": FORMAT_VERSION,
            **json.loads(json.dumps(configuration)),
        }
        if folder.exists() and not folder.is_dir():
            raise _something_else(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / ".lock"):
            if not (folder / CONFIGURATION).is_file():
                if {path.name for path in folder.iterdir()} - {".lock"}:
                    (folder / ".lock").unlink(missing_ok=True)
                    raise _something_else(folder)
                _write(folder / CONFIGURATION, configuration)
            kept = json.loads((folder / CONFIGURATION).read_text("utf-8"))
            arms = configuration.get("arms", {})
            kept_arms = kept.get("arms", {})
            joined = {**configuration, "arms": {**kept_arms, **arms}}
            _check_same(folder, {**kept, "arms": {**arms, **kept_arms}}, joined)
            if arms.keys() - kept_arms.keys():
                _write(folder / CONFIGURATION, joined)
        self.left_out = tuple(sorted(kept_arms.keys() - arms.keys()))
        for name in (CELLS, LOCKS):
            (folder / name).mkdir(exist_ok=True)

    @property
    def seconds(self):
        """Of all trainings that are here, whatever process made them."""
        return math.fsum(self._seconds.values())

    def get(self, key, data):
        """Finds a finished training.

        Args:
            key: `CellKey`.
            data: String. Hash of the images that it is trained on.

        Returns:
            The dict of its scores, or `None`.

        Raises:
            ValueError: It was trained on other images.
        """
        if key not in self._scores and self._folder is not None:
            path = self._folder / CELLS / key.file_name
            if path.is_file():
                cell = json.loads(path.read_text("utf-8"))
                self._scores[key] = cell["data"], _tuples(cell["scores"])
                self._seconds[key] = cell["seconds"]
        if key not in self._scores:
            return None
        found, scores = self._scores[key]
        if found != data:
            raise ValueError(
                f"The folder holds an evaluation in which seed {key.seed} had "
                "other training images, and scores of both would be mixed. "
                "Name another folder, or the same function `train`. Received: "
                f"run_dir={os.fspath(self._folder)!r}"
            )
        return scores

    def put(self, key, data, scores, seconds):
        """Keeps a finished training.

        Args:
            key: `CellKey`.
            data: String. Hash of the images that it was trained on.
            scores: Dict of plain data.
            seconds: Float. What it took.
        """
        self._scores[key] = data, scores
        # As in the file, so that whoever reads it reports the same sum.
        self._seconds[key] = round(seconds, 3)
        if self._folder is not None:
            _write(
                self._folder / CELLS / key.file_name,
                {
                    **asdict(key),
                    "data": data,
                    "seconds": self._seconds[key],
                    "scores": scores,
                },
            )

    @contextlib.contextmanager
    def claim(self, work, wait):
        """Claims a piece of work, so that no other process does it too.

        Args:
            work: String that names it.
            wait: Boolean. Whether to wait for another process that has it.

        Yields:
            A boolean: whether it is claimed. What was finished meanwhile, by
            another process, is found by `get`.
        """
        if self._folder is None:
            yield True
            return
        name = hashlib.sha256(work.encode()).hexdigest()[:24]
        lock = filelock.FileLock(
            self._folder / LOCKS / name, timeout=-1 if wait else 0
        )
        try:
            lock.acquire()
        except filelock.Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()


def _something_else(folder):
    return FileExistsError(
        "The folder holds something else than an evaluation. Name a new or "
        f"empty one. Received: {os.fspath(folder)!r}"
    )


def _write(path, content):
    """Writes the whole file or nothing of it."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def _tuples(value):
    if isinstance(value, list):
        return tuple(map(_tuples, value))
    if isinstance(value, dict):
        return {name: _tuples(part) for name, part in value.items()}
    return value


def _check_same(folder, kept, configuration):
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
