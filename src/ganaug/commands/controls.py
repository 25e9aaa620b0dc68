"""The controls that a command's user names."""

from ganaug.evaluate.arms import BASELINE, all_controls, default_controls

CONTROLS = ("default", "all")


def choose_controls(which, images, horizontal_flip, imbalanced):
    """Makes the controls of an evaluation.

    Args:
        which: String, one of `CONTROLS`, or a list of names of all controls,
            `"real only"` among them.
        images: `LabeledImages`, which say of what kind all are.
        horizontal_flip: Boolean. Whether classic augmentation may mirror
            images.
        imbalanced: Boolean. Whether classes have different numbers of images.

    Returns:
        A dict from names to `Arm`.

    Raises:
        ValueError: There is no such control.
    """
    settings = {"horizontal_flip": horizontal_flip, "imbalanced": imbalanced}
    if which == "default":
        return default_controls(images.num_classes, **settings)
    every = all_controls(images.num_classes, images.value_range, **settings)
    if which == "all":
        return every
    if isinstance(which, str):
        raise ValueError(
            f"`controls` must be one of {CONTROLS}. "
            f"Received: controls={which!r}"
        )
    unknown = [name for name in which if name not in every]
    if unknown or BASELINE not in which:
        raise ValueError(
            f"`controls` must be names out of {list(every)}, {BASELINE!r} "
            f"among them. Received: controls={which}"
        )
    return {name: every[name] for name in which}
