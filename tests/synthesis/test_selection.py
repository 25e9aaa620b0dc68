"""Quotas that selection does not touch."""

import warnings

import keras
import numpy as np
import pytest

from ganaug.artifact import Artifact
from ganaug.synthesis.filters import (
    CopyFilter,
    DiscriminatorFilter,
    TeacherFilter,
)
from ganaug.synthesis.generating import draw_bank
from ganaug.synthesis.generators import Generators
from ganaug.synthesis.selection import Selection

SHAPE = (6, 5, 1)


@keras.saving.register_keras_serializable(package="ganaug-tests")
class Thief(keras.layers.Layer):
    """Gives a training image where the first latent is positive.

    Otherwise an image of independent pixels, evenly spread, as the training
    images are.
    """

    def build(self, input_shape):
        self.stolen = self.add_weight(shape=(3, *SHAPE), name="stolen")

    def call(self, latents, labels):
        pixels = keras.ops.erf(latents[:, 1:] / 2**0.5)
        steals = latents[:, 0, None, None, None] > 0
        return keras.ops.where(
            steals,
            keras.ops.take(self.stolen, labels, axis=0),
            keras.ops.reshape(pixels, (-1, *SHAPE)),
        )

    def compute_output_shape(self, latents_shape, labels_shape=None):
        return (None, *SHAPE)


@pytest.fixture(scope="module")
def stolen():
    """One training image of each class."""
    return np.random.default_rng(0).integers(0, 256, (3, *SHAPE), np.uint8)


@pytest.fixture(scope="module")
def thief(stolen):
    """A generator half of whose images are copies."""
    latents = keras.Input((31,))
    labels = keras.Input((), dtype="int32")
    layer = Thief()
    generator = keras.Model([latents, labels], layer(latents, labels))
    layer.stolen.assign(stolen.astype("float32") / 127.5 - 1)
    return Generators(
        Artifact(
            generator,
            {
                "architecture": "custom",
                "image_shape": SHAPE,
                "num_classes": 3,
                "latent_dim": 31,
            },
            class_names=("cat", "dog", "fox"),
            value_range=(0.0, 255.0),
            image_dtype="uint8",
            training={"steps": 1},
        )
    )


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


def is_copy(bank, stolen):
    return (bank.images == stolen[bank.labels]).all((1, 2, 3))


def test_copies_are_replaced_within_the_quota(thief, stolen):
    """None is left, and every class has what was asked for."""
    plain = draw_bank(thief, 100, seed=0)
    assert 0.4 < is_copy(plain, stolen).mean() < 0.6
    rest = np.random.default_rng(1).integers(0, 256, (20, *SHAPE), np.uint8)
    selection = Selection([CopyFilter(np.concatenate([stolen, rest]), 0)])
    bank = draw_bank(thief, [100, 40, 0], seed=0, selection=selection)
    assert bank.class_counts == (100, 40, 0)
    assert not is_copy(bank, stolen).any()
    # The first ones that passed, as they were and in their order.
    place = {row.tobytes(): i for i, row in enumerate(plain.provenance[:100])}
    kept = [place.get(row.tobytes()) for row in bank.provenance[:100]]
    known = [row for row in kept if row is not None]
    assert 30 < len(known) < 70
    assert known == sorted(known)
    assert kept[: len(known)] == known
    np.testing.assert_array_equal(
        bank.images[: len(known)], plain.images[known]
    )
    candidates = bank.record["num_candidates"]
    passed = bank.record["num_passed"]["copies"]
    assert candidates[2] == 0
    for label in (0, 1):
        assert 0.2 < passed[label] / candidates[label] < 0.6


def test_a_hard_filter_does_not_make_a_class_rare(thief):
    """The teacher takes few images for cats and most for dogs."""
    logits = gray_model([200.0, 0.0, 0.0], [-16.0, 0.0, -99.0])
    selection = Selection([TeacherFilter(logits, (-1, 1), 0.5, True)])
    bank = draw_bank(thief, [70, 70, 0], seed=0, selection=selection)
    assert bank.class_counts == (70, 70, 0)
    passed = np.array(bank.record["num_passed"]["teacher"][:2])
    shares = passed / bank.record["num_candidates"][:2]
    assert shares[0] < 0.4 < 0.6 < shares[1]


def test_each_class_keeps_its_best_share(thief):
    """The discriminator's scores are compared within a class."""
    brightness = gray_model([1.0], [0.0])
    selection = Selection([DiscriminatorFilter(brightness, 0.25)])
    bank = draw_bank(thief, 300, seed=0, selection=selection)
    plain = draw_bank(thief, 1000, seed=1)
    for label in range(3):
        kept, all_of_them = (
            one.images[one.labels == label].mean((1, 2, 3))
            for one in (bank, plain)
        )
        # Found with 256 candidates, so not quite where the quantile is.
        low, high = np.quantile(all_of_them, [0.65, 0.85])
        assert low <= kept.min() <= high
    shares = np.divide(
        bank.record["num_passed"]["discriminator"],
        bank.record["num_candidates"],
    )
    assert shares.min() > 0.15


def test_every_filter_must_be_passed(thief, stolen):
    """Bright images that are no copies."""
    rest = np.random.default_rng(1).integers(0, 256, (20, *SHAPE), np.uint8)
    bright = gray_model([99.0, 0.0, 0.0], [0.0, 0.0, -99.0])
    selection = Selection(
        [
            TeacherFilter(bright, (-1, 1), 0.5, True),
            CopyFilter(np.concatenate([stolen, rest]), 0),
        ]
    )
    bank = draw_bank(thief, [60, 0, 0], seed=0, selection=selection)
    assert bank.class_counts == (60, 0, 0)
    assert not is_copy(bank, stolen).any()
    assert bank.images.mean((1, 2, 3)).min() >= 127
    assert set(bank.record["num_passed"]) == {"teacher", "copies"}


def test_a_class_of_which_nothing_passes_is_named(thief):
    """With how many candidates were drawn, and what they failed."""
    logits = gray_model([0.0, 0.0, 0.0], [0.0, -99.0, 0.0])
    selection = Selection(
        [TeacherFilter(logits, (-1, 1), 0.4, True)], max_draws=4
    )
    with pytest.raises(ValueError, match=r"class 'dog' passes.*of 192.*: 0"):
        draw_bank(thief, 40, seed=0, selection=selection)
    bank = draw_bank(thief, [40, 0, 40], seed=0, selection=selection)
    assert bank.class_counts == (40, 0, 40)


def test_a_class_with_too_few_images_is_told(thief, stolen):
    """A warning has the counts; what passed is kept, and nothing else."""
    rest = np.random.default_rng(1).integers(0, 256, (20, *SHAPE), np.uint8)
    selection = Selection(
        [CopyFilter(np.concatenate([stolen, rest]), 0)], max_draws=1
    )
    with pytest.warns(UserWarning, match=r"cat: \d+ of 128, dog: \d+ of 64$"):
        bank = draw_bank(thief, [128, 64, 10], seed=0, selection=selection)
    assert 40 < bank.class_counts[0] < 90
    assert 20 < bank.class_counts[1] < 45
    assert bank.class_counts[2] == 10
    assert len(bank.images) == sum(bank.class_counts) == len(bank.provenance)
    assert not is_copy(bank, stolen).any()


def test_max_draws_is_patience(thief, stolen):
    """Enough of it, and the quota is filled without a warning."""
    rest = np.random.default_rng(1).integers(0, 256, (20, *SHAPE), np.uint8)
    copies = CopyFilter(np.concatenate([stolen, rest]), 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bank = draw_bank(
            thief, [128, 0, 0], 0, Selection([copies], max_draws=4)
        )
    assert bank.class_counts == (128, 0, 0)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"filters": []}, r"filters=\[\]"),
        ({"filters": [1, 1]}, r"\['copies', 'copies'\]"),
        ({"max_draws": 0.5}, "max_draws=0.5"),
        ({"max_draws": float("inf")}, "max_draws=inf"),
        ({"max_draws": "many"}, "max_draws='many'"),
    ],
)
def test_bad_arguments_are_refused(stolen, kwargs, message):
    """With the value that came."""
    copies = CopyFilter(stolen)
    filters = [copies for _ in kwargs.pop("filters", [1])]
    with pytest.raises(ValueError, match=message):
        Selection(filters, **kwargs)


def test_filters_that_do_not_fit_are_refused_before_the_work(thief):
    """The teacher knows two classes, the generators three."""
    teacher = gray_model([1.0, 1.0], [0.0, 0.0], "softmax")
    with pytest.raises(ValueError, match="each of the classes"):
        draw_bank(
            thief, 10, selection=Selection([TeacherFilter(teacher, (0, 1))])
        )
