"""ConditionalGAN, as a user of Keras meets it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganaug
from ganaug.data.splits import fingerprints

SMALL = {"width": 4, "depth": 1, "latent_dim": 8}
# Where networks do not matter: graphs of these are made in less time.
MLP = {"architecture": "mlp", "width": 8, "latent_dim": 8}


def fitted(data, seed=3, steps=3, arguments=MLP, **kwargs):
    gan = ganaug.ConditionalGAN((8, 8, 1), 3, seed=seed, **arguments)
    gan.compile()
    history = gan.fit(data, steps_per_epoch=steps, verbose=0, **kwargs)
    return gan, history


def test_fit_changes_both_networks_and_reports_losses(make_images):
    """Both players learn, the average follows, and losses are finite."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 3, seed=3, **SMALL)
    gan.compile()
    before = [
        [weight.numpy() for weight in network.weights]
        for network in (gan.generator, gan.discriminator, gan.ema_generator)
    ]
    history = gan.fit(make_images(), steps_per_epoch=3, epochs=2, verbose=0)
    assert set(history.history) == {"d_loss", "g_loss"}
    assert np.isfinite(history.history["d_loss"]).all()
    for old, network in zip(
        before,
        (gan.generator, gan.discriminator, gan.ema_generator),
        strict=True,
    ):
        assert any(
            np.abs(weight - new.numpy()).max() > 0
            for weight, new in zip(old, network.weights, strict=True)
        )


def test_the_seed_fixes_everything(make_images):
    """Same seed, same images; another seed, other images."""
    images = [
        fitted(make_images(), seed, 3, SMALL)[0].generate([0, 1, 2], seed=0)
        for seed in (3, 3, 4)
    ]
    np.testing.assert_array_equal(images[0], images[1])
    assert (images[0] != images[2]).any()


def test_two_fits_go_on_like_one(make_images):
    """Batches and noise are functions of the step."""
    gan, _ = fitted(make_images(), steps=2)
    gan.fit(make_images(), steps_per_epoch=2, verbose=0)
    whole, _ = fitted(make_images(), steps=4)
    np.testing.assert_array_equal(
        gan.generate([0, 1, 2], seed=0), whole.generate([0, 1, 2], seed=0)
    )


@pytest.mark.parametrize(
    "wrap",
    [
        lambda x, y: (tf.data.Dataset.from_tensor_slices((x, y)), None),
        lambda x, y: (
            tf.data.Dataset.from_tensor_slices({"image": x, "label": y}),
            None,
        ),
        lambda x, y: (
            tf.data.Dataset.from_tensor_slices(
                {"images": x, "labels": np.eye(3)[y]}
            ).batch(5),
            None,
        ),
        lambda x, y: (x, y),
    ],
)
def test_fit_takes_what_pipelines_have(make_images, wrap):
    """Pairs, TFDS dicts, Keras dicts with one-hot labels, and arrays."""
    data = make_images()
    x, y = wrap(data.images, data.labels)
    gan, _ = fitted(x, y=y)
    expected, _ = fitted(data)
    np.testing.assert_array_equal(
        gan.generate([0, 1, 2], seed=0), expected.generate([0, 1, 2], seed=0)
    )


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_images_come_in_the_data_own_dtype_and_range(make_images, dtype):
    """What was uint8 in [0, 255] comes out so; floats in [0, 1] too."""
    data = make_images()
    if dtype == "float32":
        data = ganaug.LabeledImages(data.images / np.float32(255), data.labels)
    gan, _ = fitted(data)
    images = gan.generate([0, 1, 2, 1], seed=0)
    assert images.dtype == dtype
    assert images.shape == (4, 8, 8, 1)
    low, high = data.value_range
    assert low <= images.min() < images.max() <= high
    assert images.max() > low + 0.3 * (high - low)


def test_generate_does_not_depend_on_batch_size(small_gan):
    """An image depends on the seed and on its place alone."""
    labels = np.arange(10).repeat(3)
    whole = small_gan.generate(labels, seed=5).astype(int)
    parts = small_gan.generate(labels, seed=5, batch_size=4).astype(int)
    # Rounding in the convolutions may move a pixel by one of 255.
    assert np.abs(whole - parts).max() <= 1
    assert small_gan.generate([], seed=5).shape == (0, 8, 8, 1)


@pytest.mark.parametrize("labels", [[10], [-1], [0.5], 3, [[1]]])
def test_generate_refuses_bad_labels(small_gan, labels):
    """Labels are integers of known classes, in one dimension."""
    with pytest.raises(ValueError, match="`labels` must be"):
        small_gan.generate(labels)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (8, 8)}, "image_shape="),
        ({"num_classes": 1}, "num_classes=1"),
        ({"num_classes": 2.5}, "num_classes=2.5"),
        ({"preset": "huge"}, "preset='huge'"),
        ({"seed": -1}, "seed=-1"),
        ({"width": 0}, "width=0"),
        ({"latent_dim": 1.5}, "latent_dim=1.5"),
        ({"depth": -1}, "depth=-1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    """At construction, with the value that came."""
    arguments = {"image_shape": (8, 8, 1), "num_classes": 3, **arguments}
    with pytest.raises(ValueError, match=message):
        ganaug.ConditionalGAN(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gamma": -1}, "gamma=-1"),
        ({"gamma": float("nan")}, "gamma=nan"),
        ({"ema_half_life": -1}, "ema_half_life=-1"),
        ({"diff_augment": "zoom"}, "diff_augment='zoom'"),
        ({"decay_steps": 0}, "decay_steps=0"),
    ],
)
def test_bad_compile_arguments_are_refused(arguments, message):
    """At compile, with the value that came."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 3, **MLP)
    with pytest.raises(ValueError, match=message):
        gan.compile(**arguments)


@pytest.mark.parametrize(
    ("class_counts", "shape", "kwargs", "message"),
    [
        ((6, 4, 2), (9, 8, 1), {}, r"shape \(9, 8, 1\)"),
        ((6, 4, 2), (8, 8, 3), {}, r"shape \(8, 8, 3\)"),
        ((6, 4), (8, 8, 1), {}, "labels of 2 classes"),
        ((6, 4, 2, 1), (8, 8, 1), {}, "labels of 4 classes"),
        ((6, 0, 2), (8, 8, 1), {}, r"no image of \['1'\]"),
    ],
)
def test_data_that_do_not_fit_are_refused(
    make_images, class_counts, shape, kwargs, message
):
    """Before the first step, so that no weight has changed."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 3, **MLP)
    gan.compile()
    with pytest.raises(ValueError, match=message):
        gan.fit(make_images(class_counts, shape), verbose=0, **kwargs)
    assert int(gan.g_optimizer.iterations) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"batch_size": 1.5}, r"batch_size=1\.5"),
        ({"epochs": 0}, "epochs=0"),
        ({"steps_per_epoch": 0}, "steps_per_epoch=0"),
        ({"steps_per_epoch": -1}, "steps_per_epoch=-1"),
        ({"value_range": (0, 300)}, "leave out `class_names`"),
    ],
)
def test_bad_fit_arguments_are_refused(make_images, arguments, message):
    """A number that would hang or train nothing."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 3, **MLP)
    gan.compile()
    with pytest.raises(ValueError, match=message):
        gan.fit(make_images(), verbose=0, **arguments)


def test_fingerprints_of_every_fit_are_kept(make_images):
    """What was learnt first is still known, also after a `.keras` file."""
    gan, _ = fitted(make_images(seed=0), steps=1)
    gan.fit(make_images(seed=1), steps_per_epoch=1, verbose=0)
    config = keras.saving.serialize_keras_object(gan)
    loaded = keras.saving.deserialize_keras_object(config)
    for model in (gan, loaded):
        for seed in (0, 1):
            numbers = fingerprints(make_images(seed=seed))
            assert np.isin(numbers, model.learnt.fingerprints).all()
        assert model.learnt.training["num_images"] == 24
    assert loaded.learnt.training == gan.learnt.training


def test_numpy_numbers_and_odd_names_do_not_stop_saving(make_images, tmp_path):
    """A dollar sign is no formula, and a NumPy float is a number."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 3, **MLP)
    gan.compile(gamma=np.float32(0.3), d_optimizer="adam")
    data = make_images(class_names=["$5_$", r"$\frac$", "a|b"])
    gan.fit(data, batch_size=np.int64(8), steps_per_epoch=1, verbose=0)
    gan.save_pretrained(tmp_path / "run")
    loaded = ganaug.GANAugmenter.from_pretrained(tmp_path / "run")
    assert loaded.class_names == data.class_names


def test_fit_needs_compile(make_images):
    """The error says what to call."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 3, **MLP)
    with pytest.raises(ValueError, match=r"Call `compile\(\)`"):
        gan.fit(make_images())


def test_divergence_stops_with_an_explanation(make_images):
    """A NaN in a weight is noticed in the first step, and not saved."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 3, **MLP)
    gan.compile()
    weight = gan.generator.trainable_weights[0]
    weight.assign(weight * np.nan)
    with pytest.raises(RuntimeError, match="failed at step 1: `d_loss` is nan"):
        gan.fit(make_images(), verbose=0)


def test_the_learning_rate_decays_where_asked_for(make_images):
    """To a tenth after the steps named, for both players."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 3, **MLP)
    gan.compile(decay_steps=4)
    rates = []
    for optimizer in (gan.d_optimizer, gan.g_optimizer):
        rates.append(float(optimizer.learning_rate))
    gan.fit(make_images(), steps_per_epoch=5, verbose=0)
    for first, optimizer in zip(
        rates, (gan.d_optimizer, gan.g_optimizer), strict=True
    ):
        assert float(optimizer.learning_rate) == pytest.approx(0.1 * first)


def test_a_keras_file_keeps_all_of_it(make_images, tmp_path):
    """Saved and loaded, training goes on as if nothing had happened."""
    gan, _ = fitted(make_images(), steps=2)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    for model in (gan, loaded):
        model.fit(make_images(), steps_per_epoch=2, verbose=0)
    np.testing.assert_array_equal(
        gan.generate([0, 1, 2], seed=0), loaded.generate([0, 1, 2], seed=0)
    )
    assert loaded.learnt.class_names == gan.learnt.class_names
    assert loaded.game == gan.game


def test_long_training_learns_the_classes():
    """Three classes of flat images come out as three gray values."""
    levels = np.array([20, 128, 235])
    labels = np.arange(3).repeat(30)
    noise = np.random.default_rng(0).integers(-8, 9, (90, 8, 8, 1))
    images = (levels[labels][:, None, None, None] + noise).astype("uint8")
    gan = ganaug.ConditionalGAN((8, 8, 1), 3, seed=0, width=8, latent_dim=8)
    gan.compile(diff_augment="")
    gan.fit(images, labels, steps_per_epoch=250, verbose=0)
    drawn = gan.generate(labels, seed=0)
    means = [drawn[labels == label].mean() for label in range(3)]
    np.testing.assert_allclose(means, levels, atol=30)
