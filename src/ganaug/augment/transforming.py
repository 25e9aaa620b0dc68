"""What happens when an augmenter is applied to a dataset."""

from ganaug.augment.batch_mixer import BatchMixer, mix_dataset
from ganaug.augment.class_choice import (
    MatchingChoice,
    QuotaChoice,
    WeightedChoice,
)
from ganaug.augment.class_counts import count_classes
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
from ganaug.data.elements import parse_elements


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
    elements = parse_elements(dataset.element_spec)
    check_fits(dataset, elements, source.draws)
    details = Details(
        elements,
        dataset.element_spec,
        settings.sample_weight,
        settings.fill,
        settings.is_synthetic,
        settings.provenance,
        source.draws.ids,
    )
    noise = Noise(settings.seed, settings.rerandomize_each_iteration)
    if settings.mode == EXTEND:
        counts = _class_counts(dataset, elements, settings)
        check_extendable(dataset, elements, counts)
        growth = resolve_growth(
            settings.sampling_strategy, counts, settings.class_names
        )
        num_real, num_synthetic = int(counts.sum()), int(growth.sum())
        mixer = _mixer(
            elements, settings, source, details, noise, QuotaChoice(growth)
        )
        share = TotalShare(num_synthetic, num_real, noise.epoch_seed)
        return extend_dataset(
            dataset,
            elements,
            lambda batches: mixer.mix(batches, share),
            num_real,
            num_synthetic,
        )
    choice = _choice(dataset, elements, settings)
    mixer = _mixer(elements, settings, source, details, noise, choice)
    if settings.ratio == 0 and not details.are_added:
        return dataset
    return mix_dataset(dataset, elements, mixer, ratio, settings.share == EXACT)


def _class_counts(dataset, elements, settings):
    if settings.class_counts is not None:
        return settings.class_counts
    return count_classes(dataset, elements, settings.class_names)


def _choice(dataset, elements, settings):
    strategy, names = settings.sampling_strategy, settings.class_names
    counts = None
    if needs_class_counts(strategy):
        counts = _class_counts(dataset, elements, settings)
    weights = resolve_class_weights(strategy, names, counts)
    if weights is None:
        return MatchingChoice(len(names))
    return WeightedChoice(weights)


def _mixer(elements, settings, source, details, noise, choice):
    source.check_classes(choice.classes)
    value_range = resolve_value_range(
        settings.value_range, elements, source.draws
    )
    labels = SyntheticLabels(
        elements,
        settings.class_names,
        settings.label_smoothing,
        settings.teacher,
        source.is_interpolated,
    )
    labels.check_teacher(value_range, source.draws.image_shape)
    return BatchMixer(
        source.draws,
        elements,
        value_range,
        choice,
        labels,
        details,
        noise,
        settings.mode != REPLACE,
    )
