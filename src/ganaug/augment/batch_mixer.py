"""The graph of one batch: real images in, real and synthetic ones out."""

import numpy as np
import tensorflow as tf

from ganaug.augment.dataset_fit import RANGE_SLACK
from ganaug.augment.mixing import merge, plan_mix
from ganaug.augment.noise import MIXING, ROUNDING, draw_uniforms, offset
from ganaug.augment.shares import ExactShare, ExpectedShare

# Single examples are grouped, so that generators run on whole batches.
GROUP_SIZE = 64


class BatchMixer:
    """Mixes synthetic examples into the batches of a dataset.

    Args:
        source: Callable that draws images: `ganaug.synthesis.generators.
            Generators` or `ganaug.synthesis.bank.Bank`.
        elements: `ganaug.data.elements.Elements` of the dataset.
        value_range: Pair of floats. Value range of its images.
        choice: Which classes, as in `ganaug.augment.mixing.plan_mix`.
        labels: `ganaug.augment.labels.SyntheticLabels`.
        details: `ganaug.augment.details.Details`.
        noise: `ganaug.augment.noise.Noise`.
        grows: Boolean. Whether batches grow.
    """

    def __init__(
        self,
        source,
        elements,
        value_range,
        choice,
        labels,
        details,
        noise,
        grows,
    ):
        self._source = source
        self._elements = elements
        self.value_range = value_range
        self._choice = choice
        self._labels = labels
        self._details = details
        self._noise = noise
        self._grows = grows

    def mix(self, batches, share, batch_size=None):
        """Transforms a dataset of batches.

        Args:
            batches: `tf.data.Dataset` of batches.
            share: How many, one of the classes of `ganaug.augment.shares`.
            batch_size: Integer. How many examples come out at a time, or
                `None` where that varies. Defaults to `None`.

        Returns:
            A `tf.data.Dataset`.
        """
        entries = share.attach(
            self._noise.attach(batches),
            lambda entry: self._num_real(entry[0]),
        )

        @tf.autograph.experimental.do_not_convert
        def mix_entry(entry, carried=None):
            return self.mix_batch(entry, share, carried, batch_size)

        return entries.map(
            mix_entry, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        )

    def mix_batch(self, entry, share, carried=None, batch_size=None):
        """Transforms one batch, eagerly or in a graph.

        Args:
            entry: Tuple of the batch and, if there is one, its random number,
                as `ganaug.augment.noise.Noise.attach` gives it.
            share: As in `mix`.
            carried: What `share.attach` lets the batch carry, if anything.
            batch_size: As in `mix`.

        Returns:
            A batch.
        """
        batch, elements = entry[0], self._elements
        labels, images = self._checked(batch)
        num_real = tf.size(labels)
        seed = self._noise.seed(entry, images)
        uniform = draw_uniforms([], offset(seed, ROUNDING))
        num_synthetic, dealt = share.decide(num_real, uniform, carried)
        plan = plan_mix(
            labels,
            num_synthetic,
            offset(seed, MIXING),
            self._choice,
            self._grows,
            dealt,
        )
        drawn = self._source(
            plan.classes, seed, self.value_range, elements.image_dtype
        )
        synthetic = self._details.synthetic(
            batch,
            drawn.images,
            self._labels(plan.classes, drawn.images, drawn.targets),
            plan.classes,
            drawn,
        )
        real = self._details.real(batch, num_real)
        return tf.nest.map_structure(
            lambda mixed, given: self._shaped(mixed, given.shape, batch_size),
            merge(plan, real, synthetic),
            real,
        )

    def check_shapes(self, dataset):
        """Lets single examples of unknown shape be checked, if there are any.

        Those of different shapes make no batch, of which tf.data would say so
        in its own words.

        Args:
            dataset: `tf.data.Dataset`.

        Returns:
            A `tf.data.Dataset` of the same elements.
        """
        if self._elements.batched or None not in self._elements.image_shape:
            return dataset

        @tf.autograph.experimental.do_not_convert
        def check(example):
            image = self._elements.image(example)
            checked = _shape_check(image[None], self._source.image_shape)
            with tf.control_dependencies([checked]):
                return tf.nest.map_structure(tf.identity, example)

        # `map` unpacks a tuple, so that what is within it comes whole.
        return tf.data.Dataset.zip((dataset,)).map(check)

    def _num_real(self, batch):
        return tf.shape(self._elements.label(batch))[0]

    def _checked(self, batch):
        """Hard labels and images, after checks of their values."""
        elements = self._elements
        images, labels = elements.image(batch), elements.label(batch)
        num_classes = self._source.num_classes
        checks = _range_checks(images, self.value_range)
        if None in elements.image_shape:
            checks.append(_shape_check(images, self._source.image_shape))
        if elements.num_classes is None:
            wide = tf.cast(labels, tf.int64)
            # Negative numbers are large ones without a sign.
            unsigned = tf.bitcast(wide, tf.uint64)
            checks.append(
                tf.raw_ops.Assert(
                    condition=tf.reduce_all(unsigned < num_classes),
                    data=[
                        "The dataset's labels must be in "
                        f"[0, {num_classes}). Received:",
                        wide,
                    ],
                )
            )
        else:
            labels = tf.argmax(labels, -1)
        # What is computed from the labels waits for the checks; else its own,
        # obscure error might come first.
        with tf.control_dependencies(checks):
            return tf.cast(labels, tf.int32), images

    def _shaped(self, mixed, shape, batch_size):
        """Gives a tensor the static shape that the dataset had."""
        shape = tf.TensorShape([batch_size, *shape[1:]])
        if shape[1:].is_fully_defined():
            mixed.set_shape(shape)
            return mixed
        # More is known of it now, and nobody downstream shall see it.
        return tf.raw_ops.PlaceholderWithDefault(input=mixed, shape=shape)


def mix_dataset(dataset, elements, mixer, ratio, exact):
    """Mixes a share of synthetic examples into a dataset.

    Args:
        dataset: `tf.data.Dataset`, batched or not.
        elements: `ganaug.data.elements.Elements` of it.
        mixer: `BatchMixer`.
        ratio: `ganaug.augment.ratio.Ratio`.
        exact: Boolean. Whether shares are exact.

    Returns:
        A `tf.data.Dataset`, of known cardinality where that of `dataset` is
        and the ratio does not depend on epochs.
    """
    if elements.batched:
        share = (ExactShare if exact else ExpectedShare)(ratio)
        size = elements.image(dataset.element_spec).shape[0]
        return mixer.mix(dataset, share, ratio.grown(size))
    # Of examples that are added at random nobody knows how many there will be.
    exact = exact or ratio.grows
    share = (ExactShare if exact else ExpectedShare)(ratio, GROUP_SIZE)
    groups = mixer.check_shapes(dataset).batch(GROUP_SIZE)
    mixed = mixer.mix(groups, share).unbatch()
    cardinality = int(dataset.cardinality())
    if cardinality == tf.data.UNKNOWN_CARDINALITY:
        return mixed
    if cardinality >= 0 and ratio.grows:
        if ratio.by_epoch:
            return mixed
        cardinality += share.total(cardinality)
    return mixed.apply(tf.data.experimental.assert_cardinality(cardinality))


def _range_checks(images, value_range):
    # A dataset in [0, 255] that is taken for [0, 1] would train on garbage
    # without a word; a check of the batch costs microseconds.
    low, high = value_range
    dtype = images.dtype
    if dtype.is_integer and low <= dtype.min and dtype.max <= high:
        return []
    slack = RANGE_SLACK * (high - low)
    images = tf.cast(images, tf.float32)
    lowest, highest = tf.reduce_min(images), tf.reduce_max(images)
    message = (
        "The images leave the value range that GANAugmenter was told or that "
        f"its GAN was trained on, {value_range}. Declare theirs with "
        "`value_range`. Received: values from"
    )
    in_range = (lowest >= np.float32(low - slack)) & (
        highest <= np.float32(high + slack)
    )
    return [
        tf.raw_ops.Assert(
            condition=in_range,
            data=[message, lowest, "to", highest],
        )
    ]


def _shape_check(images, image_shape):
    shape = tf.shape(images)[1:]
    return tf.raw_ops.Assert(
        condition=tf.reduce_all(shape == tf.constant(image_shape)),
        data=[
            f"The GAN was trained on images of shape {image_shape}. Resize "
            "those of the dataset. Received: images of shape",
            shape,
        ],
    )
