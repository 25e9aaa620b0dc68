"""The id of an artifact: a short name for what a generator draws."""

import hashlib
import json

import numpy as np

NUM_DIGITS = 16


def artifact_id(artifact):
    """Computes a name that two artifacts share only if they draw the same.

    It depends on the weights, on the latents of real images, on the arguments
    that the generator was built with, and on classes, value range and dtype
    of its images; on no file and no path.

    Args:
        artifact: `ganaug.artifact.Artifact`.

    Returns:
        A string of 16 hexadecimal digits.
    """
    arrays = list(artifact.generator.get_weights())
    if artifact.latent_bank is not None:
        tensors = artifact.latent_bank.tensors()
        arrays += [tensors[name] for name in sorted(tensors)]
    facts = {
        "arguments": artifact.arguments,
        "class_names": artifact.class_names,
        "value_range": artifact.value_range,
        "image_dtype": artifact.image_dtype,
    }
    return hash_arrays(arrays, facts)


def hash_arrays(arrays, facts=None):
    """Computes a short name for arrays.

    Args:
        arrays: Sequence of NumPy arrays.
        facts: Plain data that belong to them. Defaults to `None`.

    Returns:
        A string of 16 hexadecimal digits.
    """
    numbers = hashlib.sha256()
    forms = [(array.dtype.name, array.shape) for array in arrays]
    numbers.update(json.dumps([facts, forms], sort_keys=True).encode())
    for array in arrays:
        numbers.update(np.ascontiguousarray(array))
    return numbers.hexdigest()[:NUM_DIGITS]
