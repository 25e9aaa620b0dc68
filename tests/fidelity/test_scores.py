"""Scores of images: each defect shows in the measure that is for it."""

import dataclasses
import json

import numpy as np
import pytest

import ganaug
from ganaug.data.labeled_images import LabeledImages
from ganaug.data.splits import stratified_split
from ganaug.fidelity.features import train_feature_extractor
from ganaug.fidelity.scores import (
    MEASURES,
    FidelityScores,
    classification_accuracy_score,
    score_images,
)


@pytest.fixture(scope="module")
def parts():
    """Digits to train on, real ones to compare with, and held-out ones."""
    data = ganaug.load_data("digits")
    rest, held_out = stratified_split(data.train, 40, seed=0)
    return rest, data.test, held_out


@pytest.fixture(scope="module")
def extractor(parts):
    """An extractor for digits."""
    return train_feature_extractor(parts[0], seed=0, steps=300)


@pytest.fixture(scope="module")
def baseline(parts, extractor):
    """The scores of held-out digits as fakes."""
    _, real, held_out = parts
    return score_images(real, held_out, extractor)


def flatten(images):
    """A feature function of a user: the pixels."""
    return images.reshape(len(images), -1)


def one_of_each_class(images):
    """As many images, all copies of one of each class."""
    firsts = [
        np.flatnonzero(images.labels == label)[0]
        for label in range(images.num_classes)
    ]
    return images.subset(np.resize(firsts, len(images)))


def test_real_images_score_well(baseline, parts):
    """Held-out images are good fakes by every measure."""
    assert abs(baseline.kernel_distance) < 0.06
    assert baseline.precision > 0.85
    assert baseline.recall > 0.85
    assert baseline.density == pytest.approx(1, abs=0.15)
    # 700 real images and 400 perfect fakes: 1 - (700 / 1100) ** 5 = .90.
    assert baseline.coverage > 0.8
    assert baseline.label_fidelity > 0.93
    assert min(baseline.class_coverage) > 0.5
    assert baseline.num_real == len(parts[1])
    assert baseline.num_fake == len(parts[2])


def test_noise_scores_badly(parts, extractor, baseline):
    """Noise is far away, covers nothing and has no class."""
    _, real, held_out = parts
    low, high = real.value_range
    noise = np.random.default_rng(0).uniform(low, high, held_out.images.shape)
    fake = dataclasses.replace(held_out, images=noise.astype("float32"))
    scores = score_images(real, fake, extractor)
    assert scores.kernel_distance > 0.5
    assert scores.frechet_distance > 10 * baseline.frechet_distance
    assert scores.coverage < 0.3
    assert scores.recall < 0.3
    assert scores.label_fidelity < 0.3


def test_more_blemishes_score_worse(parts, extractor, baseline):
    """Every measure of quality falls as noise is added to real images."""
    _, real, held_out = parts
    low, high = real.value_range
    noise = np.random.default_rng(1).normal(size=held_out.images.shape)
    found = [baseline]
    for level in (0.15, 0.4):
        images = held_out.images + level * (high - low) * noise
        fake = dataclasses.replace(
            held_out, images=np.clip(images, low, high).astype("float32")
        )
        found.append(score_images(real, fake, extractor))
    for name, higher_is_better in MEASURES.items():
        values = [getattr(scores, name) for scores in found]
        if name != "recall":
            assert values == sorted(values, reverse=higher_is_better), name


def test_wrong_labels_show_in_label_fidelity_alone(parts, extractor, baseline):
    """With labels moved on by one, images are as good but none is its label."""
    _, real, held_out = parts
    fake = dataclasses.replace(held_out, labels=(held_out.labels + 1) % 10)
    scores = score_images(real, fake, extractor)
    assert scores.label_fidelity < 0.1
    assert max(scores.class_label_fidelity) < 0.2
    for name in set(MEASURES) - {"label_fidelity"}:
        assert getattr(scores, name) == getattr(baseline, name)
    assert max(scores.class_coverage) < min(baseline.class_coverage)


def test_copies_show_in_coverage_and_recall(parts, extractor, baseline):
    """One image of each class, copied, is good but covers little."""
    _, real, held_out = parts
    scores = score_images(real, one_of_each_class(held_out), extractor)
    assert scores.precision > 0.7
    assert scores.recall < 0.05
    assert scores.coverage < baseline.coverage / 3
    assert max(scores.class_coverage) < 0.4
    assert scores.kernel_distance > baseline.kernel_distance + 0.05


def test_classification_accuracy_score(parts):
    """Varied real images teach more than copies, wrong labels nothing."""
    _, real, held_out = parts
    good, copies, wrong = (
        classification_accuracy_score(fake, real, seed=0, steps=150)
        for fake in (
            held_out,
            one_of_each_class(held_out),
            dataclasses.replace(held_out, labels=(held_out.labels + 1) % 10),
        )
    )
    assert good > 0.9
    assert 0.2 < copies < good - 0.1
    assert wrong < 0.1


def test_classification_accuracy_score_is_balanced(make_images):
    """Classes count alike, and those without test images not at all."""
    rng = np.random.default_rng(0)
    gray = rng.uniform([0.0, 0.4, 0.8], [0.2, 0.6, 1.0], (30, 3)).T
    images = np.broadcast_to(gray.reshape(90, 1, 1, 1), (90, 8, 8, 1))
    fake = LabeledImages(images.astype("float32"), np.repeat([0, 1, 2], 30))
    # 10 of class 0, right; 2 of class 1, one of them really a 2.
    test = fake.subset(np.r_[0:10, 30, 60])
    test = dataclasses.replace(test, labels=np.repeat([0, 1], [10, 2]))
    assert classification_accuracy_score(fake, test, 0, steps=150) == 0.75


def test_a_feature_function_of_ones_own():
    """A function is enough, save for label fidelity: that wants classes."""
    rng = np.random.default_rng(0)
    real = LabeledImages(rng.uniform(size=(30, 4, 4, 1)), np.arange(30) % 3)
    fake = LabeledImages(
        rng.uniform(size=(20, 4, 4, 1)), np.arange(20) % 2, real.class_names
    )
    scores = score_images(real, fake, flatten, k=3)
    assert scores.label_fidelity is None
    assert scores.class_label_fidelity is None
    assert scores.class_coverage[2] is None
    assert None not in scores.class_coverage[:2]
    # Classifier of one's own: of class 0 all right, of class 1 one in five.
    predicted = np.where(np.arange(20) % 10 == 1, 1, 0)
    scores = score_images(
        real, fake, flatten, label_probabilities=np.eye(3)[predicted]
    )
    assert scores.class_label_fidelity == (1.0, 0.2, None)
    assert scores.label_fidelity == pytest.approx(0.6)


def test_classes_with_few_real_images_have_no_coverage(make_images):
    """At most `k` real images have no k-th neighbor."""
    real, fake = make_images((6, 4, 2)), make_images((3, 1, 5), seed=1)
    scores = score_images(real, fake, flatten, k=3)
    assert [value is None for value in scores.class_coverage] == [
        False,
        False,
        True,
    ]


def test_large_sets_are_drawn_from_by_seed(make_images):
    """At most so many are compared; labels stay with their images."""
    real, fake = make_images((40, 40)), make_images((50, 30), seed=1)
    probabilities = np.eye(2)[fake.labels]

    def score(seed):
        return score_images(
            real,
            fake,
            flatten,
            seed=seed,
            label_probabilities=probabilities,
            max_images=25,
        )

    first = score(0)
    assert (first.num_real, first.num_fake) == (25, 25)
    assert first.label_fidelity == 1
    assert first == score(0)
    assert first.kernel_distance != score(1).kernel_distance


def test_scores_go_into_json(make_images):
    """All numbers come back, with `None` for what was not measured."""
    real, fake = make_images((9, 9)), make_images((9, 9), seed=1)
    scores = score_images(real, fake, flatten)
    loaded = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
    assert loaded == scores.to_dict()
    assert set(loaded) == {f.name for f in dataclasses.fields(FidelityScores)}
    assert set(MEASURES) < set(loaded)
    with pytest.raises(dataclasses.FrozenInstanceError):
        scores.recall = 1.0


def test_images_must_fit_one_another(make_images):
    """Shape, classes and value range of real, fake and extractor agree."""
    real = make_images((9, 9))
    extractor = train_feature_extractor(real, seed=0, steps=1)
    unit = LabeledImages(real.images / 255, real.labels)
    with pytest.raises(ValueError, match="do not have the model's shape"):
        score_images(real, make_images((9, 9), (8, 9, 1)), flatten)
    with pytest.raises(ValueError, match="do not fit the model's classes"):
        score_images(real, make_images((9, 9, 9)), flatten)
    with pytest.raises(ValueError, match="`fake` must have the same value"):
        score_images(real, unit, flatten)
    with pytest.raises(ValueError, match="`test` must have the same value"):
        classification_accuracy_score(real, unit, seed=0)
    with pytest.raises(ValueError, match="an extractor for"):
        score_images(unit, unit, extractor)
    other = make_images((9, 9), (9, 9, 1))
    with pytest.raises(ValueError, match="do not have the model's shape"):
        score_images(other, other, extractor)


def test_bad_arguments(make_images):
    """The error names the argument."""
    real = make_images((9, 9))
    with pytest.raises(TypeError, match="`extractor` must be"):
        score_images(real, real, "inception")
    with pytest.raises(ValueError, match="one row of features for each"):
        score_images(real, real, lambda images: images)
    with pytest.raises(ValueError, match="one row of features for each"):
        score_images(real, real, lambda images: flatten(images)[1:])
    with pytest.raises(ValueError, match="`label_probabilities` must be"):
        score_images(real, real, flatten, label_probabilities=np.eye(2))
    with pytest.raises(ValueError, match="`max_images` must be"):
        score_images(real, real, flatten, max_images=0)
    with pytest.raises(ValueError, match="`k` must be smaller"):
        score_images(real, real, flatten, k=18)
    with pytest.raises(ValueError, match="`seed` must be"):
        score_images(real, real, flatten, seed=-1)
