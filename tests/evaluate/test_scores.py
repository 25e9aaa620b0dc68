"""Scores, each against another way of computing it."""

import numpy as np
import pytest
from imblearn.metrics import geometric_mean_score
from sklearn import metrics

from ganaug.data.labeled_images import LabeledImages
from ganaug.evaluate.scores import calibration_error, classification_scores


def labeled(labels, num_classes=3):
    images = np.zeros((len(labels), 4, 4, 1), np.uint8)
    images[:, 0, 0, 0] = 255
    names = [str(label) for label in range(num_classes)]
    return LabeledImages(images, labels, names)


@pytest.fixture
def predictions():
    rng = np.random.default_rng(0)
    labels = rng.choice(3, 400, p=[0.7, 0.2, 0.1])
    logits = rng.normal(0, 1.5, (400, 3)) + 1.5 * np.eye(3)[labels]
    probabilities = np.exp(logits)
    return labels, probabilities / probabilities.sum(1, keepdims=True)


def test_they_are_those_of_the_libraries(predictions):
    """scikit-learn's and imbalanced-learn's."""
    labels, probabilities = predictions
    scores = classification_scores(labeled(labels), probabilities)
    predicted = probabilities.argmax(1)
    expected = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
        "geometric_mean": geometric_mean_score(
            labels, predicted, average="multiclass"
        ),
        "auroc": metrics.roc_auc_score(
            labels, probabilities, multi_class="ovr", average="macro"
        ),
        "log_loss": metrics.log_loss(labels, probabilities),
    }
    for name, value in expected.items():
        assert scores[name] == pytest.approx(value), name
    np.testing.assert_allclose(
        scores["recall"], metrics.recall_score(labels, predicted, average=None)
    )


def test_classes_without_images_do_not_count(predictions):
    """And one class alone has no curve."""
    labels, probabilities = predictions
    kept = labels < 2
    scores = classification_scores(labeled(labels[kept]), probabilities[kept])
    assert scores["recall"][2] is None
    assert scores["balanced_accuracy"] == pytest.approx(
        np.mean(scores["recall"][:2])
    )
    assert scores["geometric_mean"] == pytest.approx(
        np.sqrt(np.prod(scores["recall"][:2]))
    )
    assert 0.5 < scores["auroc"] < 1
    alone = labels == 0
    scores = classification_scores(labeled(labels[alone]), probabilities[alone])
    assert scores["auroc"] is None


def test_calibration():
    """Whoever is right as often as it says has none; overconfidence has."""
    rng = np.random.default_rng(1)
    confidences = rng.uniform(0.3, 1, 100_000)
    correct = rng.random(100_000) < confidences
    assert calibration_error(correct, confidences) < 0.01
    assert calibration_error(correct, np.ones(100_000)) == pytest.approx(
        1 - correct.mean()
    )
    # Errors of two bins do not cancel.
    confidences = np.array([0.2] * 50 + [0.9] * 50)
    correct = np.array([True] * 50 + [False] * 50)
    assert calibration_error(correct, confidences) == pytest.approx(
        (0.8 + 0.9) / 2
    )


def test_a_certain_mistake_is_finite(predictions):
    """As in scikit-learn."""
    probabilities = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    scores = classification_scores(labeled(np.array([1, 1])), probabilities)
    assert 17 < scores["log_loss"] < 19
