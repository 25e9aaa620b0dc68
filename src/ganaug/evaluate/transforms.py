"""Free augmentations: transformations of datasets that need no generator."""

from dataclasses import dataclass, replace

import keras
import numpy as np
import tensorflow as tf

from ganaug.seeds import derive_seed

NOTHING_LEARNT = np.empty(0, np.uint64)
# Pixels and labels are data, whatever precision a network computes in.
EXACT = "float32"


class _Seeded:
    """What all of them have: a seed, and no generator."""

    training_fingerprints = NOTHING_LEARNT

    def with_seed(self, seed):
        """Copies the transformation with another seed.

        Args:
            seed: Integer.

        Returns:
            A transformation of the same class.
        """
        return replace(self, seed=seed)


@dataclass(frozen=True)
class Classic(_Seeded):
    """Random shifts, and flips and rotations where asked for.

    Shifts by up to an eighth of each side, rounded to whole pixels; what
    enters repeats the edge.

    Args:
        horizontal_flip: Boolean. Whether to mirror half of the images; right
            for clothes, wrong for digits. Defaults to `False`.
        rotation: Float in `[0, 0.5]`. The largest rotation to either side, as
            a part of a full turn. Defaults to `0.0`.
        seed: Integer. Fixes the draws. Defaults to `0`.
    """

    horizontal_flip: bool = False
    rotation: float = 0.0
    seed: int = 0

    def __call__(self, dataset):
        layers = [
            keras.layers.RandomTranslation(
                0.125,
                0.125,
                fill_mode="nearest",
                interpolation="nearest",
                seed=self.seed,
                dtype=EXACT,
            )
        ]
        if self.rotation:
            layers.append(
                keras.layers.RandomRotation(
                    self.rotation,
                    fill_mode="nearest",
                    seed=self.seed + 2,
                    dtype=EXACT,
                )
            )
        if self.horizontal_flip:
            layers.append(
                keras.layers.RandomFlip(
                    "horizontal", seed=self.seed + 1, dtype=EXACT
                )
            )

        def augment(images, *rest):
            images = tf.cast(images, tf.float32)
            for layer in layers:
                images = layer(images, training=True)
            return images, *rest

        return dataset.map(augment)


@dataclass(frozen=True)
class MixUp(_Seeded):
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

    def __call__(self, dataset):
        layer = keras.layers.MixUp(
            alpha=self.alpha, seed=self.seed, dtype=EXACT
        )

        def mix(images, labels, *weights):
            labels = _weighted_labels(labels, self.num_classes, *weights)
            mixed = layer(
                {"images": tf.cast(images, tf.float32), "labels": labels},
                training=True,
            )
            return mixed["images"], *_split(mixed["labels"], *weights)

        return dataset.map(mix)


@dataclass(frozen=True)
class CutMix(_Seeded):
    """Keras's `CutMix` layer as a dataset transformation.

    Labels are mixed by the area that is really left of each image. Keras's
    own are mixed by the area that was drawn, of which the edge of the image
    may cut a part off.

    Args:
        num_classes: Integer. Number of classes.
        alpha: Float. Parameter of the Beta distribution of the area that is
            left. Defaults to `1.0`.
        seed: Integer. Fixes the draws. Defaults to `0`.

    Reference:
        - [Yun et al., 2019](https://arxiv.org/abs/1905.04899)
    """

    num_classes: int
    alpha: float = 1.0
    seed: int = 0

    def __call__(self, dataset):
        layer = keras.layers.CutMix(
            factor=self.alpha, seed=self.seed, dtype=EXACT
        )

        def mix(images, labels, *weights):
            labels = _weighted_labels(labels, self.num_classes, *weights)
            images = tf.cast(images, tf.float32)
            # A further channel tells of which image each pixel is.
            own = tf.range(tf.cast(tf.shape(images)[0], tf.float32))
            own = own[:, None, None, None]
            marked = tf.concat(
                [images, own + tf.zeros_like(images[..., :1])], -1
            )
            mixed = layer({"images": marked, "labels": labels}, training=True)[
                "images"
            ]
            images, marks = mixed[..., :-1], mixed[..., -1:]
            kept = marks == own
            share = tf.reduce_mean(tf.cast(kept, tf.float32), (1, 2))
            other = tf.reduce_max(tf.where(kept, 0.0, marks), (1, 2, 3))
            others = tf.gather(labels, tf.cast(other, tf.int32))
            labels = share * labels + (1 - share) * others
            return images, *_split(labels, *weights)

        return dataset.map(mix)


def _weighted_labels(labels, num_classes, weights=None):
    """Label distributions times weights, of which mixtures are exact."""
    if labels.shape.rank == 1:
        labels = tf.one_hot(labels, num_classes)
    labels = tf.cast(labels, tf.float32)
    if weights is not None:
        labels *= tf.cast(weights, tf.float32)[:, None]
    return labels


def _split(labels, weights=None):
    """Labels and weights again, out of their product; no weights without."""
    if weights is None:
        return (labels,)
    total = tf.reduce_sum(labels, -1)
    return tf.math.divide_no_nan(labels, total[:, None]), total


@dataclass(frozen=True)
class RandAugment(_Seeded):
    """Keras's `RandAugment` layer as a dataset transformation.

    Args:
        value_range: Pair of floats. Value range of the images, which have one
            or three channels.
        num_ops: Integer. Operations for each image. Defaults to `2`.
        factor: Float in `[0, 1]`. Their strength. Defaults to `0.5`.
        seed: Integer. Fixes the draws. Defaults to `0`.

    Reference:
        - [Cubuk et al., 2019](https://arxiv.org/abs/1909.13719)
    """

    value_range: tuple
    num_ops: int = 2
    factor: float = 0.5
    seed: int = 0

    def __call__(self, dataset):
        layer = keras.layers.RandAugment(
            value_range=self.value_range,
            num_ops=self.num_ops,
            factor=self.factor,
            seed=self.seed,
            dtype=EXACT,
        )

        def augment(images, *rest):
            images = tf.cast(images, tf.float32)
            channels = images.shape[-1]
            if channels == 1:
                images = tf.repeat(images, 3, axis=-1)
            images = layer(images, training=True)
            return images[..., :channels], *rest

        return dataset.map(augment)


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
    def choice_fingerprints(self):
        """Fingerprints of the images that parts were tuned with."""
        return np.concatenate(
            [
                NOTHING_LEARNT,
                *(
                    getattr(part, "choice_fingerprints", NOTHING_LEARNT)
                    for part in self.transforms
                ),
            ]
        )

    @property
    def needs_one_hot_labels(self):
        """Whether a part does."""
        return self._any("needs_one_hot_labels")

    @property
    def counts_batches(self):
        """Whether a part does."""
        return self._any("counts_batches")

    @property
    def follows_epochs(self):
        """Whether a part does."""
        return self._any("follows_epochs")

    def _any(self, name):
        return any(getattr(part, name, False) for part in self.transforms)

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
            A `Stack`. Its last part has the seed itself and the others seeds
            by how far they are before it, so that a control draws alike with
            a generator before it and without one.
        """
        parts = parts_of(self)
        last = len(parts) - 1
        return Stack(
            tuple(
                _with_seed(
                    part,
                    seed
                    if place == last
                    else derive_seed(seed, f"{last - place} before the last"),
                )
                for place, part in enumerate(parts)
            )
        )

    def __call__(self, dataset):
        for transform in self.transforms:
            dataset = dataset.apply(transform)
        return dataset


def parts_of(transform):
    """Lists what a transformation is stacked of, in its order.

    Args:
        transform: Callable `Dataset -> Dataset`, or `None` for none.

    Returns:
        A list of callables.
    """
    if isinstance(transform, Stack):
        return [one for part in transform.transforms for one in parts_of(part)]
    return [] if transform is None else [transform]


def _with_seed(transform, seed):
    if hasattr(transform, "with_seed"):
        return transform.with_seed(seed)
    return transform
