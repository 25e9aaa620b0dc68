"""All about the quality of synthetic images, in one place."""

from dataclasses import dataclass

from ganaug.data.labeled_images import LabeledImages
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
        real_scores: `FidelityScores` of training images against the held-out
            ones: what to compare `scores` with.
        class_scores: Tuple of `FidelityScores`, one for each class; `None`
            for a class with too few images.
        memorization: `MemorizationScores`.
        synthetic: `LabeledImages` that were compared.
        class_names: Tuple of strings.
    """

    scores: FidelityScores
    real_scores: FidelityScores
    class_scores: tuple
    memorization: MemorizationScores
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
            "memorization": self.memorization.to_dict(),
            "memorization_rule": RULE,
        }


def report_samples(synthetic, train, held_out, extractor=None, seed=0):
    """Measures synthetic images against held-out and training images.

    Args:
        synthetic: `LabeledImages`, of each class about as many as
            `held_out` has.
        train: `LabeledImages` that the generator learnt.
        held_out: `LabeledImages`, real images that it did not.
        extractor: As in `score_images`. Defaults to the features of a small
            classifier that is trained on `train`.
        seed: Integer. Defaults to `0`.

    Returns:
        A `SampleReport`.

    Raises:
        ValueError: The images do not fit one another, or there are too few.
    """
    if extractor is None:
        extractor = train_feature_extractor(
            train, derive_seed(seed, "features")
        )
    return SampleReport(
        scores=score_images(held_out, synthetic, extractor, seed),
        real_scores=score_images(held_out, train, extractor, seed),
        class_scores=score_images_per_class(
            held_out, synthetic, extractor, seed
        ),
        memorization=measure_memorization(synthetic, train, held_out, seed),
        synthetic=synthetic,
        class_names=train.class_names,
    )
