"""What examples carry along: weights, further keys, and their origin."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganaug
from ganaug.synthesis.generators import Generators


@pytest.fixture
def apply(talking_bank):
    """A function that mixes half of each batch."""

    def apply(dataset, **kwargs):
        return dataset.apply(
            ganaug.GANAugmenter(
                source=talking_bank, ratio=0.5, seed=0, **kwargs
            )
        )

    return apply


def weigh(x, y):
    return x, y, tf.constant(0.5, tf.float16)


def with_keys(x, y):
    return {
        "image": x,
        "label": y,
        "id": tf.cast(x[0, 1, 0], tf.int32),
        "box": tf.ones(4),
        "objects": {"name": tf.constant(["one", "two"]), "n": y},
    }


@pytest.mark.parametrize("mode", ["replace", "append", "extend"])
def test_a_weight_for_synthetic_examples(
    apply, talking_bank, real, read, told, mode
):
    """Where there are weights, the real ones keep theirs."""
    kwargs = {"source": talking_bank, "mode": mode, "sample_weight": 0.25}
    augmenter = ganaug.GANAugmenter(**kwargs, seed=0)
    images, _, weights = read(real().map(weigh).batch(8).apply(augmenter))
    assert weights.dtype == np.float16
    expected = np.where(told(images).real, 0.5, 0.25)
    np.testing.assert_array_equal(weights, expected)


def test_weights_are_added_where_there_are_none(apply, real, read, told):
    """Real examples get 1; pairs become triples, and dicts get a key."""
    images, _, weights = read(apply(real().batch(8), sample_weight=0.25))
    assert weights.dtype == np.float32
    expected = np.where(told(images).real, 1, 0.25)
    np.testing.assert_array_equal(weights, expected)
    batch = read(apply(real().map(with_keys), sample_weight=3))
    expected = np.where(told(batch["image"]).real, 1, 3)
    np.testing.assert_array_equal(batch["sample_weight"], expected)


def test_integer_weights_stay_integers(apply, real, read, told):
    """A part of one would be cut off in silence."""
    dataset = real().map(lambda x, y: (x, y, y + 2)).batch(8)
    images, _, weights = read(apply(dataset, sample_weight=7))
    assert weights.dtype == np.int64
    np.testing.assert_array_equal(weights == 7, ~told(images).real)
    with pytest.raises(ValueError, match=r"int64 integers.*weight=0\.5"):
        apply(dataset, sample_weight=0.5)


@pytest.mark.parametrize("batch", [None, 8])
def test_fill_says_what_synthetic_examples_have(apply, real, read, told, batch):
    """A value, a vector, or one for each part of an inner dict."""
    dataset = real().map(with_keys)
    dataset = dataset.batch(batch) if batch else dataset
    fill = {"id": -1, "box": [0, 0, 1, 2], "objects": {"name": "none"}}
    filled = read(apply(dataset, fill=fill))
    made = ~told(filled["image"]).real
    assert 15 < made.sum() < 25
    assert (filled["id"][made] == -1).all()
    assert (filled["box"][made] == [0, 0, 1, 2]).all()
    assert (filled["box"][~made] == 1).all()
    assert (filled["objects"]["name"][made] == b"none").all()
    assert (filled["objects"]["n"][made] == 0).all()


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        ({"key": 1}, r"\['box', 'id', 'objects'\]. Received: fill for \['key"),
        ({"image": 1}, r"Received: fill for \['image'\]"),
        ({"id": "none"}, "'id' that fits"),
        ({"id": 0.5}, "'id' that fits"),
        ({"box": [1, 2]}, "'box' that fits"),
        ({"box": [[[1]]]}, "'box' that fits"),
        ({"objects": {"m": 1}}, r"Its parts are \['n', 'name'\]"),
        ({"objects": 1}, "'objects' that fits"),
        ([1], r"must be a dict .* fill=\[1\]"),
    ],
)
@pytest.mark.parametrize("batch", [None, 8])
def test_fill_that_does_not_fit_is_refused(apply, real, fill, message, batch):
    """By the key that it is for."""
    dataset = real().map(with_keys)
    dataset = dataset.batch(batch) if batch else dataset
    with pytest.raises(ValueError, match=message):
        apply(dataset, fill=fill)


def ragged(x, y):
    tokens = tf.ragged.constant([[[1], [2, 3]]])[0]
    return {"image": x, "label": y, "tokens": tokens}


def varying(x, y):
    return {
        "image": x,
        "label": y,
        "objects": {"box": tf.ones([tf.cast(y, tf.int32), 4])},
    }


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (lambda ds: ds.map(ragged), "'tokens' is no dense tensor"),
        (lambda ds: ds.map(ragged).batch(4), "'tokens' is no dense tensor"),
        (
            lambda ds: ds.map(
                lambda x, y: {
                    "image": x,
                    "label": y,
                    "words": tf.sparse.from_dense([1, 0]),
                }
            ),
            "'words' is no dense tensor",
        ),
        (lambda ds: ds.map(varying), "'objects/box' has the shape .*padded"),
        (
            lambda ds: ds.batch(4).map(
                lambda x, y: {"image": x, "label": y, "step": 3}
            ),
            "'step' has no axis for the examples",
        ),
        (
            lambda ds: ds.map(lambda x, y: {"image": x, "label": y, "seed": y}),
            r"Rename \['seed'\]",
        ),
    ],
)
def test_parts_that_cannot_be_carried_along_are_named(
    apply, real, dataset, message
):
    """And how to make them fit."""
    with pytest.raises(ValueError, match=message):
        apply(dataset(real()), provenance=True)


def test_extending_needs_parts_of_one_size(talking_bank, real):
    """Batches are cut and joined, and padding differs between them."""
    augmenter = ganaug.GANAugmenter(source=talking_bank, mode="extend")
    with pytest.raises(ValueError, match=r"\['objects'\] is not known"):
        real().map(varying).padded_batch(8).apply(augmenter)


@pytest.mark.parametrize("batch", [None, 8])
@pytest.mark.parametrize("mode", ["replace", "append", "extend"])
def test_examples_say_what_they_are(
    talking_bank, real, read, told, mode, batch
):
    """In a dict at the end of tuples, and beside the keys of dicts."""
    augmenter = ganaug.GANAugmenter(
        source=talking_bank, mode=mode, is_synthetic=True, seed=0
    )
    dataset = real().map(weigh)
    dataset = dataset.batch(batch) if batch else dataset
    images, _, _, origin = read(dataset.apply(augmenter))
    assert list(origin) == ["is_synthetic"]
    np.testing.assert_array_equal(origin["is_synthetic"], ~told(images).real)
    dataset = real().map(with_keys)
    dataset = dataset.batch(batch) if batch else dataset
    elements = read(dataset.apply(augmenter))
    real_ones = told(elements["image"]).real
    np.testing.assert_array_equal(elements["is_synthetic"], ~real_ones)


def check_provenance(elements, told, generators, batch_size):
    images, _, origin = elements
    made = ~told(images).real
    assert (origin["artifact"][made] == generators.ids[0].encode()).all()
    assert (origin["artifact"][~made] == b"").all()
    assert (origin["index"][~made] == -1).all()
    assert (origin["drawn_class"][~made] == -1).all()
    assert (origin["seed"][~made] == 0).all()
    assert made.sum() >= 10
    for row in np.flatnonzero(made)[:10]:
        again = generators.remake(
            int(origin["drawn_class"][row]),
            origin["seed"][row],
            int(origin["index"][row]),
            batch_size,
        )
        assert np.abs(again.astype(int) - images[row].astype(int)).max() <= 1


@pytest.mark.parametrize("mode", ["replace", "append", "extend"])
def test_live_images_can_be_made_again(talking, real, read, told, mode):
    """From artifact, class, seed and index."""
    augmenter = ganaug.GANAugmenter(talking, mode=mode, provenance=True, seed=0)
    elements = read(real().batch(8).apply(augmenter))
    check_provenance(elements, told, augmenter.generators, 4)
    origin = elements[2]
    pairs = {
        (*seed, index)
        for seed, index in zip(
            origin["seed"].tolist(), origin["index"], strict=True
        )
        if index >= 0
    }
    assert len(pairs) == (origin["index"] >= 0).sum()


@pytest.mark.parametrize("interpolation", [0.0, 0.4])
def test_images_with_soft_labels_can_be_made_again(
    talking, real, read, interpolation
):
    """Where neither a teacher's label nor a mixed one tells the class."""
    generators = Generators(talking, class_interpolation=interpolation)
    teacher = None
    if not interpolation:
        teacher = keras.Sequential(
            [
                keras.Input((4, 4, 1)),
                keras.layers.Flatten(),
                keras.layers.Dense(5, "softmax", kernel_initializer="zeros"),
            ]
        )
    augmenter = ganaug.GANAugmenter(
        generators, 0.5, provenance=True, teacher=teacher, seed=0
    )
    dataset = real().map(lambda x, y: (x, tf.one_hot(y, 5)))
    images, _, origin = read(dataset.batch(8).apply(augmenter))
    made = np.flatnonzero(origin["index"] >= 0)
    assert len(made) == 20
    for row in made[:6]:
        again = generators.remake(
            int(origin["drawn_class"][row]),
            origin["seed"][row],
            int(origin["index"][row]),
            4,
        )
        assert np.abs(again.astype(int) - images[row].astype(int)).max() <= 1


def test_images_of_a_bank_can_be_made_again(
    talking, talking_bank, real, read, told, apply
):
    """Their provenance is that of when the bank was drawn."""
    elements = read(apply(real().batch(8), provenance=True))
    check_provenance(elements, told, Generators(talking), 64)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (-1, "sample_weight=-1"),
        (float("inf"), "sample_weight=inf"),
        ("none", "sample_weight='none'"),
    ],
)
def test_bad_weights_are_refused(talking_bank, weight, message):
    """At construction."""
    with pytest.raises(ValueError, match=message):
        ganaug.GANAugmenter(source=talking_bank, sample_weight=weight)
