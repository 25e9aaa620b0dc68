"""HeldOutScores: what is drawn and measured, and against which images."""

import dataclasses
import math
from dataclasses import replace

import numpy as np
import pytest

import ganaug
from ganaug.fidelity.features import train_feature_extractor
from ganaug.fidelity.scores import MEASURES, score_images
from ganaug.gan import held_out_scores
from ganaug.gan.held_out_scores import HeldOutScores
from ganaug.seeds import derive_seed

HELD_OUT = (8, 6, 4)


def flatten(images):
    """A feature function of a user: the pixels."""
    return images.reshape(len(images), -1) / 255.0


@pytest.fixture
def sets(make_images):
    """Images to train on, and others."""
    return make_images(seed=0), make_images(HELD_OUT, seed=1)


def make_scores(sets, extractor=flatten, num_images=18, seed=0):
    return HeldOutScores(*sets, extractor, num_images, seed)


def trained_gan(images, num_classes=3):
    gan = ganaug.ConditionalGAN(
        (8, 8, 1), num_classes, "mlp", width=8, latent_dim=8, seed=3
    )
    gan.compile()
    gan.fit(images, steps_per_epoch=2, verbose=0)
    return gan


def test_the_scores_are_those_of_what_generate_draws(sets):
    """With classes in the held-out images' shares."""
    gan = trained_gan(sets[0])
    # Of the two generators it is the averaged one.
    gan.generator.set_weights(
        [np.zeros_like(weight) for weight in gan.generator.get_weights()]
    )
    # Of 8 images 3.6, 2.7 and 1.8.
    labels = np.repeat([0, 1, 2], [3, 3, 2])
    images = gan.generate(labels, seed=derive_seed(5, "quality images"))
    fake = ganaug.LabeledImages(images, labels)
    classifier = train_feature_extractor(fake, seed=0, steps=100)
    for extractor in (flatten, classifier):
        scores = make_scores(sets, extractor, num_images=8, seed=5)
        found = scores.score(gan)
        assert found == scores.score(gan)
        expected = score_images(sets[1], fake, extractor)
        assert found == {name: getattr(expected, name) for name in MEASURES}
        # A function of the user's recognizes no class.
        assert scores.recognizes_labels == (extractor is classifier)
        assert (found["label_fidelity"] is None) == (extractor is flatten)
    # Made to recognize them.
    assert found["label_fidelity"] > 0.9


def test_a_generator_of_nan_is_measured_as_nan(sets):
    """Pixels of NaN are not scored as if they were black."""
    gan = trained_gan(sets[0])
    for weight in gan.ema_generator.weights:
        weight.assign(weight * math.nan)
    found = make_scores(sets).score(gan)
    assert list(found) == list(MEASURES)
    assert all(math.isnan(value) for value in found.values())


def test_images_with_names_of_files_are_scored_alike(sets):
    """As `load_data` names them; what is drawn has no file."""
    train, held_out = sets
    named = dataclasses.replace(
        held_out, image_names=[f"{place}.png" for place in range(len(held_out))]
    )
    gan = trained_gan(train)
    found = make_scores((train, named)).score(gan)
    assert found == make_scores(sets).score(gan)


def test_the_extractor_is_trained_once_on_the_training_images(
    sets, monkeypatch
):
    """When it is first needed, and not again."""
    trained_on = []

    def train(labeled_images, seed):
        trained_on.append(labeled_images)
        return train_feature_extractor(labeled_images, seed, steps=5)

    monkeypatch.setattr(held_out_scores, "train_feature_extractor", train)
    scores = make_scores(sets, extractor=None)
    assert scores.recognizes_labels
    gan = trained_gan(sets[0])
    assert not trained_on
    first = scores.score(gan)
    assert scores.score(gan) == first
    assert trained_on == [sets[0]]
    assert 0 <= first["label_fidelity"] <= 1


def test_without_classes_all_but_label_fidelity_is_measured(sets):
    """By a classifier's features."""
    extractor = train_feature_extractor(sets[0], seed=0, steps=5)
    gan = trained_gan(sets[0].images, num_classes=None)
    scores = make_scores(sets, extractor)
    scores.check(gan)
    found = scores.score(gan)
    assert found.pop("label_fidelity") is None
    assert np.isfinite(list(found.values())).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_bounds_that_are_no_round_numbers_can_be_scored(sets, dtype):
    """Black and full intensity stay inside of the declared range."""
    low, high = (-0.43, 2.83) if dtype != "uint8" else (0, 255)
    train, held_out = (
        replace(
            part,
            images=(low + (part.images + 1.0) / 257 * (high - low)).astype(
                dtype
            ),
            value_range=(low, high),
        )
        for part in sets
    )
    scores = make_scores((train, held_out))
    gan = trained_gan(train)
    # Everything white, everything black.
    for weight in (1e4, -1e4):
        gan.ema_generator.set_weights(
            [np.full_like(w, weight) for w in gan.ema_generator.get_weights()]
        )
        assert math.isfinite(scores.score(gan)["kernel_distance"])


def test_scores_can_be_compared_where_the_settings_are_the_same(sets):
    """They tell of the images of both sets and of what is drawn."""
    train, held_out = sets
    settings = make_scores(sets).settings
    assert make_scores(sets).settings == settings
    flipped = replace(held_out, images=255 - held_out.images)
    relabeled = replace(train, labels=train.labels[::-1])
    for others, arguments in (
        (sets, {"num_images": 20}),
        (sets, {"seed": 1}),
        ((train, flipped), {}),
        ((relabeled, held_out), {}),
    ):
        assert make_scores(others, **arguments).settings != settings


def test_held_out_images_may_be_in_no_training(sets):
    """Neither in `train` nor in what the model was fitted to."""
    train, held_out = sets
    both = ganaug.LabeledImages(
        np.concatenate([train.images, held_out.images[3:5]]),
        np.concatenate([train.labels, held_out.labels[3:5]]),
    )
    with pytest.raises(ValueError, match=r"2 images.*held_out index 3"):
        make_scores((both, held_out))
    make_scores(sets).check(trained_gan(train))
    with pytest.raises(ValueError, match="2 images that are in the training"):
        make_scores(sets).check(trained_gan(both))


def test_an_extractor_must_be_a_function(sets):
    """Its name alone is not enough."""
    with pytest.raises(TypeError, match="extractor='inception'"):
        make_scores(sets, extractor="inception")


def test_sets_that_do_not_fit_are_refused(sets, make_images):
    """Shapes, classes, ranges, and too few images to look at neighbors."""
    train, held_out = sets
    for other, message in (
        (make_images((3, 2), seed=1), "at least 6"),
        (make_images((8, 6), seed=1), "labels of 2 classes"),
        (make_images(HELD_OUT, (9, 8, 1), seed=1), "images of shape"),
        (
            make_images(HELD_OUT, seed=1, class_names=["a", "b", "c"]),
            "class names",
        ),
        (
            replace(
                held_out,
                images=held_out.images.astype(np.float32),
                value_range=(0, 256),
            ),
            "value range",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            make_scores((train, other))
    one = make_images((20,))
    with pytest.raises(ValueError, match="give an `extractor`"):
        make_scores((one, make_images((8,), seed=1)), extractor=None)
    with pytest.raises(ValueError, match="no image of"):
        make_scores((train.subset(train.labels < 2), held_out), extractor=None)
    larger = make_images(shape=(9, 8, 1)), make_images(HELD_OUT, (9, 8, 1), 1)
    with pytest.raises(ValueError, match="images of shape"):
        make_scores(larger).check(trained_gan(train))
