"""Arms: the ways of training that are compared, and the built-in controls."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import keras
import numpy as np
import tensorflow as tf

NOTHING_LEARNT = np.empty(0, np.uint64)


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
        without: String. Name of the arm that is the same but for what is
            under test, for the report. Defaults to `None`.

    Example:

    >>> arm = Arm(lambda dataset: dataset.take(10), class_balanced=True)

    Reference:
        - [Logit adjustment, Menon et al.,
          2021](https://arxiv.org/abs/2007.07314)
    """

    transform: Callable | None = None
    class_balanced: bool = False
    logit_adjustment: float = 0.0
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


@dataclass(frozen=True)
class Classic:
    """Random shifts, and flips where asked for, as a dataset transformation.

    Shifts by up to an eighth of each side, rounded to whole pixels; what
    enters repeats the edge.

    Args:
        horizontal_flip: Boolean. Whether to mirror half of the images; right
            for clothes, wrong for digits. Defaults to `False`.
        seed: Integer. Fixes the draws. Defaults to `0`.
    """

    horizontal_flip: bool = False
    seed: int = 0

    # No generator, and so no training images.
    training_fingerprints = NOTHING_LEARNT

    def with_seed(self, seed):
        """Copies the transformation with another seed.

        Args:
            seed: Integer.

        Returns:
            A transformation of the same class.
        """
        return replace(self, seed=seed)

    def __call__(self, dataset):
        layers = [
            keras.layers.RandomTranslation(
                0.125,
                0.125,
                fill_mode="nearest",
                interpolation="nearest",
                seed=self.seed,
            )
        ]
        if self.horizontal_flip:
            layers.append(
                keras.layers.RandomFlip("horizontal", seed=self.seed + 1)
            )

        def augment(images, *rest):
            images = tf.cast(images, tf.float32)
            for layer in layers:
                images = layer(images, training=True)
            return images, *rest

        return dataset.map(augment)


@dataclass(frozen=True)
class MixUp:
    """Keras's `MixUp` layer as a dataset transformation.

    Args:
        num_classes: Integer. Number of classes.
        alpha: Float. Parameter of the Beta distribution of the mixing share.
            Defaults to `0.3`.
        seed: Integer. Fixes the draws. Defaults to `0`.

    Reference:
        - [Zhang et al., 2018](https://arxiv.org/abs/1710.09412)
    """

    num_classes: int
    alpha: float = 0.3
    seed: int = 0

    training_fingerprints = NOTHING_LEARNT

    def with_seed(self, seed):
        """Copies the transformation with another seed.

        Args:
            seed: Integer.

        Returns:
            A transformation of the same class.
        """
        return replace(self, seed=seed)

    def __call__(self, dataset):
        layer = keras.layers.MixUp(alpha=self.alpha, seed=self.seed)

        def mix(images, labels):
            if labels.shape.rank == 1:
                labels = tf.one_hot(labels, self.num_classes)
            mixed = layer(
                {"images": tf.cast(images, tf.float32), "labels": labels},
                training=True,
            )
            return mixed["images"], mixed["labels"]

        return dataset.map(mix)


@dataclass(frozen=True)
class Stack:
    """Several dataset transformations, one after the other.

    Args:
        transforms: Sequence of callables `Dataset -> Dataset`.
    """

    transforms: tuple

    @property
    def training_fingerprints(self):
        """Fingerprints of the images that the parts' generators learnt."""
        # A part that does not say what it learnt leaves it unknown for all.
        return np.concatenate(
            [
                NOTHING_LEARNT,
                *(part.training_fingerprints for part in self.transforms),
            ]
        )

    @property
    def class_names(self):
        """Class names of the first part that has some, or `None`."""
        return self._first("class_names")

    @property
    def value_range(self):
        """Value range of the first part that has one, or `None`."""
        return self._first("value_range")

    def _first(self, name):
        values = (getattr(part, name, None) for part in self.transforms)
        return next((value for value in values if value is not None), None)

    def with_seed(self, seed):
        """Copies the stack with another seed for each part that takes one.

        Args:
            seed: Integer.

        Returns:
            A `Stack`.
        """
        return Stack(
            tuple(
                transform.with_seed(seed + 101 * place)
                if hasattr(transform, "with_seed")
                else transform
                for place, transform in enumerate(self.transforms)
            )
        )

    def __call__(self, dataset):
        for transform in self.transforms:
            dataset = dataset.apply(transform)
        return dataset


BASELINE = "real only"
CLASSIC = "classic"


def default_controls(num_classes, horizontal_flip=False):
    """Makes the controls that cost nothing but a few lines of code.

    Args:
        num_classes: Integer. Number of classes.
        horizontal_flip: Boolean. Whether classic augmentation may mirror
            images. Defaults to `False`.

    Returns:
        A dict of `Arm`: real images only; class-balanced; class-balanced with
        classic augmentation; MixUp on top of that; and classic augmentation
        with logit adjustment in place of class-balanced batches.
    """
    classic = Classic(horizontal_flip)
    return {
        BASELINE: Arm(),
        "class-balanced": Arm(class_balanced=True),
        CLASSIC: Arm(classic, class_balanced=True),
        "classic + MixUp": Arm(
            Stack((classic, MixUp(num_classes))), class_balanced=True
        ),
        "classic + logit adjustment": Arm(classic, logit_adjustment=1.0),
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
