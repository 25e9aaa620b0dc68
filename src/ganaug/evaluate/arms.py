"""Arms: the ways of training that are compared, and the built-in controls."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from imblearn.over_sampling import RandomOverSampler

from ganaug.evaluate.resampling import Smote
from ganaug.evaluate.transforms import (
    Classic,
    CutMix,
    MixUp,
    RandAugment,
    Stack,
)


@dataclass(frozen=True)
class Arm:
    """One way of training the classifier.

    Args:
        transform: Callable `Dataset -> Dataset` on batches `(images, labels)`
            of the real data, or `None`. It may return integer, one-hot or
            soft labels, and sample weights as a third part. Where it has a
            method `with_seed(seed)`, the copy that this returns is used, so
            that every seed of the evaluation has noise of its own. Attributes
            `training_fingerprints`, `class_names` and `value_range`, as
            `GANAugmenter` has them, are compared with the data.
        class_balanced: Boolean. Whether real images are drawn with every
            class equally likely, rather than shuffled. Defaults to `False`.
        logit_adjustment: Float. Strength tau of logit adjustment: the
            logarithm of each class's share of the labels that the classifier
            sees in this arm, times tau, is added to the logits in training.
            Defaults to `0.0`.
        sampler: Sampler of imbalanced-learn, or what has its `fit_resample` on
            rows of pixels: the real images are resampled before they are
            shuffled, once for each seed, which becomes its `random_state`.
            Defaults to `None`.
        class_weights: Boolean. Whether the loss of an image counts the more,
            the rarer its class, as scikit-learn's `"balanced"` says. Defaults
            to `False`.
        focal_gamma: Float. Exponent of the focal loss; 0 is cross-entropy.
            Defaults to `0.0`.
        without: String. Name of the arm that is the same but for what is
            under test, for the report. Defaults to `None`.

    Example:

    >>> arm = Arm(lambda dataset: dataset.take(10), class_balanced=True)

    Reference:
        - [Logit adjustment, Menon et al.,
          2021](https://arxiv.org/abs/2007.07314)
        - [Focal loss, Lin et al., 2017](https://arxiv.org/abs/1708.02002)
    """

    transform: Callable | None = None
    class_balanced: bool = False
    logit_adjustment: float = 0.0
    sampler: Any = None
    class_weights: bool = False
    focal_gamma: float = 0.0
    without: str | None = None


def as_arm(arm):
    """Takes an `Arm` as it is, and a callable as an arm's transform.

    Args:
        arm: `Arm` or a callable `Dataset -> Dataset`.

    Returns:
        An `Arm`.

    Raises:
        TypeError: It is neither.
    """
    if isinstance(arm, Arm):
        return arm
    if callable(arm):
        return Arm(arm)
    raise TypeError(
        "Each of `arms` must be an Arm or a callable Dataset -> Dataset. "
        f"Received: {arm!r}"
    )


BASELINE = "real only"
# As in the paper.
FOCAL_GAMMA = 2.0
CLASSIC = "classic"


def default_controls(num_classes, horizontal_flip=False):
    """Makes the controls that cost nothing but a few lines of code.

    Args:
        num_classes: Integer. Number of classes.
        horizontal_flip: Boolean. Whether classic augmentation may mirror
            images. Defaults to `False`.

    Returns:
        A dict of `Arm`: real images only; class-balanced; class-balanced with
        classic augmentation; MixUp and CutMix on top of that; classic
        augmentation with logit adjustment in place of class-balanced batches;
        and MixUp on top of this.
    """
    classic = Classic(horizontal_flip)
    mixed = Stack((classic, MixUp(num_classes)))
    return {
        BASELINE: Arm(),
        "class-balanced": Arm(class_balanced=True),
        CLASSIC: Arm(classic, class_balanced=True),
        "classic + MixUp": Arm(mixed, class_balanced=True),
        "classic + CutMix": Arm(
            Stack((classic, CutMix(num_classes))), class_balanced=True
        ),
        "classic + logit adjustment": Arm(classic, logit_adjustment=1.0),
        "classic + logit adjustment + MixUp": Arm(mixed, logit_adjustment=1.0),
    }


def all_controls(num_classes, value_range, horizontal_flip=False):
    """Makes all the built-in controls: twice as many, and slower ones.

    Args:
        num_classes: As in `default_controls`.
        value_range: Pair of floats. Value range of the images.
        horizontal_flip: As in `default_controls`. Defaults to `False`.

    Returns:
        A dict of `Arm`: the default ones; class weights; random over-sampling
        and SMOTE, before classic augmentation; focal loss and RandAugment with
        it.
    """
    classic = Classic(horizontal_flip)
    return {
        **default_controls(num_classes, horizontal_flip),
        "class weights": Arm(class_weights=True),
        "classic + random over-sampling": Arm(
            classic, sampler=RandomOverSampler()
        ),
        "classic + SMOTE": Arm(classic, sampler=Smote()),
        "classic + focal loss": Arm(
            classic, class_balanced=True, focal_gamma=FOCAL_GAMMA
        ),
        "classic + RandAugment": Arm(
            Stack((classic, RandAugment(value_range))), class_balanced=True
        ),
    }


def on_top_of_classic(transform, horizontal_flip=False):
    """Puts a transformation under classic augmentation, as an arm.

    Args:
        transform: Callable `Dataset -> Dataset`, such as a `GANAugmenter`.
        horizontal_flip: Boolean. Whether classic augmentation may mirror
            images. Defaults to `False`.

    Returns:
        An `Arm` that differs from the control `"classic"` in the
        transformation alone.
    """
    return Arm(
        Stack((transform, Classic(horizontal_flip))),
        class_balanced=True,
        without=CLASSIC,
    )
