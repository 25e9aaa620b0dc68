"""The features of the classifier under evaluation."""

import keras
import numpy as np
import pytest

import ganaug
from ganaug.evaluate.classifier_features import classifier_features
from ganaug.evaluate.classifiers import (
    build_classifier,
    build_residual_classifier,
)


@pytest.mark.parametrize(
    ("classifier", "dim"),
    [(build_classifier, 128), (build_residual_classifier, 64)],
)
def test_they_are_what_the_last_layer_is_given(digits, classifier, dim):
    """Of a classifier that knows the classes, standardized."""
    train, test = digits.train, digits.test.subset(range(0, 700, 7))
    extractor = classifier_features(train, classifier, steps=60)
    features = extractor.features(train.images)
    assert features.shape == (145, dim)
    np.testing.assert_allclose(features.mean(0), 0, atol=1e-3)
    spread = features.std(0)
    # A feature that is 0 everywhere stays so.
    np.testing.assert_allclose(spread[spread > 0], 1, atol=1e-3)
    assert (spread > 0).mean() > 0.5
    guessed = extractor.probabilities(test.images).argmax(1)
    assert (guessed == test.labels).mean() > 0.6


def test_the_seed_fixes_them(digits, linear):
    """And other seeds have others."""
    first, again, other = (
        classifier_features(digits.train, linear, 20, seed=seed).probabilities(
            digits.test.images
        )
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_value_range_is_kept(digits, linear):
    """Images come as the data have them."""
    train = digits.train
    shifted = ganaug.LabeledImages(
        train.images.astype("float32") / 255 * 4 - 3,
        train.labels,
        value_range=(-3, 1),
    )

    def classifier(image_shape, num_classes, value_range):
        low, high = value_range
        scale = 255 / (high - low)
        return keras.Sequential(
            [
                keras.Input(image_shape),
                keras.layers.Rescaling(scale, -low * scale),
                linear(image_shape, num_classes, (0, 255)),
                keras.layers.Dense(num_classes),
            ]
        )

    # The same pictures, and so the same network, in two ranges.
    first, second = (
        classifier_features(data, classifier, 20).probabilities(data.images)
        for data in (train, shifted)
    )
    assert np.ptp(first, axis=0).max() > 0.1
    np.testing.assert_allclose(first, second, atol=1e-3)


def test_a_last_layer_that_takes_maps_is_refused(digits):
    """With its name."""

    def pooled(image_shape, num_classes, value_range):
        return keras.Sequential(
            [
                keras.Input(image_shape),
                keras.layers.Conv2D(num_classes, 3),
                keras.layers.GlobalAveragePooling2D(name="pooling"),
            ]
        )

    with pytest.raises(ValueError, match="last layer 'pooling'"):
        classifier_features(digits.train, pooled, 1)
