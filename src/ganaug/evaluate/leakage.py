"""The guard against testing on images that were trained on."""

import numpy as np
from imblearn.base import BaseSampler

from ganaug.data.splits import fingerprints


def check_overlap(train, test, arms, allow_overlap):
    """Checks that nothing was trained on test images.

    Args:
        train: `LabeledImages` that every arm trains on.
        test: `LabeledImages`.
        arms: Dict from name to `Arm`. A transform may have the attribute
            `training_fingerprints`, as `GANAugmenter` has it.
        allow_overlap: Boolean. Whether overlap is a note and not an error.

    Returns:
        A list of sentences for the report: on overlap, on images that a
        generator learnt beyond the training data, and on what varies between
        seeds.

    Raises:
        ValueError: A test image was trained on.
    """
    train_numbers, test_numbers = fingerprints(train), fingerprints(test)
    learnt, unknown = {}, []
    for name, arm in arms.items():
        parts = [
            part for part in (arm.transform, arm.sampler) if part is not None
        ]
        numbers = [_fingerprints_of(part) for part in parts]
        if any(known is None for known in numbers):
            unknown.append(name)
        numbers = [known for known in numbers if known is not None]
        if sum(map(len, numbers)):
            learnt[name] = np.concatenate(numbers)
    sources = {
        "the training data": train_numbers,
        **{
            f"the training data of arm {name!r}": numbers
            for name, numbers in learnt.items()
        },
    }
    found = [
        f"{count} of {len(test)} test images are also in {where}"
        for where, numbers in sources.items()
        if (count := int(np.isin(test_numbers, numbers).sum()))
    ]
    if found and not allow_overlap:
        raise ValueError(
            f"Test data must not be trained on: {'; '.join(found)}. Remove "
            "them, or allow it with `allow_overlap=True` (--allow-overlap), "
            "which the report will say. Received: allow_overlap=False"
        )
    notes = [f"Overlap was allowed: {line}." for line in found]
    notes += [
        f"{name} does not say what it was trained on, if on anything: whether "
        "it knows the test images was not checked."
        for name in unknown
    ]
    for name, numbers in learnt.items():
        others = int((~np.isin(numbers, train_numbers)).sum())
        if others:
            notes.append(
                f"The generator of {name} learnt from {others} images that "
                "are not in the training data here, so its gain includes what "
                "those images are worth."
            )
    scope = "one training and one test set"
    if learnt:
        scope += ", and one generator"
    notes.append(
        f"All seeds share {scope}: the intervals hold the variance of the "
        "classifier's training, not that of other samples of the data"
        + (" or of training the generator again." if learnt else ".")
    )
    return notes


def _fingerprints_of(part):
    """Those of what a part learnt before; `None` where it does not say."""
    numbers = getattr(part, "training_fingerprints", None)
    if numbers is None and isinstance(part, BaseSampler):
        # A sampler of imbalanced-learn knows what it is called with.
        return np.empty(0, np.uint64)
    return numbers
