"""All about the quality of synthetic images, in one place."""

from dataclasses import dataclass

import numpy as np

from ganaug.data.labeled_images import LabeledImages
from ganaug.data.splits import fingerprints
from ganaug.fidelity.features import train_feature_extractor
from ganaug.fidelity.memorization import (
    RULE,
    MemorizationScores,
    measure_memorization,
)
from ganaug.fidelity.scores import (
    FidelityScores,
    score_images,
    score_images_per_class,
)
from ganaug.seeds import derive_seed


@dataclass(frozen=True)
class SampleReport:
    """What `report_samples` finds.

    Args:
        scores: `FidelityScores` of synthetic against held-out real images.
        real_scores: `FidelityScores` of as many training images against the
            held-out ones: what to compare `scores` with.
        class_scores: Tuple of `FidelityScores`, one for each class; `None`
            for a class with too few images.
        memorization: `MemorizationScores`, or `None` where none of the images
            are there that the generator learnt.
        num_learnt: Integer. Images that the generator learnt.
        num_compared: Integer. Those of them that are there to be compared.
        synthetic: `LabeledImages` that were compared.
        class_names: Tuple of strings.
    """

    scores: FidelityScores
    real_scores: FidelityScores
    class_scores: tuple
    memorization: MemorizationScores | None
    num_learnt: int
    num_compared: int
    synthetic: LabeledImages
    class_names: tuple

    def to_dict(self):
        """Makes a dict that JSON can hold, without the images."""
        return {
            "scores": self.scores.to_dict(),
            "real_scores": self.real_scores.to_dict(),
            "class_names": list(self.class_names),
            "class_scores": [
                None if scores is None else scores.to_dict()
                for scores in self.class_scores
            ],
            "memorization": self.memorization and self.memorization.to_dict(),
            "memorization_rule": RULE,
            "num_learnt": self.num_learnt,
            "num_compared": self.num_compared,
        }


def report_samples(
    synthetic, train, held_out, extractor=None, seed=0, learnt=None
):
    """Measures synthetic images against held-out and training images.

    Args:
        synthetic: `LabeledImages`, of each class about as many as
            `held_out` has.
        train: `LabeledImages`, real training images.
        held_out: `LabeledImages`, real images that it did not.
        extractor: As in `score_images`. Defaults to the features of a small
            classifier that is trained on `train`.
        seed: Integer. Defaults to `0`.
        learnt: uint64 array, the fingerprints of what the generator learnt.
            Copies are looked for among those of `train` that it holds.
            Defaults to all of `train`.

    Returns:
        A `SampleReport`.

    Raises:
        ValueError: The images do not fit one another, or there are too few.
    """
    if extractor is None:
        extractor = train_feature_extractor(
            train, derive_seed(seed, "features")
        )
    numbers = fingerprints(train)
    learnt = numbers if learnt is None else learnt
    known = np.flatnonzero(np.isin(numbers, learnt))
    memorization = None
    if len(known):
        memorization = measure_memorization(
            synthetic, train.subset(known), held_out, seed
        )
    # More images come nearer to perfect scores, so both get as many.
    fewer = min(len(synthetic), len(train))
    compared, real = (
        images.subset(
            np.random.default_rng(derive_seed(seed, "compared")).permutation(
                len(images)
            )[:fewer]
        )
        for images in (synthetic, train)
    )
    return SampleReport(
        scores=score_images(held_out, compared, extractor, seed),
        real_scores=score_images(held_out, real, extractor, seed),
        class_scores=score_images_per_class(
            held_out, synthetic, extractor, seed
        ),
        memorization=memorization,
        num_learnt=len(np.unique(learnt)),
        num_compared=len(np.unique(numbers[known])),
        synthetic=synthetic,
        class_names=train.class_names,
    )
