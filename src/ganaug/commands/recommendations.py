"""Settings that fit a data set, each with its reason."""

import numpy as np
from scipy import stats

from ganaug.commands.train import TrainingOptions
from ganaug.data.findings import few
from ganaug.gan.presets import PRESETS

# Training images of the largest class over those of the smallest.
BALANCED = 1.5
# Fewer images than this in a class, and more of them is the first advice.
TOO_FEW = 5
# Longer sides are for the preset that was never trained to its end.
LONG_SIDE = 40
# The interval of a gain that the number of seeds aims at, half of it, if the
# classifiers that are compared differ on this share of the test images.
HALF_INTERVAL = 0.01
DISAGREEMENT = 0.05
SEEDS = range(5, 11)


def recommend(train, test, inspection, preset):
    """Recommends settings for training and evaluation, each with a reason.

    Args:
        train: `LabeledImages`.
        test: `LabeledImages`, or `None`.
        inspection: The `Inspection` of both.
        preset: String, or `None` where no GAN can be made for the images.

    Returns:
        A list of dicts of strings and numbers: `name`, `value`, `reason`.
    """
    recommended = []

    def add(name, value, reason):
        recommended.append({"name": name, "value": value, "reason": reason})

    balanced = inspection.imbalance_ratio <= BALANCED
    scarce = np.flatnonzero(train.class_counts < TOO_FEW)
    if balanced:
        add(
            "GAN",
            "doubtful",
            "The classes are balanced. On balanced subsets of digits and of "
            "Fashion-MNIST, synthetic images gained nothing measurable over "
            "the best free augmentation, in our measurements. Evaluate before "
            "you use them.",
        )
    else:
        add(
            "GAN",
            "try it, and evaluate",
            "Rare classes are what synthetic images are for. But in our "
            "measurements they gained a third of a point at best over the best "
            "free stack, such as shifts, logit adjustment and MixUp: use that "
            "first, and see what `ganaug evaluate` says.",
        )
    if len(scarce):
        add(
            "more real images",
            few(train.class_names[label] for label in scarce),
            f"With fewer than {TOO_FEW} images of a class, a GAN can do little "
            "more than copy them. Real ones are worth more.",
        )
    if inspection.is_gray:
        add(
            "channels",
            1,
            "Every image is gray. Save the images with one channel.",
        )
    if preset:
        _add_training(add, train, preset)
    add(
        "class-balanced batches",
        "no need" if balanced else "yes",
        f"{ratio_text(inspection.imbalance_ratio)} "
        + (
            f"They are recommended above a ratio of {BALANCED}."
            if balanced
            else "`ganaug train` always makes them; let your classifier have "
            "them too, or adjust its logits."
        ),
    )
    add(
        "horizontal_flip",
        "yours to say",
        "Only you know whether an image that is mirrored keeps its class; "
        "digits and letters do not. Where it does, give `--horizontal-flip` "
        "to `ganaug train` and `ganaug evaluate`.",
    )
    if test is not None:
        _add_seeds(add, test)
    return recommended


def ratio_text(imbalance_ratio):
    """Says how balanced the classes are.

    Args:
        imbalance_ratio: Float. Training images of the largest class over
            those of the smallest.

    Returns:
        A sentence.

    Example:

    >>> ratio_text(2.0)
    'The largest class has 2 times the images of the smallest.'
    """
    if imbalance_ratio == 1:
        return "All classes have as many images."
    return (
        f"The largest class has {imbalance_ratio:.3g} times the images of the "
        "smallest."
    )


def _add_training(add, train, preset):
    longer = max(train.image_shape[:2])
    if longer > LONG_SIDE:
        add(
            "image_size",
            "32x32",
            f"The longer side has {longer} pixels, and no GAN was trained to "
            f"its end on more than {LONG_SIDE}. Begin with small images.",
        )
    add("preset", preset, f"It fits a longer side of {longer} pixels.")
    add(
        "steps",
        PRESETS[preset].steps,
        "The preset's number, a first guess: look at the samples."
        if preset == "medium"
        else "The preset's number: after so many we looked at the images of "
        "our own data sets.",
    )
    add(
        "batch_size",
        TrainingOptions().batch_size,
        "What `ganaug train` uses and the steps are meant for.",
    )
    add(
        "diff_augment",
        "translation,cutout",
        "The default. It keeps the discriminator from learning few images by "
        "heart. No `color`: whether color tells classes apart is not known.",
    )


def _add_seeds(add, test):
    seeds, half = choose_seeds(test.class_counts)
    text = (
        f"With {len(test)} test images, if two classifiers differ on "
        f"{DISAGREEMENT:.0%} of them, {seeds} seeds give an interval of about "
        f"±{100 * half:.1f} points."
    )
    if half > HALF_INTERVAL:
        text += (
            " Smaller gains cannot be seen; more test images would help more "
            "than more seeds."
        )
    add("seeds", seeds, text)


def choose_seeds(class_counts):
    """Finds how many paired seeds an evaluation needs on a test set.

    The fewest, from 5 to 10, for a 95 % interval of the gain in balanced
    accuracy of one point to either side, where the two classifiers of a pair
    differ on a twentieth of the test images.

    Args:
        class_counts: NumPy array of integers. Test images of each class.

    Returns:
        A pair of the number and of half the interval that it gives.

    Example:

    >>> choose_seeds(np.full(10, 1000))[0], choose_seeds(np.full(10, 5))[0]
    (5, 10)
    """
    counts = class_counts[class_counts > 0]
    # A mean over classes of a mean over the images of each.
    spread = np.sqrt(DISAGREEMENT * np.sum(1 / counts)) / len(counts)
    for seeds in SEEDS:
        half = stats.t.ppf(0.975, seeds - 1) * spread / np.sqrt(seeds)
        if half <= HALF_INTERVAL:
            break
    return seeds, float(half)
