"""The artifact: a pretrained generator in a folder.

- `weights.safetensors`: the weights, under keys of our own.
- `ganaug.json`: architecture, images, classes, training, fingerprints of the
  images trained on, versions, and the SHA-256 of the weights and of itself.
- `README.md`: a model card for people.
- `samples.png`: images of every class.

Loading executes nothing from the folder: the architecture is built by our own
code from checked numbers, and the weights are plain tensors.
"""

import base64
import hashlib
import importlib.metadata
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import safetensors.numpy

from ganaug import __version__
from ganaug.artifact_record import (
    ARCHITECTURE,
    FORMAT,
    FORMAT_VERSION,
    RECORD,
    dump_record,
    read_record,
    refuse,
)
from ganaug.gan.generation import check_labels, generate_images
from ganaug.gan.networks import build_generator, fewest_parameters
from ganaug.model_card import render_model_card
from ganaug.pictures import save_image_grid
from ganaug.seeds import resolve_seed

WEIGHTS = "weights.safetensors"
CARD = "README.md"
SAMPLES = "samples.png"
SAMPLES_PER_CLASS = 8
MAX_CLASSES_SHOWN = 20
# A file with holes can be huge and cost its maker nothing.
MAX_WEIGHTS_BYTES = 2**32


@dataclass(eq=False)
class Artifact:
    """A pretrained generator and what is known of it.

    Args:
        generator: `keras.Model` called as `generator([latents, labels])`.
        arguments: Dict. The arguments of `build_generator` that it was built
            with.
        class_names: Tuple of strings.
        value_range: Pair of floats. Value range of the images it learnt.
        image_dtype: String. Their dtype.
        training: Dict of numbers and strings about the training.
        fingerprints: NumPy array of `uint64`, one for each image it learnt,
            as `ganaug.data.splits.fingerprints` computes them.
    """

    generator: object
    arguments: dict
    class_names: tuple
    value_range: tuple
    image_dtype: str
    training: dict
    fingerprints: np.ndarray = field(
        default_factory=lambda: np.empty(0, np.uint64)
    )

    @property
    def image_shape(self):
        """Tuple `(height, width, channels)`."""
        return tuple(self.arguments["image_shape"])

    def generate(self, labels, seed=None, batch_size=256):
        """Draws one image for each label.

        Args:
            labels: List or array of integers in `[0, num_classes)`.
            seed: Integer. The same seed and labels give the same images.
                Drawn at random by default.
            batch_size: Integer. Images generated at a time. Defaults to
                `256`.

        Returns:
            A NumPy array `(len(labels), height, width, channels)` with dtype
            and value range of the images the generator learnt.

        Raises:
            ValueError: Labels or seed are out of range.
        """
        return generate_images(
            self.generator,
            check_labels(labels, len(self.class_names)),
            resolve_seed(seed),
            self.value_range,
            self.image_dtype,
            batch_size,
        )


def check_output_folder(path):
    """Checks that a folder is new or empty, so that nothing is overwritten.

    Args:
        path: Folder.

    Returns:
        A `pathlib.Path`.

    Raises:
        FileExistsError: It holds something, or is a file.
    """
    path = Path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        what = "another run" if (path / RECORD).exists() else "something else"
        raise FileExistsError(
            f"The output folder holds {what}, which is not overwritten. Name "
            f"a new or empty folder. Received: {os.fspath(path)!r}"
        )
    return path


def save(artifact, path):
    """Writes an artifact.

    The record is written after the weights, so a folder that was cut short
    has none and is not taken for an artifact.

    Args:
        artifact: `Artifact`.
        path: Folder, new or empty.

    Raises:
        FileExistsError: The folder holds something.
        ValueError: A weight is NaN or infinite.
    """
    path = check_output_folder(path)
    weights = {
        key: variable.numpy() for key, variable in _keys(artifact.generator)
    }
    broken = [
        key for key, value in weights.items() if not np.isfinite(value).all()
    ]
    if broken:
        raise ValueError(
            "The generator's weights must be finite; training diverged. "
            f"Received: NaN or infinity in {len(broken)} tensors"
        )
    path.mkdir(parents=True, exist_ok=True)
    blob = safetensors.numpy.save(weights)
    _write(path / WEIGHTS, blob)
    record = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "architecture": {
            "name": ARCHITECTURE,
            "arguments": {
                **artifact.arguments,
                "image_shape": list(artifact.image_shape),
            },
        },
        "images": {
            "dtype": artifact.image_dtype,
            "value_range": list(artifact.value_range),
        },
        "class_names": list(artifact.class_names),
        "training": artifact.training,
        "fingerprints": {
            "algorithm": "first 8 bytes of BLAKE2b of the 8-bit picture",
            "count": len(artifact.fingerprints),
            "base64": base64.b64encode(
                artifact.fingerprints.astype("<u8").tobytes()
            ).decode(),
        },
        "weights": {"sha256": hashlib.sha256(blob).hexdigest()},
        "versions": {
            "ganaug": __version__,
            **{
                name: importlib.metadata.version(name)
                for name in ("tensorflow", "keras", "numpy")
            },
        },
    }
    _write(path / RECORD, dump_record(record))
    # From here on it is an artifact; the rest is for people.
    _write(path / CARD, render_model_card(record).encode())
    _save_samples(artifact, path / SAMPLES)


def load(path):
    """Reads an artifact, after checking that it is whole and ours.

    Args:
        path: Folder written by `save`.

    Returns:
        An `Artifact`.

    Raises:
        FileNotFoundError: There is no artifact.
        ValueError: It is cut, changed, not ours or of a later format.
    """
    path = Path(path)
    for name in (RECORD, WEIGHTS):
        if not (path / name).is_file():
            raise FileNotFoundError(
                "Expected the folder of a pretrained GAN, as `ganaug train` "
                f"or `save_pretrained` writes it, but it has no `{name}`. "
                f"Received: {os.fspath(path)!r}"
            )
    record = read_record(path)
    arguments = record["architecture"]["arguments"]
    num_bytes = (path / WEIGHTS).stat().st_size
    if num_bytes > MAX_WEIGHTS_BYTES:
        refuse(path, f"`{WEIGHTS}` has {num_bytes} bytes")
    blob = (path / WEIGHTS).read_bytes()
    if hashlib.sha256(blob).hexdigest() != record["weights"]["sha256"]:
        refuse(path, f"`{WEIGHTS}` was cut or changed")
    # Before the network is built: a small file cannot ask for a large one.
    if 4 * fewest_parameters(**arguments) > num_bytes:
        refuse(path, "the weights do not fit the architecture")
    try:
        weights = safetensors.numpy.load(blob)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        refuse(path, f"`{WEIGHTS}` cannot be read ({error})")
    if not all(
        value.dtype == np.float32 and np.isfinite(value).all()
        for value in weights.values()
    ):
        refuse(path, f"`{WEIGHTS}` must hold finite float32 numbers")
    generator = build_generator(**arguments)
    variables = dict(_keys(generator))
    if {key: value.shape for key, value in weights.items()} != {
        key: tuple(variable.shape) for key, variable in variables.items()
    }:
        refuse(path, "the weights do not fit the architecture")
    for key, variable in variables.items():
        variable.assign(weights[key])
    generator.trainable = False
    return Artifact(
        generator=generator,
        arguments=arguments,
        class_names=tuple(record["class_names"]),
        value_range=tuple(record["images"]["value_range"]),
        image_dtype=record["images"]["dtype"],
        training=record["training"],
        fingerprints=np.frombuffer(
            base64.b64decode(record["fingerprints"]["base64"]), "<u8"
        ),
    )


def _keys(generator):
    # Keras's own paths change from instance to instance.
    return [
        (f"{index:03d}.{variable.name}", variable)
        for index, variable in enumerate(generator.weights)
    ]


def _write(path, blob):
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(blob)
    os.replace(partial, path)


def _save_samples(artifact, path):
    names = artifact.class_names[:MAX_CLASSES_SHOWN]
    labels = np.repeat(np.arange(len(names)), SAMPLES_PER_CLASS)
    images = artifact.generate(labels, seed=0)
    save_image_grid(
        path, np.split(images, len(names)), names, artifact.value_range
    )
