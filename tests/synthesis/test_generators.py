"""Images from frozen generators, live."""

import json
import pickle
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from ganaug import artifact
from ganaug.data.images import from_unit
from ganaug.gan.generation import cut_at_class_embedding
from ganaug.gan.latent_kinds import LATENTS
from ganaug.synthesis.generators import Generators

LABELS = np.arange(30, dtype=np.int32) % 3
SEED = (5, 0)


@pytest.fixture(scope="module")
def pair(make_artifact):
    """Two artifacts of two architectures, both with an encoder."""
    return [
        make_artifact(1, encoder=True),
        make_artifact(2, "dcgan", encoder=True),
    ]


def in_graph(generators, labels=LABELS, seed=SEED):
    return tf.function(generators)(
        tf.constant(labels), tf.constant(seed, tf.int64)
    )


def test_shares_of_latents_are_kept_as_plain_numbers(pair):
    """Whatever they were told as, and whatever becomes of that."""
    told = {"prior": np.float32(1), "around": np.int64(3)}
    generators = Generators(pair[0], latents=types.MappingProxyType(told))
    expected = generators(LABELS, SEED).images
    told["prior"] = 0
    kept = json.loads(json.dumps(generators.settings))["latents"]
    assert kept == {"prior": 0.25, "around": 0.75}
    np.testing.assert_array_equal(
        Generators(pair[0], latents=kept)(LABELS, SEED).images, expected
    )
    assert generators.replace(latents={"around": 2}).latents == "around"


@pytest.mark.parametrize("latents", (*LATENTS, {"prior": 1, "around": 2}))
def test_it_draws_what_generate_draws(pair, latents):
    """Eagerly and in a graph, the same images for the same labels and seed."""
    expected = pair[0].generate(LABELS, seed=5, latents=latents, truncation=0.7)
    generators = Generators(pair[0], latents=latents, truncation=0.7)
    drawn = generators(LABELS, SEED, (0, 255), tf.uint8)
    assert drawn.images.dtype == tf.uint8
    for images in (
        drawn.images,
        from_unit(in_graph(generators).images, (0, 255), tf.uint8),
    ):
        assert np.abs(images.numpy().astype(int) - expected).max() <= 1
    assert drawn.targets is None
    assert (drawn.seeds.numpy() == SEED).all()
    np.testing.assert_array_equal(drawn.indices, np.arange(30))
    assert (drawn.sources.numpy() == 0).all()


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"latents": "interpolated"},
        {"latents": "transferred", "class_interpolation": 0.4},
        {"weights": [1, 3], "truncation": 0.5},
    ],
)
def test_a_row_depends_on_its_label_and_place_alone(pair, kwargs):
    """Fewer rows are the first ones, and other rows' labels do not matter."""
    generators = Generators(pair, **kwargs)
    whole = generators(LABELS, SEED)
    few = generators(LABELS[:7], SEED)
    others = LABELS.copy()
    others[::2] = (others[::2] + 1) % 3
    changed = generators(others, SEED)
    for a, b in ((few, whole), (changed, whole)):
        rows = slice(0, 7) if a is few else slice(1, None, 2)
        assert np.isfinite(a.images).all()
        np.testing.assert_allclose(a.images[rows], b.images[rows], atol=1e-5)
        np.testing.assert_array_equal(a.sources[rows], b.sources[rows])
        if a.targets is not None:
            np.testing.assert_array_equal(a.targets[rows], b.targets[rows])
    assert len(np.unique(whole.images.numpy().round(3), axis=0)) == 30


def test_each_row_is_drawn_by_its_artifact(pair):
    """As that artifact alone would draw it; the shares are the weights'."""
    labels = np.arange(900, dtype=np.int32) % 3
    drawn = Generators(pair, weights=[1, 3])(labels, SEED)
    assert Generators(pair).ids == tuple(Generators(one).ids[0] for one in pair)
    sources = drawn.sources.numpy()
    assert abs((sources == 1).mean() - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 900)
    for position, one in enumerate(pair):
        alone = Generators(one)(labels, SEED).images.numpy()
        np.testing.assert_allclose(
            drawn.images[sources == position],
            alone[sources == position],
            atol=1e-5,
        )
    # Sources have random numbers of their own.
    noise = tf.random.stateless_uniform((900,), SEED).numpy()
    assert abs(np.corrcoef(noise, sources)[0, 1]) < 4 / np.sqrt(900)


def test_no_generator_is_given_an_empty_batch(pair):
    """For which oneDNN's convolutions have wrong shapes."""
    generators = Generators(pair, weights=[1, 0])
    assert not generators(LABELS, SEED).sources.numpy().any()
    nothing = in_graph(generators, LABELS[:0])
    assert nothing.images.shape == (0, 6, 5, 1)
    assert nothing.seeds.shape == (0, 2)


@pytest.mark.parametrize("alpha", [0.05, 0.4, 2.0])
def test_shares_of_blended_classes(pair, alpha):
    """The own class has the larger share, of MixUp's distribution."""
    labels = np.arange(3000, dtype=np.int32) % 3
    targets = Generators(pair[0], class_interpolation=alpha)(
        labels, SEED
    ).targets.numpy()
    np.testing.assert_allclose(targets.sum(1), 1, atol=1e-6)
    own = targets[np.arange(3000), labels]
    assert own.min() >= 0.5
    beta = np.random.default_rng(0).beta(alpha, alpha, 3000)
    # Rounded, since float32 has few numbers below 1.
    folded = np.maximum(beta, 1 - beta).round(4)
    assert stats.ks_2samp(own.round(4), folded).pvalue > 0.01
    # Of the two other classes, each is the second one equally often.
    second = targets[np.arange(3000), (labels + 1) % 3] > 0
    blended = own < 1
    assert abs(second[blended].mean() - 0.5) < 4 * 0.5 / np.sqrt(blended.sum())


@pytest.mark.parametrize("one", [0, 1])
def test_images_of_blended_classes(pair, one):
    """They are what the generator draws for the blended embeddings."""
    pretrained = pair[one]
    drawn = Generators(pretrained, class_interpolation=1.0)(LABELS, SEED)
    whole = keras.models.clone_model(pretrained.generator)
    whole.set_weights(pretrained.generator.get_weights())
    embed, rest = cut_at_class_embedding(whole)
    latents = tf.random.stateless_normal((30, 4), SEED)
    expected = rest([latents, drawn.targets @ embed(tf.range(3))])
    np.testing.assert_allclose(drawn.images, expected, atol=1e-5)
    plain = Generators(pretrained)(LABELS, SEED).images
    own = drawn.targets.numpy()[np.arange(30), LABELS]
    change = np.abs(drawn.images - plain).mean((1, 2, 3))
    assert change[own > 0.97].max() < change[own < 0.6].max()


def test_the_weights_are_those_of_now(make_artifact):
    """Training the model on changes nothing."""
    pretrained = make_artifact(3)
    plain, blended = (
        Generators(pretrained, class_interpolation=alpha) for alpha in (0, 0.5)
    )
    before = [one(LABELS, SEED).images for one in (plain, blended)]
    ids = plain.ids
    for variable in pretrained.generator.variables:
        variable.assign(0.5 * variable)
    pretrained.generator.trainable = True
    after = [one(LABELS, SEED).images for one in (plain, blended)]
    np.testing.assert_array_equal(before, after)
    assert np.abs(Generators(pretrained)(LABELS, SEED).images - before[0]).max()
    assert Generators(pretrained).ids != ids


def test_a_graph_holds_constants_only(pair, tmp_path):
    """So tf.data checkpoints its iterators, in parallel too."""
    generators = Generators(
        pair, latents="around", class_interpolation=0.4, weights=[1, 1]
    )
    concrete = tf.function(generators).get_concrete_function(
        tf.TensorSpec([None], tf.int32), tf.TensorSpec([2], tf.int64)
    )
    assert not concrete.variables
    dataset = tf.data.Dataset.range(6).map(
        lambda i: generators(LABELS, tf.stack([i, i])),
        num_parallel_calls=3,
        deterministic=True,
    )
    expected = [drawn.images for drawn in dataset]
    iterator = iter(dataset)
    for _ in range(2):
        next(iterator)
    checkpoint = tf.train.Checkpoint(iterator=iterator)
    path = checkpoint.save(tmp_path / "iterator")
    next(iterator)
    checkpoint.restore(path)
    got = [drawn.images for drawn in iterator]
    np.testing.assert_array_equal(got, expected[2:])


@pytest.mark.parametrize("alpha", [0.0, 0.4])
def test_it_can_be_sent_to_other_processes(pair, alpha):
    """Pickled, it draws the same bits, and the models stay as they were."""
    for _ in range(2):
        generators = Generators(pair, class_interpolation=alpha)
        copied = pickle.loads(pickle.dumps(generators))
        np.testing.assert_array_equal(
            copied(LABELS, SEED).images, generators(LABELS, SEED).images
        )
        assert copied.settings == generators.settings
        pickle.dumps([one.generator for one in pair])


@pytest.mark.parametrize("alpha", [0.0, 0.4])
def test_remake(pair, alpha):
    """An image is made again from label, seed and index."""
    generators = Generators(pair, weights=[1, 2], class_interpolation=alpha)
    labels = np.full(64, 2, np.int32)
    drawn = generators(labels, (8, 9), (0, 255), "uint8")
    for index in (0, 13, 63):
        image = generators.remake(2, drawn.seeds[index], index)
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, drawn.images[index])
        alone = Generators(
            pair[drawn.sources[index]], class_interpolation=alpha
        ).remake(2, (8, 9), index)
        assert np.abs(alone.astype(int) - image).max() <= 1
    # Among other classes, and far behind.
    drawn = generators(np.arange(90) % 3, (8, 9), (0, 255), "uint8")
    image = generators.remake(89 % 3, (8, 9), 89, batch_size=90)
    assert np.abs(image.astype(int) - drawn.images[89]).max() <= 1


def test_floats_are_made_again_to_the_bit(make_artifact):
    """If as many images were drawn together."""
    generators = Generators(
        make_artifact(5, "dcgan", image_dtype="float32", value_range=(0.0, 1.0))
    )
    for batch_size in (64, 17):
        labels = np.ones(batch_size, np.int32)
        drawn = generators(labels, (8, 9), (0, 1))
        for index in (0, 13):
            np.testing.assert_array_equal(
                generators.remake(1, (8, 9), index, batch_size),
                drawn.images[index],
            )


@pytest.mark.parametrize(
    ("label", "index", "message"),
    [(3, 0, r"labels` must be in \[0, 3\)"), (0, -1, "index=-1")],
)
def test_what_never_was_drawn_is_not_made_again(pair, label, index, message):
    """Real images have index -1."""
    with pytest.raises(ValueError, match=message):
        Generators(pair).remake(label, (0, 0), index)


def test_without_classes(make_artifact):
    """The labels are zeros."""
    pretrained = make_artifact(4, classes=None)
    generators = Generators(pretrained)
    images = generators(np.zeros(5, np.int32), (7, 0), (0, 255), "uint8").images
    assert (
        np.abs(images - pretrained.generate(5, seed=7).astype(int)).max() <= 1
    )
    assert generators.num_classes is None
    assert generators.class_names == ("image",)
    assert generators.remake(0, (7, 0), 4).shape == (6, 5, 1)
    with pytest.raises(ValueError, match="none to blend"):
        Generators(pretrained, class_interpolation=0.4)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"latents": "near"}, "`latents` must be one of"),
        ({"latents": "around"}, "`ConditionalVAE`"),
        ({"truncation": -1}, "truncation=-1"),
        ({"truncation": float("nan")}, "truncation=nan"),
        ({"class_interpolation": -0.1}, "class_interpolation=-0.1"),
        ({"class_interpolation": "much"}, "class_interpolation='much'"),
        ({"weights": [1, 1]}, "each of the 1 artifacts"),
        ({"weights": [0]}, "not all 0"),
        ({"weights": [-1]}, "at least 0"),
        ({"weights": "a"}, "weights='a'"),
    ],
)
def test_bad_arguments_are_refused(pretrained, kwargs, message):
    """With the value that came."""
    with pytest.raises(ValueError, match=message) as error:
        Generators(pretrained, **kwargs)
    assert "Received: " in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class_names": ("cat", "dog", "cow")}, "same `class_names`"),
        ({"value_range": (0.0, 1.0)}, "same `value_range`"),
        ({"image_dtype": "float32"}, "same `image_dtype`"),
        ({"architecture": "mlp", "classes": None}, "same `class_names`"),
    ],
)
def test_artifacts_of_other_images_are_refused(
    make_artifact, pretrained, change, message
):
    """The error says in what they differ."""
    with pytest.raises(ValueError, match=message):
        Generators([pretrained, make_artifact(1, **change)])


def test_what_is_no_artifact_is_refused():
    """An empty list, and a folder's name."""
    with pytest.raises(ValueError, match="at least one"):
        Generators([])
    with pytest.raises(TypeError, match=r"artifact\.load"):
        Generators("runs/fashion")


def test_a_diverged_model_is_refused(make_artifact):
    """Its images would be black, in integers."""
    pretrained = make_artifact(6)
    variable = pretrained.generator.variables[-1]
    variable.assign(np.full(variable.shape, np.nan))
    with pytest.raises(ValueError, match="must be finite"):
        Generators(pretrained)


def test_trained_models_and_folders_of_theirs(small_gan, run):
    """A model and its saved artifact are one."""
    model, loaded = Generators(small_gan), Generators(artifact.load(run))
    assert model.ids == loaded.ids
    assert model.settings == loaded.settings
    np.testing.assert_array_equal(
        *(one(LABELS, SEED).images for one in (model, loaded))
    )
    np.testing.assert_array_equal(
        model.fingerprints, small_gan.to_artifact().fingerprints
    )


def test_other_backends_are_told(pretrained, monkeypatch):
    """They could not draw in a graph of TensorFlow; a bank needs none."""
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match=r"a bank of images.*'jax'"):
        Generators(pretrained)
