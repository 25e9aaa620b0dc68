"""DrawingModel: a generator with its average, which draws and is kept."""

import keras

from ganaug import artifact
from ganaug.gan.architectures import (
    ARCHITECTURES,
    build_generator,
    check_image_shape,
)
from ganaug.gan.generation import (
    check_count_or_labels,
    generate_images,
    interpolate_images,
)
from ganaug.gan.learnt import Learnt
from ganaug.gan.own_networks import check_generator, clone_network
from ganaug.gan.presets import PRESETS, choose_preset, get_recipe
from ganaug.seeds import derive_seed, resolve_seed, seeded_initializers

# What images are called that have no classes.
NO_CLASSES = ("image",)


class DrawingModel(keras.Model):
    """A model that draws images of given classes.

    It holds a generator and its average, which images are drawn with. How
    they come to draw anything is up to subclasses.

    Args:
        image_shape: Tuple `(height, width, channels)`: sides of at least 4
            pixels, 1 to 4 channels.
        num_classes: Integer of at least 2, or `None` for a model without
            classes.
        architecture: String. A name in `ARCHITECTURES`.
        preset: String. `"tiny"`, `"small"` or `"medium"`: sizes and strengths
            that fit an image size. Chosen by `image_shape` by default.
        latent_dim: Integer. Size of the latents.
        width: Integer. Width of the networks.
        depth: Integer. Depth of the networks.
        seed: Integer. Fixes initial weights, batches and noise. Drawn at
            random by default; the attribute `seed` tells it.
        generator: `keras.Model` to train in the place of one of ours.

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(
        self,
        image_shape,
        num_classes,
        architecture,
        preset=None,
        latent_dim=None,
        width=None,
        depth=None,
        seed=None,
        generator=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.image_shape = check_image_shape(image_shape)
        if num_classes is not None and (
            isinstance(num_classes, bool)
            or int(num_classes) != num_classes
            or num_classes < 2
        ):
            raise ValueError(
                "`num_classes` must be an integer of at least 2, or None for "
                "a model without classes. "
                f"Received: num_classes={num_classes}"
            )
        if preset is None:
            preset = choose_preset(self.image_shape)
        if preset not in PRESETS:
            raise ValueError(
                f"`preset` must be one of {sorted(PRESETS)}. "
                f"Received: preset={preset!r}"
            )
        if architecture not in (*ARCHITECTURES, "custom"):
            raise ValueError(
                f"`architecture` must be one of {sorted(ARCHITECTURES)}. "
                f"Received: architecture={architecture!r}"
            )
        self.num_classes = None if num_classes is None else int(num_classes)
        self.architecture = architecture
        self.preset = preset
        self.recipe = get_recipe(architecture, preset, latent_dim, width, depth)
        self.latent_dim = self.recipe.latent_dim
        self.width = self.recipe.width
        self.depth = self.recipe.depth
        self.seed = resolve_seed(seed)
        with seeded_initializers(derive_seed(self.seed, "weights")):
            self._build_networks(generator)
        self.ema_generator.set_weights(self.generator.get_weights())
        self.ema_generator.trainable = False
        self.latent_bank = None
        self.learnt = Learnt(
            NO_CLASSES
            if num_classes is None
            else tuple(str(label) for label in range(num_classes))
        )
        self.built = True

    def _build_networks(self, generator):
        if generator is None:
            self.generator = build_generator(**self.generator_arguments)
            self.ema_generator = build_generator(**self.generator_arguments)
        else:
            check_generator(
                generator, self.image_shape, self.num_classes, self.latent_dim
            )
            self.generator = generator
            self.ema_generator = clone_network(generator)

    @property
    def generator_arguments(self):
        """Dict: the arguments of `build_generator`."""
        return {
            "architecture": self.architecture,
            "image_shape": self.image_shape,
            "num_classes": self.num_classes,
            "latent_dim": self.latent_dim,
            "width": self.width,
            "depth": self.depth,
        }

    @property
    def networks(self):
        """Dict from names to the networks that are trained."""
        return {"generator": self.generator}

    @property
    def drawing_networks(self):
        """List of the networks that images are drawn with."""
        return [self.ema_generator]

    def call(self, inputs, training=False):
        network = self.generator if training else self.ema_generator
        return network(inputs, training=training)

    def generate(
        self,
        labels,
        seed=None,
        batch_size=256,
        truncation=1.0,
        latents="prior",
    ):
        """Draws one image for each label, from the averaged generator.

        Args:
            labels: List or array of integers in `[0, num_classes)`. For a
                model without classes, the number of images.
            seed: Integer. The same seed and labels give the same images.
                Drawn at random by default.
            batch_size: Integer. Images generated at a time. Defaults to
                `256`.
            truncation: Float. Standard deviation of the latents: below 1 for
                more typical images, above it for more varied ones. Defaults
                to `1.0`.
            latents: String. Where the latents come from: `"prior"`; or, for
                models with an encoder, `"around"` a real image of the class,
                `"interpolated"` between two of them, or `"transferred"`: that
                of a real image of another class, decoded as this one. Or a
                dict from some of these to their shares. Defaults to
                `"prior"`.

        Returns:
            A NumPy array `(num_images, height, width, channels)` with dtype
            and value range of the images the model was trained on; before
            training, float32 in `[-1, 1]`.

        Raises:
            ValueError: An argument is out of range.
        """
        return generate_images(
            self.ema_generator,
            check_count_or_labels(labels, self.num_classes),
            resolve_seed(seed),
            self.learnt.value_range,
            self.learnt.image_dtype,
            self.latent_dim,
            batch_size,
            truncation,
            latents,
            self.latent_bank,
        )

    def interpolate(self, labels, num=8, seed=None, truncation=1.0):
        """Draws images on the way between two latents, or two classes.

        Args:
            labels: A pair of integers, the classes of the two ends; the same
                twice moves through one class. `None` for a model without
                classes.
            num: Integer. Number of images, both ends among them. Defaults to
                `8`.
            seed: Integer. Fixes the latents of the two ends.
            truncation: Float. As in `generate`.

        Returns:
            A NumPy array `(num, height, width, channels)`, as `generate`
            returns it.

        Raises:
            ValueError: An argument is out of range, or the generator is not
                one of ours and blends no classes.
        """
        return interpolate_images(
            self.ema_generator,
            labels,
            self.num_classes,
            num,
            resolve_seed(seed),
            self.learnt.value_range,
            self.learnt.image_dtype,
            self.latent_dim,
            truncation,
        )

    def save_pretrained(self, path):
        """Writes the artifact: what `GANAugmenter.from_pretrained` reads.

        Args:
            path: Folder, new or empty.

        Raises:
            FileExistsError: The folder holds something.
            ValueError: The model has not been trained, has networks of your
                own, or a weight is NaN or infinite.
        """
        artifact.save(self.to_artifact(), path)

    def to_artifact(self):
        """Gives the averaged generator and all that is known of it.

        Returns:
            A `ganaug.artifact.Artifact`.

        Raises:
            ValueError: The model has not been trained.
        """
        if not self.learnt.training:
            raise ValueError(
                "The model has not been trained, and its images are noise. "
                "Call `fit()` first."
            )
        return artifact.Artifact(
            generator=self.ema_generator,
            arguments=self.generator_arguments,
            class_names=self.learnt.class_names,
            value_range=self.learnt.value_range,
            image_dtype=self.learnt.image_dtype,
            training=self.learnt.training,
            fingerprints=self.learnt.fingerprints,
            latent_bank=self.latent_bank,
        )

    def get_config(self):
        return {
            **self.generator_arguments,
            "preset": self.preset,
            "seed": self.seed,
            "name": self.name,
            "learnt": self.learnt.get_config(),
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        learnt = config.pop("learnt")
        for name in ("generator", "discriminator"):
            if config.get(name) is not None:
                config[name] = keras.saving.deserialize_keras_object(
                    config[name]
                )
        model = cls(**config)
        model.learnt = Learnt.from_config(learnt)
        return model
