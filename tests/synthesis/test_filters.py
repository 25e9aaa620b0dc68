"""Filters on images whose fate is known."""

import keras
import numpy as np
import pytest

import ganaug
from ganaug.data.labeled_images import LabeledImages
from ganaug.synthesis.filters import (
    CopyFilter,
    DiscriminatorFilter,
    TeacherFilter,
)

NAMES = ("cat", "dog", "fox")
SHAPE = (6, 5, 1)


def levels(*values):
    """Images in [-1, 1], each of one gray level."""
    return np.broadcast_to(
        np.array(values, np.float32).reshape(-1, 1, 1, 1), (len(values), *SHAPE)
    ).copy()


def gray_model(weights, biases, activation=None):
    """A model of the gray level: `activation(weights * gray + biases)`."""
    model = keras.Sequential(
        [
            keras.Input(SHAPE),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(len(weights), activation),
        ]
    )
    model.layers[-1].set_weights(
        [np.array([weights], np.float32), np.array(biases, np.float32)]
    )
    return model


def test_a_teacher_keeps_what_it_recognizes():
    """A teacher for which black is a cat, and white a dog."""
    logits = gray_model([-20.0, 20.0, 0.0], [10.0, -10.0, -9.0])
    images = levels(-1, -0.9, 0.02, 0.9, 1)
    for teacher in (
        TeacherFilter(logits, (0, 1), 0.9, from_logits=True),
        TeacherFilter(
            gray_model([-20.0, 20.0, 0.0], [10.0, -10.0, -9.0], "softmax"),
            (0, 1),
            0.9,
        ),
    ):
        teacher.check(SHAPE, NAMES)
        kept = [
            (teacher.score(images, label) >= teacher.threshold(None)).tolist()
            for label in range(3)
        ]
        assert kept[0] == [True, True, False, False, False]
        assert kept[1] == [False, False, False, True, True]
        assert not any(kept[2])


def test_a_teacher_sees_its_own_value_range():
    """What is black for the generator is black for it."""
    teacher = gray_model([1.0, -1.0], [0.0, 255.0])
    found = TeacherFilter(teacher, (0, 255), from_logits=True)
    np.testing.assert_allclose(
        found.score(levels(-1, 0, 1), 0), [0, 0.5, 1], atol=1e-5
    )


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (gray_model([1.0] * 2, [0.0] * 2, "softmax"), r"shape \(1, 2\)"),
        (gray_model([1.0] * 3, [0.5] * 3), "from_logits=True"),
        (gray_model([0.0] * 3, [np.nan] * 3), "from_logits=True"),
        (gray_model([0.0] * 3, [2, -1.0, 0]), "from_logits=True"),
    ],
)
def test_a_teacher_of_something_else_is_refused(teacher, message):
    """Other classes, logits that are called probabilities, and NaN."""
    with pytest.raises(ValueError, match=message):
        TeacherFilter(teacher, (0, 1)).check(SHAPE, NAMES)


def test_a_discriminator_keeps_the_best_share():
    """The threshold lets that share of the candidates pass."""
    scores = gray_model([1.0], [0.0])
    images = levels(*np.linspace(-1, 1, 101))
    for share, kept in ((0.1, 11), (0.5, 51), (1.0, 101)):
        found = DiscriminatorFilter(scores, share)
        found.check(SHAPE, NAMES)
        passes = found.score(images, 0) >= found.threshold(
            found.score(images, 0)
        )
        assert passes.sum() == kept
        assert passes[-kept:].all()


@pytest.mark.parametrize("conditioning", ["projection", "auxiliary", None])
def test_our_discriminators_are_called_as_they_are(conditioning):
    """With labels, without, and with a list of outputs."""
    discriminator = ganaug.ConditionalGAN(
        SHAPE,
        None if conditioning is None else 3,
        width=4,
        latent_dim=4,
        seed=0,
        **({"conditioning": conditioning} if conditioning else {}),
    ).discriminator
    found = DiscriminatorFilter(discriminator)
    images = np.random.default_rng(0).uniform(-1, 1, (9, *SHAPE))
    images = images.astype(np.float32)
    scores = [found.score(images, label) for label in range(2)]
    assert scores[0].shape == (9,)
    assert len(np.unique(scores[0])) == 9
    assert (conditioning == "projection") == bool(
        (scores[0] != scores[1]).any()
    )


def test_something_else_than_scores_is_refused():
    """A classifier is no discriminator."""
    with pytest.raises(ValueError, match=r"shape \(1, 2\)"):
        DiscriminatorFilter(gray_model([1.0, 1.0], [0, 0])).check(SHAPE, NAMES)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("quantile", [0.0, 0.1])
def test_copies_and_near_copies_are_left_out(dtype, quantile):
    """And images as far from the training images as those from each other."""
    rng = np.random.default_rng(0)
    real = rng.integers(0, 256, (200, *SHAPE)).astype(dtype)
    found = CopyFilter(
        LabeledImages(real, np.zeros(200, int), value_range=(0, 255)), quantile
    )
    found.check(SHAPE, NAMES)
    unit = (real[:20].astype(np.float32) - 127.5) / 127.5
    near = np.clip(unit + rng.normal(0, 0.02, unit.shape), -1, 1)
    fresh = rng.uniform(-1, 1, (20, *SHAPE))
    passes = [
        found.score(images.astype(np.float32), 0) >= found.threshold(None)
        for images in (unit, near, fresh)
    ]
    assert not passes[0].any()
    assert not passes[1].any()
    assert passes[2].mean() >= 0.8
    assert found.score(unit, 0).max() == 0


def test_copies_among_the_training_images_do_not_let_copies_pass():
    """They make the distance that is near 0, and a copy is at 0."""
    real = np.random.default_rng(0).integers(0, 256, (10, *SHAPE), np.uint8)
    found = CopyFilter(np.concatenate([real, real]), 0.5)
    assert found.max_distance == 0
    unit = (real.astype(np.float32) - 127.5) / 127.5
    assert (found.score(unit, 0) < found.threshold(None)).all()
    unit[0, 0, 0, 0] += 0.1
    assert found.score(unit[:1], 0) >= found.threshold(None)


def test_near_is_what_is_rare_among_training_images():
    """The quantile is that of their distances from the nearest other one."""
    gray = (np.arange(20) * (np.arange(20) + 5) // 2).astype(np.uint8)
    real = np.broadcast_to(gray[:, None, None, None], (20, *SHAPE))
    gaps = np.diff(gray.astype(float))
    assert gaps.max() > gaps.min() > 0
    nearest = np.minimum(np.append(gaps, np.inf), np.insert(gaps, 0, np.inf))
    for quantile in (0.0, 0.3, 1.0):
        assert CopyFilter(real, quantile).max_distance == pytest.approx(
            np.quantile(nearest, quantile) * np.sqrt(30)
        )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda m: TeacherFilter(m, (0, 1), 1.1), "min_confidence=1.1"),
        (lambda m: TeacherFilter(m, (1, 0)), "value_range"),
        (lambda m: DiscriminatorFilter(m, 0), "share=0"),
        (lambda m: DiscriminatorFilter(m, "all"), "share='all'"),
        (lambda m: CopyFilter(np.zeros((2, *SHAPE)), -1), "quantile=-1"),
        (lambda m: CopyFilter(np.zeros((1, *SHAPE))), "1 image"),
        (
            lambda m: CopyFilter(np.full((2, *SHAPE), 9.0)),
            "value_range=None",
        ),
        (
            lambda m: CopyFilter(np.zeros((2, 5, 5, 1))).check(SHAPE, NAMES),
            r"\(5, 5, 1\)",
        ),
    ],
)
def test_bad_arguments_are_refused(make, message):
    """With the value that came."""
    with pytest.raises(ValueError, match=message):
        make(gray_model([1.0], [0.0]))


def test_settings_tell_filters_apart():
    """So that an unfinished bank does not go on with others."""
    one, other = gray_model([1.0], [0.0]), gray_model([1.0], [0.1])
    images = np.random.default_rng(0).uniform(size=(3, *SHAPE))
    settings = [
        TeacherFilter(one, (0, 1)).settings,
        TeacherFilter(other, (0, 1)).settings,
        TeacherFilter(one, (0, 2)).settings,
        TeacherFilter(one, (0, 1), 0.6).settings,
        TeacherFilter(one, (0, 1), from_logits=True).settings,
        DiscriminatorFilter(one).settings,
        DiscriminatorFilter(other).settings,
        DiscriminatorFilter(one, 0.6).settings,
        CopyFilter(images).settings,
        CopyFilter(images, 0.5).settings,
        CopyFilter(images / 2).settings,
    ]
    assert len({repr(found) for found in settings}) == len(settings)
