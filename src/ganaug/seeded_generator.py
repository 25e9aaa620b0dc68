"""A generator that an evaluation trains anew for each seed."""

import importlib.metadata
import inspect
import numbers
import os
import shutil
import tempfile
from pathlib import Path

import filelock
import keras

from ganaug import artifact
from ganaug.artifact_id import hash_arrays
from ganaug.augment.augmenter import GANAugmenter
from ganaug.gan.architectures import ARCHITECTURES
from ganaug.gan.latent_kinds import PRIOR, canonical_latents, needs_encoder
from ganaug.gan.losses import LOSSES
from ganaug.gan.precision import layers_of
from ganaug.gan.training_by_name import MODELS, train_by_name
from ganaug.seeded_augmenter import SeededAugmenter
from ganaug.seeds import derive_seed

# What the numbers of a training depend on.
PACKAGES = ("ganaug", "tensorflow", "keras", "numpy")
# Arguments of the augmenter that depend on the seed and its images.
OWN = {"pretrained", "seed", "value_range"}
# Arguments of a model that depend on the seed and its images.
OF_IMAGES = {"image_shape", "num_classes", "seed"}


class SeededGenerator:
    """Trains a generator for each seed, on the images of that seed.

    Give what `augmenter` makes to `Arm(learn=...)`: then the variance of
    training the generator, and of the images where each seed has its own, is
    part of the answer. All arms of one `SeededGenerator` share its generators.

    Args:
        model: String: `"gan"`, `"vae"`, or `"vae-gan"`. Defaults to `"gan"`.
        architecture: String. Defaults to that of the model.
        steps: Integer. Training steps. Defaults to the recipe's for the image
            size.
        batch_size: Integer. Images in a step. Defaults to `64`.
        folder: Folder in which trained generators are kept, each in a folder
            of its own, and trainings that were killed go on. Several processes
            may use it. Defaults to none: the latest one is kept in memory.
        model_arguments: Dict of further arguments of the model, such as
            `width`, as plain data. Defaults to none.
        compile_arguments: Dict of arguments of its `compile`, as plain data.
            Defaults to those of the recipe.
        class_balanced: Boolean. As in the model's `fit`. Defaults to `True`.
        precision: String. Keras's dtype policy of the networks. Defaults to
            the policy in force.

    Raises:
        ValueError: `model`, `architecture` or `precision` is unknown, or a
            number is not positive.

    Example:

    ```python
    generator = ganaug.SeededGenerator("vae", folder="generators")
    arm = ganaug.on_top_of_best(learn=generator.augmenter(ratio=0.5))
    report = ganaug.evaluate_augmentation(train, test, {"VAE": arm})
    ```
    """

    def __init__(
        self,
        model="gan",
        architecture=None,
        steps=None,
        batch_size=64,
        folder=None,
        model_arguments=None,
        compile_arguments=None,
        class_balanced=True,
        precision=None,
    ):
        if model not in MODELS:
            raise ValueError(
                f"`model` must be one of {tuple(MODELS)}. "
                f"Received: model={model!r}"
            )
        if architecture is not None and architecture not in ARCHITECTURES:
            raise ValueError(
                f"`architecture` must be one of {sorted(ARCHITECTURES)}. "
                f"Received: architecture={architecture!r}"
            )
        for name, number in (("steps", steps), ("batch_size", batch_size)):
            if number is not None and (
                isinstance(number, bool)
                or not isinstance(number, numbers.Integral)
                or number < 1
            ):
                raise ValueError(
                    f"`{name}` must be a positive integer. "
                    f"Received: {name}={number!r}"
                )
        self.model = model
        self.architecture = architecture
        self.steps = steps
        self.batch_size = batch_size
        self.folder = None if folder is None else Path(folder)
        self.model_arguments = dict(model_arguments or {})
        self.compile_arguments = dict(compile_arguments or {})
        self.class_balanced = class_balanced
        if precision is not None:
            # Raises for what is none, now and not after other trainings.
            keras.dtype_policies.get(precision)
        self.precision = precision
        self._latest = None

    @classmethod
    def like(cls, pretrained, folder=None):
        """Trains as an artifact was trained, anew for each seed.

        Model, networks, losses, steps, batches and precision are those that
        the artifact names. It does not name optimizers and guards, which are
        the defaults, and of its training images none are held out to find the
        best state: that of the end is taken.

        Args:
            pretrained: `ganaug.artifact.Artifact` of a model of ganaug's.
            folder: As in `SeededGenerator`.

        Returns:
            A `SeededGenerator`.

        Raises:
            ValueError: The artifact's networks are somebody's own, or it does
                not say how it was trained.

        Example:

        ```python
        generator = SeededGenerator.like(ganaug.artifact.load("runs/digits"))
        ```
        """
        facts = pretrained.training
        names = [
            name
            for name, model in MODELS.items()
            if model.__name__ == facts.get("model")
        ]
        architecture = pretrained.arguments.get("architecture")
        loss = facts.get("loss")
        if (
            not names
            or architecture not in ARCHITECTURES
            or loss not in (None, *LOSSES)
        ):
            raise ValueError(
                "`pretrained` must be an artifact of one of "
                f"{[model.__name__ for model in MODELS.values()]} with one of "
                f"the architectures {sorted(ARCHITECTURES)} and a loss of "
                "ganaug's, which says how it was trained. Give another one, or "
                "train generators of your own in `Arm(learn=...)`. Received: "
                f"model={facts.get('model')!r}, architecture={architecture!r}, "
                f"loss={loss!r}"
            )
        model = MODELS[names[0]]
        of_model = inspect.signature(model).parameters
        # A subclass hands on what it does not name.
        of_compile = {
            name
            for base in model.__mro__
            if "compile" in vars(base)
            for name in inspect.signature(base.compile).parameters
        }
        given = {**pretrained.arguments, **facts}
        return cls(
            names[0],
            architecture,
            facts["steps"],
            facts["batch_size"],
            folder,
            {
                name: value
                for name, value in given.items()
                if name in of_model and name not in (*OF_IMAGES, "architecture")
            },
            {
                name: value
                for name, value in facts.items()
                if name in of_compile
            },
            facts["class_balanced"],
            facts.get("precision"),
        )

    @property
    def description(self):
        """Dict for JSON: all that the generators depend on but the images."""
        return {
            "model": self.model,
            "architecture": self.architecture,
            "steps": self.steps,
            "batch_size": self.batch_size,
            "model_arguments": self.model_arguments,
            "compile_arguments": self.compile_arguments,
            "class_balanced": self.class_balanced,
            "dtype_policy": keras.dtype_policies.serialize(self._policy()),
        }

    def _policy(self):
        if self.precision is None:
            return keras.config.dtype_policy()
        return keras.dtype_policies.get(self.precision)

    def train(self, images, seed):
        """Trains a generator, or finds it.

        Args:
            images: `LabeledImages` with an image of every class.
            seed: Integer.

        Returns:
            A `ganaug.artifact.Artifact`.

        Raises:
            RuntimeError: Training failed.
        """
        name = hash_arrays(
            [images.images, images.labels],
            {
                **self.description,
                "seed": seed,
                "class_names": images.class_names,
                "value_range": images.value_range,
                # Another version may have other recipes, or other arithmetic.
                "versions": {
                    one: importlib.metadata.version(one) for one in PACKAGES
                },
            },
        )
        if self._latest is None or self._latest[0] != name:
            self._latest = name, self._find(images, seed, name)
        return self._latest[1]

    def _find(self, images, seed, name):
        if self.folder is None:
            return self._train(images, seed).to_artifact()
        self.folder.mkdir(parents=True, exist_ok=True)
        place = self.folder / f"seed{seed}-{name}"
        with filelock.FileLock(place.with_name(place.name + ".lock")):
            if not place.is_dir():
                state = self.folder / f"{place.name}.training"
                trained = self._train(images, seed, run_dir=state)
                # Whole or not at all, where it is looked for.
                with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
                    whole = Path(scratch) / "artifact"
                    trained.save_pretrained(whole)
                    os.replace(whole, place)
                shutil.rmtree(state)
        return artifact.load(place)

    def _train(self, images, seed, **fit_arguments):
        images.check_trainable()
        with layers_of(self._policy()):
            return train_by_name(
                images,
                self.model,
                derive_seed(seed, "generator"),
                self.architecture,
                self.steps,
                self.batch_size,
                model_arguments=self.model_arguments,
                compile_arguments=self.compile_arguments,
                class_balanced=self.class_balanced,
                **fit_arguments,
            )

    def augmenter(
        self,
        ratio=None,
        sampling_strategy=None,
        latents=PRIOR,
        truncation=1.0,
        class_interpolation=0.0,
        tune=None,
        **arguments,
    ):
        """Says how each seed's generator is to be used.

        Args:
            ratio: As in `GANAugmenter`.
            sampling_strategy: As there.
            latents: As in `Generators`. Defaults to `"prior"`.
            truncation: As there. Defaults to `1.0`.
            class_interpolation: As there. Defaults to `0.0`.
            tune: Dict of arguments for `GANAugmenter.tune`: what to use is
                then chosen for each seed on its validation images, of which
                there must be some. Name the control there that the arm comes
                on top of (`on_top_of`, and `controls` if they are not the
                default ones): left to itself, `tune` finds one for each seed.
                Defaults to `None`, for no choice.
            **arguments: Further arguments of `GANAugmenter`.

        Returns:
            A `SeededAugmenter`.

        Raises:
            TypeError: `GANAugmenter` has no such argument, or each seed has
                its own.
            ValueError: `latents` cannot be drawn with the model, or a number
                is negative or not finite.
        """
        known = set(inspect.signature(GANAugmenter).parameters) - OWN
        unknown = sorted(set(arguments) - known)
        if unknown:
            raise TypeError(
                "Expected arguments of GANAugmenter, but for "
                f"{sorted(OWN)}, which each seed gets of its own. "
                f"Received: {unknown}"
            )
        if needs_encoder(latents) and not hasattr(MODELS[self.model], "encode"):
            raise ValueError(
                "Latents of real images need a model with an encoder: 'vae' or "
                "'vae-gan'. "
                f"Received: latents={latents!r}, model={self.model!r}"
            )
        return SeededAugmenter(
            self,
            canonical_latents(latents),
            truncation,
            class_interpolation,
            tune,
            {
                "ratio": ratio,
                "sampling_strategy": sampling_strategy,
                **arguments,
            },
        )
