"""GANAugmenter as a user of Keras and tf.data meets it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganaug
from ganaug import artifact
from ganaug.gan.conditional_vae import ConditionalVAE
from ganaug.synthesis.generators import Generators

MODES = {
    "replace": {"ratio": 0.5},
    "append": {"ratio": 0.5, "mode": "append"},
    "extend": {"mode": "extend"},
}


def convert(dtype="float32", shift=0, scale=1):
    return lambda x, y: (tf.cast(x, dtype) * scale + shift, y)


def classifier():
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(5)]
    )
    model.compile(
        "adam",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("weighted", [False, True])
def test_fit_takes_it(talking, real, mode, weighted):
    """With validation data and class weights, or weights of its own."""
    augmenter = ganaug.GANAugmenter(
        talking,
        value_range=(0, 1),
        sample_weight=0.5 if weighted else None,
        seed=0,
        **MODES[mode],
    )
    dataset = real().map(convert(scale=1 / 255)).batch(8)
    history = classifier().fit(
        dataset.apply(augmenter),
        validation_data=dataset,
        class_weight=None if weighted else dict.fromkeys(range(5), 2.0),
        epochs=2,
        shuffle=False,
        verbose=0,
    )
    assert np.isfinite(history.history["val_loss"]).all()
    # Keras counts the steps by the cardinality.
    steps = int(dataset.apply(augmenter).cardinality())
    assert steps == {"replace": 5, "append": 5, "extend": 8}[mode]
    assert history.params["steps"] == steps


@pytest.mark.parametrize("mode", MODES)
def test_class_weights_weigh_synthetic_examples_too(talking, real, read, mode):
    """Keras takes the weight of each example from the label it gets."""
    augmenter = ganaug.GANAugmenter(
        talking,
        value_range=(0, 1),
        rerandomize_each_iteration=False,
        seed=0,
        **MODES[mode],
    )
    dataset = real().map(convert(scale=1 / 255)).batch(8).apply(augmenter)
    model = classifier()
    model.optimizer.learning_rate = 0.0
    weights = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    images, labels = read(dataset)
    losses = keras.losses.sparse_categorical_crossentropy(
        labels, model.predict(images, verbose=0), from_logits=True
    )
    history = model.fit(
        dataset,
        class_weight=dict(enumerate(weights)),
        shuffle=False,
        verbose=0,
    )
    np.testing.assert_allclose(
        history.history["loss"][0], np.mean(weights[labels] * losses), 1e-5
    )


def test_what_is_added_to_tuples_is_dropped_before_fit(talking, real):
    """As the documentation says."""
    augmenter = ganaug.GANAugmenter(talking, 0.5, provenance=True, seed=0)
    dataset = real().batch(8).apply(augmenter).map(lambda x, y, origin: (x, y))
    classifier().fit(dataset, shuffle=False, verbose=0)


def test_it_reads_run_folders(small_gan, tmp_path, digits, read):
    """`from_pretrained` takes the arguments of the class and of generators."""
    small_gan.save_pretrained(tmp_path / "run")
    augmenter = ganaug.GANAugmenter.from_pretrained(
        tmp_path / "run", 0.5, "match", truncation=0.7, seed=4
    )
    assert (augmenter.ratio, augmenter.seed) == (0.5, 4)
    assert augmenter.sampling_strategy == "match"
    assert augmenter.generators.truncation == 0.7
    assert augmenter.with_seed(5).seed == 5
    assert augmenter.seed == 4
    np.testing.assert_array_equal(
        augmenter.training_fingerprints,
        artifact.load(tmp_path / "run").fingerprints,
    )
    assert augmenter.class_names == digits.train.class_names
    two = ganaug.GANAugmenter.from_pretrained(
        [tmp_path / "run", tmp_path / "run"], weights=[1, 4], seed=4
    )
    assert two.generators.weights == (0.2, 0.8)
    assert two.ratio == 0.25
    with pytest.raises(FileNotFoundError):
        ganaug.GANAugmenter.from_pretrained(tmp_path / "walk")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ratio": 1.5}, "ratio=1.5"),
        ({"ratio": float("nan")}, "ratio=nan"),
        ({"ratio": True}, "ratio=True"),
        (
            {"sampling_strategy": np.array([0.5, 0.5])},
            "one weight for each of the 5 classes",
        ),
        ({"ratio": 1, "mode": "append"}, r"\[0, 1\).*is real.*ratio=1"),
        ({"ratio": 0.5, "mode": "extend"}, "Leave out `ratio`.*ratio=0.5"),
        ({"mode": "mix"}, r"\('replace', 'append', 'extend'\).*mode='mix'"),
        ({"share": "right"}, r"\('expected', 'exact'\).*share='right'"),
        ({"schedule_by": "batch"}, "schedule_by='batch'"),
        ({"sampling_strategy": "most"}, "sampling_strategy='most'"),
        ({"sampling_strategy": "auto"}, "mode='extend'"),
        ({"sampling_strategy": {"cow": 1}}, "Received: 'cow'"),
        ({"class_names": "ant"}, r"does not have \['bee', 'cat', 'dog', 'elk'"),
        (
            {"class_names": ["ant", "bee", "cat", "fox", "elk"]},
            r"does not know \['fox'\], and .* \['dog'\]",
        ),
        (
            {"class_names": ["ant", "cat", "bee", "dog", "elk"]},
            "label 1 is 'cat' in the dataset and 'bee' for the GAN",
        ),
        ({"class_counts": {"ant": 3}}, r"\['bee', 'cat', 'dog', 'elk'\] are"),
        ({"value_range": (1, 0)}, r"value_range=\(1, 0\)"),
        ({"seed": -3}, "seed=-3"),
    ],
)
def test_bad_arguments_are_refused(talking_bank, arguments, message):
    """At construction, with the value that came."""
    with pytest.raises(ValueError, match=message) as error:
        ganaug.GANAugmenter(source=talking_bank, **arguments)
    assert "Received: " in str(error.value)


def test_the_classes_of_the_data_can_be_declared(talking_bank):
    """And are compared again where anything is replaced."""
    names = ["ant", "bee", "cat", "dog", "elk"]
    augmenter = ganaug.GANAugmenter(source=talking_bank, class_names=names)
    assert augmenter.replace(ratio=0.5).class_names == tuple(names)
    with pytest.raises(ValueError, match="label 0 is 'elk'"):
        augmenter.replace(class_names=names[::-1])


def test_what_is_not_pretrained_is_refused(run, make_images, talking_bank):
    """Paths, untrained models, and models without classes."""
    with pytest.raises(TypeError, match=r"from_pretrained\(path\)"):
        ganaug.GANAugmenter(run)
    with pytest.raises(TypeError, match="must be an Artifact"):
        ganaug.GANAugmenter(keras.Sequential())
    for pretrained in (run, str(run), keras.Sequential(), [run]):
        with pytest.raises(TypeError, match="must be an Artifact"):
            ganaug.GANAugmenter(pretrained, source=talking_bank)
    gan = ganaug.ConditionalGAN((8, 8, 1), 10, width=4, latent_dim=8)
    with pytest.raises(ValueError, match="has not been trained"):
        ganaug.GANAugmenter(gan)
    vae = ConditionalVAE((8, 8, 1), None, width=16, seed=0)
    vae.compile()
    vae.fit(make_images().images, steps_per_epoch=1, verbose=0)
    with pytest.raises(ValueError, match="Train a model with `num_classes`"):
        ganaug.GANAugmenter(vae)
    with pytest.raises(ValueError, match="have an encoder"):
        ganaug.GANAugmenter.from_pretrained(run, latents="transferred")


def shaped(*shape, classes=None):
    labels = np.zeros((4, classes) if classes else 4, np.int32)
    return tf.data.Dataset.from_tensor_slices(
        (np.zeros((4, *shape), np.uint8), labels)
    )


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (shaped(9, 4, 1), r"shape \(9, 4, 1\), but the GAN was trained on \(4"),
        (shaped(4, 4, 3).batch(2), r"shape \(4, 4, 3\)"),
        (shaped(4, 4, 1, classes=3), r"3 classes, but the GAN has 5: \['ant'"),
        (shaped(4, 4), "expand_dims"),
        (shaped(4, 4, 1).map(lambda x, y: x), "neither a pair"),
        (
            shaped(4, 4, 1).map(lambda x, y: (x, y, tf.ones(1))).batch(4),
            "not one number for each example",
        ),
        (
            shaped(4, 4, 1).map(lambda x, y: (x, tf.one_hot(y, 5) > 0)),
            "labels have dtype bool",
        ),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_datasets_that_do_not_fit_are_refused(
    talking_bank, dataset, message, mode
):
    """When applied, near the user's line, and not when iterated."""
    augmenter = ganaug.GANAugmenter(source=talking_bank, **MODES[mode])
    with pytest.raises(ValueError, match=message) as error:
        dataset.apply(augmenter)
    assert "Received: " in str(error.value)


def test_floats_need_a_declared_range(talking, real):
    """Also where the GAN learnt floats: theirs may have been others."""
    augmenter = ganaug.GANAugmenter(talking)
    for dtype in ("float32", "float16", "int32"):
        with pytest.raises(ValueError, match="Declare it with `value_range`"):
            real().map(convert(dtype)).apply(augmenter)
    with pytest.raises(ValueError, match="uint8, which cannot hold"):
        real().apply(ganaug.GANAugmenter(talking, value_range=(-1, 1)))


@pytest.mark.parametrize("label", [5, -1])
@pytest.mark.parametrize("batch", [None, 4])
@pytest.mark.parametrize("strategy", ["uniform", "match"])
def test_labels_that_the_gan_does_not_know_stop_the_stream(
    talking_bank, real, label, strategy, batch
):
    """A label out of range is not mixed with others in silence."""
    augmenter = ganaug.GANAugmenter(
        source=talking_bank, ratio=0.5, sampling_strategy=strategy
    )
    dataset = real(8, [0, 1, 2, label] * 2)
    dataset = dataset.batch(batch) if batch else dataset
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"labels must be in \[0, 5\)"
    ):
        list(dataset.apply(augmenter))
    extended = ganaug.GANAugmenter(source=talking_bank, mode="extend")
    with pytest.raises(ValueError, match=r"labels must be in \[0, 5\)"):
        dataset.apply(extended)


@pytest.mark.parametrize(
    ("change", "value_range"),
    [
        (convert(), (0, 1)),
        (convert(scale=1 / 255, shift=-0.1), (0, 1)),
        (convert(scale=float("nan")), (0, 255)),
        (convert("int32"), (0, 16)),
        (lambda x, y: (x, y), (0, 16)),
    ],
)
def test_images_outside_of_the_declared_range_stop_the_stream(
    talking_bank, real, change, value_range
):
    """Real images in [0, 255] are never mixed with synthetic in [0, 1]."""
    augmenter = ganaug.GANAugmenter(
        source=talking_bank, value_range=value_range
    )
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="leave the value range"
    ):
        list(real().map(change).batch(4).apply(augmenter))


@pytest.mark.parametrize("batch", [None, 1])
def test_images_of_another_size_stop_the_stream(talking_bank, real, batch):
    """Where only the batch tells their size."""

    def widen(x, y):
        x = tf.pad(x, [[0, 0], [0, tf.cast(y, tf.int32)], [0, 0]])
        return tf.ensure_shape(x, (None, None, 1)), y

    dataset = real(6, [0, 0, 0, 0, 0, 2]).map(widen)
    dataset = dataset.batch(batch) if batch else dataset
    growing = {"mode": "extend", "class_counts": [5, 0, 1, 0, 0]}
    for arguments in ({"ratio": 0.5}, growing):
        augmenter = ganaug.GANAugmenter(source=talking_bank, **arguments)
        if batch is None and augmenter.mode == "replace":
            assert len(list(dataset.take(5).apply(augmenter))) == 5
        with pytest.raises(
            tf.errors.InvalidArgumentError,
            match=r"trained on images of shape \(4",
        ):
            list(dataset.apply(augmenter))


def test_it_is_not_applied_inside_of_other_datasets(talking_bank, real):
    """There it would repeat its noise in every part."""
    augmenter = ganaug.GANAugmenter(source=talking_bank)
    with pytest.raises(ValueError, match="Apply it to the dataset that comes"):
        tf.data.Dataset.range(2).interleave(
            lambda i: augmenter(shaped(4, 4, 1))
        )
    with pytest.raises(TypeError, match="Received: tuple"):
        augmenter((np.zeros((2, 4, 4, 1)), [0, 1]))


def test_real_generators_draw_what_generate_draws(small_gan, digits, read):
    """Live, the images of a trained GAN in the pipeline are its own."""
    augmenter = ganaug.GANAugmenter(
        Generators(small_gan), 0.5, provenance=True, seed=0
    )
    dataset = tf.data.Dataset.from_tensor_slices(
        (digits.train.images[:32], digits.train.labels[:32])
    )
    images, labels, origin = read(dataset.batch(8).apply(augmenter))
    made = np.flatnonzero(origin["index"] >= 0)
    assert len(made) == 16
    for row in made[:4]:
        again = augmenter.generators.remake(
            int(labels[row]),
            origin["seed"][row],
            int(origin["index"][row]),
            batch_size=4,
        )
        assert np.abs(again.astype(int) - images[row].astype(int)).max() <= 1
