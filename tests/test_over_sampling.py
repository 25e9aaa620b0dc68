"""GANOverSampler among imbalanced-learn's samplers."""

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import make_pipeline
from imblearn.utils.estimator_checks import estimator_checks_generator
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score

import ganaug
from ganaug.synthesis.generators import Generators


def small(**kwargs):
    """A sampler that trains hardly."""
    settings = {"model": "vae", "steps": 2, "random_state": 0, **kwargs}
    return ganaug.GANOverSampler(**settings)


CHECKS = list(estimator_checks_generator(small()))


@pytest.mark.parametrize(
    ("estimator", "check"),
    CHECKS,
    ids=[check.func.__name__ for _, check in CHECKS],
)
def test_imbalanced_learns_own_checks(estimator, check):
    """All of them, on tables of two features."""
    check(estimator)


@pytest.fixture(scope="module")
def table(digits):
    """Long-tailed digits as scikit-learn has them."""
    images = digits.train.images
    return images.reshape(len(images), -1), digits.train.labels


def test_real_examples_come_first(table):
    """As they were; then synthetic ones, class by class, as many as asked."""
    X, y = table
    sampler = small(sampling_strategy={3: 25, 9: 8})
    new, labels = sampler.fit_resample(X, y)
    assert new.dtype == X.dtype
    np.testing.assert_array_equal(new[: len(X)], X)
    np.testing.assert_array_equal(labels[: len(X)], y)
    growth = {3: 25 - (y == 3).sum(), 9: 8 - (y == 9).sum()}
    assert labels[len(X) :].tolist() == [3] * growth[3] + [9] * growth[9]
    # In the range of the pixels, and no two alike.
    made = new[len(X) :]
    assert made.max() > 100
    assert len(np.unique(made, axis=0)) == len(made)
    again = small(sampling_strategy={3: 25, 9: 8}).fit_resample(X, y)[0]
    np.testing.assert_array_equal(new, again)
    other = sampler.set_params(random_state=1).fit_resample(X, y)[0]
    assert not np.array_equal(new, other)


def test_images_and_names(make_images):
    """Arrays of images, classes that are text, and a share for two classes."""
    images = make_images((40, 9), (6, 5, 3)).images
    names = np.array(["no"] * 40 + ["yes"] * 9)
    sampler = small(sampling_strategy=0.5)
    new, labels = sampler.fit_resample(images, names)
    assert new.shape == (60, 6, 5, 3)
    assert labels[49:].tolist() == ["yes"] * 11
    flat, labels = small(
        sampling_strategy=0.5, image_shape=(6, 5, 3)
    ).fit_resample(images.reshape(49, -1), names)
    np.testing.assert_array_equal(flat, new.reshape(60, -1))


def test_rows_that_fill_no_square():
    """Are filled up for the network, and come out as long as they were."""
    rng = np.random.default_rng(0)
    X = rng.normal(5, 20, (30, 18))
    new, labels = small().fit_resample(X, [0] * 20 + [1] * 10)
    assert new.shape == (40, 18)
    assert X.min() <= new[30:].min() and new[30:].max() <= X.max()
    assert labels[30:] == [1] * 10


def test_nothing_is_trained_for_nothing(table, monkeypatch):
    """Balanced classes stay as they are, in a copy."""
    X, y = table
    few = np.concatenate(
        [np.flatnonzero(y == label)[:3] for label in range(10)]
    )
    monkeypatch.setattr(ganaug.GANOverSampler, "_train", None)
    sampler = small()
    new, labels = sampler.fit_resample(X[few], y[few])
    np.testing.assert_array_equal(new, X[few])
    np.testing.assert_array_equal(labels, y[few])
    assert sampler.generators_ is None
    assert not np.shares_memory(new, X)


def test_a_fold_is_never_seen(table):
    """In cross-validation, the generator learns the training part alone."""
    X, y = table
    X, y = X[y < 4], y[y < 4]
    seen = []

    class Watched(ganaug.GANOverSampler):
        def fit_resample(self, X, y):
            made = super().fit_resample(X, y)
            seen.append((len(X), len(self.generators_.fingerprints)))
            return made

    pipeline = make_pipeline(
        Watched(model="vae", steps=2, random_state=0),
        LogisticRegression(max_iter=1000),
    )
    scores = cross_val_score(pipeline, X / 255.0, y, cv=3)
    assert scores.min() > 0.8
    assert len(seen) == 3
    assert all(size == known < len(X) for size, known in seen)


def test_it_can_be_searched(table):
    """Its arguments are parameters, also of a pipeline, and it is cloned."""
    X, y = table
    X, y = X[y < 3], y[y < 3]
    search = GridSearchCV(
        make_pipeline(small(), LogisticRegression(max_iter=1000)),
        {"ganoversampler__sampling_strategy": ["minority", "auto"]},
        cv=2,
        refit=False,
    )
    search.fit(X / 255.0, y)
    assert len(search.cv_results_["params"]) == 2
    assert clone(small(steps=7)).get_params()["steps"] == 7


@pytest.mark.parametrize("kind", ["folder", "model", "generators"])
def test_pretrained(table, small_gan, run, kind):
    """What was trained before draws; nothing is trained."""
    X, y = table
    pretrained = {
        "folder": run,
        "model": small_gan,
        "generators": Generators(small_gan),
    }[kind]
    sampler = small(pretrained=pretrained, image_shape=(8, 8))
    # Classes 2 and 7 alone: they are found by their names.
    X, y = X[(y == 2) | (y == 7)], y[(y == 2) | (y == 7)]
    new, labels = sampler.fit_resample(X, y)
    made = new[len(X) :].reshape(-1, 8, 8, 1)
    assert set(labels[len(X) :]) == {7}
    assert sampler.generators_.ids == Generators(small_gan).ids
    assert len(made) == (y == 2).sum() - (y == 7).sum()
    assert sampler.sampling_strategy_[7] == len(made)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "diffusion"}, "model='diffusion'"),
        ({"steps": 0}, "steps=0"),
        ({"batch_size": 2.5}, "batch_size=2.5"),
        ({"image_shape": (7, 8)}, r"image_shape=\(7, 8\) for 64 features"),
        ({"image_shape": 8}, "image_shape=8"),
        ({"image_shape": (-8, -8)}, r"image_shape=\(-8, -8\)"),
        ({"value_range": (0, 100)}, r"value_range=\(0.0, 100.0\) for uint8"),
        ({"value_range": (0, 511)}, r"value_range=\(0.0, 511.0\) for uint8"),
        ({"model": ganaug.ConditionalVAE}, "model=<class"),
        ({"model": lambda shape, classes, seed: None}, "Received: None"),
        (
            {
                "selection": ganaug.Selection(
                    [
                        ganaug.CopyFilter(
                            255 * np.eye(81, dtype="uint8").reshape(81, 9, 9)
                        )
                    ]
                )
            },
            "must have the shape",
        ),
        ({"selection": "best"}, "selection='best'"),
        ({"latents": "nearby"}, "latents='nearby'"),
        ({"model": "gan", "latents": "around"}, "encoder.*latents='around'"),
        ({"model": "gan", "latents": {"around": 1}}, "encoder.*{'around': 1}"),
        ({"truncation": -1}, "truncation=-1"),
        ({"sampling_strategy": "most"}, "sampling_strategy"),
    ],
)
def test_bad_arguments_are_refused(table, change, message, monkeypatch):
    """When it is called, as scikit-learn's estimators do; before training."""
    for model in ("ConditionalGAN", "ConditionalVAE"):
        monkeypatch.setattr(getattr(ganaug, model), "fit", None)
    with pytest.raises(ValueError, match=message):
        small(**change).fit_resample(*table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X / 255.0, y), r"float64 in \[0.0, 1.0\]"),
        (lambda X, y: (X[:, :25], y), r"those of `X` have \(5, 5, 1\)"),
        (lambda X, y: (X, y + 1), "those of `y`"),
    ],
)
def test_what_pretrained_cannot_draw(table, run, change, message):
    """Another range, shape or class."""
    with pytest.raises(ValueError, match=message):
        small(pretrained=run).fit_resample(*change(*table))


def test_generators_bring_their_own_settings(table, small_gan):
    """Others beside them are refused, and so are images between classes."""
    for change, message in (
        ({"truncation": 0.5}, "truncation=0.5"),
        ({"latents": "around"}, "latents='around'"),
    ):
        with pytest.raises(ValueError, match=message):
            small(pretrained=Generators(small_gan), **change).fit_resample(
                *table
            )
    between = Generators(small_gan, class_interpolation=1.0)
    with pytest.raises(ValueError, match="class_interpolation=1"):
        small(pretrained=between).fit_resample(*table)


@pytest.mark.parametrize(
    "change",
    [
        lambda X: X.astype(np.int64) + 10**12,
        lambda X: X / 255 + 1e8,
        lambda X: X * 1e300,
        lambda X: (X / 255 * 6e4).astype(np.float16),
        lambda X: X.astype(np.int8) - 64,
    ],
)
def test_values_of_any_size_keep_their_spread(table, change):
    """Though generators calculate in float32."""
    X, y = table
    X = change(X[y < 2] // 2)
    new, _ = small().fit_resample(X, y[y < 2])
    made = new[len(X) :].astype(float)
    assert new.dtype == X.dtype
    assert np.isfinite(made).all()
    low, high = float(X.min()), float(X.max())
    assert low <= made.min() and made.max() <= high
    assert np.ptp(made) > 0.1 * (high - low)


def test_what_is_no_table_of_pixels(table):
    """Constant values, columns of several types, numbers that are too wide."""
    X, y = table
    with pytest.raises(ValueError, match="X of 7 everywhere"):
        small().fit_resample(X * 0 + 7, y)
    frame = pd.DataFrame(X.astype(np.int64)).astype({0: "int8"})
    with pytest.raises(ValueError, match=r"columns of \['int64', 'int8'\]"):
        small().fit_resample(frame, y)
    with pytest.raises(ValueError, match="X of dtype"):
        small().fit_resample(X.astype(np.longdouble), y)
