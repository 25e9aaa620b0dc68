"""The feature extractor: what it learns, takes and refuses."""

import numpy as np
import pytest

from ganaug.data.labeled_images import LabeledImages
from ganaug.fidelity.features import train_feature_extractor


@pytest.fixture(scope="module")
def extractor(digits):
    """An extractor for the long-tailed digits."""
    return train_feature_extractor(digits.train, seed=0, steps=150)


def test_classes_are_told_apart(digits, extractor):
    """New images are recognized, from 3 to 40 training images a class."""
    probabilities = extractor.probabilities(digits.test.images)
    assert probabilities.shape == (len(digits.test), 10)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    recognized = probabilities.argmax(-1) == digits.test.labels
    assert recognized.mean() > 0.75


def test_features_are_standardized(digits, extractor):
    """Over the training images each has the mean 0 and the deviation 1."""
    features = extractor.features(digits.train.images)
    assert features.shape == (len(digits.train), extractor.dim)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(features.std(0), 1, rtol=1e-3)


def test_a_shift_is_a_small_change(digits, extractor):
    """An image moved by a pixel is nearer in features than in pixels."""
    images = digits.test.images[:200]
    moved = np.roll(images, 1, axis=1)

    def relative_distance(of_images, of_moved):
        shape = (len(images), -1)
        of_images, of_moved = of_images.reshape(shape), of_moved.reshape(shape)
        moves = np.linalg.norm(of_images - of_moved, axis=1).mean()
        others = np.linalg.norm(of_images - of_images[::-1], axis=1).mean()
        return moves / others

    in_features = relative_distance(
        extractor.features(images), extractor.features(moved)
    )
    assert in_features < 0.8 * relative_distance(images, moved)


def test_the_seed_fixes_everything(make_images):
    """One seed gives equal features, another one others."""
    data = make_images((6, 4, 1))
    first, again, other = (
        train_feature_extractor(data, seed, steps=5).features(data.images)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


def test_batches_do_not_change_features(extractor):
    """An image has the same features alone and among many."""
    images = np.random.default_rng(0).uniform(0, 1, (300, 8, 8, 1))
    low, high = extractor.value_range
    images = low + images * (high - low)
    np.testing.assert_allclose(
        extractor.features(images)[[0, 299]],
        extractor.features(images[[0, 299]]),
        atol=1e-4,
    )


def test_the_dtype_does_not_matter(make_images):
    """8-bit pictures and floats of the same have the same features."""
    data = make_images()
    extractor = train_feature_extractor(data, seed=0, steps=3)
    np.testing.assert_allclose(
        extractor.features(data.images),
        extractor.features(data.images.astype("float64")),
        atol=1e-5,
    )


@pytest.mark.parametrize(
    "shape", [(4, 4, 1), (5, 7, 3), (4, 33, 2), (37, 12, 4)]
)
def test_any_size(make_images, shape):
    """Odd and non-square images of 1 to 4 channels, one image of a class."""
    data = make_images((5, 1), shape)
    extractor = train_feature_extractor(data, seed=0, steps=2)
    assert np.isfinite(extractor.features(data.images)).all()
    assert extractor.image_shape == shape


def test_a_declared_value_range(make_images):
    """Features are those of the same pictures in another range."""
    data = make_images()
    other = LabeledImages(
        data.images.astype("float32") / 255 * 7 - 3,
        data.labels,
        value_range=(-3, 4),
    )
    first = train_feature_extractor(data, 0, steps=1)
    second = train_feature_extractor(other, 0, steps=1)
    np.testing.assert_allclose(
        first.probabilities(data.images),
        second.probabilities(other.images),
        atol=1e-4,
    )


def test_equal_images_give_finite_features():
    """Where nothing varies, standardizing does not blow up rounding."""
    data = LabeledImages(np.full((6, 8, 8), 0.5), [0, 1] * 3)
    extractor = train_feature_extractor(data, seed=0, steps=2)
    assert np.abs(extractor.features(data.images)).max() < 1e-3


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 8, 8)), r"images.shape=\(2, 8, 8\)"),
        (np.zeros((2, 9, 8, 1)), r"images of \(8, 8, 1\)"),
        (np.zeros((0, 8, 8, 1)), "at least one image"),
        (np.full((2, 8, 8, 1), np.nan), "NaN or infinity"),
        (np.full((2, 8, 8, 1), 300), "from 300 to 300"),
    ],
)
def test_images_of_another_kind_are_refused(extractor, images, message):
    """Shape, number and values must be those of the data."""
    with pytest.raises(ValueError, match=message):
        extractor.features(images)
    with pytest.raises(ValueError, match=message):
        extractor.probabilities(images)


def test_what_teaches_no_features_is_refused(make_images):
    """Too few classes, a missing one, tiny images, no steps."""
    with pytest.raises(ValueError, match=r"feature function .* of your own"):
        train_feature_extractor(make_images((5,)), seed=0)
    with pytest.raises(ValueError, match=r"no image of \['1'\]"):
        train_feature_extractor(make_images((5, 0, 2)), seed=0)
    with pytest.raises(ValueError, match="at least 4 pixels"):
        train_feature_extractor(make_images(shape=(3, 8, 1)), seed=0)
    for steps in (0, 1.5, True):
        with pytest.raises(ValueError, match="`steps` must be a positive"):
            train_feature_extractor(make_images(), seed=0, steps=steps)
    with pytest.raises(ValueError, match="`seed` must be"):
        train_feature_extractor(make_images(), seed=-1)
