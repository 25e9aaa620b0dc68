"""A generator for each seed of an evaluation."""

import dataclasses
import json

import keras
import numpy as np
import pytest

import ganaug
from ganaug.evaluate.arms import BASELINE, Arm
from ganaug.evaluate.description import describe
from ganaug.gan.conditional_vae import ConditionalVAE
from ganaug.gan.precision import layers_of
from ganaug.gan.training_by_name import MODELS


@pytest.fixture
def fits(monkeypatch):
    """A list that grows with each training."""
    fit, done = ConditionalVAE.fit, []

    def counted(self, *args, **kwargs):
        done.append(self.seed)
        return fit(self, *args, **kwargs)

    monkeypatch.setattr(ConditionalVAE, "fit", counted)
    return done


def test_arms_share_the_generator_of_a_seed(digits, fits, evaluate_quickly):
    """And each seed has its own, which is kept in a folder."""
    generator = ganaug.SeededGenerator("vae", steps=3)
    report = evaluate_quickly(
        {
            "quarter": Arm(learn=generator.augmenter(ratio=0.25)),
            "half": ganaug.on_top_of_best(
                learn=generator.augmenter(ratio=0.5, latents="transferred")
            ),
        },
    )
    # One for each seed and phase: only the latest is kept in memory.
    assert len(set(fits)) == 2
    assert len(fits) <= 4
    assert report.arm("half").without == BASELINE
    assert "a generator of its own" in " ".join(report.notes)


def test_images_between_classes_have_labels_between(digits, evaluate_quickly):
    """Under a control whose prior is that of the labels, too."""
    generator = ganaug.SeededGenerator("vae", steps=3)
    between = generator.augmenter(ratio=0.5, class_interpolation=1.0)
    augmenter = between(digits.train, None, 0)
    _, labels = augmenter.augment_arrays(
        digits.train.images, np.eye(10, dtype="float32")[digits.train.labels]
    )
    assert ((labels > 0) & (labels < 1)).any()
    report = evaluate_quickly(
        {"between": Arm(learn=between, on_top_of="adjusted")},
        controls={BASELINE: Arm(), "adjusted": Arm(logit_adjustment=1.0)},
    )
    assert report.arm("between").without == "adjusted"


@pytest.mark.parametrize(
    ("model", "architecture", "compiled"),
    [
        ("gan", "mlp", {"loss": "hinge", "penalty": "r1", "gamma": 2.0}),
        ("vae", "mlp", {"kl_weight": 0.5}),
        ("vae-gan", "mlp", {"loss": "hinge", "penalty": "r1", "gamma": 2.0}),
    ],
)
def test_as_an_artifact_was_trained(digits, model, architecture, compiled):
    """The generators of seeds say the same of their training."""
    networks = {"width": 8, "latent_dim": 6, "preset": "small"}
    if model == "gan":
        networks.update(conditioning="auxiliary", spectral_normalization=True)
    first = MODELS[model]((8, 8, 1), 10, architecture, **networks)
    first.compile(**compiled)
    first.fit(
        digits.train,
        batch_size=32,
        steps_per_epoch=3,
        class_balanced=False,
        verbose=0,
    )
    pretrained = first.to_artifact()
    generator = ganaug.SeededGenerator.like(pretrained)
    assert (generator.model, generator.steps) == (model, 3)
    again = generator.train(digits.train, 7)
    assert again.arguments == pretrained.arguments
    differs = {
        name
        for name, value in again.training.items()
        if value != pretrained.training[name]
    }
    assert differs <= {"seed", "seconds"}
    assert json.loads(json.dumps(generator.description))["batch_size"] == 32
    for name, value in compiled.items():
        assert again.training[name] == value
    if model == "gan":
        assert again.training["conditioning"] == "auxiliary"
        assert again.training["spectral_normalization"] is True


def test_precision_is_the_artifact_s(digits):
    """Whatever is in force when it is trained again."""
    with layers_of("mixed_bfloat16"):
        vae = ConditionalVAE((8, 8, 1), 10, width=8, latent_dim=4)
    vae.compile()
    vae.fit(digits.train, steps_per_epoch=2, verbose=0)
    generator = ganaug.SeededGenerator.like(vae.to_artifact())
    again = generator.train(digits.train, 7)
    assert again.training["precision"] == "mixed_bfloat16"
    assert keras.config.dtype_policy().name == "float32"


def test_what_cannot_be_trained_again_is_refused(small_gan):
    """Nobody knows how it was trained."""
    pretrained = small_gan.to_artifact()
    for training in ({}, {**pretrained.training, "loss": "custom"}):
        strange = dataclasses.replace(pretrained, training=training)
        with pytest.raises(ValueError, match="which says how it was trained"):
            ganaug.SeededGenerator.like(strange)


def test_generators_are_kept_in_a_folder(digits, fits, tmp_path):
    """They draw the same images when they are found again."""
    folder = tmp_path / "generators"

    def draw(seed, images=digits.train):
        generator = ganaug.SeededGenerator("vae", steps=3, folder=folder)
        augmenter = generator.augmenter(ratio=0.5)(images, None, seed)
        mixed = augmenter.augment_arrays(images.images, images.labels)
        return mixed[0], augmenter

    first, augmenter = draw(3)
    again, _ = draw(3)
    np.testing.assert_array_equal(first, again)
    assert len(fits) == 1
    assert set(augmenter.training_fingerprints) == set(
        ganaug.data.splits.fingerprints(digits.train)
    )
    assert augmenter.value_range == digits.train.value_range
    other, _ = draw(4)
    assert (first != other).any()
    draw(3, digits.train.subset(np.arange(len(digits.train))[::-1]))
    assert len(fits) == 3
    # Artifacts are left, and no remains of training.
    left = [path for path in folder.iterdir() if path.suffix != ".lock"]
    assert len(left) == 3
    for path in left:
        ganaug.artifact.load(path)


def test_a_killed_training_goes_on(digits, tmp_path, monkeypatch):
    """To the generator that it would have been."""

    def draw(folder):
        generator = ganaug.SeededGenerator("vae", steps=6, folder=folder)
        return generator.train(digits.train, 0).generator.get_weights()

    class Killed(BaseException):
        pass

    def save(self, *args):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(ConditionalVAE, "save_pretrained", save)
        with pytest.raises(Killed):
            draw(tmp_path / "killed")
    pairs = zip(
        draw(tmp_path / "killed"), draw(tmp_path / "whole"), strict=True
    )
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)


def test_descriptions_tell_them_apart():
    """What a kept evaluation is compared by."""
    vae = ganaug.SeededGenerator("vae", folder="anywhere")
    same = ganaug.SeededGenerator("vae")
    described = [
        describe(Arm(learn=generator.augmenter(**arguments)))
        for generator, arguments in (
            (vae, {"ratio": 0.5}),
            (same, {"ratio": 0.5}),
            (vae, {"ratio": 0.25}),
            (vae, {"ratio": 0.5, "latents": "around"}),
            (vae, {"ratio": 0.5, "class_interpolation": 1.0}),
            (ganaug.SeededGenerator("gan"), {"ratio": 0.5}),
            (
                ganaug.SeededGenerator("vae", precision="mixed_bfloat16"),
                {"ratio": 0.5},
            ),
        )
    ]
    assert described[0] == described[1]
    assert described[0] not in described[2:]
    json.dumps(described)


def test_bad_arguments_are_refused(digits):
    """Before anything is trained."""
    with pytest.raises(ValueError, match="mixed_float15"):
        ganaug.SeededGenerator("vae", precision="mixed_float15")
    with pytest.raises(ValueError, match="model='diffusion'"):
        ganaug.SeededGenerator("diffusion")
    for wrong in ({"ratios": 0.5}, {"seed": 3}, {"value_range": (0, 1)}):
        with pytest.raises(TypeError, match=f"Received: .'{next(iter(wrong))}"):
            ganaug.SeededGenerator("vae").augmenter(**wrong)
    with pytest.raises(ValueError, match="latents='transferred', model='gan'"):
        ganaug.SeededGenerator("gan").augmenter(latents="transferred")
    with pytest.raises(ValueError, match="'around': 1}, model='gan'"):
        ganaug.SeededGenerator("gan").augmenter(
            latents={"prior": 1, "around": 1}
        )
    for wrong in ({"truncation": -1.0}, {"class_interpolation": "much"}):
        with pytest.raises(ValueError, match=f"`{next(iter(wrong))}` must be"):
            ganaug.SeededGenerator("vae").augmenter(**wrong)
    tuned = ganaug.SeededGenerator("vae", steps=1).augmenter(tune={})
    with pytest.raises(ValueError, match="each needs validation images"):
        tuned(digits.train, None, 0)
