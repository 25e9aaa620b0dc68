"""The best weights of a training, in memory and in a file."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from ganaug.gan.training_state import hash_tensors, replace_file

logger = logging.getLogger("ganaug")

FILE = "best.safetensors"
# The best at the last checkpoint, from where training may have to go on.
FILE_BEFORE = "best-at-checkpoint.safetensors"


@dataclass(frozen=True, eq=False)
class Best:
    """Weights of one moment of a training.

    Args:
        step: Integer. Steps taken.
        value: Float. What was measured.
        tensors: Dict from strings to NumPy arrays.
        sha256: String. The tensors' hash.
    """

    step: int
    value: float
    tensors: dict
    sha256: str


class BestWeights:
    """Keeps the best weights of networks, through stops and rollbacks.

    Args:
        folder: Folder for the file `best.safetensors`, or `None`.

    Attributes:
        best: `Best`, or `None` before there is one.
    """

    def __init__(self, folder=None):
        self.folder = None if folder is None else Path(folder)
        self.best = None
        self._noted = None
        self._written = {}

    def keep(self, networks, step, value):
        """Takes the weights of networks as the best.

        Args:
            networks: List of `keras.Model`.
            step: Integer. Steps taken.
            value: Float. What was measured.
        """
        tensors = {
            key: np.array(variable.numpy())
            for key, variable in _variables(networks).items()
        }
        self.best = Best(step, value, tensors, hash_tensors(tensors))
        self._write()

    def restore(self, networks):
        """Puts the best weights into networks.

        Args:
            networks: List of `keras.Model` of the same architectures.

        Raises:
            ValueError: Nothing was kept, or the networks are others.
        """
        if self.best is None:
            raise ValueError(
                "No generator has been kept yet: none was measured, or the "
                "measure was NaN. Train on. Received: best_step=None"
            )
        variables = _variables(networks)
        if {key: value.shape for key, value in self.best.tensors.items()} != {
            key: tuple(variable.shape) for key, variable in variables.items()
        }:
            raise ValueError(
                "The best weights are those of another model. "
                f"Received: {[network.name for network in networks]} with "
                f"{len(variables)} variables for {len(self.best.tensors)} "
                "tensors"
            )
        for key, variable in variables.items():
            variable.assign(self.best.tensors[key])

    def forget(self):
        """Begins anew. A file stays until there is a new best."""
        self.best = self._noted = None

    def notes(self):
        """Gives what identifies the best, to be kept in a checkpoint.

        Returns:
            A dict for JSON, or `None`.
        """
        self._noted = self.best
        if self.best is None:
            return None
        return {
            "step": self.best.step,
            "value": self.best.value,
            "sha256": self.best.sha256,
        }

    def recall(self, notes):
        """Goes back to the best that `notes` told of.

        Where its weights are neither in memory nor in the folder, a warning
        says so, and there is no best.

        Args:
            notes: Dict, or `None`.
        """
        known = [self.best, self._noted]
        self.forget()
        if notes is None:
            return
        for best in known:
            if best is not None and best.sha256 == notes["sha256"]:
                self.best = best
        if self.best is None:
            self.best = self._read(notes)
        if self.best is None:
            logger.warning(
                "The best generator so far, of step %d with %g, is not in %s. "
                "The best from here on is kept.",
                notes["step"],
                notes["value"],
                "memory, and no `folder` was given to keep it in"
                if self.folder is None
                else f"`{self.folder / FILE}`",
            )
            return
        self._noted = self.best
        self._write()

    def _read(self, notes):
        if self.folder is None:
            return None
        for name in (FILE, FILE_BEFORE):
            try:
                tensors = safetensors.numpy.load_file(self.folder / name)
            except (OSError, safetensors.SafetensorError):
                continue
            sha256 = hash_tensors(tensors)
            self._written[name] = sha256
            if sha256 == notes["sha256"]:
                return Best(notes["step"], notes["value"], tensors, sha256)
        return None

    def _write(self):
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        # First, so that at any moment a file holds what the checkpoint names.
        before = None if self._noted is self.best else self._noted
        for name, best in ((FILE_BEFORE, before), (FILE, self.best)):
            if best is None or self._written.get(name) == best.sha256:
                continue
            header = {
                "format": "ganaug-best-weights",
                "step": str(best.step),
                "value": repr(best.value),
                "sha256": best.sha256,
            }
            replace_file(
                self.folder / name, safetensors.numpy.save(best.tensors, header)
            )
            self._written[name] = best.sha256


def _variables(networks):
    # Keras's own paths change from instance to instance.
    variables = [
        variable for network in networks for variable in network.variables
    ]
    return {
        f"{index:04d}.{variable.name}": variable
        for index, variable in enumerate(variables)
    }
