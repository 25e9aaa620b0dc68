"""GANAugmenter in tf.data pipelines."""

import collections
import hashlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganaug
from ganaug import artifact
from ganaug.augment.sampler import Sampler
from ganaug.gan.conditional_vae import ConditionalVAE
from ganaug.gan.latents import LATENTS

CLASSES = 10


@pytest.fixture(scope="module")
def pretrained(small_gan):
    return small_gan.to_artifact()


def plain(num=40, batch=None, label=0):
    """Black images of one class: whatever is not black is synthetic."""
    dataset = tf.data.Dataset.from_tensor_slices(
        (
            np.zeros((num, 8, 8, 1), np.uint8),
            np.full(num, label, np.int64),
        )
    )
    return dataset if batch is None else dataset.batch(batch)


def synthetic(images):
    return images.reshape(len(images), -1).max(1) > 0


def read(dataset):
    """All images and labels of batches."""
    batches = list(dataset.as_numpy_iterator())
    return tuple(np.concatenate(part) for part in zip(*batches, strict=True))


@pytest.mark.parametrize(
    ("ratio", "num_synthetic"), [(0.0, 0), (0.25, 10), (0.5, 20), (1.0, 40)]
)
def test_the_ratio_is_the_synthetic_share(pretrained, ratio, num_synthetic):
    """Batches of a size that divides have exactly that share."""
    augmenter = ganaug.GANAugmenter(pretrained, ratio, seed=0)
    images, labels = read(plain(batch=8).apply(augmenter))
    assert synthetic(images).sum() == num_synthetic
    assert (labels[~synthetic(images)] == 0).all()


def test_the_share_is_right_on_average_in_odd_batches(pretrained):
    """A part of an example is rounded up or down at random."""
    augmenter = ganaug.GANAugmenter(pretrained, 0.3, seed=0)
    images, _ = read(plain(3000, batch=7).apply(augmenter))
    # In each of 429 batches the number is 2 or 3, with mean 2.1.
    expected = 0.3 * 3000
    assert abs(synthetic(images).sum() - expected) < 4 * np.sqrt(429 * 0.09)


def test_places_are_random(pretrained):
    """Every place of a batch is replaced now and then."""
    augmenter = ganaug.GANAugmenter(pretrained, 0.25, seed=0)
    images, _ = read(plain(800, batch=8).apply(augmenter))
    by_place = synthetic(images).reshape(100, 8).sum(0)
    assert by_place.min() > 8
    assert by_place.max() < 50


def one_hot(dtype):
    return lambda x, y: (x, tf.one_hot(y, CLASSES, dtype=dtype))


Example = collections.namedtuple("Example", ["image", "label"])

WRAPS = {
    "pair": lambda x, y: (x, y),
    "weights": lambda x, y: (x, y, tf.cast(y, tf.float32) + 0.5),
    "TFDS dict": lambda x, y: {"image": x, "label": y},
    "Keras dict": lambda x, y: {
        "images": x,
        "labels": tf.one_hot(y, CLASSES),
    },
    "one-hot": one_hot(tf.float32),
    "integer one-hot": one_hot(tf.uint8),
    "namedtuple": lambda x, y: Example(x, y),
    "small labels": lambda x, y: (x, tf.cast(y, tf.uint8)),
}


@pytest.mark.parametrize("batch", [None, 8, 7])
@pytest.mark.parametrize("wrap", WRAPS)
def test_element_spec_and_cardinality_stay(pretrained, wrap, batch):
    """`concatenate` and `fit` see no difference."""
    dataset = plain(20).map(WRAPS[wrap])
    if batch:
        dataset = dataset.batch(batch)
    augmented = dataset.apply(ganaug.GANAugmenter(pretrained, 0.5, seed=0))
    assert augmented.element_spec == dataset.element_spec
    assert augmented.cardinality() == dataset.cardinality()
    both = list(dataset.concatenate(augmented))
    assert len(both) == 2 * int(dataset.cardinality())
    if batch is None:
        dataset, augmented = dataset.batch(20), augmented.batch(20)
    num_changed = 0
    for old, new in zip(dataset, augmented, strict=True):
        old_image, new_image = (
            tf.nest.flatten(element)[0].numpy() for element in (old, new)
        )
        assert old_image.shape == new_image.shape
        num_changed += synthetic(new_image).sum()
    assert 8 <= num_changed <= 12


@pytest.mark.parametrize(
    "shape",
    [
        lambda ds: ds.repeat(),
        lambda ds: ds.filter(lambda x, y: True),
        lambda ds: ds.batch(8, drop_remainder=True),
    ],
)
def test_infinite_unknown_and_static_stay(pretrained, shape):
    """Whatever the cardinality and the batch dimension were."""
    dataset = shape(plain(20))
    augmented = dataset.apply(ganaug.GANAugmenter(pretrained, 0.5, seed=0))
    assert augmented.cardinality() == dataset.cardinality()
    assert augmented.element_spec == dataset.element_spec
    assert len(list(augmented.take(2))) == 2


@pytest.mark.parametrize(
    ("num", "batch"), [(20, 1), (33, 32), (33, None), (65, None), (0, 4)]
)
def test_batches_without_synthetic_images(pretrained, num, batch):
    """Small batches get none now and then, and are left as they are."""
    augmenter = ganaug.GANAugmenter(pretrained, 0.25, seed=0)
    dataset = plain(num, batch).apply(augmenter)
    images = [image for image, _ in dataset.as_numpy_iterator()]
    assert len(images) == int(dataset.cardinality())


def test_synthetic_labels_follow_the_strategy(pretrained):
    """Uniform, matching, and weighted labels, in every label format."""
    match = ganaug.GANAugmenter(
        pretrained, 0.5, sampling_strategy="match", seed=0
    )
    _, labels = read(plain(40, 8, label=7).apply(match))
    assert (labels == 7).all()
    hot = plain(40, 8, label=7).map(one_hot(tf.float32))
    _, labels = read(hot.apply(match))
    np.testing.assert_array_equal(labels, np.eye(10)[[7] * 40])

    weighted = ganaug.GANAugmenter(
        pretrained, 1.0, sampling_strategy={"3": 3, 4: 1}, seed=0
    )
    _, labels = read(plain(400, 8).apply(weighted))
    counts = np.bincount(labels, minlength=10)
    assert counts[3] + counts[4] == 400
    assert 260 < counts[3] < 340

    uniform = ganaug.GANAugmenter(pretrained, 1.0, seed=0)
    _, labels = read(plain(2000, 8).apply(uniform))
    assert np.bincount(labels, minlength=10).min() > 140


def talking_artifact():
    """An artifact whose images have the gray value 20 times the label."""
    latents = keras.Input((2,), name="latents")
    labels = keras.Input((), dtype="int32", name="labels")
    gray = keras.ops.cast(labels, "float32") * (40 / 255) - 1
    images = keras.ops.tile(gray[:, None, None, None], (1, 8, 8, 1))
    return artifact.Artifact(
        generator=keras.Model([latents, labels], images),
        arguments={"image_shape": (8, 8, 1), "num_classes": 10},
        class_names=tuple("abcdefghij"),
        value_range=(0.0, 255.0),
        image_dtype="uint8",
        training={},
    )


@pytest.mark.parametrize("strategy", ["uniform", {"c": 1, "h": 2}, "match"])
@pytest.mark.parametrize("batch", [None, 16])
def test_images_are_drawn_for_their_labels(strategy, batch):
    """Image and label belong together, at every place of a batch."""
    augmenter = ganaug.GANAugmenter(
        talking_artifact(), 0.5, sampling_strategy=strategy, seed=0
    )
    dataset = plain(64, batch, label=3).apply(augmenter)
    images, labels = read(dataset if batch else dataset.batch(64))
    grays = images[:, 0, 0, 0]
    assert (images == grays[:, None, None, None]).all()
    real = grays == 0
    assert (labels[real & (labels != 0)] == 3).all()
    np.testing.assert_array_equal(grays[~real], 20 * labels[~real])
    assert (~real).sum() > 20


def test_weights_of_synthetic_examples_are_one(pretrained):
    """The real ones keep theirs."""
    dataset = plain(40, 8).map(
        lambda x, y: (x, y, 0.5 + 0 * tf.cast(y, "float32"))
    )
    images, _, weights = read(
        dataset.apply(ganaug.GANAugmenter(pretrained, 0.5, seed=0))
    )
    np.testing.assert_array_equal(weights, np.where(synthetic(images), 1, 0.5))


@pytest.mark.parametrize(
    ("dtype", "value_range"),
    [("float32", (0, 1)), ("float16", (-1, 1)), ("int32", (0, 255))],
)
def test_the_pipeline_keeps_its_dtype_and_range(pretrained, dtype, value_range):
    """The same images, in the pipeline's own terms."""
    low, high = value_range

    def convert(x, y):
        x = tf.cast(x, tf.float32) / 255 * (high - low) + low
        return tf.cast(x, dtype), y

    augmenter = ganaug.GANAugmenter(
        pretrained, 1.0, value_range=value_range, seed=0
    )
    images, _ = read(plain(16, 8).map(convert).apply(augmenter))
    expected, _ = read(
        plain(16, 8).apply(ganaug.GANAugmenter(pretrained, 1.0, seed=0))
    )
    assert images.dtype == dtype
    back = (images.astype("float64") - low) / (high - low) * 255
    np.testing.assert_allclose(back, expected, atol=0.7)


def stream_hash(dataset, epochs=2):
    digest = hashlib.sha256()
    for _ in range(epochs):
        for element in dataset:
            for tensor in tf.nest.flatten(element):
                digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def test_the_seed_fixes_the_stream(pretrained):
    """Whatever the number of threads; another seed, another stream."""

    def stream(seed, threads):
        options = tf.data.Options()
        options.threading.private_threadpool_size = threads
        augmenter = ganaug.GANAugmenter(pretrained, 0.5, seed=seed)
        return stream_hash(plain(64, 8).apply(augmenter).with_options(options))

    assert stream(1, 1) == stream(1, 4)
    assert stream(1, 1) != stream(2, 1)


def test_epochs_differ(pretrained):
    """Every epoch has synthetic images of its own, also under `repeat`."""
    augmented = plain(16, 8).apply(ganaug.GANAugmenter(pretrained, 0.5, seed=0))
    first, second = read(augmented)[0], read(augmented)[0]
    assert (first != second).any()
    repeated, _ = read(augmented.repeat(2))
    assert (repeated[:16] != repeated[16:]).any()


def test_an_iterator_can_be_restored_at_every_place(pretrained, tmp_path):
    """The default checkpoint of tf.data works and continues exactly."""
    dataset = (
        plain(24, 4)
        .shuffle(3, seed=1)
        .apply(ganaug.GANAugmenter(pretrained, 0.5, seed=0))
    )
    expected = [images.numpy() for images, _ in dataset]
    for place in range(len(expected)):
        # A fresh dataset each time, as in a new process.
        iterator = iter(
            plain(24, 4)
            .shuffle(3, seed=1)
            .apply(ganaug.GANAugmenter(pretrained, 0.5, seed=0))
        )
        got = [next(iterator)[0].numpy() for _ in range(place)]
        checkpoint = tf.train.Checkpoint(iterator=iterator)
        path = checkpoint.save(tmp_path / f"at{place}")
        for _ in iterator:
            pass
        checkpoint.restore(path)
        got += [images.numpy() for images, _ in iterator]
        np.testing.assert_array_equal(got, expected)


def test_the_stream_holds_no_variables(small_gan):
    """The generator is frozen: training on does not change the stream."""
    augmenter = ganaug.GANAugmenter(small_gan, 0.5, seed=0)
    dataset = plain(16, 8).apply(augmenter)
    before = stream_hash(plain(16, 8).apply(augmenter), epochs=1)
    weight = small_gan.ema_generator.weights[0]
    original = weight.numpy()
    weight.assign(original + 1)
    after = stream_hash(dataset, epochs=1)
    weight.assign(original)
    assert before == after


def test_a_keras_model_trains_on_it(pretrained):
    """`model.fit` with `apply`, as in the README."""
    model = keras.Sequential(
        [keras.layers.Flatten(), keras.layers.Dense(CLASSES)]
    )
    model.compile(
        "adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    dataset = plain(40).map(lambda x, y: (tf.cast(x, tf.float32), y)).batch(8)
    history = model.fit(
        dataset.apply(
            ganaug.GANAugmenter(pretrained, value_range=(0, 255), seed=0)
        ),
        validation_data=dataset,
        epochs=2,
        shuffle=False,
        verbose=0,
    )
    assert np.isfinite(history.history["loss"]).all()


def test_it_reads_a_run_folder(run):
    """`from_pretrained` takes the arguments of the class."""
    augmenter = ganaug.GANAugmenter.from_pretrained(run, ratio=0.5, seed=4)
    assert (augmenter.ratio, augmenter.seed) == (0.5, 4)
    assert augmenter.with_seed(5).seed == 5
    assert augmenter.seed == 4
    np.testing.assert_array_equal(
        augmenter.training_fingerprints, artifact.load(run).fingerprints
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ratio": 1.5}, "ratio=1.5"),
        ({"ratio": -0.1}, "ratio=-0.1"),
        ({"ratio": float("nan")}, "ratio=nan"),
        ({"ratio": "half"}, "ratio='half'"),
        ({"sampling_strategy": "most"}, "sampling_strategy='most'"),
        ({"sampling_strategy": {"cat": 1}}, "Received: 'cat'"),
        ({"value_range": (1, 0)}, r"value_range=\(1, 0\)"),
        ({"seed": -3}, "seed=-3"),
    ],
)
def test_bad_arguments_are_refused(pretrained, arguments, message):
    """At construction, with the value that came."""
    with pytest.raises(ValueError, match=message):
        ganaug.GANAugmenter(pretrained, **arguments)


def test_a_path_is_not_an_artifact(run):
    """The error says how a folder is read."""
    with pytest.raises(TypeError, match=r"from_pretrained\(path\)"):
        ganaug.GANAugmenter(run)


def shaped(*shape, classes=None):
    labels = np.zeros((4, classes) if classes else 4, np.int32)
    return tf.data.Dataset.from_tensor_slices(
        (np.zeros((4, *shape), np.uint8), labels)
    )


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (shaped(9, 8, 1), r"shape \(9, 8, 1\), but the GAN was trained on"),
        (shaped(8, 8, 3).batch(2), r"shape \(8, 8, 3\)"),
        (shaped(8, 8, 1, classes=3), "3 classes, but the GAN has 10"),
        (
            plain().map(lambda x, y: {"image": x, "label": y, "id": y}),
            r"also have \['id'\]",
        ),
        (
            plain().map(lambda x, y: (tf.cast(x, tf.float32), y)),
            "Declare it with `value_range`",
        ),
        (shaped(8, 8), "expand_dims"),
        (plain().map(lambda x, y: x), "neither a pair"),
        (
            plain().map(lambda x, y: (x, y, tf.ones(1))).batch(4),
            "not one number for each example",
        ),
        (
            plain().map(lambda x, y: (x, tf.one_hot(y, 10) > 0)),
            "labels have dtype bool",
        ),
    ],
)
def test_datasets_that_do_not_fit_are_refused(pretrained, dataset, message):
    """When applied, near the user's line, and not when iterated."""
    augmenter = ganaug.GANAugmenter(pretrained, seed=0)
    with pytest.raises(ValueError, match=message) as error:
        dataset.apply(augmenter)
    assert "Received: " in str(error.value)


def test_floats_need_a_declared_range(digits):
    """Also where the GAN learnt floats: theirs may have been others."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 10, width=4, latent_dim=8, seed=0)
    gan.compile()
    images = digits.train.images / np.float32(127.5) - 1
    gan.fit(images, digits.train.labels, steps_per_epoch=1, verbose=0)
    dataset = plain().map(lambda x, y: (tf.cast(x, tf.float32), y))
    with pytest.raises(ValueError, match="Declare it with `value_range`"):
        dataset.apply(ganaug.GANAugmenter(gan, seed=0))


@pytest.mark.parametrize("label", [10, -1])
@pytest.mark.parametrize("strategy", ["uniform", "match"])
def test_labels_that_the_gan_does_not_know_stop_the_stream(
    pretrained, label, strategy
):
    """A label out of range is not mixed with others in silence."""
    augmenter = ganaug.GANAugmenter(
        pretrained, 0.5, sampling_strategy=strategy, seed=0
    )
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"labels must be in \[0, 10\)"
    ):
        list(plain(8, 4, label).apply(augmenter))


@pytest.fixture(scope="module")
def vae(digits):
    """A VAE that has learnt a little, so that its images differ."""
    vae = ConditionalVAE((8, 8, 1), 10, seed=3)
    vae.compile(steps_per_execution=10)
    vae.fit(digits.train, steps_per_epoch=50, verbose=0)
    return vae.to_artifact()


@pytest.mark.parametrize("latents", LATENTS)
def test_the_sampler_draws_what_generate_draws(vae, latents):
    """In a graph, the same images for the same labels, seed and latents."""
    sampler = Sampler(vae.generator, latents, vae.latent_bank)
    labels = np.arange(10).repeat(3).astype("int32")
    drawn = tf.function(sampler)(
        tf.constant(labels), tf.constant([5, 0], tf.int64), (0, 255), tf.uint8
    )
    expected = vae.generate(labels, seed=5, latents=latents)
    assert np.abs(drawn.numpy().astype(int) - expected).max() <= 1


def test_latents_of_real_images_can_be_mixed_in(vae):
    """Every kind has a stream of its own, which the seed fixes."""

    def stream(latents, threads=4):
        options = tf.data.Options()
        options.threading.private_threadpool_size = threads
        augmenter = ganaug.GANAugmenter(vae, 0.5, seed=1, latents=latents)
        assert augmenter.with_seed(2).latents == latents
        return stream_hash(plain(32, 8).apply(augmenter).with_options(options))

    streams = {latents: stream(latents) for latents in LATENTS}
    assert len(set(streams.values())) == len(LATENTS)
    assert stream("transferred", threads=1) == streams["transferred"]


def test_latents_of_real_images_are_constants_of_the_stream(vae, tmp_path):
    """So its iterators can be checkpointed, as without them."""
    augmenter = ganaug.GANAugmenter(vae, 0.5, seed=0, latents="interpolated")
    expected = [images.numpy() for images, _ in plain(24, 4).apply(augmenter)]
    iterator = iter(
        plain(24, 4).apply(
            ganaug.GANAugmenter(vae, 0.5, seed=0, latents="interpolated")
        )
    )
    got = [next(iterator)[0].numpy() for _ in range(2)]
    checkpoint = tf.train.Checkpoint(iterator=iterator)
    path = checkpoint.save(tmp_path / "iterator")
    next(iterator)
    checkpoint.restore(path)
    got += [images.numpy() for images, _ in iterator]
    np.testing.assert_array_equal(got, expected)


def test_latents_can_be_named_when_a_folder_is_read(vae, tmp_path):
    """And those that the artifact cannot give are refused."""
    artifact.save(vae, tmp_path / "run")
    augmenter = ganaug.GANAugmenter.from_pretrained(
        tmp_path / "run", latents="around"
    )
    assert augmenter.latents == "around"
    with pytest.raises(ValueError, match="`latents` must be one of"):
        ganaug.GANAugmenter.from_pretrained(tmp_path / "run", latents="near")


def test_a_gan_draws_from_the_prior_alone(pretrained):
    """The error says which models have an encoder."""
    assert ganaug.GANAugmenter(pretrained).latents == "prior"
    with pytest.raises(ValueError, match="`ConditionalVAE` and"):
        ganaug.GANAugmenter(pretrained, latents="transferred")


def test_a_generator_without_classes_is_refused(make_images):
    """Its images have no labels to mix in."""
    data = make_images()
    vae = ConditionalVAE((8, 8, 1), None, width=16, seed=0)
    vae.compile()
    vae.fit(data.images, steps_per_epoch=1, verbose=0)
    with pytest.raises(ValueError, match="Train a model with `num_classes`"):
        ganaug.GANAugmenter(vae)


def test_an_untrained_gan_is_refused():
    """It would mix in noise."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 10, width=4, latent_dim=8)
    with pytest.raises(ValueError, match="has not been trained"):
        ganaug.GANAugmenter(gan)


def test_it_is_not_applied_inside_of_other_datasets(pretrained):
    """There it would repeat its noise in every part."""
    augmenter = ganaug.GANAugmenter(pretrained, seed=0)
    with pytest.raises(ValueError, match="Apply it to the dataset that comes"):
        tf.data.Dataset.range(2).interleave(lambda i: augmenter(plain(8, 4)))
    with pytest.raises(TypeError, match="Received: tuple"):
        augmenter((np.zeros((2, 8, 8, 1)), [0, 1]))


@pytest.mark.parametrize("value_range", [(-1, 1), (0, 16)])
def test_integers_outside_of_the_declared_range_stop_the_stream(
    pretrained, value_range
):
    """Where the dtype alone does not keep them inside."""
    augmenter = ganaug.GANAugmenter(pretrained, value_range=value_range, seed=0)
    dataset = plain(8, 4).map(lambda x, y: (x + 200, y))
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="leave the value range"
    ):
        list(dataset.apply(augmenter))


def test_images_outside_of_the_declared_range_stop_the_stream(pretrained):
    """Real images in [0, 255] are never mixed with synthetic in [0, 1]."""
    augmenter = ganaug.GANAugmenter(pretrained, value_range=(0, 1), seed=0)
    dataset = plain(8, 4).map(lambda x, y: (tf.cast(x, tf.float32) + 9, y))
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="leave the value range"
    ):
        list(dataset.apply(augmenter))
