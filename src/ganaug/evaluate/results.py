"""The scores of one arm over the seeds."""

from dataclasses import dataclass

import numpy as np

CANDIDATE, CONTROL, REFERENCE = "candidate", "control", "reference"
# A control on fewer real images.
CURVE = "curve"


@dataclass(frozen=True)
class ArmResult:
    """The scores of one arm, a number for each seed.

    Args:
        name: String.
        role: String. `"candidate"` if the arm is under test, `"control"`,
            `"reference"` if it is shown beside and not judged, or `"curve"` if
            it is a control on a share of the real images.
        without: String. The control that is the same but for what is under
            test, or `None`.
        on_top_of: String. The control that it came on top of, or `None`.
        fraction: Float. Share of the real images that it was trained on.
        accuracy: Tuple of floats in `[0, 1]`.
        balanced_accuracy: Tuple of floats: mean recall over the classes that
            the test set has.
        macro_f1: Tuple of floats: mean F1 over those classes.
        geometric_mean: Tuple of floats: geometric mean of the recalls.
        auroc: Tuple of floats: mean area under the ROC curve of each class
            against the rest; `None` where the test set has one class alone.
        calibration_error: Tuple of floats: expected calibration error.
        log_loss: Tuple of floats: mean negative log-likelihood in nats.
        recall: Tuple of tuples, a float for each class; `None` for a class
            without test images.
        reliability: Tuple of tuples, for each bin of confidence the number of
            predictions, the sum of their confidences and how many are right.
        validation: Tuple of floats: balanced accuracy on the validation data,
            or `None` where there are none for this arm.
    """

    name: str
    role: str
    without: str | None
    on_top_of: str | None
    fraction: float
    accuracy: tuple
    balanced_accuracy: tuple
    macro_f1: tuple
    geometric_mean: tuple
    auroc: tuple
    calibration_error: tuple
    log_loss: tuple
    recall: tuple
    reliability: tuple
    validation: tuple | None = None

    @classmethod
    def of(cls, name, role, scores, validation_scores, **facts):
        """Makes it of the scores of each seed.

        Args:
            name: String.
            role: String.
            scores: List of dicts, as `classification_scores` gives them.
            validation_scores: List of such dicts, or `None`.
            **facts: `without`, `on_top_of` and `fraction`.

        Returns:
            An `ArmResult`.
        """
        validation = None
        if validation_scores is not None:
            validation = tuple(
                found["balanced_accuracy"] for found in validation_scores
            )
        return cls(
            name=name,
            role=role,
            validation=validation,
            **facts,
            **{
                metric: tuple(found[metric] for found in scores)
                for metric in scores[0]
            },
        )

    @property
    def is_candidate(self):
        """Whether the arm is under test."""
        return self.role == CANDIDATE

    @property
    def mean(self):
        """Mean balanced accuracy over the seeds."""
        return float(np.mean(self.balanced_accuracy))

    @property
    def spread(self):
        """Standard deviation of balanced accuracy over the seeds."""
        if len(self.balanced_accuracy) < 2:
            return 0.0
        return float(np.std(self.balanced_accuracy, ddof=1))

    @property
    def mean_validation(self):
        """Mean balanced accuracy on the validation data, or `None`."""
        return (
            None if self.validation is None else float(np.mean(self.validation))
        )

    @property
    def mean_recall(self):
        """List of mean recalls, `None` for a class without test images."""
        return [
            None if None in seeds else float(np.mean(seeds))
            for seeds in zip(*self.recall, strict=True)
        ]
