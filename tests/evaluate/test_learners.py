"""Classifiers: Keras models of one's own, and scikit-learn's."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import ganaug
from ganaug.evaluate.arms import BASELINE, Arm
from ganaug.evaluate.classifiers import build_residual_classifier
from ganaug.evaluate.estimator_learner import EstimatorLearner
from ganaug.evaluate.transforms import Classic, MixUp


def evaluate(digits, classifier, arms=None, **kwargs):
    kwargs = {"seeds": 2, "steps": 12, "controls": {BASELINE: Arm()}, **kwargs}
    return ganaug.evaluate_augmentation(
        digits.train,
        digits.test,
        arms or {"shifts": Classic()},
        classifier=classifier,
        **kwargs,
    )


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=200)),
        RandomForestClassifier(20),
        KNeighborsClassifier(3),
        LinearSVC(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimators_of_scikit_learn(digits, estimator):
    """They learn, and do so again in the same way."""
    reports = [evaluate(digits, estimator) for _ in range(2)]
    assert reports[0].arms == reports[1].arms
    assert reports[0].arm(BASELINE).mean > 0.5
    assert type(estimator).__name__ in reports[0].settings["classifier"]
    assert not hasattr(estimator, "classes_")


def batches(images, labels, weights=None):
    weights = np.ones(len(images)) if weights is None else weights
    parts = (images, labels, weights)
    return (
        tf.data.Dataset.from_tensor_slices(
            tuple(part.astype("float32") for part in parts)
        )
        .batch(50)
        .repeat()
    )


def test_soft_labels_are_drawn(make_images):
    """On average, a classifier sees the shares."""
    train = make_images([100, 100], shape=(4, 4, 1))
    learner = EstimatorLearner(KNeighborsClassifier(200), train, 4)
    labels = np.tile([0.25, 0.75], (200, 1))
    learner.train(0, batches(train.images, labels), np.zeros(2), 0.0)
    np.testing.assert_allclose(
        learner.probabilities(train.images[:3]),
        np.tile([0.25, 0.75], (3, 1)),
        atol=0.1,
    )


def test_logits_are_adjusted_after_training(make_images):
    """What a network gets while it trains, an estimator gets then."""
    train = make_images([150, 50], shape=(4, 4, 1))
    learner = EstimatorLearner(KNeighborsClassifier(200), train, 4)
    shift = np.log([0.75, 0.25])
    learner.train(0, batches(train.images, np.eye(2)[train.labels]), shift, 0.0)
    np.testing.assert_allclose(
        learner.probabilities(train.images[:3]), 0.5, atol=0.01
    )


def test_weights_reach_estimators(make_images):
    """Without weight, a class is as if it were not there."""
    train = make_images([100, 100], shape=(4, 4, 1))
    learner = EstimatorLearner(RandomForestClassifier(10), train, 4)
    weights = np.where(train.labels == 0, 1.0, 0.0)
    data = batches(train.images, np.eye(2)[train.labels], weights)
    learner.train(0, data, np.zeros(2), 0.0)
    assert learner.probabilities(train.images)[:, 0].min() > 0.99


def test_classes_that_were_not_seen_have_no_chance(make_images):
    """Rather than an error."""
    train = make_images([60, 60, 60], shape=(4, 4, 1))
    first = train.subset(np.flatnonzero(train.labels != 1))
    learner = EstimatorLearner(LogisticRegression(max_iter=500), train, 3)
    data = batches(first.images / 255, np.eye(3)[first.labels])
    learner.train(0, data, np.zeros(3), 0.0)
    found = learner.probabilities(first.images / 255)
    assert found.shape == (120, 3)
    assert not found[:, 1].any()
    np.testing.assert_allclose(found.sum(-1), 1)


def test_estimators_have_a_loss_of_their_own(digits):
    """A focal loss cannot be asked of them."""
    with pytest.raises(ValueError, match=r"'focal': .*focal_gamma=2"):
        evaluate(
            digits, RandomForestClassifier(5), {"focal": Arm(focal_gamma=2.0)}
        )
    with pytest.raises(ValueError, match=r"'weights': .*takes no weights"):
        evaluate(
            digits, KNeighborsClassifier(), {"weights": Arm(class_weights=True)}
        )


def test_the_residual_network_learns(digits):
    """On odd, small and colour images it can be built."""
    report = evaluate(
        digits, build_residual_classifier, seeds=1, steps=60, batch_size=32
    )
    assert report.arm(BASELINE).mean > 0.6
    for shape in ((28, 28, 1), (33, 17, 3), (4, 4, 4), (3, 5, 2)):
        model = build_residual_classifier(shape, 7, (-1, 1))
        assert model.output_shape == (None, 7)


def ending_in(activation):
    def build(image_shape, num_classes, value_range):
        return keras.Sequential(
            [
                keras.Input(image_shape),
                keras.layers.Flatten(),
                keras.layers.Dense(num_classes),
                activation(),
            ]
        )

    return build


@pytest.mark.parametrize(
    "activation",
    [
        keras.layers.Softmax,
        lambda: keras.layers.Activation("softmax"),
        lambda: keras.layers.Activation("sigmoid"),
        lambda: keras.layers.Dense(10, activation="softmax"),
    ],
)
def test_probabilities_are_not_taken_for_logits(digits, activation):
    """Such a classifier would hardly learn, and hide every gain."""
    with pytest.raises(ValueError, match="must return logits, and these are"):
        evaluate(digits, ending_in(activation))


@pytest.mark.parametrize(
    "classifier", [None, "cnn", keras.Sequential([keras.Input((8, 8, 1))])]
)
def test_classifiers_are_functions_or_estimators(digits, classifier):
    """A model that was built once would go on where it stopped."""
    with pytest.raises(TypeError, match="`classifier` must be a function"):
        evaluate(digits, classifier)


def test_mixup_feeds_estimators(digits):
    """One-hot and mixed labels become classes."""
    report = evaluate(
        digits, RandomForestClassifier(20), {"mix": MixUp(10)}, seeds=1
    )
    assert report.arm("mix").mean > 0.5
