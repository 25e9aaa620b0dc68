"""Training under Keras's policy `mixed_float16`."""

import keras
import numpy as np
import pytest

import ganaug
from ganaug import artifact
from ganaug.gan.generative_model import GenerativeModel
from ganaug.synthesis.generators import Generators

SMALL = {"width": 8, "depth": 1, "latent_dim": 8}


@pytest.fixture
def half_precision():
    """The policy, for one test."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(policy)


@pytest.mark.parametrize(
    ("architecture", "arguments"),
    [
        ("r3gan", {}),
        ("r3gan", {"finite_difference": True}),
        ("mlp", {"loss": "wasserstein"}),
        ("dcgan", {"penalty": "dragan"}),
    ],
)
def test_both_losses_are_scaled(
    half_precision, make_images, architecture, arguments
):
    """Steps are taken with scaled losses, and weights stay float32."""
    gan = ganaug.ConditionalGAN(
        (8, 8, 1), 3, architecture, width=8, depth=1, latent_dim=8, seed=0
    )
    gan.compile(decay_steps=30, **arguments)
    for optimizer in (gan.d_optimizer, gan.g_optimizer):
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    before = [weight.numpy() for weight in gan.generator.trainable_weights]
    history = gan.fit(make_images(), steps_per_epoch=8, verbose=0)
    assert np.isfinite(history.history["d_loss"]).all()
    moved = max(
        np.abs(weight.numpy() - old).max()
        for weight, old in zip(
            gan.generator.trainable_weights, before, strict=True
        )
    )
    assert moved > 1e-5
    assert {weight.dtype for weight in gan.generator.trainable_weights} == {
        "float32"
    }
    # Steps that overflow are skipped while the scale is found, not many.
    taken = int(gan.g_optimizer.inner_optimizer.iterations.numpy())
    assert taken >= 5


def test_half_precision_stays_near_single_precision(make_images):
    """Over a few steps, where rounding has not yet grown."""

    def train(policy):
        keras.config.set_dtype_policy(policy)
        gan = ganaug.ConditionalGAN((8, 8, 1), 3, seed=0, **SMALL)
        gan.compile(
            keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05), gamma=1.0
        )
        gan.fit(make_images(), steps_per_epoch=3, verbose=0)
        return np.concatenate(
            [w.numpy().ravel() for w in gan.discriminator.trainable_weights]
        )

    policy = keras.config.dtype_policy()
    initial = ganaug.ConditionalGAN((8, 8, 1), 3, seed=0, **SMALL)
    start = np.concatenate(
        [w.numpy().ravel() for w in initial.discriminator.trainable_weights]
    )
    try:
        single, half = train("float32"), train("mixed_float16")
    finally:
        keras.config.set_dtype_policy(policy)
    moved = np.linalg.norm(single - start)
    assert np.linalg.norm(single - half) < 0.05 * moved


def test_an_overflow_of_the_encoder_alone_makes_the_loss_smaller(
    half_precision, make_images
):
    """Both of a VAE-GAN's optimizers scale one loss."""
    model = ganaug.ConditionalVAEGAN(
        (8, 8, 1), 3, width=8, depth=1, latent_dim=8, seed=0
    )
    model.compile()
    # With which every step would overflow.
    model.e_optimizer.dynamic_scale.assign(2.0**60)
    model.g_optimizer.dynamic_scale.assign(2.0**4)
    before = model.encoder.get_weights()
    model.fit(make_images(), steps_per_epoch=3, verbose=0, guards=False)
    after = model.encoder.get_weights()
    assert all(np.isfinite(weight).all() for weight in after)
    assert any(
        (one != other).any() for one, other in zip(before, after, strict=True)
    )
    # The other way round the loss has the encoder's scale, not 2 ** 60.
    model.e_optimizer.dynamic_scale.assign(2.0**4)
    model.g_optimizer.dynamic_scale.assign(2.0**60)
    before = model.generator.get_weights()
    model.fit(make_images(), steps_per_epoch=3, verbose=0, guards=False)
    after = model.generator.get_weights()
    assert any(
        (one != other).any() for one, other in zip(before, after, strict=True)
    )


def test_classes_are_blended_in_half_precision(half_precision, make_images):
    """Their shares are float32 numbers, whatever a generator computes in."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 3, **SMALL, seed=0)
    gan.compile()
    gan.fit(make_images(), steps_per_epoch=1, verbose=0)
    generators = Generators(gan, class_interpolation=0.4)
    drawn = generators(np.array([0, 1, 2]), np.array([1, 2]))
    assert np.isfinite(drawn.images).all()


def test_the_artifact_is_float32(half_precision, make_images, tmp_path):
    """What was trained in half precision loads where there is none."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 3, seed=0, **SMALL)
    gan.compile()
    gan.fit(make_images(), steps_per_epoch=2, verbose=0)
    assert isinstance(gan, GenerativeModel)
    gan.save_pretrained(tmp_path / "run")
    keras.config.set_dtype_policy("float32")
    loaded = artifact.load(tmp_path / "run")
    assert loaded.generate([0, 1, 2], seed=0).dtype == np.uint8
