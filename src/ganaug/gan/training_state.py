"""All that a training needs to go on exactly: in memory and on disk.

On disk it is one safetensors file for each checkpoint, written beside its
place, flushed and then renamed, so that a kill or a full disk leaves the one
before as it was. Its header has a SHA-256 of the tensors and of the notes.
"""

import contextlib
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from ganaug import __version__

FOLDER = "training"
SETTINGS = "settings.json"
FORMAT = "ganaug-training-state"
FORMAT_VERSION = "1"


def variables(model):
    """Lists every variable that training changes, under keys of our own.

    Args:
        model: A compiled `GenerativeModel`.

    Returns:
        A dict from strings to `keras.Variable`: networks, averaged generator,
        optimizers, and the step, the attempt and what else is counted.
    """
    groups = {
        **{name: net.variables for name, net in model.networks.items()},
        "ema_generator": model.ema_generator.variables,
        **{name: opt.variables for name, opt in model.optimizers.items()},
        "state": model.state_variables,
    }
    return {
        f"{group}/{index:04d}": variable
        for group, members in groups.items()
        for index, variable in enumerate(members)
    }


def snapshot(model):
    """Copies all that training changes.

    Args:
        model: A compiled `GenerativeModel`.

    Returns:
        A dict from strings to NumPy arrays.
    """
    return {
        key: np.asarray(variable.numpy())
        for key, variable in variables(model).items()
    }


def restore(model, tensors):
    """Puts back what `snapshot` copied.

    Args:
        model: A compiled `GenerativeModel`, made with the same arguments.
        tensors: Dict from strings to NumPy arrays.

    Raises:
        ValueError: The tensors are not this model's.
    """
    own = variables(model)
    if {key: value.shape for key, value in tensors.items()} != {
        key: tuple(variable.shape) for key, variable in own.items()
    }:
        raise ValueError(
            "The training state must be of the same networks and optimizers. "
            f"Received: {len(tensors)} tensors for {len(own)} variables, or "
            "other shapes"
        )
    for key, variable in own.items():
        variable.assign(tensors[key])


class CheckpointFolder:
    """The last few states of one training, in a folder.

    Args:
        run_dir: Folder of the run. The states are in `training/` inside.
        keep: Integer. How many of the last states stay.
    """

    def __init__(self, run_dir, keep=3):
        self.path = Path(run_dir) / FOLDER
        self.keep = keep

    def read_settings(self):
        """Reads what the training was begun with.

        Returns:
            A dict, or `None` where no training was begun here.

        Raises:
            ValueError: The file is not ours.
        """
        path = self.path / SETTINGS
        if not path.exists():
            return None
        try:
            settings = json.loads(path.read_text("utf-8"))
        except ValueError:
            settings = None
        if not isinstance(settings, dict) or settings.get("format") != FORMAT:
            raise ValueError(
                "The settings of a training cannot be read. Remove the folder "
                f"to train anew. Received: {os.fspath(path)!r}"
            )
        return settings

    def write_settings(self, settings):
        """Writes what the training is begun with.

        Args:
            settings: Dict of plain data.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        settings = {"format": FORMAT, "ganaug": __version__, **settings}
        replace_file(
            self.path / SETTINGS, json.dumps(settings, indent=2).encode()
        )

    def remove_remains(self):
        """Removes what a kill before the first settings were written left.

        Where a training was begun, or the folder has something else in it,
        nothing is removed.
        """
        if not self.path.is_dir() or (self.path / SETTINGS).exists():
            return
        for path in self.path.glob(f"{SETTINGS}.*.partial"):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.path.rmdir()

    def save(self, tensors, step, notes):
        """Writes a state, and removes those that are too old.

        So are states of later steps: they were not whole, or training would
        have gone on from them.

        Args:
            tensors: Dict that `snapshot` returned.
            step: Integer. Steps taken.
            notes: Dict of plain data to keep with it.
        """
        notes = json.dumps(notes)
        header = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "sha256": hash_tensors(tensors),
            "notes": notes,
            "notes_sha256": _hash_text(notes),
        }
        self.path.mkdir(parents=True, exist_ok=True)
        newest = self.path / f"step-{step:09d}.safetensors"
        replace_file(newest, safetensors.numpy.save(tensors, header))
        states = self._states()
        place = states.index(newest)
        for path in states[:place] + states[place + self.keep :]:
            path.unlink(missing_ok=True)
        for path in self.path.glob("*.partial"):
            path.unlink(missing_ok=True)

    def load_latest(self):
        """Reads the newest state that is whole.

        Returns:
            A tuple of tensors, notes and a list of files that were not whole
            and were passed over; `(None, {}, ...)` where there is no state.
        """
        broken = []
        for path in self._states():
            try:
                return *_load(path), broken
            except ValueError:
                broken.append(path.name)
        return None, {}, broken

    def _states(self):
        return sorted(self.path.glob("step-*.safetensors"), reverse=True)


def _load(path):
    try:
        with safetensors.safe_open(path, "numpy") as file:
            header = file.metadata() or {}
            names = list(file.keys())
            tensors = {key: file.get_tensor(key) for key in names}
    except safetensors.SafetensorError as error:
        raise ValueError(f"Received: {path} ({error})") from None
    if (
        header.get("format") != FORMAT
        or header.get("format_version") != FORMAT_VERSION
        or header.get("sha256") != hash_tensors(tensors)
        or header.get("notes_sha256") != _hash_text(header.get("notes", ""))
    ):
        raise ValueError(f"Received: {path}")
    return tensors, json.loads(header["notes"])


def _hash_text(text):
    return hashlib.sha256(text.encode()).hexdigest()


def hash_tensors(tensors):
    """Computes the SHA-256 of named tensors, whatever their order.

    Args:
        tensors: Dict from strings to NumPy arrays.

    Returns:
        A string of 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for key in sorted(tensors):
        value = np.ascontiguousarray(tensors[key])
        digest.update(f"{key} {value.dtype} {value.shape}\n".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()


def replace_file(path, blob):
    """Writes a file so that at any moment it is the old or the new one.

    Args:
        path: `pathlib.Path` of the file.
        blob: Bytes to write.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(blob)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def to_plain(data):
    """Copies data as they would come back from a file.

    Args:
        data: Dict for JSON.

    Returns:
        A dict, in which tuples are lists and keys are strings.
    """
    return json.loads(json.dumps(data))
