"""The settings that tuning tries."""

import itertools
import numbers

import numpy as np
from sklearn.base import BaseEstimator

from ganaug.augment.augmenter import GANAugmenter
from ganaug.seeds import derive_seed
from ganaug.synthesis.selection import Selection
from ganaug.tuning.result import FINAL_SEEDS

# Stands for images that the first classifier of real images alone takes for
# what they are to be.
TEACHER = "teacher"
# What is tried where nothing is said. Latents and truncation are settings of
# the generators, all else of the augmenter.
SEARCH = {
    "ratio": (0.125, 0.25, 0.5),
    "sampling_strategy": ("uniform", "match", "inverse_frequency"),
    "truncation": (1.0, 0.8),
    "label_smoothing": (0.0, 0.1),
    "selection": (None, TEACHER),
}
TUNED = (*SEARCH, "latents")
# The least that a choice can be made with.
MIN_TRAININGS = 16


def count_trainings(num_candidates, num_rounds):
    """Counts the trainings of halving and of the contest with ratio 0.

    Args:
        num_candidates: Integer.
        num_rounds: Integer.

    Returns:
        An integer.
    """
    total, kept = 0, num_candidates
    for _ in range(num_rounds):
        total += kept + 1
        kept = -(-kept // 2)
    return total + 2 * FINAL_SEEDS


def draw_candidates(search, num_trainings, seed):
    """Draws as many settings as the trainings allow.

    Args:
        search: Dict from names to the values to try.
        num_trainings: Integer. Trainings at most.
        seed: Integer. Fixes which combinations are tried.

    Returns:
        A pair: a list of dicts, and the number of rounds that halve them to
        one.
    """
    names = list(search)
    combinations = [
        dict(zip(names, values, strict=True))
        for values in itertools.product(*search.values())
    ]
    order = np.random.default_rng(derive_seed(seed, "candidates")).permutation(
        len(combinations)
    )
    number = 1
    while number < len(combinations) and (
        count_trainings(number + 1, _num_rounds(number + 1)) <= num_trainings
    ):
        number += 1
    chosen = [combinations[place] for place in order[:number]]
    return chosen, _num_rounds(number)


def _num_rounds(num_candidates):
    return max(1, int(np.ceil(np.log2(num_candidates))))


def check_search(augmenter, search, num_trainings, classifier):
    """Checks what is tried.

    Args:
        augmenter: `GANAugmenter`.
        search: Dict from names to the values to try.
        num_trainings: Integer.
        classifier: As in `tune`.

    Raises:
        ValueError: A name or a value is wrong, or there is nothing to tune.
        TypeError: `augmenter` is something else.
    """
    if not isinstance(augmenter, GANAugmenter):
        raise TypeError(
            f"`augmenter` must be a GANAugmenter. Received: {augmenter!r}"
        )
    if augmenter.generators is None or augmenter.ratio is None:
        raise ValueError(
            "`augmenter` must have generators to draw with and a ratio to "
            "choose: give it `pretrained` rather than a finished bank, and "
            'mode="replace" or "append". '
            f"Received: mode={augmenter.mode!r}, bank={augmenter.bank!r}"
        )
    unknown = sorted(set(search) - set(TUNED))
    empty = sorted(
        name
        for name, values in search.items()
        if not isinstance(values, (tuple, list, np.ndarray)) or not len(values)
    )
    if unknown or empty or "ratio" not in search:
        raise ValueError(
            "`search` must be a dict from names to tuples of values to try, "
            f"`ratio` among them, out of {TUNED}. Received: unknown names "
            f"{unknown}, without values {empty}, names {sorted(search)}"
        )
    if TEACHER in search.get("selection", ()) and isinstance(
        classifier, BaseEstimator
    ):
        raise ValueError(
            "`search` can have a teacher where `classifier` builds a Keras "
            f"model. Received: selection={search['selection']}, "
            f"classifier={classifier!r}"
        )
    for selection in search.get("selection", ()):
        if selection not in (None, TEACHER) and not isinstance(
            selection, Selection
        ):
            raise ValueError(
                "`search` must have selections that are None, a Selection or "
                f"{TEACHER!r}. Received: selection={selection!r}"
            )
    for ratio in search["ratio"]:
        if not isinstance(ratio, numbers.Real) or not 0 < ratio <= 1:
            raise ValueError(
                "`search` must have ratios above 0 and at most 1; ratio 0 is "
                f"tried anyway. Received: ratio={ratio!r}"
            )
    if not isinstance(num_trainings, numbers.Integral) or (
        num_trainings < MIN_TRAININGS
    ):
        raise ValueError(
            f"`num_trainings` must be an integer of at least {MIN_TRAININGS}. "
            f"Received: num_trainings={num_trainings!r}"
        )
