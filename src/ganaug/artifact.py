"""The artifact: a pretrained generator in a folder.

- `weights.safetensors`: the weights, under keys of our own.
- `latents.safetensors`: where an encoder saw training images, for generators
  that were trained with one.
- `ganaug.json`: architecture, images, classes, training, fingerprints of the
  images trained on, versions, and the SHA-256 of those files and of itself.
- `README.md`: a model card for people.
- `samples.png`: images of every class.

Loading executes nothing from the folder: the architecture is built by our own
code from checked numbers, and the weights are plain tensors.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ganaug.artifact_files import (
    check_output_folder,
    read_tensors,
    write_file,
    write_tensors,
)
from ganaug.artifact_record import (
    RECORD,
    check_record,
    dump_record,
    make_record,
    read_fingerprints,
    read_record,
    refuse,
)
from ganaug.gan.architectures import (
    ARCHITECTURES,
    build_generator,
    fewest_parameters,
)
from ganaug.gan.generation import check_count_or_labels, generate_images
from ganaug.gan.latents import LatentBank
from ganaug.model_card import render_model_card
from ganaug.pictures import save_image_grid
from ganaug.seeds import resolve_seed

WEIGHTS = "weights.safetensors"
LATENTS = "latents.safetensors"
CARD = "README.md"
SAMPLES = "samples.png"
SAMPLES_PER_CLASS = 8
MAX_CLASSES_SHOWN = 20
# A file with holes can be huge and cost its maker nothing.
MAX_WEIGHTS_BYTES = 2**32
MAX_LATENTS_BYTES = 2**30


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
        latent_bank: `ganaug.gan.latents.LatentBank`, or `None` where it was
            trained without an encoder.
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
    latent_bank: LatentBank | None = None

    @property
    def image_shape(self):
        """Tuple `(height, width, channels)`."""
        return tuple(self.arguments["image_shape"])

    @property
    def num_classes(self):
        """Integer, or `None` where the generator knows no classes."""
        return self.arguments["num_classes"]

    def generate(
        self,
        labels,
        seed=None,
        batch_size=256,
        truncation=1.0,
        latents="prior",
    ):
        """Draws one image for each label.

        Args:
            labels: List or array of integers in `[0, num_classes)`; without
                classes, the number of images.
            seed: Integer. The same seed and labels give the same images.
                Drawn at random by default.
            batch_size: Integer. Images generated at a time. Defaults to
                `256`.
            truncation: Float. Standard deviation of the latents. Defaults to
                `1.0`.
            latents: String. `"prior"`; or, where it was trained with an
                encoder, `"around"`, `"interpolated"` or `"transferred"`, or a
                dict from some of these to their shares, as in
                `ConditionalVAE.generate`. Defaults to `"prior"`.

        Returns:
            A NumPy array `(num_images, height, width, channels)` with dtype
            and value range of the images the generator learnt.

        Raises:
            ValueError: An argument is out of range.
        """
        return generate_images(
            self.generator,
            check_count_or_labels(labels, self.num_classes),
            resolve_seed(seed),
            self.value_range,
            self.image_dtype,
            self.arguments["latent_dim"],
            batch_size,
            truncation,
            latents,
            self.latent_bank,
        )


def save(artifact, path, replace=False):
    """Writes an artifact.

    The record is written after the weights, so a folder that was cut short
    has none and is not taken for an artifact.

    Args:
        artifact: `Artifact`.
        path: Folder, new or empty.
        replace: Boolean. Whether it may be written over an earlier one in
            the folder, and beside other files. Defaults to `False`.

    Raises:
        FileExistsError: The folder holds something, and `replace` is false.
        ValueError: A weight or a latent is NaN or infinite.
    """
    path = Path(path) if replace else check_output_folder(path)
    if artifact.arguments["architecture"] not in ARCHITECTURES:
        raise ValueError(
            "An artifact names an architecture that ganaug can build, so that "
            "loading it runs no foreign code. Keep networks of your own with "
            "`model.save('model.keras')`; `GANAugmenter(model)` takes the "
            "model itself. Received: architecture="
            f"{artifact.arguments['architecture']!r}"
        )
    # As they are read: half precision loses nothing by it.
    weights = {
        key: variable.numpy().astype(np.float32)
        for key, variable in _keys(artifact.generator)
    }
    broken = [
        key for key, value in weights.items() if not np.isfinite(value).all()
    ]
    if broken:
        raise ValueError(
            "The generator's weights must be finite; training diverged. "
            f"Received: NaN or infinity in {len(broken)} tensors"
        )
    bank = artifact.latent_bank
    if bank is not None:
        bank.check()
    _check_readable(artifact)
    path.mkdir(parents=True, exist_ok=True)
    # Until the new one is there, the folder has none.
    (path / RECORD).unlink(missing_ok=True)
    sha256 = write_tensors(path / WEIGHTS, weights)
    (path / LATENTS).unlink(missing_ok=True)
    latents = None
    if bank is not None:
        latents = {
            "count": len(bank),
            "kinds": list(bank.kinds),
            "sha256": write_tensors(path / LATENTS, bank.tensors()),
        }
    record = make_record(artifact, {"sha256": sha256}, latents)
    write_file(path / RECORD, dump_record(record))
    # From here on it is an artifact; the rest is for people.
    write_file(path / CARD, render_model_card(record).encode())
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
    if not (path / RECORD).is_file():
        raise FileNotFoundError(
            "Expected the folder of a pretrained model, as `ganaug train` or "
            f"`save_pretrained` writes it, but it has no `{RECORD}`. A "
            "training that was killed has none yet: give its command again, "
            f"and it goes on. Received: {os.fspath(path)!r}"
        )
    record = read_record(path)
    arguments = {
        "architecture": record["architecture"]["name"],
        **record["architecture"]["arguments"],
    }
    weights = read_tensors(
        path / WEIGHTS, record["weights"]["sha256"], MAX_WEIGHTS_BYTES
    )
    # Before the network is built: a small file cannot ask for a large one.
    num_parameters = sum(value.size for value in weights.values())
    if num_parameters < fewest_parameters(**arguments):
        refuse(path, "the weights do not fit the architecture")
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
    latent_bank = None
    if record["latents"] is not None:
        latent_bank = _load_latents(path, record, arguments)
    return Artifact(
        generator=generator,
        arguments=arguments,
        class_names=tuple(record["class_names"]),
        value_range=tuple(record["images"]["value_range"]),
        image_dtype=record["images"]["dtype"],
        training=record["training"],
        fingerprints=read_fingerprints(record),
        latent_bank=latent_bank,
    )


def _check_readable(artifact):
    """Refuses what `load` would refuse, before anything is written."""
    try:
        record = make_record(artifact, {"sha256": ""}, None)
        check_record(json.loads(dump_record(record)))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            "An artifact of this model could not be read again. Received: "
            f"image_dtype={artifact.image_dtype!r}, value_range="
            f"{artifact.value_range}, {artifact.arguments}: {error}"
        ) from error


def _load_latents(path, record, arguments):
    tensors = read_tensors(
        path / LATENTS, record["latents"]["sha256"], MAX_LATENTS_BYTES
    )
    count, latent_dim = record["latents"]["count"], arguments["latent_dim"]
    if {name: value.shape for name, value in tensors.items()} != {
        "mean": (count, latent_dim),
        "log_variance": (count, latent_dim),
        "labels": (count,),
    }:
        refuse(path, f"`{LATENTS}` does not fit the architecture")
    bank = LatentBank(**tensors, num_classes=arguments["num_classes"])
    try:
        bank.check()
    except ValueError as error:
        refuse(path, f"`{LATENTS}` cannot be drawn from ({error})")
    return bank


def _keys(generator):
    # Keras's own paths change from instance to instance.
    return [
        (f"{index:03d}.{variable.name}", variable)
        for index, variable in enumerate(generator.weights)
    ]


def _save_samples(artifact, path):
    names = artifact.class_names[:MAX_CLASSES_SHOWN]
    labels = np.repeat(np.arange(len(names)), SAMPLES_PER_CLASS)
    if artifact.num_classes is None:
        labels = len(labels)
    images = artifact.generate(labels, seed=0)
    save_image_grid(
        path, np.split(images, len(names)), names, artifact.value_range
    )
