"""Frozen generators: labels and a seed in, images out, inside tf.data too."""

import copy
import functools
import numbers

import keras
import numpy as np
import tensorflow as tf
from scipy import special

from ganaug.artifact import Artifact
from ganaug.artifact_id import artifact_id
from ganaug.data.images import from_unit
from ganaug.gan.generation import check_labels
from ganaug.gan.latent_kinds import canonical_latents
from ganaug.synthesis.drawn import UNIT_RANGE, Drawn
from ganaug.synthesis.frozen_generator import FrozenGenerator

# Images drawn with one seed pair for a bank.
CHUNK_SIZE = 64
# What artifacts that draw together have in common.
SHARED = ("image_shape", "class_names", "value_range", "image_dtype")
# Places where the shares of blended classes are tabulated.
NUM_QUANTILES = 1025


class Generators:
    """Draws images of given classes from one or several frozen generators.

    The generators' weights, and the latents of real images where they are
    drawn from, are copied when it is made, and become constants of whatever
    graph calls it. So a dataset that uses it holds no variables: its iterators
    can be checkpointed and it can be sent to other processes.

    Row `i` depends on the seed, `i` and `labels[i]` alone, up to rounding:
    fewer labels give the same first images.

    Args:
        pretrained: `ganaug.artifact.Artifact`, a trained model such as
            `ganaug.ConditionalGAN`, or a list of them, which must have learnt
            the same classes from images of one shape, dtype and value range.
        weights: Sequence of numbers that are not negative, one for each
            artifact: how often it draws. All equally often by default.
        latents: String. Where the latents come from: `"prior"`; or, for
            models with an encoder, `"around"` a real image of the class,
            `"interpolated"` between two of them, or `"transferred"` from one
            of another class. Or a dict from some of these to their shares,
            such as `{"prior": 2, "around": 1, "transferred": 1}`. Defaults to
            `"prior"`.
        truncation: Float. What the standard deviations of the latents are
            multiplied with. Defaults to `1.0`.
        class_interpolation: Float. 0 for images of one class each. A positive
            `alpha` blends the class of each image with another one, all
            others equally likely; the own class has the larger share, a draw
            from Beta(`alpha`, `alpha`) or 1 minus it. Defaults to `0.0`.

    Call arguments:
        labels: Integer tensor `(num_images,)`; without classes, zeros.
        seed: Integer tensor `(2,)`.
        value_range: Pair of floats. Value range of the images. Defaults to
            `(-1.0, 1.0)`.
        dtype: dtype of the images. Defaults to `tf.float32`.

    Call returns:
        A `Drawn`.

    Raises:
        TypeError: `pretrained` is something else.
        ValueError: Keras runs on another backend than TensorFlow, the
            artifacts do not fit together, or an argument is out of range.

    Example:

    ```python
    generators = Generators([gan, vae], weights=[1, 3])
    drawn = generators(tf.constant([0, 0, 7]), tf.constant([5, 0], tf.int64))
    ```

    Reference:
        - [MixUp, Zhang et al., 2018](https://arxiv.org/abs/1710.09412)
    """

    def __init__(
        self,
        pretrained,
        weights=None,
        latents="prior",
        truncation=1.0,
        class_interpolation=0.0,
    ):
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                "Drawing images inside of tf.data needs Keras on TensorFlow. "
                "Set the environment variable KERAS_BACKEND=tensorflow, or "
                "use a bank of images, which any backend can read. "
                f"Received: backend={keras.backend.backend()!r}"
            )
        artifacts = _as_artifacts(pretrained)
        _check_same(artifacts)
        check_number("truncation", truncation)
        check_number("class_interpolation", class_interpolation)
        self.latents = canonical_latents(latents)
        self.truncation = float(truncation)
        self.class_interpolation = float(class_interpolation)
        self.weights = _check_weights(weights, len(artifacts))
        self.ids = tuple(artifact_id(artifact) for artifact in artifacts)
        first = artifacts[0]
        self.class_names = first.class_names
        self.num_classes = first.num_classes
        self.image_shape = first.image_shape
        self.image_dtype = first.image_dtype
        self.value_range = tuple(first.value_range)
        self.fingerprints = functools.reduce(
            np.union1d, [artifact.fingerprints for artifact in artifacts]
        )
        blended = self.class_interpolation > 0
        if blended and self.num_classes is None:
            raise ValueError(
                "Generators without classes have none to blend. Leave "
                "`class_interpolation` at 0. Received: "
                f"class_interpolation={class_interpolation}"
            )
        self._frozen = [
            FrozenGenerator(artifact, self.latents, self.truncation, blended)
            for artifact in artifacts
        ]
        self._compiled = None

    def replace(self, latents=None, truncation=None, weights=None):
        """Copies it with other settings and the same generators.

        Args:
            latents: As in the constructor. Defaults to those there are.
            truncation: As there.
            weights: As there.

        Returns:
            A `Generators`.

        Raises:
            ValueError: As there.
        """
        copied = copy.copy(self)
        copied._compiled = None
        if latents is not None:
            copied.latents = canonical_latents(latents)
        if truncation is not None:
            check_number("truncation", truncation)
            copied.truncation = float(truncation)
        if weights is not None:
            copied.weights = _check_weights(weights, len(self.ids))
        copied._frozen = [
            frozen.replace(copied.latents, copied.truncation)
            for frozen in self._frozen
        ]
        return copied

    @property
    def settings(self):
        """Dict for JSON: all that the images depend on beside the seed."""
        return {
            "artifacts": list(self.ids),
            "weights": list(self.weights),
            "latents": self.latents,
            "truncation": self.truncation,
            "class_interpolation": self.class_interpolation,
        }

    def __getstate__(self):
        # TensorFlow's functions cannot be pickled.
        return {**self.__dict__, "_compiled": None}

    def __call__(self, labels, seed, value_range=UNIT_RANGE, dtype=tf.float32):
        labels = tf.cast(labels, tf.int32)
        seed = tf.cast(seed, tf.int64)
        arguments = labels, seed, tuple(value_range), tf.as_dtype(dtype)
        if not tf.executing_eagerly():
            return self._draw(*arguments)
        if self._compiled is None:
            self._compiled = tf.function(self._draw, reduce_retracing=True)
        return self._compiled(*arguments)

    def _draw(self, labels, seed, value_range, dtype):
        num_images = tf.shape(labels)[0]
        # Of seeds of their own, so that nothing depends on anything else.
        source_seed, blend_seed = (
            tf.random.fold_in(seed, purpose) for purpose in (1, 2)
        )
        sources = self._draw_sources(num_images, source_seed)
        targets = None
        if self.class_interpolation:
            targets = self._draw_targets(labels, num_images, blend_seed)
        rows, images = [], []
        for position, frozen in enumerate(self._frozen):
            own = tf.cast(tf.where(sources == position)[:, 0], tf.int32)
            rows.append(own)
            # oneDNN's convolution gets the shape of an empty batch wrong.
            images.append(
                tf.cond(
                    tf.size(own) > 0,
                    functools.partial(
                        frozen.draw, own, labels, targets, num_images, seed
                    ),
                    lambda: tf.zeros((0, *self.image_shape)),
                )
            )
        images = tf.ensure_shape(
            tf.dynamic_stitch(rows, images), (None, *self.image_shape)
        )
        return Drawn(
            images=from_unit(images, value_range, dtype),
            targets=targets,
            sources=sources,
            seeds=tf.tile(seed[None], (num_images, 1)),
            indices=tf.range(tf.cast(num_images, tf.int64)),
        )

    def remake(self, label, seed, index, batch_size=CHUNK_SIZE):
        """Makes an image again from its provenance.

        It has the very bits of the first time, where as many images were
        drawn together then, on the same kind of processor. Else the floats
        are equal up to rounding.

        Args:
            label: Integer. The class that was asked for.
            seed: Pair of integers.
            index: Integer. The row of what was drawn with that seed.
            batch_size: Integer. How many images were drawn together. Defaults
                to `64`, the number in banks.

        Returns:
            A NumPy array `(height, width, channels)` with dtype and value
            range of the images the generators learnt.

        Raises:
            ValueError: An argument is out of range.
        """
        labels = check_labels([label], len(self.class_names))
        if not isinstance(index, (int, np.integer)) or index < 0:
            raise ValueError(
                "`index` must be an integer of at least 0; real images have "
                f"none. Received: index={index!r}"
            )
        drawn = self(
            np.repeat(labels, max(batch_size, index + 1)),
            seed,
            self.value_range,
            self.image_dtype,
        )
        return drawn.images[index].numpy()

    def _draw_sources(self, num_images, seed):
        """Chooses which generator draws which row."""
        bounds = np.cumsum(self.weights, dtype=np.float32)[:-1]
        uniforms = tf.random.stateless_uniform((num_images,), seed)
        return tf.searchsorted(tf.constant(bounds), uniforms, side="right")

    def _draw_targets(self, labels, num_images, seed):
        """Draws the shares of the classes in each row."""
        uniforms = tf.random.stateless_uniform((num_images, 2), seed)
        num_others = self.num_classes - 1
        other = tf.cast(uniforms[:, 0] * num_others, tf.int32)
        # The product can round up to the number itself.
        other = tf.minimum(other, num_others - 1)
        other += tf.cast(other >= labels, tf.int32)
        # The median of Beta(alpha, alpha) is 1/2, so the upper half of its
        # quantiles is the larger share's distribution.
        alpha = self.class_interpolation
        quantiles = special.betaincinv(
            alpha, alpha, np.linspace(0.5, 1.0, NUM_QUANTILES)
        ).astype(np.float32)
        place = uniforms[:, 1] * (NUM_QUANTILES - 1)
        below = tf.minimum(tf.cast(place, tf.int32), NUM_QUANTILES - 2)
        rest = place - tf.cast(below, tf.float32)
        share = (1 - rest) * tf.gather(quantiles, below) + rest * tf.gather(
            quantiles, below + 1
        )
        return share[:, None] * tf.one_hot(labels, self.num_classes) + (
            1 - share[:, None]
        ) * tf.one_hot(other, self.num_classes)


def _as_artifacts(pretrained):
    if not isinstance(pretrained, (list, tuple)):
        pretrained = [pretrained]
    artifacts = [
        one.to_artifact() if hasattr(one, "to_artifact") else one
        for one in pretrained
    ]
    if not artifacts:
        raise ValueError(
            "`pretrained` must name at least one generator. "
            f"Received: pretrained={pretrained!r}"
        )
    for artifact in artifacts:
        if not isinstance(artifact, Artifact):
            raise TypeError(
                "`pretrained` must be an Artifact or a trained model such as "
                "ConditionalGAN, or a list of them; a folder is read by "
                "`ganaug.artifact.load(path)`. "
                f"Received: pretrained={artifact!r}"
            )
    return artifacts


def _check_same(artifacts):
    for name in SHARED:
        # A record read from JSON has lists where a model has tuples.
        values = [getattr(artifact, name) for artifact in artifacts]
        if len({repr(value) for value in values}) > 1:
            raise ValueError(
                f"Generators that draw together must have the same `{name}`. "
                "Train them on the same data set. "
                f"Received: {name}={' and '.join(map(str, values))}"
            )


def check_number(name, number):
    """Checks a number that says how images are drawn.

    Args:
        name: String. The argument's name.
        number: Number.

    Raises:
        ValueError: It is negative, infinite or NaN, or no number.
    """
    if not isinstance(number, numbers.Real) or not 0 <= number < float("inf"):
        raise ValueError(
            f"`{name}` must be a finite number of at least 0. "
            f"Received: {name}={number!r}"
        )


def _check_weights(weights, num_artifacts):
    if weights is None:
        weights = [1.0] * num_artifacts
    try:
        shares = np.asarray(weights, np.float64)
    except (TypeError, ValueError):
        shares = np.full(0, np.nan)
    if (
        shares.shape != (num_artifacts,)
        or not np.isfinite(shares).all()
        or shares.min() < 0
        or shares.sum() == 0
    ):
        raise ValueError(
            "`weights` must be one number of at least 0 for each of the "
            f"{num_artifacts} artifacts, and not all 0. "
            f"Received: weights={weights!r}"
        )
    return tuple((shares / shares.sum()).tolist())
