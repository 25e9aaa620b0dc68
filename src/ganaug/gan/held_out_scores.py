"""Scores of a model's images against held-out real ones."""

import hashlib
import math
from dataclasses import replace

import numpy as np

from ganaug.data.images import from_unit
from ganaug.data.splits import fingerprints
from ganaug.fidelity.features import FeatureExtractor, train_feature_extractor
from ganaug.fidelity.scores import MEASURES, score_images
from ganaug.gan.fit_arguments import check_fit_arguments
from ganaug.gan.generation import draw_unit_images
from ganaug.seeds import derive_seed, resolve_seed

# Which neighbor reaches as far as an image covers, see `score_images`.
NEIGHBORS = 5


class HeldOutScores:
    """Scores what a model draws, each time from the same latents and labels.

    Args:
        train: `LabeledImages` that models are trained on. Their classes teach
            the feature extractor, when it is first needed.
        held_out: `LabeledImages` of the same shape and classes, at least 6,
            that are in no training.
        extractor: A `ganaug.fidelity.features.FeatureExtractor`, a function
            from images to features, or `None` for a classifier of `train`.
        num_images: Integer of at least 6. Images to draw.
        seed: Integer. Fixes the latents and the feature extractor.

    Attributes:
        settings: Dict for JSON. Scores can be compared where it is the same.
        recognizes_labels: Boolean. Whether the extractor is a classifier, for
            label fidelity.

    Raises:
        ValueError: An argument is out of range, or the two sets share images
            or do not fit each other.
        TypeError: `extractor` is no function.
    """

    def __init__(self, train, held_out, extractor, num_images, seed):
        check_fit_arguments(num_images=num_images)
        for name, number in (
            ("num_images", num_images),
            ("held_out", len(held_out)),
        ):
            if number <= NEIGHBORS:
                raise ValueError(
                    f"`{name}` must be at least {NEIGHBORS + 1} images, since "
                    "the measures look at an image's neighbors. "
                    f"Received: {number} images"
                )
        _check_extractor(extractor, train)
        self.settings = {
            "num_images": int(num_images),
            "seed": resolve_seed(seed),
            "data": _check_apart(train, held_out),
        }
        self.recognizes_labels = extractor is None or isinstance(
            extractor, FeatureExtractor
        )
        self._train = train
        self._held_out = held_out
        self._extractor = extractor
        self._labels = _labels_by_share(
            held_out.class_counts, self.settings["num_images"]
        )

    def check(self, model):
        """Checks that a model can be scored.

        Args:
            model: A `GenerativeModel` that knows what it is trained on.

        Raises:
            ValueError: Its images are of another kind, or it is trained on
                held-out ones.
        """
        held_out = self._held_out
        held_out.check_fits(
            model.image_shape, model.num_classes or held_out.num_classes
        )
        seen = np.isin(fingerprints(held_out), model.learnt.fingerprints)
        if seen.any():
            raise ValueError(
                "`held_out` must hold images that the model is not trained "
                "on: of those it knows, copies look best. Leave them out of "
                f"one of the two. Received: {seen.sum()} images that are in "
                f"the training too, the first at index {seen.argmax()}"
            )

    def score(self, model):
        """Scores images of the averaged generator.

        Args:
            model: A `GenerativeModel`.

        Returns:
            A dict from each name in `ganaug.fidelity.scores.MEASURES` to a
            float; NaN where the generator gave NaN, `None` for label fidelity
            that cannot be measured.
        """
        if self._extractor is None:
            self._extractor = train_feature_extractor(
                self._train,
                derive_seed(self.settings["seed"], "quality features"),
            )
        extractor, labels = self._extractor, self._labels
        if model.num_classes is None:
            # No label was asked for, so none can be missed.
            labels = len(self._labels)
            if isinstance(extractor, FeatureExtractor):
                extractor = extractor.features
        images = draw_unit_images(
            model.ema_generator,
            labels,
            derive_seed(self.settings["seed"], "quality images"),
            model.latent_dim,
        )
        if not np.isfinite(images).all():
            return dict.fromkeys(MEASURES, math.nan)
        held_out = self._held_out
        fake = replace(
            held_out,
            images=_into_range(
                images, held_out.value_range, held_out.images.dtype
            ),
            labels=self._labels,
            image_names=None,
        )
        scores = score_images(
            held_out, fake, extractor, self.settings["seed"], NEIGHBORS
        ).to_dict()
        return {name: scores[name] for name in MEASURES}


def _check_extractor(extractor, train):
    if extractor is None:
        if train.num_classes < 2:
            raise ValueError(
                "Features are learnt by telling classes apart. For images of "
                "one kind give an `extractor`, a function from images to "
                "features. Received: extractor=None with "
                f"class_names={train.class_names}"
            )
        train.check_trainable()
    elif not (isinstance(extractor, FeatureExtractor) or callable(extractor)):
        raise TypeError(
            "`extractor` must be a FeatureExtractor or a function from images "
            f"to features. Received: extractor={extractor!r}"
        )


def _check_apart(train, held_out):
    """Checks the two sets, and returns a hash of both."""
    held_out.check_fits(train.image_shape, train.num_classes)
    if (held_out.class_names, held_out.value_range) != (
        train.class_names,
        train.value_range,
    ):
        raise ValueError(
            "`held_out` must have the class names and the value range of "
            "`train`. Declare them where they were guessed wrong. Received: "
            f"{held_out.class_names} in {held_out.value_range} for "
            f"{train.class_names} in {train.value_range}"
        )
    known, numbers = fingerprints(train), fingerprints(held_out)
    shared = np.isin(numbers, known)
    if shared.any():
        raise ValueError(
            "`held_out` must have no image of `train`: of those it knows, "
            "copies look best. Leave them out of one of the two. "
            f"Received: {shared.sum()} images that are in both, the first at "
            f"held_out index {shared.argmax()}"
        )
    digest = hashlib.sha256()
    for part in (known, train.labels, numbers, held_out.labels):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def _into_range(images, value_range, dtype):
    images = from_unit(images, value_range, dtype).numpy()
    if dtype.kind != "f":
        return images
    # Drawn in float32, a bound may come out beyond itself in float64.
    return np.clip(images, *np.asarray(value_range, dtype))


def _labels_by_share(class_counts, num_images):
    """Labels with the classes' shares, as near as whole images allow."""
    exact = class_counts * (num_images / class_counts.sum())
    counts = np.floor(exact).astype(int)
    left = num_images - counts.sum()
    counts[np.argsort(counts - exact, kind="stable")[:left]] += 1
    return np.repeat(np.arange(len(counts)), counts).astype(np.int32)
