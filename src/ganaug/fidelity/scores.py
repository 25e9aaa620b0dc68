"""Scores of synthetic images against real ones."""

from dataclasses import asdict, dataclass

import numpy as np
from sklearn import metrics

from ganaug.fidelity.features import FeatureExtractor, train_feature_extractor
from ganaug.fidelity.measures import (
    coverage,
    frechet_distance,
    kernel_distance,
    precision_recall_density_coverage,
)
from ganaug.seeds import derive_seed, resolve_seed

# Names of the measures, and whether a higher value is better. To choose by one
# alone, take kernel distance or coverage: precision, density and label fidelity
# are best for one good image, repeated.
MEASURES = {
    "kernel_distance": False,
    "frechet_distance": False,
    "precision": True,
    "recall": True,
    "density": True,
    "coverage": True,
    "label_fidelity": True,
}


@dataclass(frozen=True)
class FidelityScores:
    """What `score_images` measures.

    Args:
        kernel_distance: Float. Unbiased; about 0 for perfect fakes.
        frechet_distance: Float of at least 0, biased upwards for few images.
        precision: Float in `[0, 1]`. Share of fakes that could be real.
        recall: Float in `[0, 1]`. Share of real images that could be fakes.
        density: Float of at least 0, about 1 for perfect fakes.
        coverage: Float in `[0, 1]`. Share of real images with a fake nearby.
        label_fidelity: Float in `[0, 1]`: the share of fakes that are
            recognized as the class of their label, averaged over classes that
            have fakes. `None` without a classifier.
        class_label_fidelity: Tuple of such shares, one for each class; `None`
            for a class without fakes. `None` without a classifier.
        class_coverage: Tuple of floats in `[0, 1]`: coverage of each class's
            real images by its fakes; `None` for a class with at most `k` real
            images or without fakes.
        num_real: Integer. Real images that were compared.
        num_fake: Integer. Fakes that were compared.
        k: Integer. The neighbor that balls reach to.
    """

    kernel_distance: float
    frechet_distance: float
    precision: float
    recall: float
    density: float
    coverage: float
    label_fidelity: float | None
    class_label_fidelity: tuple[float | None, ...] | None
    class_coverage: tuple[float | None, ...]
    num_real: int
    num_fake: int
    k: int

    def to_dict(self):
        """Makes a dict that JSON can hold, of the same names."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def score_images(
    real,
    fake,
    extractor,
    seed=0,
    k=5,
    label_probabilities=None,
    max_images=10_000,
):
    """Scores synthetic images against real ones.

    Real images and fakes should have about the same share of each class: the
    measures of all images see different shares as a difference. To know what
    values are good, score real images that were held out as if they were fakes,
    as many of them.

    Args:
        real: `LabeledImages`, more than `k` of them.
        fake: `LabeledImages`, more than `k` of them, of the same shape,
            classes and value range.
        extractor: A `FeatureExtractor` for such images, or a function from
            images `(num_images, height, width, channels)`, as they are in
            `real` and `fake`, to features `(num_images, dim)`.
        seed: Integer in `[0, 2**31)`. Fixes which images are compared where
            there are more than `max_images`. Defaults to `0`.
        k: Integer. The neighbor that balls reach to, see
            `precision_recall_density_coverage`. Defaults to `5`.
        label_probabilities: Array `(num_fake, num_classes)`: the class
            probabilities of the fakes by a classifier of your own. By default
            those of the `FeatureExtractor`; with a function of your own, none.
        max_images: Integer. Real images, and fakes, that are compared at most;
            time grows with its square. Defaults to `10_000`.

    Returns:
        A `FidelityScores`.

    Raises:
        ValueError: The images do not fit one another or the extractor, there
            are too few, or an argument has the wrong shape.
        TypeError: `extractor` is neither.

    Example:

    >>> from ganaug.data.labeled_images import LabeledImages
    >>> pixels = np.random.default_rng(0).uniform(size=(40, 4, 4, 1))
    >>> real = LabeledImages(pixels, np.arange(40) % 2)
    >>> fake = real.subset(np.zeros(20, int))
    >>> scores = score_images(real, fake, lambda images: images.reshape(-1, 16))
    >>> scores.precision, scores.recall
    (1.0, 0.025)
    """
    _check_pair(real, fake, "fake")
    if not isinstance(max_images, int) or max_images < 1:
        raise ValueError(
            "`max_images` must be a positive integer. "
            f"Received: max_images={max_images!r}"
        )
    features_of = _feature_function(extractor, real)
    rng = np.random.default_rng(derive_seed(resolve_seed(seed), "fidelity"))
    real = real.subset(_draw(len(real), max_images, rng))
    drawn = _draw(len(fake), max_images, rng)
    if label_probabilities is not None:
        label_probabilities = _check_probabilities(label_probabilities, fake)
        label_probabilities = label_probabilities[drawn]
    fake = fake.subset(drawn)
    if label_probabilities is None and isinstance(extractor, FeatureExtractor):
        label_probabilities = extractor.probabilities(fake.images)
    real_features = _features(features_of, real)
    fake_features = _features(features_of, fake)
    label_fidelity = class_label_fidelity = None
    if label_probabilities is not None:
        class_label_fidelity = _class_label_fidelity(fake, label_probabilities)
        label_fidelity = float(
            np.mean([s for s in class_label_fidelity if s is not None])
        )
    return FidelityScores(
        kernel_distance=kernel_distance(real_features, fake_features),
        frechet_distance=frechet_distance(real_features, fake_features),
        **precision_recall_density_coverage(real_features, fake_features, k),
        label_fidelity=label_fidelity,
        class_label_fidelity=class_label_fidelity,
        class_coverage=_class_coverage(
            real, real_features, fake, fake_features, k
        ),
        num_real=len(real),
        num_fake=len(fake),
        k=int(k),
    )


def score_images_per_class(real, fake, extractor, seed=0, k=5):
    """Scores the synthetic images of each class against the real ones of it.

    Args:
        real: As in `score_images`.
        fake: As there.
        extractor: As there.
        seed: As there.
        k: As there.

    Returns:
        A tuple of `FidelityScores`, one for each class; `None` for a class
        with at most `k` real images or fakes, or whose real images all have
        the same features.

    Raises:
        ValueError: As in `score_images`.
    """
    _check_pair(real, fake, "fake")
    enough = np.minimum(real.class_counts, fake.class_counts) > k
    scores = []
    for label in range(real.num_classes):
        of_class = [
            images.subset(np.flatnonzero(images.labels == label))
            for images in (real, fake)
            if enough[label]
        ]
        is_varied = enough[label] and np.ptp(of_class[0].images, axis=0).any()
        scores.append(
            score_images(*of_class, extractor, seed, k) if is_varied else None
        )
    return tuple(scores)


def _check_pair(real, other, name):
    other.check_fits(real.image_shape, real.num_classes)
    if other.value_range != real.value_range:
        raise ValueError(
            f"`{name}` must have the same value range as the other images. "
            "Convert it, or declare its range with `value_range` where it was "
            f"guessed wrong. Received: {other.value_range} and "
            f"{real.value_range}"
        )


def _feature_function(extractor, real):
    if not isinstance(extractor, FeatureExtractor):
        if not callable(extractor):
            raise TypeError(
                "`extractor` must be a FeatureExtractor or a function from "
                "images to features. "
                f"Received: extractor={extractor!r}"
            )
        return extractor
    real.check_fits(extractor.image_shape, extractor.num_classes)
    if real.value_range != extractor.value_range:
        raise ValueError(
            "`extractor` must be for images of the same value range. "
            f"Received: an extractor for {extractor.value_range} and images "
            f"in {real.value_range}"
        )
    return extractor.features


def _draw(num_images, max_images, rng):
    if num_images <= max_images:
        return np.arange(num_images)
    return np.sort(rng.choice(num_images, max_images, replace=False))


def _features(features_of, labeled_images):
    features = np.asarray(features_of(labeled_images.images))
    if features.ndim != 2 or len(features) != len(labeled_images):
        raise ValueError(
            "`extractor` must give one row of features for each image. "
            f"Received: features of shape {features.shape} for "
            f"{len(labeled_images)} images"
        )
    return features


def _check_probabilities(probabilities, fake):
    probabilities = np.asarray(probabilities)
    shape = (len(fake), fake.num_classes)
    if probabilities.shape != shape or not np.isfinite(probabilities).all():
        raise ValueError(
            "`label_probabilities` must be finite numbers of the shape "
            f"(num_fake, num_classes) = {shape}. "
            f"Received: label_probabilities.shape={probabilities.shape}"
        )
    return probabilities


def _class_label_fidelity(fake, probabilities):
    is_label = probabilities.argmax(-1) == fake.labels
    return tuple(
        float(is_label[fake.labels == label].mean()) if count else None
        for label, count in enumerate(fake.class_counts)
    )


def _class_coverage(real, real_features, fake, fake_features, k):
    return tuple(
        coverage(
            real_features[real.labels == label],
            fake_features[fake.labels == label],
            k,
        )
        if num_real > k and num_fake
        else None
        for label, (num_real, num_fake) in enumerate(
            zip(real.class_counts, fake.class_counts, strict=True)
        )
    )


def classification_accuracy_score(fake, test, seed, steps=600):
    """Measures how well a classifier that saw only fakes does on real images.

    It is trained as `train_feature_extractor` does. Compare with the same
    score of as many real images in place of the fakes.

    Args:
        fake: `LabeledImages` to train on, at least one image of each class.
        test: `LabeledImages`, real images of the same shape, classes and
            value range.
        seed: Integer in `[0, 2**31)`, or `None` to draw one.
        steps: Integer. Optimizer steps of 64 images. Defaults to `600`.

    Returns:
        A float in `[0, 1]`: balanced accuracy, the mean recall of the classes
        that have test images.

    Raises:
        ValueError: The images do not fit one another, or as in
            `train_feature_extractor`.

    Reference:
        - [Ravuri and Vinyals, 2019](https://arxiv.org/abs/1905.10887)
    """
    _check_pair(fake, test, "test")
    classifier = train_feature_extractor(fake, seed, steps)
    # Not `balanced_accuracy_score`, which warns where the test set lacks a
    # class that was predicted.
    return float(
        metrics.recall_score(
            test.labels,
            classifier.probabilities(test.images).argmax(-1),
            labels=np.flatnonzero(test.class_counts),
            average="macro",
            zero_division=0,
        )
    )
