"""What happens when an augmenter is applied to a dataset."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ganaug.augment.batch_mixer import BatchMixer, mix_dataset
from ganaug.augment.class_choice import (
    MatchingChoice,
    QuotaChoice,
    WeightedChoice,
)
from ganaug.augment.class_counts import (
    check_counted,
    count_classes,
    warn_of_classes_without_examples,
)
from ganaug.augment.dataset_fit import check_fits, resolve_value_range
from ganaug.augment.details import Details
from ganaug.augment.extending import (
    check_extendable,
    extend_dataset,
    resolve_growth,
)
from ganaug.augment.labels import SyntheticLabels
from ganaug.augment.modes import EXACT, EXTEND, REPLACE
from ganaug.augment.noise import Noise
from ganaug.augment.sampling_strategy import (
    needs_class_counts,
    resolve_class_weights,
)
from ganaug.augment.shares import TotalShare
from ganaug.data.elements import Elements, parse_elements


class Prepared(NamedTuple):
    """All that mixes into batches of one structure.

    Args:
        elements: `ganaug.data.elements.Elements`.
        mixer: `BatchMixer`.
        noise: `ganaug.augment.noise.Noise`.
        class_counts: int64 array `(num_classes,)`, or `None` where nothing
            depends on them.
        growth: int64 array `(num_classes,)`, the synthetic examples that a
            data set grows by; `None` where a share is mixed in.
        adds_parts: Boolean. Whether elements get parts that they did not have.
        unnamed_classes: Sequence of the indices of classes that can come
            without a real example of them, and that nobody has asked for by
            name.
    """

    elements: Elements
    mixer: BatchMixer
    noise: Noise
    class_counts: np.ndarray | None
    growth: np.ndarray | None
    adds_parts: bool
    unnamed_classes: Sequence

    @property
    def num_real(self):
        """Integer: real examples of a data set that grows."""
        return int(self.class_counts.sum())

    @property
    def num_synthetic(self):
        """Integer: synthetic examples of a data set that grows."""
        return int(self.growth.sum())

    def total_share(self):
        """The `TotalShare` of a data set that grows."""
        return TotalShare(
            self.num_synthetic, self.num_real, self.noise.epoch_seed
        )


def transform(dataset, settings, source, ratio):
    """Mixes synthetic examples into a dataset.

    Args:
        dataset: `tf.data.Dataset`.
        settings: `ganaug.augment.augmenter.GANAugmenter`, or what has its
            attributes.
        source: `ganaug.augment.image_source.ImageSource`.
        ratio: `ganaug.augment.ratio.Ratio`, or `None` where it extends.

    Returns:
        A `tf.data.Dataset`.

    Raises:
        ValueError: The dataset's structure is not known, or it does not fit
            the settings or the source.
    """

    def count(elements):
        return count_classes(dataset, elements, settings.class_names)

    def check(elements, class_counts):
        check_extendable(dataset, elements, class_counts)

    prepared = prepare(dataset.element_spec, settings, source, count, check)
    elements, mixer = prepared.elements, prepared.mixer
    warn_of_classes_without_examples(
        prepared.unnamed_classes, settings.class_counts, settings.class_names
    )
    if prepared.growth is not None:
        share = prepared.total_share()
        dataset = mixer.check_shapes(dataset)
        if settings.class_counts is not None:
            dataset = check_counted(
                dataset, elements, prepared.class_counts, settings.class_names
            )
        return extend_dataset(
            dataset,
            elements,
            lambda batches: mixer.mix(batches, share),
            prepared.num_real,
            prepared.num_synthetic,
        )
    if settings.ratio == 0 and not prepared.adds_parts:
        return dataset
    return mix_dataset(dataset, elements, mixer, ratio, settings.share == EXACT)


def prepare(element_spec, settings, source, count, check_growth=None):
    """Checks that elements fit, and makes what mixes into them.

    Args:
        element_spec: As `tf.data.Dataset.element_spec`.
        settings: As in `transform`.
        source: As in `transform`.
        count: Callable from `Elements` to an int64 array `(num_classes,)`,
            called where the number of real examples matters and is not given.
        check_growth: Callable from `Elements` and such an array, called where
            the data set grows. Defaults to no check.

    Returns:
        A `Prepared`.

    Raises:
        ValueError: As in `transform`.
    """
    elements = parse_elements(element_spec)
    check_fits(element_spec, elements, source.draws)
    details = Details(
        elements,
        element_spec,
        settings.sample_weight,
        settings.fill,
        settings.is_synthetic,
        settings.provenance,
        source.draws.ids,
    )
    strategy, names = settings.sampling_strategy, settings.class_names
    extends = settings.mode == EXTEND
    counts = growth = None
    if extends or needs_class_counts(strategy):
        counts = settings.class_counts
        if counts is None:
            counts = count(elements)
    if extends:
        if check_growth is not None:
            check_growth(elements, counts)
        growth = resolve_growth(strategy, counts, names)
        choice = QuotaChoice(growth)
    else:
        weights = resolve_class_weights(strategy, names, counts)
        choice = (
            MatchingChoice(len(names))
            if weights is None
            else WeightedChoice(weights)
        )
    source.check_classes(choice.classes)
    asked_for = (
        settings.ratio == 0
        or isinstance(choice, MatchingChoice)
        or isinstance(strategy, Mapping)
    )
    value_range = resolve_value_range(
        settings.value_range, elements, source.draws
    )
    labels = SyntheticLabels(
        elements,
        names,
        settings.label_smoothing,
        settings.teacher,
        source.is_interpolated,
    )
    labels.check_teacher(value_range, source.draws.image_shape)
    noise = Noise(settings.seed, settings.rerandomize_each_iteration)
    mixer = BatchMixer(
        source.draws,
        elements,
        value_range,
        choice,
        labels,
        details,
        noise,
        settings.mode != REPLACE,
    )
    return Prepared(
        elements,
        mixer,
        noise,
        counts,
        growth,
        details.are_added,
        () if asked_for else choice.classes,
    )
