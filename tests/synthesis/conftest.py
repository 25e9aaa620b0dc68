"""Small artifacts that need no training."""

import numpy as np
import pytest

from ganaug.artifact import Artifact
from ganaug.gan.architectures import build_generator
from ganaug.gan.latents import LatentBank

NAMES = ("cat", "dog", "fox")
LATENT_DIM = 4


@pytest.fixture(scope="session")
def make_artifact():
    """A function that makes generators whose images are all different."""

    def make(seed=0, architecture="mlp", encoder=False, classes=3, **kwargs):
        rng = np.random.default_rng(seed)
        arguments = {
            "architecture": architecture,
            "image_shape": (6, 5, 1),
            "num_classes": classes,
            "latent_dim": LATENT_DIM,
            "width": 8,
            "depth": 1,
        }
        generator = build_generator(**arguments)
        for variable in generator.trainable_variables:
            variable.assign(rng.normal(size=variable.shape))
        generator.trainable = False
        bank = None
        if encoder:
            mean = rng.normal(size=(7, LATENT_DIM)).astype("float32")
            labels = np.array([0, 0, 0, 1, 1, 2, 2], np.int32)
            bank = LatentBank(mean, np.full_like(mean, -6.0), labels, classes)
        facts = {
            "class_names": NAMES if classes else ("image",),
            "value_range": (0.0, 255.0),
            "image_dtype": "uint8",
            "training": {"steps": 1},
            "fingerprints": np.array([seed, 77], np.uint64),
            "latent_bank": bank,
        }
        return Artifact(generator, arguments, **{**facts, **kwargs})

    return make


@pytest.fixture(scope="session")
def pretrained(make_artifact):
    """One such artifact."""
    return make_artifact()
