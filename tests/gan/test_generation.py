"""Images outside of any dataset: truncation, interpolation, no classes."""

import keras
import numpy as np
import pytest

import ganaug
from ganaug import artifact
from ganaug.gan.generation import cut_at_class_embedding
from ganaug.gan.latents import slerp


@pytest.fixture(scope="module")
def unconditional():
    """A GAN without classes that has seen a few steps."""
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 1), np.uint8)
    gan = ganaug.ConditionalGAN(
        (8, 8, 1), None, width=4, depth=1, latent_dim=8, seed=3
    )
    gan.compile()
    gan.fit(images, steps_per_epoch=3, verbose=0)
    return gan


def test_truncation_makes_images_more_alike(small_gan):
    """Its limit is one image for a class."""
    labels = np.full(16, 3)
    spread = [
        small_gan.generate(labels, seed=0, truncation=truncation)
        .astype(float)
        .std(0)
        .mean()
        for truncation in (0.0, 0.5, 1.0, 1.5)
    ]
    assert spread[0] == 0
    assert spread == sorted(spread)
    assert spread[-1] > spread[1] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"truncation": -0.1}, "truncation=-0.1"),
        ({"truncation": float("nan")}, "truncation=nan"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"latents": "around"}, "encoder"),
    ],
)
def test_bad_arguments_of_generate_are_refused(small_gan, arguments, message):
    """With the value that came."""
    with pytest.raises(ValueError, match=message):
        small_gan.generate([1], seed=0, **arguments)


def test_interpolation_ends_where_it_says(small_gan):
    """The two ends are images of the two classes, and steps are small."""
    walk = small_gan.interpolate([3, 8], num=9, seed=5).astype(float)
    assert walk.shape == (9, 8, 8, 1)
    embed, rest = cut_at_class_embedding(small_gan.ema_generator)
    latents = np.random.default_rng(0).normal(size=(2, 8)).astype(np.float32)
    labels = np.array([3, 8], np.int32)
    np.testing.assert_allclose(
        rest([latents, embed(labels).numpy()]),
        small_gan.ema_generator([latents, labels]),
        atol=1e-6,
    )
    same = small_gan.interpolate([3, 3], num=9, seed=5).astype(float)
    np.testing.assert_array_equal(walk[0], same[0])
    assert (
        np.abs(np.diff(walk, axis=0)).max() < np.abs(walk[0] - walk[-1]).max()
    )


@pytest.mark.parametrize(
    ("labels", "num"), [([1], 4), ([1, 2, 3], 4), ([1, 10], 4), ([1, 2], 1)]
)
def test_bad_interpolations_are_refused(small_gan, labels, num):
    """Two classes, and at least the two ends."""
    with pytest.raises(ValueError, match="Received"):
        small_gan.interpolate(labels, num=num, seed=0)


def test_slerp_keeps_the_length():
    """Latents on the way are as long as draws from the prior."""
    first, last = np.random.default_rng(0).normal(size=(2, 64))
    share = np.linspace(0, 1, 11)[:, None]
    lengths = np.linalg.norm(slerp(first, last, share), axis=1)
    low, high = sorted([np.linalg.norm(first), np.linalg.norm(last)])
    assert lengths.min() > 0.95 * low
    assert lengths.max() < 1.05 * high
    np.testing.assert_allclose(slerp(first, first, share[5]), first)


def test_a_model_without_classes(unconditional, tmp_path):
    """It takes images alone, a number instead of labels, and is kept."""
    images = unconditional.generate(5, seed=0)
    assert images.shape == (5, 8, 8, 1)
    assert images.dtype == np.uint8
    assert unconditional.interpolate(None, num=3, seed=0).shape == (3, 8, 8, 1)
    unconditional.save_pretrained(tmp_path / "run")
    loaded = artifact.load(tmp_path / "run")
    np.testing.assert_array_equal(loaded.generate(5, seed=0), images)
    with pytest.raises(ValueError, match="number of images"):
        unconditional.generate([1, 2])
    with pytest.raises(ValueError, match="num_classes"):
        ganaug.GANAugmenter(unconditional)


def test_a_model_without_classes_ignores_labels(unconditional, make_images):
    """Labeled data are images too."""
    data = make_images()
    losses = []
    for x, y in ((data, None), (data.images, data.labels), (data.images, None)):
        gan = ganaug.ConditionalGAN(
            (8, 8, 1), None, "mlp", width=4, latent_dim=4, seed=1
        )
        gan.compile()
        history = gan.fit(x, y, steps_per_epoch=2, verbose=0)
        losses.append(history.history["d_loss"])
    assert losses[0] == losses[1] == losses[2]


def test_several_steps_per_execution_change_nothing(make_images):
    """They are only faster."""
    images = []
    for steps in (1, 3):
        gan = ganaug.ConditionalGAN(
            (8, 8, 1), 3, width=4, depth=1, latent_dim=4, seed=1
        )
        gan.compile(steps_per_execution=steps)
        gan.fit(make_images(), steps_per_epoch=6, verbose=0)
        images.append(gan.generate([0, 1, 2], seed=0))
    np.testing.assert_array_equal(*images)


def test_xla_compiles_the_whole_step(make_images):
    """The step has no operation that XLA lacks, and both players learn."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 3, width=4, latent_dim=4, seed=1)
    gan.compile(
        jit_compile=True,
        diff_augment="color,translation,cutout,flip",
        augment_probability="adaptive",
        decay_steps=3,
    )
    before = gan.discriminator.get_weights(), gan.generator.get_weights()
    history = gan.fit(make_images(), steps_per_epoch=3, verbose=0)
    after = gan.discriminator.get_weights(), gan.generator.get_weights()
    assert np.isfinite(history.history["d_loss"]).all()
    for old, new in zip(before, after, strict=True):
        assert (
            max(np.abs(o - n).max() for o, n in zip(old, new, strict=True))
            > 1e-4
        )


def test_a_model_is_saved_whole(make_images, tmp_path):
    """A `.keras` file goes on training as the model would have."""
    gans = []
    for stop in (False, True):
        gan = ganaug.ConditionalGAN(
            (8, 8, 1), 3, "dcgan", width=4, latent_dim=4, seed=1
        )
        gan.compile(
            loss="hinge",
            penalty="r1",
            augment_probability="adaptive",
            decay_steps=4,
        )
        gan.fit(make_images(), steps_per_epoch=2, verbose=0)
        if stop:
            gan.save(tmp_path / "model.keras")
            gan = keras.saving.load_model(tmp_path / "model.keras")
        gan.fit(make_images(), steps_per_epoch=2, verbose=0)
        gans.append(gan)
    np.testing.assert_array_equal(
        *(gan.generate([0, 1, 2], seed=0) for gan in gans)
    )
    assert gans[1].training_settings() == gans[0].training_settings()
