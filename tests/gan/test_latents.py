"""Latents from the prior and from encoded images."""

import numpy as np
import pytest
import tensorflow as tf

from ganaug.gan.latent_kinds import (
    LATENTS,
    canonical_latents,
    latent_shares,
    needs_encoder,
)
from ganaug.gan.latents import (
    LatentBank,
    check_latents,
    choose_images,
    draw_latents,
    slerp,
)

LABELS = np.array([2, 0, 0, 1, 0, 1, 0], np.int32)


def make_bank(variance=1e-8, labels=LABELS, num_classes=3, seed=0):
    """A bank whose images are far from one another, as a rule."""
    rng = np.random.default_rng(seed)
    mean = rng.normal(size=(len(labels), 5)).astype("float32")
    return LatentBank(
        mean,
        np.full_like(mean, np.log(variance)),
        np.asarray(labels, np.int32),
        num_classes,
    )


def nearest(bank, latents):
    """Which image of the bank each of the latents is at, and how far."""
    distances = np.linalg.norm(latents[:, None] - bank.mean[None], axis=-1)
    return distances.argmin(1), distances.min(1)


def test_around_is_near_images_of_the_class():
    """Every image of the class equally often, and no other one."""
    bank = make_bank()
    labels = np.arange(3, dtype=np.int32).repeat(1000)
    found, far = nearest(bank, bank.draw("around", labels, (0, 0)).numpy())
    assert far.max() < 0.01
    np.testing.assert_array_equal(bank.labels[found], labels)
    assert np.bincount(found[:1000], minlength=7)[LABELS == 0].min() > 200


def test_transferred_is_near_images_of_other_classes():
    """Other classes equally often, whatever their number of images."""
    bank = make_bank()
    labels = np.arange(3, dtype=np.int32).repeat(1000)
    latents = bank.draw("transferred", labels, (0, 0)).numpy()
    found, far = nearest(bank, latents)
    assert far.max() < 0.01
    sources = bank.labels[found].reshape(3, 1000)
    for label in range(3):
        shares = np.bincount(sources[label], minlength=3) / 1000
        assert shares[label] == 0
        np.testing.assert_allclose(np.delete(shares, label), 0.5, atol=0.06)
    # Within a class, its images are equally likely.
    assert np.bincount(found[1000:2000], minlength=7)[LABELS == 0].min() > 80


def test_interpolated_is_between_two_images_of_the_class():
    """On their great circle, at all places of it."""
    bank = make_bank(labels=[0, 0, 1], num_classes=2)
    latents = bank.draw("interpolated", np.zeros(2000, np.int32), (0, 0))
    first, last = bank.mean[:2]
    plane = np.linalg.qr(np.stack([first, last], 1))[0]
    outside = latents - (latents @ plane) @ plane.T
    assert np.abs(outside).max() < 0.01
    # Never longer than on the circle, and never short-cut through the middle.
    lengths = np.linalg.norm(latents, axis=-1)
    ends = np.linalg.norm(bank.mean[:2], axis=-1)
    assert lengths.min() > 0.9 * ends.min()
    near_first = np.linalg.norm(latents - first, axis=-1) < np.linalg.norm(
        latents - last, axis=-1
    )
    assert 0.4 < near_first.mean() < 0.6
    assert nearest(bank, latents.numpy())[1].max() > 0.3


@pytest.mark.parametrize("kind", LATENTS[1:])
def test_a_class_with_one_image_will_do(kind):
    """For every kind of latents, with every image drawn near it."""
    bank = make_bank(variance=0.01, labels=[0, 1], num_classes=2)
    labels = np.array([0, 1] * 50, np.int32)
    latents = bank.draw(kind, labels, (0, 0)).numpy()
    found, far = nearest(bank, latents)
    np.testing.assert_array_equal(
        found, 1 - labels if kind == "transferred" else labels
    )
    assert 0.05 < far.mean() < 0.5


@pytest.mark.parametrize("kind", ["around", "transferred"])
def test_truncation_scales_the_deviation(kind):
    """At zero the means themselves are drawn; at two, twice as far off."""
    bank = make_bank(variance=0.04)
    labels = np.arange(3, dtype=np.int32).repeat(500)
    exact, once, twice = (
        bank.draw(kind, labels, (0, 0), truncation).numpy()
        for truncation in (0.0, 1.0, 2.0)
    )
    assert nearest(bank, exact)[1].max() == 0
    np.testing.assert_allclose(twice - exact, 2 * (once - exact), atol=1e-5)
    assert np.std(once - exact) == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("kind", LATENTS)
def test_a_graph_draws_what_is_drawn_eagerly(kind):
    """The same seed gives the same latents; another seed, others."""
    bank, labels = make_bank(variance=0.1), np.arange(3, dtype=np.int32)

    def draw(labels, seed):
        return draw_latents(kind, bank, labels, 3, seed, 5)

    eager = draw(tf.constant(labels), (7, 0))
    graph = tf.function(draw)(tf.constant(labels), tf.constant([7, 0]))
    np.testing.assert_allclose(eager, graph, rtol=1e-5)
    assert np.abs(eager - draw(tf.constant(labels), (8, 0))).max() > 0.1


@pytest.mark.parametrize("kind", LATENTS)
def test_latents_depend_on_their_own_place_alone(kind):
    """So that images are the same when fewer of them are drawn."""
    bank = make_bank(variance=0.1)
    labels = np.arange(30, dtype=np.int32) % 3
    whole = draw_latents(kind, bank, tf.constant(labels), 30, (1, 0), 5)
    part = draw_latents(kind, bank, tf.constant(labels[:11]), 11, (1, 0), 5)
    # But for rounding, where several are computed at once.
    np.testing.assert_allclose(whole[:11], part, atol=1e-5)


MIXTURE = {"transferred": 1, "prior": 2, "around": 1.0}


def test_kinds_are_mixed_in_their_proportions():
    """Each latent is of one kind, as that kind alone would have been."""
    bank = make_bank(variance=0.1)
    labels = tf.constant(np.arange(3000, dtype=np.int32) % 3)
    mixed, *kinds = (
        draw_latents(latents, bank, labels, 3000, (3, 0), 5).numpy()
        for latents in (MIXTURE, "prior", "around", "transferred")
    )
    is_of = [np.isclose(mixed, kind).all(-1) for kind in kinds]
    assert (np.sum(is_of, 0) == 1).all()
    np.testing.assert_allclose(np.mean(is_of, 1), [0.5, 0.25, 0.25], atol=0.03)
    # Whatever the class: which kind it is says nothing of the label.
    for label in range(3):
        assert is_of[0][label::3].mean() == pytest.approx(0.5, abs=0.06)
    part = draw_latents(MIXTURE, bank, labels[:20], 20, (3, 0), 5)
    np.testing.assert_allclose(mixed[:20], part, atol=1e-5)


def test_shares_of_one_kind_are_that_kind():
    """A kind whose share is 0 is not drawn, and need not be there."""
    assert latent_shares(MIXTURE) == {
        "prior": 0.5,
        "around": 0.25,
        "transferred": 0.25,
    }
    assert sum(latent_shares({"prior": 1e308, "around": 1e308}).values()) == 1
    only = {"prior": 3, "around": 0}
    assert canonical_latents(only) == "prior"
    assert not needs_encoder(only)
    check_latents(only, None)
    np.testing.assert_array_equal(
        draw_latents(only, None, None, 4, (0, 0), 5),
        draw_latents("prior", None, None, 4, (0, 0), 5),
    )


@pytest.mark.parametrize(
    ("latents", "message"),
    [
        ({"prior": 1, "near": 1}, "or a dict from some of these.*'near': 1"),
        (["prior", "around"], r"\['prior', 'around'\]$"),
        (None, "Received: latents=None"),
        ({}, "not all 0. Received: latents={}"),
        ({"prior": 0, "around": 0}, "not all 0"),
        ({"prior": -1, "around": 2}, "at least 0.*'prior': -1"),
        ({"prior": float("nan")}, "finite numbers"),
        ({"prior": float("inf")}, "finite numbers"),
        ({"prior": True, "around": 1}, "finite numbers"),
        ({"prior": "1"}, "finite numbers"),
    ],
)
def test_shares_that_are_none_are_refused(latents, message):
    """They say what came."""
    with pytest.raises(ValueError, match=message):
        latent_shares(latents)


def test_without_classes():
    """All images are of one kind, and nothing can be transferred."""
    bank = make_bank(labels=[0] * 4, num_classes=None)
    bank.check()
    for kind in ("around", "interpolated"):
        check_latents(kind, bank)
        assert draw_latents(kind, bank, None, 6, (0, 0), 5).shape == (6, 5)
    for latents in ("transferred", {"prior": 1, "transferred": 1}):
        with pytest.raises(ValueError, match=r"no classes.*transferred"):
            check_latents(latents, bank)


def test_latents_that_cannot_be_drawn_are_refused():
    """Unknown ones, and those that need an encoder."""
    with pytest.raises(ValueError, match=r"\['prior', 'around'.*'elsewhere'"):
        check_latents("elsewhere", make_bank())
    check_latents("prior", None)
    with pytest.raises(ValueError, match=r"`ConditionalVAE`.*have an encoder"):
        check_latents("around", None)
    with pytest.raises(ValueError, match=r"`ConditionalVAE`.*'around': 1"):
        check_latents({"prior": 1, "around": 1}, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": np.zeros((7, 4), "float32")}, r"\(7, 4\), \(7, 5\)"),
        ({"log_variance": np.zeros((7, 5))}, "needs float32"),
        ({"labels": LABELS.astype("int64")}, "int32 labels"),
        ({"labels": LABELS[:6]}, "int32 labels"),
        ({"mean": np.full((7, 5), np.nan, "float32")}, "finite and moderate"),
        ({"mean": np.full((7, 5), 1e30, "float32")}, "finite and moderate"),
        (
            {"log_variance": np.full((7, 5), 99, "float32")},
            "finite and moderate",
        ),
        ({"num_classes": 4}, "labels of 3 classes, num_classes=4"),
        ({"num_classes": 2}, "labels of 3 classes, num_classes=2"),
        ({"num_classes": None}, "labels of 3 classes, num_classes=None"),
        ({"labels": LABELS - 1}, r"labels in \[0, num_classes\)"),
    ],
)
def test_a_bank_that_is_wrong_is_refused(change, message):
    """Before anything is drawn from it."""
    good = make_bank()
    good.check()
    parts = {**good.tensors(), "num_classes": 3, **change}
    with pytest.raises(ValueError, match=message):
        LatentBank(**parts).check()


def test_images_are_chosen_by_class():
    """As many of each class as there is room for, at least one of each."""
    labels = np.random.default_rng(0).permutation(
        np.arange(4).repeat([50, 20, 3, 1])
    )
    chosen = choose_images(labels, 20, seed=0)
    assert np.bincount(labels[chosen]).tolist() == [8, 8, 3, 1]
    assert len(set(chosen)) == 20
    np.testing.assert_array_equal(chosen, choose_images(labels, 20, seed=0))
    assert set(chosen) != set(choose_images(labels, 20, seed=1))
    np.testing.assert_array_equal(
        choose_images(labels, 100, seed=0), np.arange(74)
    )
    assert np.bincount(labels[choose_images(labels, 2, 0)]).tolist() == [1] * 4


def test_slerp_keeps_lengths():
    """The way is on the circle, its ends are the vectors, and it is even."""
    first = np.array([[3.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    last = np.array([[0.0, 3.0, 0.0], [2.0, 2.0, 2.0], [0.0, 4.0, 0.0]])
    for share in (0.0, 0.25, 1.0):
        moved = slerp(first, last, share).numpy()
        assert np.linalg.norm(moved[0]) == pytest.approx(3)
        np.testing.assert_allclose(
            moved[1:], ((1 - share) * first + share * last)[1:]
        )
    angle = np.arctan2(*slerp(first, last, 0.25).numpy()[0, 1::-1])
    assert angle == pytest.approx(np.pi / 8)
