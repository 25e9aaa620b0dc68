"""The artifact: whole, or refused with one clear error."""

import dataclasses
import hashlib
import json
import os

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

import ganaug
from ganaug import artifact
from ganaug.data.splits import fingerprints
from ganaug.gan.conditional_vae import ConditionalVAE
from ganaug.gan.latent_kinds import LATENTS


def test_round_trip(run, small_gan, digits):
    """The loaded generator draws the same images and knows its data."""
    loaded = artifact.load(run)
    np.testing.assert_array_equal(
        loaded.generate([0, 9, 9], seed=1),
        small_gan.generate([0, 9, 9], seed=1),
    )
    assert loaded.image_shape == (8, 8, 1)
    assert loaded.image_dtype == "uint8"
    assert loaded.value_range == (0, 255)
    assert loaded.class_names == digits.train.class_names
    assert loaded.training["steps"] == 4
    assert loaded.training["class_counts"][0] == 40
    assert set(loaded.fingerprints) == set(fingerprints(digits.train))


def test_the_folder_is_for_people_too(run):
    """A model card with the numbers of images, and a picture."""
    card = (run / "README.md").read_text("utf-8")
    assert "| 0 | 40 |" in card
    assert "145 real images" in card
    assert "uint8 from 0 to 255" in card
    assert "GANAugmenter.from_pretrained" in card
    assert "ganaug sample" not in card
    with Image.open(run / "samples.png") as picture:
        assert min(picture.size) > 200
    assert sorted(path.name for path in run.iterdir()) == [
        "README.md",
        "ganaug.json",
        "samples.png",
        "weights.safetensors",
    ]


def test_a_folder_that_holds_something_is_left_alone(run, small_gan, tmp_path):
    """Neither a run nor other files are overwritten."""
    before = (run / "ganaug.json").read_bytes()
    with pytest.raises(FileExistsError, match="another run"):
        small_gan.save_pretrained(run)
    assert (run / "ganaug.json").read_bytes() == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(FileExistsError, match="something else"):
        small_gan.save_pretrained(tmp_path / "mine")
    with pytest.raises(FileExistsError):
        small_gan.save_pretrained(tmp_path / "mine" / "thesis.txt")
    (tmp_path / "empty").mkdir()
    small_gan.save_pretrained(tmp_path / "empty")


def test_the_card_of_a_model_without_classes(digits, tmp_path):
    """Nothing in it is about classes, or needs them."""
    gan = ganaug.ConditionalGAN((8, 8, 1), None, width=4, latent_dim=8)
    gan.compile()
    gan.fit(digits.train, steps_per_epoch=1, verbose=0)
    gan.save_pretrained(tmp_path / "run")
    card = (tmp_path / "run" / "README.md").read_text("utf-8")
    assert "It draws images, without classes: 8 x 8 x 1 " in card
    assert "ganaug sample" in card
    assert "GANAugmenter" not in card
    assert "| class |" not in card
    assert "| architecture | r3gan |" in card


def test_broken_weights_are_not_saved(digits, tmp_path):
    """A diverged GAN leaves no artifact."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 10, width=4, latent_dim=8)
    gan.compile()
    gan.fit(digits.train, steps_per_epoch=1, verbose=0)
    weight = gan.ema_generator.weights[0]
    weight.assign(weight * np.nan)
    with pytest.raises(ValueError, match="in 1 tensors"):
        gan.save_pretrained(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_could_not_be_read_again_is_not_saved(small_gan, tmp_path):
    """Nothing is written, and it says why; sizes are refused even earlier."""
    unreadable = dataclasses.replace(
        small_gan.to_artifact(), image_dtype="uint64"
    )
    with pytest.raises(ValueError, match=r"could not be read again.*uint64"):
        artifact.save(unreadable, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match=r"at most 1024.*width=2048"):
        ganaug.ConditionalGAN((8, 8, 1), 10, width=2048)


@pytest.fixture(scope="module")
def small_vae(digits):
    """A VAE on digits that has seen a few steps."""
    vae = ConditionalVAE((8, 8, 1), 10, width=16, latent_dim=8, seed=3)
    vae.compile()
    vae.fit(digits.train, steps_per_epoch=4, verbose=0)
    return vae


@pytest.fixture
def vae_run(small_vae, tmp_path):
    """A folder with the small VAE's artifact."""
    path = tmp_path / "vae"
    small_vae.save_pretrained(path)
    return path


def test_latents_of_an_encoder_travel_along(vae_run, small_vae, digits):
    """The artifact draws what the model draws, from the prior and others."""
    assert (vae_run / "latents.safetensors").exists()
    loaded = artifact.load(vae_run)
    assert len(loaded.latent_bank) == len(digits.train)
    for latents in LATENTS:
        np.testing.assert_array_equal(
            loaded.generate([0, 9, 9], seed=1, latents=latents),
            small_vae.generate([0, 9, 9], seed=1, latents=latents),
        )
    card = (vae_run / "README.md").read_text("utf-8")
    assert '"around", "interpolated", "transferred"' in card
    assert "145 encoded training images" in card


def test_a_gan_has_no_latents_of_images(run):
    """Its artifact has no such file, and the card does not speak of them."""
    assert not (run / "latents.safetensors").exists()
    assert "transferred" not in (run / "README.md").read_text("utf-8")
    with pytest.raises(ValueError, match="have an encoder"):
        artifact.load(run).generate([0], latents="around")


def test_latents_do_not_outlive_the_model_they_are_of(vae_run, small_gan):
    """A GAN saved over a VAE leaves nothing of it."""
    artifact.save(small_gan.to_artifact(), vae_run, replace=True)
    assert not (vae_run / "latents.safetensors").exists()
    assert artifact.load(vae_run).latent_bank is None


def test_broken_latents_are_not_saved(digits, tmp_path):
    """A diverged encoder leaves no artifact."""
    vae = ConditionalVAE((8, 8, 1), 10, width=16, latent_dim=8)
    vae.compile()
    vae.fit(digits.train, steps_per_epoch=1, verbose=0)
    weight = vae.encoder.weights[0]
    weight.assign(weight * np.nan)
    vae.after_fit(digits.train)
    with pytest.raises(ValueError, match="latents of a bank must be finite"):
        vae.save_pretrained(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def rewrite(run, change, sign=True):
    """Changes the record as one who knows the format would."""
    path = run / "ganaug.json"
    record = json.loads(path.read_text("utf-8"))
    change(record)
    if sign:
        rest = {key: record[key] for key in record if key != "sha256"}
        text = json.dumps(rest, sort_keys=True)
        record["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(record), "utf-8")


def replace_weights(run, blob):
    (run / "weights.safetensors").write_bytes(blob)
    rewrite(
        run,
        lambda record: record["weights"].update(
            sha256=hashlib.sha256(blob).hexdigest()
        ),
    )


def change_weights(run, change):
    weights = safetensors.numpy.load_file(run / "weights.safetensors")
    changed = {key: change(value) for key, value in weights.items()}
    replace_weights(run, safetensors.numpy.save(changed))


def arguments(record):
    return record["architecture"]["arguments"]


DAMAGE = {
    "no weights": (
        lambda run: (run / "weights.safetensors").unlink(),
        "has no `weights.safetensors`",
    ),
    "cut weights": (
        lambda run: os.truncate(run / "weights.safetensors", 1000),
        "was cut or changed",
    ),
    "changed weights": (
        lambda run: (run / "weights.safetensors").write_bytes(
            (run / "weights.safetensors").read_bytes()[:-1] + b"\x01"
        ),
        "was cut or changed",
    ),
    "cut record": (
        lambda run: os.truncate(run / "ganaug.json", 100),
        "is not JSON",
    ),
    "binary record": (
        lambda run: (run / "ganaug.json").write_bytes(b"\xff\xfe\x00"),
        "is not JSON",
    ),
    "deep record": (
        lambda run: (run / "ganaug.json").write_text("[" * 100_000),
        "is not JSON",
    ),
    "not ours": (
        lambda run: (run / "ganaug.json").write_text('{"model": "other"}'),
        "not written by ganaug",
    ),
    "a list": (
        lambda run: (run / "ganaug.json").write_text("[]"),
        "not written by ganaug",
    ),
    "changed record": (
        lambda run: rewrite(
            run,
            lambda record: record.update(class_names=list("abcdefghij")),
            sign=False,
        ),
        "`ganaug.json` was changed",
    ),
    "later format": (
        lambda run: rewrite(
            run, lambda record: record.update(format_version=3)
        ),
        "format version is 3",
    ),
    "other architecture": (
        lambda run: rewrite(
            run, lambda record: record["architecture"].update(name="lambda")
        ),
        "unknown architecture",
    ),
    "unknown argument": (
        lambda run: rewrite(run, lambda record: arguments(record).update(x=1)),
        "unknown architecture",
    ),
    "huge network": (
        lambda run: rewrite(
            run, lambda record: arguments(record).update(width=10**9)
        ),
        "1000000000 is not in",
    ),
    "huge network within the limits": (
        lambda run: rewrite(
            run,
            lambda record: arguments(record).update(
                image_shape=[64, 64, 1], width=512, depth=4
            ),
        ),
        "do not fit the architecture",
    ),
    "huge weights": (
        lambda run: os.truncate(run / "weights.safetensors", 2**36),
        "has 68719476736 bytes",
    ),
    "huge record": (
        lambda run: os.truncate(run / "ganaug.json", 2**36),
        "too large",
    ),
    "weights of another dtype": (
        lambda run: change_weights(run, lambda value: value.astype("float64")),
        "finite float32",
    ),
    "weights that are NaN": (
        lambda run: change_weights(run, lambda value: value * np.nan),
        "finite float32",
    ),
    "no dtype": (
        lambda run: rewrite(
            run, lambda record: record["images"].update(dtype=None)
        ),
        "dtype is not that of images",
    ),
    "text as value range": (
        lambda run: rewrite(
            run,
            lambda record: record["images"].update(value_range=["0", "255"]),
        ),
        "value range is not of numbers",
    ),
    "huge image": (
        lambda run: rewrite(
            run,
            lambda record: arguments(record).update(
                image_shape=[10**6, 10**6, 1]
            ),
        ),
        "1000000 is not in",
    ),
    "fractional size": (
        lambda run: rewrite(
            run, lambda record: arguments(record).update(depth=1.0)
        ),
        "1.0 is not in",
    ),
    "missing entry": (
        lambda run: rewrite(run, lambda record: record.pop("images")),
        "wrong entry",
    ),
    "object dtype": (
        lambda run: rewrite(
            run, lambda record: record["images"].update(dtype="object")
        ),
        "dtype is not that of images",
    ),
    "wrong fingerprints": (
        lambda run: rewrite(
            run, lambda record: record["fingerprints"].update(count=3)
        ),
        "do not fit their count",
    ),
    "other shapes": (
        lambda run: rewrite(
            run, lambda record: arguments(record).update(width=5)
        ),
        "do not fit the architecture",
    ),
    "garbage weights": (
        lambda run: replace_weights(run, b"\x00" * 1_000_000),
        "cannot be read",
    ),
    "pickle as weights": (
        lambda run: replace_weights(run, b"\x80\x04cos\nsystem\n(S'id'\ntR."),
        "cannot be read",
    ),
    "other weights": (
        lambda run: replace_weights(
            run, safetensors.numpy.save({"a": np.zeros(30_000, "float32")})
        ),
        "do not fit the architecture",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_artifacts_are_refused(run, damage):
    """One ValueError that says what is wrong and what to do."""
    change, message = DAMAGE[damage]
    change(run)
    with pytest.raises(ValueError, match=message) as error:
        artifact.load(run)
    assert "Copy it again" in str(error.value)


def change_latents(run, change):
    """Changes the latents, and signs them."""
    tensors = safetensors.numpy.load_file(run / "latents.safetensors")
    change(tensors)
    write_latents(run, safetensors.numpy.save(tensors))


def write_latents(run, blob):
    (run / "latents.safetensors").write_bytes(blob)
    sha256 = hashlib.sha256(blob).hexdigest()
    rewrite(run, lambda record: record["latents"].update(sha256=sha256))


DAMAGED_LATENTS = {
    "no file": (
        lambda run: (run / "latents.safetensors").unlink(),
        "has no `latents.safetensors`",
    ),
    "cut": (
        lambda run: os.truncate(run / "latents.safetensors", 1000),
        "`latents.safetensors` was cut or changed",
    ),
    "huge": (
        lambda run: os.truncate(run / "latents.safetensors", 2**36),
        "has 68719476736 bytes",
    ),
    "garbage": (
        lambda run: write_latents(run, b"\x00" * 1000),
        "`latents.safetensors` cannot be read",
    ),
    "another tensor": (
        lambda run: change_latents(
            run, lambda latents: latents.update(more=np.zeros(1))
        ),
        "does not fit the architecture",
    ),
    "another size": (
        lambda run: change_latents(
            run,
            lambda latents: latents.update(mean=np.zeros((145, 9), "float32")),
        ),
        "does not fit the architecture",
    ),
    "fewer images": (
        lambda run: rewrite(
            run, lambda record: record["latents"].update(count=144)
        ),
        "does not fit the architecture",
    ),
    "no image": (
        lambda run: (
            change_latents(
                run,
                lambda latents: latents.update(
                    {name: value[:0] for name, value in latents.items()}
                ),
            ),
            rewrite(run, lambda record: record["latents"].update(count=0)),
        ),
        "cannot be drawn from",
    ),
    "another dtype": (
        lambda run: change_latents(
            run,
            lambda latents: latents.update(mean=np.zeros((145, 8))),
        ),
        "cannot be drawn from",
    ),
    "NaN": (
        lambda run: change_latents(
            run, lambda latents: latents["mean"].fill(np.nan)
        ),
        "cannot be drawn from",
    ),
    "huge numbers": (
        lambda run: change_latents(
            run, lambda latents: latents["log_variance"].fill(1e30)
        ),
        "cannot be drawn from",
    ),
    "unknown class": (
        lambda run: change_latents(
            run, lambda latents: latents["labels"].__setitem__(0, 10)
        ),
        "cannot be drawn from",
    ),
    "class without image": (
        lambda run: change_latents(
            run, lambda latents: latents["labels"].fill(3)
        ),
        "cannot be drawn from",
    ),
    "text as count": (
        lambda run: rewrite(
            run, lambda record: record["latents"].update(count="145")
        ),
        "latents are not named",
    ),
    "a list": (
        lambda run: rewrite(run, lambda record: record.update(latents=[1])),
        "wrong entry",
    ),
    "no entry": (
        lambda run: rewrite(run, lambda record: record.pop("latents")),
        "wrong entry",
    ),
}


@pytest.mark.parametrize("damage", DAMAGED_LATENTS)
def test_damaged_latents_are_refused(vae_run, damage):
    """As the rest of the artifact is: one ValueError that says why."""
    change, message = DAMAGED_LATENTS[damage]
    change(vae_run)
    with pytest.raises(ValueError, match=message) as error:
        artifact.load(vae_run)
    assert "Copy it again" in str(error.value)


def test_a_folder_without_artifact_is_refused(run):
    """The error names the file that is missing, and why it may be."""
    (run / "ganaug.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"ganaug\.json.* was killed"):
        artifact.load(run)
