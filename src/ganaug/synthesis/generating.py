"""Banks of synthetic images: drawn into memory or onto disk, and renewed."""

import contextlib
import importlib.metadata
import warnings

import numpy as np

from ganaug import __version__
from ganaug.seeds import resolve_seed
from ganaug.synthesis.bank import Bank
from ganaug.synthesis.bank_folder import BankFolder
from ganaug.synthesis.bank_record import FORMAT, FORMAT_VERSION
from ganaug.synthesis.chunks import ChunkMaker
from ganaug.synthesis.columns import MemoryColumn
from ganaug.synthesis.generators import CHUNK_SIZE
from ganaug.synthesis.work import ClassState, fill_quotas


def draw_bank(
    generators,
    num_per_class,
    seed=None,
    selection=None,
    num_workers=1,
    on_progress=None,
):
    """Draws a bank into memory.

    Args:
        generators: `ganaug.synthesis.generators.Generators`.
        num_per_class: Integer, or a sequence of integers, one for each class:
            images that are wanted. 0 for a class without any.
        seed: Integer. The same seed gives the same images, whatever
            `num_workers`. Drawn at random by default; `bank.record["seed"]`
            tells it.
        selection: `ganaug.synthesis.selection.Selection`. By default every
            image is kept.
        num_workers: Integer. Processes that draw; 1 for this one alone. Others
            use the CPU only. A script that asks for more than 1 needs
            `if __name__ == "__main__":` around its work. Defaults to `1`.
        on_progress: Callable `on_progress(num_done, num_images)`, called after
            each chunk. Defaults to `None`.

    Returns:
        A `ganaug.synthesis.bank.Bank`.

    Raises:
        ValueError: An argument is out of range, or nothing of a class passes
            the selection. Where fewer pass than are wanted, a warning says so.

    Example:

    ```python
    bank = draw_bank(Generators(gan), 1000, seed=0)
    ```
    """
    maker = ChunkMaker(generators, resolve_seed(seed), selection)
    states = _class_states(num_per_class, generators.class_names)
    quotas = np.array([state.quota for state in states])
    starts = np.cumsum(quotas) - quotas
    arrays = {
        name: np.empty((quotas.sum(), *shape), dtype)
        for name, (dtype, shape) in maker.specs.items()
    }

    def write(chunk):
        end = starts[chunk.label] + states[chunk.label].filled
        for name, array in chunk.columns.items():
            arrays[name][end - len(chunk) : end] = array

    _fill(maker, states, write, num_workers, on_progress)
    rows = np.concatenate(
        [
            start + np.arange(state.filled)
            for start, state in zip(starts, states, strict=True)
        ]
    )
    return Bank(
        {**_plan(maker, states), **_result(maker, states)},
        {name: MemoryColumn(array[rows]) for name, array in arrays.items()},
        generators.fingerprints,
    )


def write_bank(
    generators,
    num_per_class,
    path,
    seed,
    selection=None,
    num_workers=1,
    on_progress=None,
):
    """Draws a bank onto disk, or goes on with an unfinished one.

    Only some chunks of it are in memory at a time. However often the work is
    stopped, killed or out of disk space, the same call goes on with it, and
    the bank ends with the very same bytes. A finished bank is left as it is.

    Args:
        generators: As in `draw_bank`.
        num_per_class: As in `draw_bank`.
        path: Folder: new, empty, or with an unfinished bank of the same call.
        seed: Integer.
        selection: As in `draw_bank`.
        num_workers: As in `draw_bank`.
        on_progress: As in `draw_bank`.

    Returns:
        A `ganaug.synthesis.bank.Bank`, memory-mapped.

    Raises:
        FileExistsError: The folder holds something else, or a bank of another
            call.
        OSError: The disk is full; what was drawn stays.
        ValueError: As in `draw_bank`.
    """
    maker = ChunkMaker(generators, resolve_seed(seed), selection)
    states = _class_states(num_per_class, generators.class_names)
    plan = _plan(maker, states)
    with BankFolder(path, plan, maker.specs, states) as folder:
        if not folder.is_finished:
            _fill(maker, states, folder.write, num_workers, on_progress)
            folder.finish(_result(maker, states), generators.fingerprints)
    return Bank.open(path)


def bank_to_come(generators, num_per_class, seed, selection=None):
    """Says what a bank will be, for whoever draws its chunks elsewhere.

    Args:
        generators: As in `draw_bank`.
        num_per_class: As in `draw_bank`.
        seed: Integer.
        selection: As in `draw_bank`.

    Returns:
        A `ganaug.synthesis.bank.Bank` without images, in which every class has
        its quota.

    Raises:
        ValueError: As in `draw_bank`.
    """
    maker = ChunkMaker(generators, resolve_seed(seed), selection)
    states = _class_states(num_per_class, generators.class_names)
    for state in states:
        state.filled = state.quota
        state.chunks = -(-state.quota // CHUNK_SIZE)
    record = {**_plan(maker, states), **_result(maker, states)}
    return Bank(record, {}, generators.fingerprints)


def renew_bank(bank, generators, share, turn, selection=None):
    """Replaces the oldest images of a bank in memory by new ones.

    Args:
        bank: `Bank` that `bank.renewable()` gave.
        generators: As in `draw_bank`: those that drew the bank.
        share: Float in `(0, 1]`. Share of each class that is replaced.
        turn: Integer of at least 1. Each turn replaces other images, until all
            were replaced, and by other ones than any other turn.
        selection: As in `draw_bank`: that of the bank. Where too few new images
            of a class pass it, a warning says so, and old ones stay.

    Raises:
        ValueError: An argument is out of range.
    """
    if not 0 < share <= 1:
        raise ValueError(
            "`share` must be above 0 and at most 1: the part of the bank that "
            f"is renewed. Received: share={share!r}"
        )
    bank.check_artifacts(generators.ids)
    maker = ChunkMaker(generators, bank.record["seed"], selection, turn)
    counts = np.asarray(bank.class_counts)
    starts = np.cumsum(counts) - counts
    states = [
        ClassState(round(share * count) or min(count, 1)) for count in counts
    ]
    firsts = [(turn - 1) * state.quota for state in states]

    def write(chunk):
        label, state = chunk.label, states[chunk.label]
        places = np.arange(state.filled - len(chunk), state.filled)
        rows = starts[label] + (firsts[label] + places) % counts[label]
        bank.replace(rows, chunk.columns)

    # In the midst of a training there is no better answer than old images.
    for chunk in fill_quotas(maker, states, may_be_empty=True):
        write(chunk)
    _warn_if_short(maker, states, ". Old ones stay in their place")


def _fill(maker, states, write, num_workers, on_progress):
    total = sum(state.quota for state in states)
    with contextlib.closing(fill_quotas(maker, states, num_workers)) as chunks:
        for chunk in chunks:
            write(chunk)
            if on_progress is not None:
                on_progress(sum(state.filled for state in states), total)
    _warn_if_short(maker, states)


def _warn_if_short(maker, states, what_then=""):
    names = maker.generators.class_names
    short = [
        f"{name}: {state.filled} of {state.quota}"
        for name, state in zip(names, states, strict=True)
        if state.filled < state.quota
    ]
    if short:
        warnings.warn(
            "Too few synthetic images pass the selection, even out of "
            f"{maker.selection.max_draws} times as many. There are "
            f"{', '.join(short)}{what_then}",
            stacklevel=4,
        )


def _class_states(num_per_class, class_names):
    counts = np.asarray(num_per_class)
    if counts.shape == ():
        counts = np.full(len(class_names), counts)
    if (
        counts.shape != (len(class_names),)
        or counts.dtype.kind not in "ui"
        or counts.min() < 0
        or not counts.any()
    ):
        raise ValueError(
            "`num_per_class` must be a positive integer, or one integer of at "
            f"least 0 for each of the {len(class_names)} classes, not all 0. "
            f"Received: num_per_class={num_per_class!r}"
        )
    return [ClassState(int(count)) for count in counts]


def _plan(maker, states):
    """All that the images depend on, as plain data."""
    generators, selection = maker.generators, maker.selection
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "images": {
            "shape": list(generators.image_shape),
            "dtype": generators.image_dtype,
            "value_range": list(generators.value_range),
        },
        "class_names": list(generators.class_names),
        "num_classes": generators.num_classes,
        "num_wanted": [state.quota for state in states],
        "drawn_with": generators.settings,
        "seed": maker.seed,
        "chunk_size": CHUNK_SIZE,
        "selection": None if selection is None else selection.settings,
        "num_fingerprints": len(generators.fingerprints),
    }


def _result(maker, states):
    """What came of it."""
    filters = [] if maker.selection is None else maker.selection.filters
    return {
        "class_counts": [state.filled for state in states],
        "num_candidates": [state.chunks * CHUNK_SIZE for state in states],
        "num_passed": {
            one.name: [state.passed[one.name] for state in states]
            for one in filters
        },
        "versions": {
            "ganaug": __version__,
            **{
                name: importlib.metadata.version(name)
                for name in ("tensorflow", "keras", "numpy")
            },
        },
    }
