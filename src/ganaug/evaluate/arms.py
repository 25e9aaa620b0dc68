"""Arms: the ways of training that are compared, and the built-in controls."""

import dataclasses
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

# What an arm on top of a control has of its own.
OWN_FIELDS = ("transform", "learn", "fraction", "on_top_of", "without")


@dataclass(frozen=True)
class Arm:
    """One way of training the classifier.

    Args:
        transform: Callable `Dataset -> Dataset` on batches `(images, labels)`
            of the real data, or `None`. It may return integer, one-hot or
            soft labels, and sample weights as a third part. Where it has a
            method `with_seed(seed)`, the copy that this returns is used, so
            that every seed of the evaluation has noise of its own; where its
            attribute `needs_one_hot_labels` is true, it gets such labels
            rather than integers. Attributes
            `training_fingerprints`, `choice_fingerprints`, `class_names` and
            `value_range`, as `GANAugmenter` has them, are compared with the
            data; one whose `counts_batches` is true gets endless batches, and
            one whose `follows_epochs` is true is refused.
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
        learn: Callable `(train, validation, seed) -> transform`, called anew
            for each seed with the `LabeledImages` that the arm trains on and
            those for choices, or `None`: a generator that is trained for each
            seed, so that its variance is part of the answer. What it returns
            is applied before `transform`. Arms with the same one share what it
            returns. Defaults to `None`.
        fraction: Float in `(0, 1]`. Share of each class's real images, at
            least one, that the arm trains on. Defaults to `1.0`.
        on_top_of: String. Name of a control, or `BEST_CONTROL` for the one
            that is best on validation data: the arm does all that this one
            does, after its own `learn` and `transform`. Its other settings
            must be left out. Defaults to `None`.
        without: String. Name of the arm that is the same but for what is
            under test, for the report. Defaults to `on_top_of`.

    Raises:
        ValueError: `fraction` is out of range, or an arm on top of a control
            has settings that come from there.

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
    learn: Callable | None = None
    fraction: float = 1.0
    on_top_of: str | None = None
    without: str | None = None

    def __post_init__(self):
        if not 0 < self.fraction <= 1:
            raise ValueError(
                "`fraction` must be above 0 and at most 1. "
                f"Received: fraction={self.fraction}"
            )
        if self.on_top_of is None:
            return
        given = [
            field.name
            for field in dataclasses.fields(self)
            if field.name not in OWN_FIELDS
            and getattr(self, field.name) != field.default
        ]
        if given:
            raise ValueError(
                "An arm on top of a control takes that control's settings. "
                f"Leave out {', '.join(given)}. "
                f"Received: on_top_of={self.on_top_of!r}"
            )

    def on(self, control, name):
        """Makes the arm that does all that a control does, and its own before.

        Args:
            control: `Arm`, not itself on top of another.
            name: String. Its name.

        Returns:
            An `Arm` without `on_top_of`.
        """
        return dataclasses.replace(
            control,
            transform=_stacked(self.transform, control.transform),
            learn=self.learn,
            fraction=self.fraction,
            without=self.without or name,
        )

    def learnt(self, transform):
        """Makes the arm that applies what was learnt for a seed.

        Args:
            transform: Callable `Dataset -> Dataset`.

        Returns:
            An `Arm` without `learn`.
        """
        return dataclasses.replace(
            self, learn=None, transform=_stacked(transform, self.transform)
        )

    def does_the_same_as(self, other):
        """Tells whether two arms differ in what they are compared with alone.

        Args:
            other: `Arm`.

        Returns:
            A boolean. Transformations are the same if they are one object, or
            stacks of the same objects.
        """
        return all(
            _is_same(getattr(self, field.name), getattr(other, field.name))
            for field in dataclasses.fields(self)
            if field.name != "without"
        )


def _is_same(one, other):
    if isinstance(one, Stack) and isinstance(other, Stack):
        return len(one.transforms) == len(other.transforms) and all(
            map(_is_same, one.transforms, other.transforms)
        )
    # Objects may hold arrays, which `==` does not compare to one truth.
    if isinstance(one, (bool, int, float)):
        return one == other
    return one is other


def _stacked(*transforms):
    """One transformation out of those that are not `None`."""
    parts = tuple(part for part in transforms if part is not None)
    if len(parts) < 2:
        return parts[0] if parts else None
    return Stack(parts)


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
# Stands for the control with the best mean score on validation data.
BEST_CONTROL = "best control"
# As in the paper.
FOCAL_GAMMA = 2.0
# Part of a full turn to either side: 15 degrees.
ROTATION = 1 / 24
CLASSIC = "classic"


def default_controls(num_classes, horizontal_flip=False, imbalanced=True):
    """Makes the controls that cost nothing but a few lines of code.

    Which of them is strong differs from data set to data set: shifts and flips
    lower some scores, and what is stacked on them is no control there. So each
    is there with each other.

    Args:
        num_classes: Integer. Number of classes.
        horizontal_flip: Boolean. Whether classic augmentation may mirror
            images. Defaults to `False`.
        imbalanced: Boolean. Whether classes have different numbers of images.
            Where they have not, logit adjustment changes nothing and is left
            out. Defaults to `True`.

    Returns:
        A dict of `Arm`: real images only; and class-balanced batches, classic
        augmentation or none, and MixUp, CutMix or neither, each with each; and
        all of these with logit adjustment in place of class-balanced batches.
    """
    return {BASELINE: Arm()} | _each_with_each(
        {None: None, CLASSIC: Classic(horizontal_flip)},
        _balances(imbalanced),
        _mixes(num_classes),
    )


def _balances(imbalanced):
    balances = {None: {"class_balanced": True}}
    if imbalanced:
        balances["logit adjustment"] = {"logit_adjustment": 1.0}
    return balances


def _mixes(num_classes):
    return {
        None: None,
        "MixUp": MixUp(num_classes),
        "CutMix": CutMix(num_classes),
    }


def _each_with_each(shifts, balances, mixes):
    """Controls by name, out of parts by name; `None` is none of its kind."""
    controls = {}
    for balance, settings in balances.items():
        for shift, shifted in shifts.items():
            for mix, mixed in mixes.items():
                parts = [part for part in (shift, balance, mix) if part]
                controls[" + ".join(parts) or "class-balanced"] = Arm(
                    _stacked(shifted, mixed), **settings
                )
    return controls


def all_controls(
    num_classes, value_range, horizontal_flip=False, imbalanced=True
):
    """Makes all the built-in controls: more, and slower ones.

    Args:
        num_classes: As in `default_controls`.
        value_range: Pair of floats. Value range of the images.
        horizontal_flip: As in `default_controls`. Defaults to `False`.
        imbalanced: As in `default_controls`. Defaults to `True`.

    Returns:
        A dict of `Arm`: the default ones; classic augmentation with rotations
        by up to 15 degrees; class weights; random over-sampling, focal loss,
        SMOTE and RandAugment, each with classic augmentation and without; MixUp
        and CutMix on SMOTE and on RandAugment, and this with logit adjustment
        in place of class-balanced batches.
    """
    classic = Classic(horizontal_flip)
    rand_augment = RandAugment(value_range)
    mixes = _mixes(num_classes)
    return {
        **default_controls(num_classes, horizontal_flip, imbalanced),
        "classic with rotations": Arm(
            Classic(horizontal_flip, ROTATION), class_balanced=True
        ),
        "class weights": Arm(class_weights=True),
        "random over-sampling": Arm(sampler=RandomOverSampler()),
        "classic + random over-sampling": Arm(
            classic, sampler=RandomOverSampler()
        ),
        "focal loss": Arm(class_balanced=True, focal_gamma=FOCAL_GAMMA),
        "classic + focal loss": Arm(
            classic, class_balanced=True, focal_gamma=FOCAL_GAMMA
        ),
        "classic + RandAugment": Arm(
            Stack((classic, rand_augment)), class_balanced=True
        ),
        **_each_with_each(
            {None: None, CLASSIC: classic},
            {"SMOTE": {"sampler": Smote()}},
            mixes,
        ),
        **_each_with_each(
            {"RandAugment": rand_augment}, _balances(imbalanced), mixes
        ),
    }


def on_top_of_best(transform=None, learn=None):
    """Puts a transformation under the best control, as an arm.

    Which control this is, is chosen on validation data.

    Args:
        transform: Callable `Dataset -> Dataset`, such as a `GANAugmenter`.
            Defaults to `None`.
        learn: As in `Arm`. Defaults to `None`.

    Returns:
        An `Arm`.
    """
    return Arm(transform, learn=learn, on_top_of=BEST_CONTROL)


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
