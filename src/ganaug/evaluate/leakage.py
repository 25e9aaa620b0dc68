"""The guard against testing on images that were trained on."""

import numpy as np
from imblearn.base import BaseSampler

from ganaug.data.splits import fingerprints
from ganaug.evaluate.near_duplicates import count_near_duplicates
from ganaug.evaluate.transforms import parts_of


def check_overlap(real, seeds, test, arms, choosing, allow_overlap):
    """Checks that nothing was trained on images that measure or choose.

    Args:
        real: `RealImages` that every arm trains on.
        seeds: List of integers.
        test: `LabeledImages`.
        arms: Dict from name to `Arm`. A transform may have the attribute
            `training_fingerprints` and `choice_fingerprints`, as
            `GANAugmenter` has them.
        choosing: Sequence of names of arms among which one is chosen.
        allow_overlap: Boolean. Whether overlap is a note and not an error.

    Returns:
        A list of sentences for the report: on overlap, on near-duplicates, on
        images that a generator learnt beyond the training data, and on what
        varies between seeds.

    Raises:
        ValueError: A test or validation image was trained on.
    """
    learnt, chosen, unknown = {}, {}, []
    for name, arm in arms.items():
        parts = [*parts_of(arm.transform), *parts_of(arm.sampler)]
        for part in parts:
            tuned_with = getattr(part, "choice_fingerprints", ())
            if len(tuned_with):
                chosen[name] = np.concatenate(
                    [chosen.get(name, tuned_with[:0]), tuned_with]
                )
        numbers, says_all = learnt_by(arm)
        if not says_all:
            unknown.append(name)
        if len(numbers):
            learnt[name] = numbers
    test_numbers = fingerprints(test)
    found, beyond = {}, dict.fromkeys(learnt, 0)
    for name, numbers in chosen.items():
        where = f"the images that arm {name!r} was tuned with"
        note_overlap(found, "test", test_numbers, where, numbers)
    for seed in seeds if real.vary else seeds[:1]:
        data = real.of(seed)
        held_out = {"test": test_numbers}
        if data.validation is not None:
            held_out["validation"] = fingerprints(data.validation)
        train_numbers = fingerprints(data.train)
        sources = {
            "the training data": train_numbers,
            **{
                f"the training data of arm {name!r}": numbers
                for name, numbers in learnt.items()
            },
        }
        for kind, numbers in held_out.items():
            for where, known in sources.items():
                note_overlap(found, kind, numbers, where, known)
        if "validation" in held_out:
            note_overlap(
                found,
                "test",
                test_numbers,
                "the validation data",
                held_out["validation"],
            )
        if choosing and data.validation is None:
            held_out_numbers = fingerprints(real.choice_of(seed).validation)
            for name in set(choosing) & set(learnt):
                note_overlap(
                    found,
                    "validation",
                    held_out_numbers,
                    f"the training data of control {name!r}",
                    learnt[name],
                )
        for name, numbers in learnt.items():
            others = int((~np.isin(numbers, train_numbers)).sum())
            beyond[name] = max(beyond[name], others)
    notes = refuse_overlap(found, allow_overlap)
    first = real.first
    notes += _notes_on_near_duplicates(
        first.train, test, "test", "Scores may be too good, for all arms."
    )
    if first.validation is not None:
        notes += _notes_on_near_duplicates(
            first.train,
            first.validation,
            "validation",
            "The choice of the control may be the worse for it.",
        )
    notes += [note_unknown(name) for name in unknown]
    notes += [
        f"The generator of {name} learnt from {others} images that are not in "
        "the training data here, so its gain includes what those images are "
        "worth."
        for name, others in beyond.items()
        if others
    ]
    relearn = any(arm.learn is not None for arm in arms.values())
    return [*notes, _note_on_variance(real.vary, bool(learnt), relearn)]


def learnt_by(arm):
    """Finds what the parts of an arm learnt before.

    Args:
        arm: `Arm`.

    Returns:
        A pair: an array of fingerprints of images, and whether every part says
        what it learnt.
    """
    numbers = [
        _fingerprints_of(part)
        for part in (*parts_of(arm.transform), *parts_of(arm.sampler))
    ]
    known = [one for one in numbers if one is not None]
    return (
        np.concatenate([np.empty(0, np.uint64), *known]),
        len(known) == len(numbers),
    )


def note_unknown(name):
    """Says that an arm hides what it learnt.

    Args:
        name: String.

    Returns:
        A string.
    """
    return (
        f"{name} does not say what it was trained on, if on anything: whether "
        "it knows the test images was not checked."
    )


def note_overlap(found, kind, numbers, where, known):
    """Adds what two sets of images have in common.

    Args:
        found: Dict from sentences, to which one is added if there are some.
        kind: String. What `numbers` are of.
        numbers: Array of fingerprints.
        where: String. What `known` are of.
        known: Array of fingerprints.
    """
    count = int(np.isin(numbers, known).sum())
    if count:
        found[
            f"{count} of {len(numbers)} {kind} images are also in {where}"
        ] = count


def refuse_overlap(found, allow_overlap):
    """Raises an error where overlap was found and is not allowed.

    Args:
        found: Dict from sentences.
        allow_overlap: Boolean.

    Returns:
        A list of notes for the report, where it is allowed.

    Raises:
        ValueError: There are sentences, and it is not.
    """
    if found and not allow_overlap:
        raise ValueError(
            "Images that measure or choose must not be trained on: "
            f"{'; '.join(found)}. Remove them, or allow it with "
            "`allow_overlap=True` (--allow-overlap), which the report will "
            "say. Received: allow_overlap=False"
        )
    return [f"Overlap was allowed: {line}." for line in found]


def _fingerprints_of(part):
    """Those of what a part learnt before; `None` where it does not say."""
    numbers = getattr(part, "training_fingerprints", None)
    if numbers is None and isinstance(part, BaseSampler):
        # A sampler of imbalanced-learn knows what it is called with.
        return np.empty(0, np.uint64)
    return numbers


def _notes_on_near_duplicates(train, others, kind, consequence):
    count = count_near_duplicates(train, others)
    if not count:
        return []
    return [
        f"{count} of {len(others)} {kind} images are near-duplicates of "
        "training images: as thumbnails they differ by less than 1 % of the "
        f"value range. {consequence}"
    ]


def _note_on_variance(vary, learnt, relearn):
    shared = ["one test set"] if vary else ["one training and one test set"]
    if learnt:
        shared.append("one generator")
    missing = [] if vary else ["other samples of the data"]
    if learnt:
        missing.append("training the generator again")
    own = [
        what
        for what, is_so in (
            ("training images", vary),
            ("a generator", relearn),
        )
        if is_so
    ]
    note = f"All seeds share {' and '.join(shared)}"
    if own:
        note += f"; each has {' and '.join(own)} of its own"
    note += ": the intervals hold the variance of the classifier's training"
    if own:
        note += " and of these"
    if missing:
        note += f", not that of {' or of '.join(missing)}"
    return note + "."
