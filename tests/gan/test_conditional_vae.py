"""ConditionalVAE, as a user of Keras meets it."""

import keras
import numpy as np
import pytest

from ganaug.gan import guards
from ganaug.gan.conditional_vae import ConditionalVAE
from ganaug.gan.latent_kinds import LATENTS
from ganaug.synthesis.generators import Generators

SMALL = {"width": 16, "latent_dim": 4}


def fitted(data, seed=3, steps=3, num_classes=3, kl_weight=0.1, **kwargs):
    vae = ConditionalVAE((8, 8, 1), num_classes, seed=seed, **SMALL)
    vae.compile(kl_weight=kl_weight)
    history = vae.fit(data, steps_per_epoch=steps, verbose=0, **kwargs)
    return vae, history


@pytest.fixture(scope="module")
def trained(digits):
    """A VAE that has seen enough of the digits to know them."""
    vae = ConditionalVAE((8, 8, 1), 10, seed=0)
    vae.compile(steps_per_execution=10)
    vae.fit(digits.train, steps_per_epoch=300, verbose=0)
    return vae


def test_fit_changes_both_networks_and_reports_losses(make_images):
    """Both learn, the average follows, and losses are finite."""
    vae = ConditionalVAE((8, 8, 1), 3, seed=3, **SMALL)
    vae.compile()
    networks = vae.generator, vae.encoder, vae.ema_generator
    before = [[w.numpy() for w in network.weights] for network in networks]
    history = vae.fit(make_images(), steps_per_epoch=3, epochs=2, verbose=0)
    assert set(history.history) == {"reconstruction_loss", "kl_loss"}
    assert np.isfinite(history.history["reconstruction_loss"]).all()
    assert (np.array(history.history["kl_loss"]) > 0).all()
    for old, network in zip(before, networks, strict=True):
        assert any(
            np.abs(weight - new.numpy()).max() > 0
            for weight, new in zip(old, network.weights, strict=True)
        )


def test_it_learns_the_images(trained, digits):
    """Images that it never saw come back far better than their class mean."""
    data = digits.test
    means = np.stack(
        [
            digits.train.images[digits.train.labels == label].mean(0)
            for label in range(10)
        ]
    )
    rebuilt = trained.reconstruct(data.images, data.labels)
    assert rebuilt.dtype == "uint8"
    assert rebuilt.shape == data.images.shape
    frequent = data.labels < 3
    error, reference = (
        np.square(guess.astype(float) - data.images)[frequent].mean()
        for guess in (rebuilt, means[data.labels])
    )
    assert error < 0.6 * reference


@pytest.mark.parametrize("latents", LATENTS)
def test_images_are_of_their_class(trained, digits, latents):
    """Whatever the latents: the nearest class mean is mostly the label's."""
    labels = np.arange(10).repeat(20)
    images = trained.generate(labels, seed=0, latents=latents).astype(float)
    means = np.stack(
        [
            digits.train.images[digits.train.labels == label].mean(0)
            for label in range(10)
        ]
    )
    distances = np.square(images[:, None] - means[None]).sum((2, 3, 4))
    right = (distances.argmin(1) == labels).mean()
    assert right > (0.4 if latents == "transferred" else 0.7)
    # Which is no wonder for one image again and again.
    assert images.reshape(10, 20, -1).std(1).mean(1).min() > 5


def test_truncation_at_zero_draws_around_the_means(trained, digits):
    """`around` then gives reconstructions of training images."""
    image = trained.generate([9], seed=0, truncation=0.0, latents="around")
    nines = digits.train.images[digits.train.labels == 9]
    rebuilt = trained.reconstruct(nines, [9] * len(nines))
    difference = np.abs(image.astype(int) - rebuilt).max((1, 2, 3))
    assert difference.min() <= 1


@pytest.mark.parametrize("latents", LATENTS)
def test_generate_does_not_depend_on_batch_size(trained, latents):
    """An image depends on the seed and on its place alone."""
    labels = np.arange(10).repeat(3)
    whole = trained.generate(labels, seed=5, latents=latents).astype(int)
    parts = trained.generate(labels, seed=5, batch_size=4, latents=latents)
    assert np.abs(whole - parts).max() <= 1
    other = trained.generate(labels, seed=6, latents=latents)
    assert np.abs(whole - other).max() > 20
    empty = trained.generate([], seed=5, latents=latents)
    assert empty.shape == (0, 8, 8, 1)


def test_encode_gives_gaussians(trained, digits):
    """One for each image; sharper than the prior where images tell much."""
    mean, log_variance = trained.encode(
        digits.test.images[:300], digits.test.labels[:300]
    )
    assert mean.shape == log_variance.shape == (300, trained.latent_dim)
    assert mean.dtype == log_variance.dtype == np.float32
    assert log_variance.min() < -1
    again = trained.encode(digits.test.images[7:8], digits.test.labels[7:8])
    np.testing.assert_allclose(again[0][0], mean[7], atol=1e-4)
    assert trained.encode(digits.test.images[:0], [])[0].shape == (
        0,
        trained.latent_dim,
    )


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((2, 8, 8), "uint8"), [0, 1], r"\(num_images, 8, 8, 1\)"),
        (np.zeros((2, 8, 8, 1)), [0, 1], r"uint8 in \[0.0, 255.0\]"),
        (np.zeros((2, 8, 8, 1), "int32") + 300, [0, 1], "value range"),
        (np.zeros((2, 8, 8, 1), "uint8"), [0], "1 labels for 2 images"),
        (np.zeros((2, 8, 8, 1), "uint8"), None, "0 labels for 2 images"),
        (np.zeros((2, 8, 8, 1), "uint8"), [0, 10], "from 0 to 10"),
    ],
)
def test_images_that_do_not_fit_are_refused(trained, images, labels, message):
    """By `encode` and `reconstruct`, with what was expected."""
    for method in (trained.encode, trained.reconstruct):
        with pytest.raises(ValueError, match=message):
            method(images, labels)


def test_the_bank_has_posteriors_of_the_training_images(trained, digits):
    """And not the images; those are what `encode` gives."""
    bank = trained.latent_bank
    assert len(bank) == len(digits.train)
    np.testing.assert_array_equal(bank.labels, digits.train.labels)
    mean, log_variance = trained.encode(
        digits.train.images, digits.train.labels
    )
    np.testing.assert_allclose(bank.mean, mean, atol=1e-4)
    np.testing.assert_allclose(bank.log_variance, log_variance, atol=1e-4)


def test_the_seed_fixes_everything(make_images):
    """Same seed, same images; another seed, other images."""
    images = [
        fitted(make_images(), seed)[0].generate([0, 1, 2], 0, latents="around")
        for seed in (3, 3, 4)
    ]
    np.testing.assert_array_equal(images[0], images[1])
    assert (images[0] != images[2]).any()


def test_a_training_that_was_cut_short_goes_on(make_images, tmp_path):
    """With the very weights and latents that it would have had."""
    whole, _ = fitted(make_images(), steps=4)
    run_dir = {"run_dir": tmp_path, "checkpoint_every": 1}

    class Kill(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted(make_images(), steps=4, callbacks=[Kill()], **run_dir)
    resumed, _ = fitted(make_images(), steps=4, **run_dir)
    assert resumed.current_step == 4
    for latents in LATENTS:
        np.testing.assert_array_equal(
            resumed.generate([0, 1, 2], seed=0, latents=latents),
            whole.generate([0, 1, 2], seed=0, latents=latents),
        )


def test_a_keras_file_keeps_all_of_it(make_images, tmp_path):
    """Weights, optimizer, settings and latents; training goes on the same."""
    vae, _ = fitted(make_images(), steps=2, kl_weight=0.7)
    vae.save(tmp_path / "vae.keras")
    loaded = keras.models.load_model(tmp_path / "vae.keras")
    assert loaded.kl_weight == 0.7
    for _ in range(2):
        np.testing.assert_array_equal(
            vae.generate([0, 1, 2], seed=0, latents="transferred"),
            loaded.generate([0, 1, 2], seed=0, latents="transferred"),
        )
        for model in (vae, loaded):
            model.fit(make_images(), steps_per_epoch=2, verbose=0)


def test_the_kl_weight_pulls_latents_to_the_prior(make_images):
    """The more it weighs, the less they tell of the image."""
    losses = [
        fitted(make_images(), steps=100, kl_weight=weight)[1].history
        for weight in (0.01, 10.0)
    ]
    assert losses[0]["kl_loss"][0] > 5 * losses[1]["kl_loss"][0]
    assert losses[0]["reconstruction_loss"] < losses[1]["reconstruction_loss"]


def test_smooth_images_are_no_collapse(make_images, monkeypatch):
    """The guard of GANs does not take them for one."""
    monkeypatch.setattr(guards, "WARM_UP", 0)
    vae, _ = fitted(
        make_images((10, 10, 10)), steps=6, kl_weight=1e3, checkpoint_every=1
    )
    assert vae.learnt.training["rollbacks"] == []


def test_without_classes(make_images, tmp_path):
    """Labels are left out everywhere, and nothing is transferred."""
    data = make_images()
    vae = ConditionalVAE((8, 8, 1), None, seed=0, **SMALL)
    vae.compile()
    vae.fit(data.images, steps_per_epoch=2, verbose=0)
    for latents in ("prior", "around", "interpolated"):
        assert vae.generate(5, seed=0, latents=latents).shape == (5, 8, 8, 1)
    with pytest.raises(ValueError, match="no classes"):
        vae.generate(5, latents="transferred")
    assert vae.encode(data.images)[0].shape == (12, 4)
    assert vae.reconstruct(data.images).dtype == "uint8"
    with pytest.raises(ValueError, match="`labels` must be None"):
        vae.encode(data.images, data.labels)
    vae.save(tmp_path / "vae.keras")
    loaded = keras.models.load_model(tmp_path / "vae.keras")
    np.testing.assert_array_equal(
        loaded.generate(5, seed=0, latents="around"),
        vae.generate(5, seed=0, latents="around"),
    )


@pytest.mark.parametrize("architecture", ["dcgan", "r3gan"])
def test_other_architectures_will_do(make_images, architecture):
    """Convolutions learn too, with colours and sides that are not equal."""
    data = make_images((6, 4), shape=(9, 6, 3))
    vae = ConditionalVAE(
        (9, 6, 3), 2, architecture, width=4, latent_dim=3, seed=0
    )
    vae.compile()
    history = vae.fit(data, steps_per_epoch=2, epochs=15, verbose=0)
    losses = history.history["reconstruction_loss"]
    assert losses[-1] < losses[0]
    images = vae.generate([0, 1, 1], seed=0, latents="interpolated")
    assert images.shape == (3, 9, 6, 3)


def test_before_training_there_are_no_real_images():
    """Only the prior can be drawn from; the error says why."""
    vae = ConditionalVAE((8, 8, 1), 3, **SMALL)
    assert vae.generate([0, 1]).shape == (2, 8, 8, 1)
    with pytest.raises(ValueError, match="once they have been trained"):
        vae.generate([0, 1], latents="around")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kl_weight": -1}, "kl_weight=-1"),
        ({"kl_weight": float("nan")}, "kl_weight=nan"),
        ({"ema_half_life": -1}, "ema_half_life=-1"),
        ({"decay_steps": 0}, "decay_steps=0"),
    ],
)
def test_bad_compile_arguments_are_refused(arguments, message):
    """At compile, with the value that came."""
    vae = ConditionalVAE((8, 8, 1), 3, **SMALL)
    with pytest.raises(ValueError, match=message):
        vae.compile(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (8, 8)}, "image_shape="),
        ({"num_classes": 1}, "num_classes=1"),
        ({"architecture": "custom"}, "architecture='custom'"),
        ({"preset": "huge"}, "preset='huge'"),
        ({"latent_dim": 0}, "latent_dim=0"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    """At construction, with the value that came."""
    arguments = {"image_shape": (8, 8, 1), "num_classes": 3, **arguments}
    with pytest.raises(ValueError, match=message):
        ConditionalVAE(**arguments)


def test_a_gan_has_no_encoder(small_gan):
    """The error says which models have one."""
    with pytest.raises(ValueError, match="`ConditionalVAEGAN` have an encoder"):
        small_gan.generate([0], latents="around")
    with pytest.raises(ValueError, match="`latents` must be one of"):
        Generators(small_gan, latents="posterior")
