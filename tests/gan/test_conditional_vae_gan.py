"""ConditionalVAEGAN: the GAN's tests hold, and an encoder comes with it."""

import itertools

import keras
import numpy as np
import pytest

import ganaug
from ganaug import artifact
from ganaug.gan.conditional_vae_gan import ConditionalVAEGAN
from ganaug.gan.latent_kinds import LATENTS

# The smallest networks, so that tests take seconds.
SMALL = {"architecture": "mlp", "width": 16, "depth": 1, "latent_dim": 4}


def fitted(data, steps=3, seed=3, callbacks=None, **kwargs):
    model = ConditionalVAEGAN((8, 8, 1), 3, seed=seed, **SMALL)
    model.compile(**kwargs)
    history = model.fit(
        data, steps_per_epoch=steps, verbose=0, callbacks=callbacks
    )
    return model, history


def weights(*networks):
    return [[w.numpy() for w in network.weights] for network in networks]


def same(old, new):
    return [
        all(np.array_equal(a, b) for a, b in zip(*pair, strict=True))
        for pair in zip(old, new, strict=True)
    ]


def test_fit_changes_all_networks_and_reports_losses(make_images):
    """Both players and the encoder learn, and the losses of all are told."""
    model = ConditionalVAEGAN((8, 8, 1), 3, seed=3, width=4, latent_dim=8)
    model.compile()
    before = weights(*model.networks.values())
    history = model.fit(make_images(), steps_per_epoch=3, verbose=0)
    assert set(history.history) == {
        "d_loss",
        "g_loss",
        "reconstruction_loss",
        "kl_loss",
    }
    assert np.isfinite(list(history.history.values())).all()
    assert set(model.networks) == {"generator", "discriminator", "encoder"}
    assert not any(same(before, weights(*model.networks.values())))


def test_with_nothing_encoded_it_is_the_gan(make_images):
    """Without reconstruction and encoded fakes, the encoder changes nothing."""
    model, _ = fitted(
        make_images(), reconstruction_weight=0, kl_weight=0, encoded_share=0
    )
    gan = ganaug.ConditionalGAN((8, 8, 1), 3, seed=3, **SMALL)
    gan.compile()
    gan.fit(make_images(), steps_per_epoch=3, verbose=0)
    np.testing.assert_allclose(
        model.generate([0, 1, 2], seed=0).astype(int),
        gan.generate([0, 1, 2], seed=0),
        atol=1,
    )


def test_the_encoder_does_not_learn_from_the_discriminator(make_images):
    """Without reconstruction and KL it stays as it is."""
    model = ConditionalVAEGAN((8, 8, 1), 3, seed=3, **SMALL)
    model.compile(reconstruction_weight=0, kl_weight=0, encoded_share=1)
    before = weights(model.encoder)
    model.fit(make_images(), steps_per_epoch=3, verbose=0)
    assert same(before, weights(model.encoder)) == [True]


def test_the_autoencoder_starts_alone(make_images):
    """For so many steps the discriminator waits; then it trains too."""
    seen = []

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(weights(*self.model.networks.values()))

    model = ConditionalVAEGAN((8, 8, 1), 3, seed=3, **SMALL)
    seen.append(weights(*model.networks.values()))
    model.compile(autoencoder_steps=2)
    model.fit(make_images(), steps_per_epoch=4, verbose=0, callbacks=[Look()])
    changed = [
        dict(zip(model.networks, same(*pair), strict=True))
        for pair in itertools.pairwise(seen)
    ]
    for index, unchanged in enumerate(changed):
        assert unchanged["discriminator"] == (index < 2)
        assert not unchanged["generator"]
        assert not unchanged["encoder"]


def test_compiled_again_the_autoencoder_starts_alone_again(
    make_images, tmp_path
):
    """Also after the file is loaded, which keeps when that was."""
    model, _ = fitted(make_images())
    model.compile(autoencoder_steps=2)
    model.save(tmp_path / "model.keras")
    for again in (model, keras.models.load_model(tmp_path / "model.keras")):
        before = weights(again.discriminator)
        again.fit(make_images(), steps_per_epoch=2, verbose=0)
        assert same(before, weights(again.discriminator)) == [True]
        again.fit(make_images(), steps_per_epoch=1, verbose=0)
        assert same(before, weights(again.discriminator)) == [False]


def test_the_autoencoder_alone_reconstructs(make_images):
    """What the first steps minimize is the VAE's loss and nothing else."""
    kwargs = {"autoencoder_steps": 40, "steps": 40, "gamma": 0.1}
    images = [
        fitted(make_images(), loss=loss, fake_labels="paired", **kwargs)[
            0
        ].generate([0, 1, 2], seed=0)
        for loss in ("non_saturating", "hinge")
    ]
    np.testing.assert_allclose(images[0].astype(int), images[1], atol=1)
    _, history = fitted(make_images(), **kwargs)
    _, shorter = fitted(make_images(), autoencoder_steps=5, steps=5)
    assert (
        history.history["reconstruction_loss"][0]
        < shorter.history["reconstruction_loss"][0]
    )


@pytest.mark.parametrize(
    ("share", "num_encoded"), [(0.0, 0), (0.5, 6), (0.25, 3), (1.0, 12)]
)
def test_the_share_of_encoded_fakes(make_images, share, num_encoded):
    """So many of a batch of fakes have the latents of real images."""
    data = make_images()
    real = (data.images / np.float32(127.5) - 1, data.labels)
    model = ConditionalVAEGAN((8, 8, 1), 3, seed=3, **SMALL)
    drawn = []
    for encoded_share in (share, 0.0):
        model.compile(encoded_share=encoded_share)
        fakes = model.adversarial_step.fakes
        drawn.append(fakes.latents(real, model._step_noise(), "g").numpy())
    latents, prior = drawn
    assert (latents != prior).any(1).sum() == num_encoded
    assert len(latents) == 12


def test_every_kind_of_latents_can_be_drawn(make_images, tmp_path):
    """From the model, its `.keras` file and its artifact, all the same."""
    model, _ = fitted(make_images())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    model.save_pretrained(tmp_path / "run")
    pretrained = artifact.load(tmp_path / "run")
    for latents in LATENTS:
        expected = model.generate([0, 1, 2], seed=0, latents=latents)
        assert expected.dtype == "uint8"
        for other in (loaded, pretrained):
            np.testing.assert_array_equal(
                other.generate([0, 1, 2], seed=0, latents=latents), expected
            )


def test_a_keras_file_keeps_the_settings(make_images, tmp_path):
    """Training goes on as if nothing had happened."""
    model, _ = fitted(
        make_images(),
        reconstruction_weight=0.2,
        kl_weight=0.3,
        encoded_share=0.4,
        autoencoder_steps=1,
        gamma=0.7,
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.training_settings() == model.training_settings()
    assert loaded.training_settings()["kl_weight"] == 0.3
    for each in (model, loaded):
        each.fit(make_images(), steps_per_epoch=2, verbose=0)
    np.testing.assert_array_equal(
        model.generate([0, 1, 2], seed=0, latents="transferred"),
        loaded.generate([0, 1, 2], seed=0, latents="transferred"),
    )


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ({"num_classes": None}, {}),
        ({"conditioning": "auxiliary"}, {"loss": "hinge"}),
        ({}, {"loss": "wasserstein", "discriminator_steps": 2}),
        ({}, {"unrolled_steps": 1}),
        ({"architecture": "dcgan", "width": 4}, {"fake_labels": "uniform"}),
        ({"architecture": "resnet", "width": 4}, {}),
    ],
)
def test_the_gan_keeps_its_choices(make_images, arguments, settings):
    """Losses, conditionings and architectures go together with an encoder."""
    arguments = {"num_classes": 3, **SMALL, **arguments}
    model = ConditionalVAEGAN((8, 8, 1), seed=3, **arguments)
    model.compile(**settings)
    history = model.fit(
        make_images(), batch_size=9, steps_per_epoch=2, verbose=0
    )
    assert np.isfinite(list(history.history.values())).all()
    labels = 3 if arguments["num_classes"] is None else [0, 1, 2]
    images = model.generate(labels, seed=0, latents="interpolated")
    assert images.shape == (3, 8, 8, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reconstruction_weight": -1}, "reconstruction_weight=-1"),
        ({"kl_weight": float("inf")}, "kl_weight=inf"),
        ({"encoded_share": 1.5}, r"encoded_share=1\.5"),
        ({"encoded_share": float("nan")}, "encoded_share=nan"),
        ({"autoencoder_steps": -1}, "autoencoder_steps=-1"),
        ({"autoencoder_steps": 0.5}, r"autoencoder_steps=0\.5"),
        ({"gamma": -1}, "gamma=-1"),
    ],
)
def test_bad_compile_arguments_are_refused(arguments, message):
    """At compile, with the value that came."""
    model = ConditionalVAEGAN((8, 8, 1), 3, **SMALL)
    with pytest.raises(ValueError, match=message):
        model.compile(**arguments)


def test_own_networks_are_refused():
    """Nothing says what an encoder for them looks like."""
    with pytest.raises(ValueError, match=r"no networks of your own.*generator"):
        ConditionalVAEGAN((8, 8, 1), 3, generator=keras.Sequential())
    with pytest.raises(ValueError, match="architecture='custom'"):
        ConditionalVAEGAN((8, 8, 1), 3, architecture="custom")
