"""Scores of one classifier on labeled images."""

import numpy as np
from sklearn import metrics

NUM_BINS = 15
# Probabilities below this are taken for this, as scikit-learn's log loss does.
SMALLEST = np.finfo(np.float64).eps


def classification_scores(test, probabilities):
    """Scores the predictions for a test set.

    Args:
        test: `LabeledImages`.
        probabilities: Array `(num_images, num_classes)`.

    Returns:
        A dict with floats: accuracy, balanced accuracy, macro F1 and the
        geometric mean of the classes' recalls, in `[0, 1]`; `auroc`, the mean
        over the classes of the area under the curve of each against the rest;
        `calibration_error` and `log_loss`, of which less is better. And a
        tuple with the recall of each class, and `reliability`, a tuple for each
        of 15 bins of confidence: number of predictions, sum of their
        confidences, number of those that are right. Classes without test
        images count in no mean and have the recall `None`; where the test set
        has one class alone, `auroc` is `None`.

    Reference:
        - [Expected calibration error, Guo et al.,
          2017](https://arxiv.org/abs/1706.04599)
    """
    probabilities = np.asarray(probabilities, np.float64)
    predicted = probabilities.argmax(-1)
    labels = np.arange(test.num_classes)
    with_images = test.class_counts > 0
    recall = metrics.recall_score(
        test.labels, predicted, labels=labels, average=None, zero_division=0
    )
    own = probabilities[np.arange(len(test)), test.labels]
    return {
        "accuracy": float(metrics.accuracy_score(test.labels, predicted)),
        "balanced_accuracy": float(recall[with_images].mean()),
        "macro_f1": float(
            metrics.f1_score(
                test.labels,
                predicted,
                labels=labels[with_images],
                average="macro",
                zero_division=0,
            )
        ),
        "geometric_mean": float(
            np.prod(recall[with_images] ** (1 / with_images.sum()))
        ),
        "auroc": _auroc(test.labels, probabilities, labels[with_images]),
        "calibration_error": calibration_error(
            test.labels == predicted, probabilities.max(-1)
        ),
        "log_loss": float(-np.log(np.maximum(own, SMALLEST)).mean()),
        "recall": tuple(
            float(value) if present else None
            for value, present in zip(recall, with_images, strict=True)
        ),
        "reliability": reliability(
            test.labels == predicted, probabilities.max(-1)
        ),
    }


def _auroc(labels, probabilities, present):
    if len(present) < 2:
        return None
    return float(
        np.mean(
            [
                metrics.roc_auc_score(labels == label, probabilities[:, label])
                for label in present
            ]
        )
    )


def reliability(correct, confidences, num_bins=NUM_BINS):
    """Counts predictions by how sure the classifier was.

    Args:
        correct: As in `calibration_error`.
        confidences: As there.
        num_bins: As there.

    Returns:
        A tuple for each bin: number of predictions, sum of their confidences,
        and number of those that are right.
    """
    bins = np.minimum((confidences * num_bins).astype(int), num_bins - 1)
    counts = np.bincount(bins, minlength=num_bins)
    sums = np.bincount(bins, confidences, num_bins)
    right = np.bincount(bins, correct, num_bins).astype(int)
    return tuple(
        zip(counts.tolist(), sums.tolist(), right.tolist(), strict=True)
    )


def calibration_error(correct, confidences, num_bins=NUM_BINS):
    """Computes the expected calibration error.

    Args:
        correct: Boolean array `(num_images,)`: whether each prediction is
            right.
        confidences: Float array `(num_images,)` in `[0, 1]`: the probability
            that the classifier gives it.
        num_bins: Integer. Bins of equal width. Defaults to `15`.

    Returns:
        A float in `[0, 1]`: how far confidence and accuracy lie apart, on
        average over images.

    Example:

    >>> calibration_error(np.array([True, False]), np.array([0.9, 0.9]))
    0.4

    Reference:
        - [Guo et al., 2017](https://arxiv.org/abs/1706.04599)
    """
    bins = reliability(correct, confidences, num_bins)
    gaps = sum(abs(total - right) for _, total, right in bins)
    return float(gaps / len(correct))
