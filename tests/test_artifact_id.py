"""The name of what an artifact draws."""

import numpy as np

from ganaug import artifact
from ganaug.artifact_id import artifact_id, hash_arrays
from ganaug.gan.latents import LatentBank


def test_a_folder_and_its_model_have_one_id(small_gan, run):
    """It names what is drawn, not where it is kept; and it stays."""
    name = artifact_id(small_gan.to_artifact())
    assert artifact_id(artifact.load(run)) == name
    assert len(name) == 16
    assert set(name) <= set("0123456789abcdef")


def test_whatever_changes_the_images_changes_the_id(small_gan):
    """Weights, classes, value range and dtype."""
    found = small_gan.to_artifact()
    names = {artifact_id(found)}
    for name, value in (
        ("class_names", tuple("abcdefghij")),
        ("value_range", (0.0, 1.0)),
        ("image_dtype", "float32"),
        ("arguments", {**found.arguments, "latent_dim": 9}),
    ):
        other = small_gan.to_artifact()
        setattr(other, name, value)
        names.add(artifact_id(other))
    assert len(names) == 5
    loaded = small_gan.to_artifact()
    variable = loaded.generator.variables[0]
    before = variable.numpy()
    variable.assign(np.nextafter(before, np.float32(9)))
    names.add(artifact_id(loaded))
    variable.assign(before)
    loaded.latent_bank = LatentBank(
        np.zeros((10, 8), np.float32),
        np.zeros((10, 8), np.float32),
        np.arange(10, dtype=np.int32),
        10,
    )
    names.add(artifact_id(loaded))
    assert len(names) == 7


def test_arrays_are_told_apart_by_shape_and_dtype():
    """Also where their bytes are the same."""
    zeros = np.zeros(6, np.float32)
    assert (
        len(
            {
                hash_arrays(arrays)
                for arrays in (
                    [zeros],
                    [zeros.reshape(2, 3)],
                    [zeros.view(np.int32)],
                    [zeros[:3], zeros[3:]],
                    [],
                )
            }
        )
        == 5
    )
    assert hash_arrays([zeros[::2]]) == hash_arrays([np.zeros(3, np.float32)])
    assert hash_arrays([zeros], {"a": 1}) != hash_arrays([zeros])
