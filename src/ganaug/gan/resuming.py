"""Going on with a training that is kept in a folder."""

import hashlib
import logging
import re
from collections.abc import Iterable

import keras
import numpy as np

from ganaug.gan.training_state import restore, to_plain

logger = logging.getLogger("ganaug")
DATA = "the images, the labels or their order"
SEED = "model: seed"


def describe_training(model, data, arguments):
    """Says what has to be the same for a training to go on.

    Args:
        model: Compiled `GenerativeModel`.
        data: `LabeledImages`.
        arguments: `FitArguments`.

    Returns:
        A dict of dicts of plain data.
    """
    # Without a copy of the bytes, since there may be many.
    digest = hashlib.sha256(np.ascontiguousarray(data.images).data)
    digest.update(np.ascontiguousarray(data.labels).data)
    config = model.get_config()
    del config["learnt"], config["name"]
    return {
        "model": {
            "class": type(model).__name__,
            "precision": model.precision,
            **_numbered(keras.saving.serialize_keras_object(config)),
        },
        "compile": {
            **model.training_settings(),
            "jit_compile": bool(model.jit_compile),
            **{
                name: _numbered(optimizer)
                for name, optimizer in model.optimizer_configs().items()
            },
        },
        "fit": arguments.settings(),
        "data": {
            "sha256": digest.hexdigest(),
            "value_range": list(data.value_range),
            "class_names": list(data.class_names),
        },
    }


def resume(model, folder, settings, begun_at, initial_epoch):
    """Restores the newest state, or begins a training in the folder.

    Args:
        model: Compiled `GenerativeModel`.
        folder: `CheckpointFolder`.
        settings: Dict that `describe_training` returned.
        begun_at: Integer. The model's step now.
        initial_epoch: Integer.

    Returns:
        A pair: the step at which the initial epoch begins, and the notes of
        the checkpoint that was restored, empty where there is none.

    Raises:
        ValueError: The folder holds a training with other settings.
    """
    before = folder.read_settings()
    tensors, notes, broken = folder.load_latest()
    # Settings without a state protect nothing, if this one begins there too.
    if before is None or (
        tensors is None
        and not broken
        and before["begun_at"] == model.current_step
    ):
        folder.write_settings(
            {
                "begun_at": begun_at,
                "initial_epoch": initial_epoch,
                "settings": settings,
            }
        )
        return begun_at, {}
    differing = _differing(to_plain(settings), before["settings"])
    if differing:
        raise ValueError(
            "The folder holds a training with other settings. Use the same "
            "ones to go on with it, or another folder. Received: "
            f"run_dir={str(folder.path.parent)!r}, where these differ: "
            f"{differing}{_how_to_mend(differing, before['settings'])}"
        )
    epochs_later = initial_epoch - before["initial_epoch"]
    begun_at = (
        before["begun_at"] + epochs_later * settings["fit"]["steps_per_epoch"]
    )
    if broken:
        logger.warning(
            "Passed over states of training that are not whole: %s.",
            ", ".join(broken),
        )
    if tensors is None:
        if model.current_step != before["begun_at"]:
            raise ValueError(
                "The folder holds a training that began at step "
                f"{before['begun_at']}, and no state of it. Received: a "
                f"model at step {model.current_step}"
            )
        return begun_at, {}
    restore(model, tensors)
    return begun_at, notes


def _differing(settings, before):
    if settings["model"]["class"] != before["model"]["class"]:
        # All else follows from it.
        return ["model: class"]
    return [
        DATA if name == "sha256" else f"{group}: {name}"
        for group, values in settings.items()
        for name in sorted({*values, *before[group]})
        if before[group].get(name) != values.get(name)
    ]


def _how_to_mend(differing, before):
    hints = ""
    if SEED in differing:
        hints += (
            f". The model that began it has seed={before['model']['seed']}: "
            "make yours with it"
        )
    if DATA in differing:
        hints += (
            ". Images must come in the same order too: fit a dataset before "
            "it is shuffled, which `fit` does by itself"
        )
    return hints


def _numbered(config):
    """Numbers names by their order; Keras does so through a process."""
    names = {}

    def find(value):
        if isinstance(value, dict):
            name = value.get("name")
            if isinstance(name, str) and name not in names:
                names[name] = re.sub(r"_\d+$", "", name) + f"#{len(names)}"
            value = value.values()
        if not isinstance(value, str) and isinstance(value, Iterable):
            for part in value:
                find(part)

    def replaced(value):
        if isinstance(value, dict):
            return {key: replaced(part) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [replaced(part) for part in value]
        return names.get(value, value) if isinstance(value, str) else value

    find(config)
    return replaced(config)
