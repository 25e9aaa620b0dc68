"""Scores of one classifier on the test set."""

import numpy as np
from sklearn import metrics


def classification_scores(test, probabilities):
    """Scores the predictions for a test set.

    Args:
        test: `LabeledImages`.
        probabilities: Array `(num_images, num_classes)`.

    Returns:
        A dict with accuracy, balanced accuracy and macro F1, floats in
        `[0, 1]`, and a tuple with the recall of each class. Classes without
        test images count in no mean and have the recall `None`.
    """
    predicted = probabilities.argmax(-1)
    labels = np.arange(test.num_classes)
    with_images = test.class_counts > 0
    recall = metrics.recall_score(
        test.labels, predicted, labels=labels, average=None, zero_division=0
    )
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
        "recall": tuple(
            float(value) if present else None
            for value, present in zip(recall, with_images, strict=True)
        ),
    }
