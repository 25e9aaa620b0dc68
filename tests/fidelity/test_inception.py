"""Features of Inception, with weights that are on the machine."""

import keras
import numpy as np
import pytest

import ganaug
from ganaug.fidelity.inception import FILE, inception_features
from ganaug.fidelity.scores import score_images


@pytest.fixture(scope="module")
def keras_home(tmp_path_factory):
    """A folder like Keras's own, with weights in the file that it fetches."""
    home = tmp_path_factory.mktemp("keras")
    (home / "models").mkdir()
    keras.utils.set_random_seed(0)
    network = keras.applications.InceptionV3(include_top=False, weights=None)
    # In the old format, as the weights that Keras fetches are.
    network.save(home / "models" / FILE)
    return home


def test_the_features_measure_images(keras_home, make_images, monkeypatch):
    """Gray or colour, in any value range."""
    monkeypatch.setenv("KERAS_HOME", str(keras_home))
    real = make_images([4, 4], (9, 7, 3))
    extract = inception_features(real.value_range)
    features = extract(real.images)
    assert features.shape == (8, 2048)
    assert np.ptp(features, axis=0).max() > 0
    scaled = inception_features((0, 1))(real.images / 255)
    np.testing.assert_allclose(scaled, features, atol=1e-3)
    assert extract(real.images[:2, ..., :1]).shape == (2, 2048)
    scores = score_images(real, real, extract, k=3)
    assert scores.frechet_distance == pytest.approx(0, abs=1e-6)
    assert scores.precision == 1
    with pytest.raises(ValueError, match="1 or 3 channels"):
        extract(np.zeros((1, 8, 8, 2)))


def test_nothing_is_fetched(tmp_path, monkeypatch):
    """Where there are no weights, it says how to get them."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="are not on this machine"):
        inception_features((0, 255))
    assert ganaug.fidelity.inception.FILE.endswith(".h5")
    assert not list(tmp_path.iterdir())
