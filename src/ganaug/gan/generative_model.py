"""GenerativeModel: what GANs and VAEs have in common."""

from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from ganaug import artifact
from ganaug.data.labeled_images import as_labeled_images
from ganaug.gan.architectures import (
    ARCHITECTURES,
    build_generator,
    check_image_shape,
)
from ganaug.gan.fit_arguments import check_fit_arguments
from ganaug.gan.fitting import fit_from_current_step
from ganaug.gan.generation import (
    check_count_or_labels,
    draw_unit_images,
    generate_images,
    interpolate_images,
)
from ganaug.gan.learnt import Learnt
from ganaug.gan.noise import Noise
from ganaug.gan.own_networks import check_generator, clone_network
from ganaug.gan.presets import PRESETS, choose_preset, get_recipe
from ganaug.seeds import derive_seed, resolve_seed, seeded_initializers

# Of the first learning rate, where it decays.
FINAL_LEARNING_RATE = 0.1
# The average may not look back further than this share of what was seen.
EMA_RAMP_UP = 0.05
# What images are called that have no classes.
NO_CLASSES = ("image",)


class GenerativeModel(keras.Model):
    """A model that learns images of given classes and draws new ones.

    It holds a generator and its average, trains on batches that depend on
    seed and step alone, and can be stopped and resumed exactly. Subclasses
    say how the generator learns.

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
        self.step = self._counter("step")
        self.attempt = self._counter("attempt")
        self.gentleness = self.add_weight(
            shape=(),
            initializer="ones",
            trainable=False,
            aggregation="only_first_replica",
            name="gentleness",
        )
        self._noise_seed = derive_seed(self.seed, "noise")
        # Where `fit` is to end, for callbacks.
        self.target_step = None
        self.learnt = Learnt(
            NO_CLASSES
            if num_classes is None
            else tuple(str(label) for label in range(num_classes))
        )
        self.built = True

    def _counter(self, name):
        return self.add_weight(
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
            name=name,
        )

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

    @property
    def optimizers(self):
        """Dict from names to the optimizers; empty before `compile`."""
        return {}

    def _compile_shared(self, ema_half_life, decay_steps, **kwargs):
        super().compile(optimizer=None, loss=None, **kwargs)
        if ema_half_life is None:
            ema_half_life = self.recipe.ema_half_life
        ema_half_life = float(ema_half_life)
        if not 0 <= ema_half_life < float("inf"):
            raise ValueError(
                "`ema_half_life` must be a number of images, or 0 for no "
                f"average. Received: ema_half_life={ema_half_life}"
            )
        if decay_steps is not None and not (
            isinstance(decay_steps, (int, np.integer)) and decay_steps >= 1
        ):
            raise ValueError(
                "`decay_steps` must be a positive number of steps. "
                f"Received: decay_steps={decay_steps}"
            )
        self.ema_half_life = ema_half_life
        self.decay_steps = decay_steps
        self._first_learning_rates = {}

    def _make_optimizer(self, name, optimizer, network):
        """Checks one optimizer, or makes the recipe's, and builds it."""
        if optimizer is None:
            optimizer = keras.optimizers.Adam(
                self.recipe.learning_rate,
                beta_1=self.recipe.beta_1,
                beta_2=self.recipe.beta_2,
            )
        optimizer = keras.optimizers.get(optimizer)
        # Keras scales the losses of the one optimizer that it knows of.
        if any(
            layer.compute_dtype == "float16" for layer in network.layers
        ) and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        if not isinstance(optimizer.learning_rate, keras.Variable):
            if self.decay_steps is not None:
                raise ValueError(
                    "`decay_steps` is for constant learning rates, and "
                    f"`{name}` has a schedule of its own. Leave one of them "
                    f"out. Received: decay_steps={self.decay_steps}"
                )
        else:
            self._first_learning_rates[name] = float(
                keras.ops.convert_to_numpy(optimizer.learning_rate)
            )
        optimizer.build(network.trainable_variables)
        return optimizer

    def fit(
        self,
        x,
        y=None,
        batch_size=64,
        epochs=1,
        verbose="auto",
        callbacks=None,
        initial_epoch=0,
        steps_per_epoch=None,
        class_names=None,
        value_range=None,
        class_balanced=True,
        run_dir=None,
        checkpoint_every=250,
        keep_checkpoints=3,
        guards=True,
        max_rollbacks=3,
    ):
        """Trains on images of every class in equal shares.

        The data are read into memory once. Each batch draws its classes
        uniformly, so an epoch is a number of steps rather than a pass.

        Args:
            x: A finite `tf.data.Dataset`, batched or not, of `(image, label)`,
                `(image, label, weight)` or TFDS or Keras dicts; or an array of
                images; or a `ganaug.data.labeled_images.LabeledImages`.
                Weights are ignored.
            y: Array of integer labels `(num_images,)`, where `x` is an array.
                A model without classes needs none.
            batch_size: Integer. Images in a step of either network, on all
                replicas together. Defaults to `64`.
            epochs: Integer. The epoch to stop at. Defaults to `1`.
            verbose: As in `keras.Model.fit`.
            callbacks: List of `keras.callbacks.Callback`.
            initial_epoch: Integer. The epoch to start at. Defaults to `0`.
            steps_per_epoch: Integer. Defaults to the number of batches that
                all images make.
            class_names: Sequence of strings, one for each class. Defaults to
                numbers.
            value_range: Pair of numbers. The values of black and of full
                intensity. By default `[0, 255]` for `uint8`; for floats
                `[0, 1]` or `[-1, 1]`, whichever fits.
            class_balanced: Boolean. Whether every class is equally likely in
                a batch, rather than every image. Defaults to `True`.
            run_dir: Folder for the state of training. Where it holds an
                unfinished training with the same settings and data, this one
                goes on from it and ends with the very weights that it would
                have had without the stop. By default nothing is kept.
            checkpoint_every: Integer. Steps between looks of the guards, and
                between checkpoints in `run_dir`. Defaults to `250`.
            keep_checkpoints: Integer. How many of the last checkpoints stay
                in `run_dir`. Defaults to `3`.
            guards: Boolean. Whether a training that fails (NaN, a
                discriminator that wins, mode collapse) is rolled back to the
                last good state, and goes on with half the learning rates and
                twice the penalty. Defaults to `True`; without it, NaN alone
                stops training.
            max_rollbacks: Integer. How often, before training is given up.
                Defaults to `3`.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            ValueError: The model is not compiled, or the data do not fit it:
                shape, classes, value range, NaN, a class without images. All
                of it is checked before the first step. Or `run_dir` holds a
                training with other settings.
            RuntimeError: Training failed, and was rolled back too often. The
                weights are those of the last good state.
        """
        if not self.compiled:
            raise ValueError("Call `compile()` before `fit()`.")
        check_fit_arguments(
            batch_size=batch_size,
            epochs=epochs,
            steps_per_epoch=steps_per_epoch,
            checkpoint_every=checkpoint_every,
            keep_checkpoints=keep_checkpoints,
        )
        data = self._read_data(x, y, class_names, value_range)
        return fit_from_current_step(
            self,
            super().fit,
            data,
            batch_size=int(batch_size),
            epochs=epochs,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            class_balanced=class_balanced and self.num_classes is not None,
            verbose=verbose,
            callbacks=list(callbacks or ()),
            run_dir=run_dir,
            checkpoint_every=checkpoint_every,
            keep_checkpoints=keep_checkpoints,
            guards=guards,
            max_rollbacks=max_rollbacks,
        )

    def _read_data(self, x, y, class_names, value_range):
        if self.num_classes is None and y is None and hasattr(x, "shape"):
            y = np.zeros(len(x), np.int32)
        data = x if y is None else (x, y)
        data = as_labeled_images(data, class_names, value_range)
        if self.num_classes is None:
            data = replace(
                data, labels=np.zeros_like(data.labels), class_names=NO_CLASSES
            )
        data.check_fits(self.image_shape, self.num_classes or 1)
        if self.num_classes is not None:
            data.check_trainable()
        return data

    @property
    def current_step(self):
        """Integer: training steps taken."""
        return int(keras.ops.convert_to_numpy(self.step))

    @property
    def gentleness_value(self):
        """Float: what learning rates are multiplied with by now."""
        return float(keras.ops.convert_to_numpy(self.gentleness))

    @property
    def state_variables(self):
        """List of the variables that training changes beside the networks."""
        return [self.step, self.attempt, self.gentleness]

    @property
    def batches_per_step(self):
        """Integer: batches of real images that one step takes."""
        return 1

    @property
    def chance_level(self):
        """Float: the discriminator's loss where it guesses, or `None`."""
        return None

    @property
    def d_loss_average_value(self):
        """Float: running mean of the discriminator's loss."""
        return float("nan")

    @property
    def can_collapse(self):
        """Whether images that are alike mean that training failed."""
        return True

    def draw_for_guard(self, labels):
        """Draws images from the generator as it is, not its average.

        Args:
            labels: int32 array `(num_images,)`.

        Returns:
            A float32 array of images in `[-1, 1]`.
        """
        return draw_unit_images(
            self.generator,
            labels if self.num_classes is not None else len(labels),
            derive_seed(self.seed, "guard"),
            self.latent_dim,
        )

    def _step_noise(self):
        return Noise(self._noise_seed, self.step, self.attempt)

    def _decayed_learning_rates(self):
        """Sets learning rates for this step, where they decay."""
        if self.decay_steps is None:
            return
        progress = tf.minimum(
            tf.cast(self.step, tf.float32) / float(self.decay_steps), 1.0
        )
        share = FINAL_LEARNING_RATE + (1 - FINAL_LEARNING_RATE) * 0.5 * (
            1.0 + tf.cos(np.pi * progress)
        )
        for name, optimizer in self.optimizers.items():
            optimizer.learning_rate.assign(
                self._first_learning_rates[name]
                * share
                * tf.convert_to_tensor(self.gentleness)
            )

    def soften(self):
        """Halves the learning rates and doubles the penalty, from now on.

        The noise changes too, so that a step that is taken again is taken
        differently.
        """
        self.attempt.assign(self.attempt + 1)
        self.gentleness.assign(self.gentleness * 0.5)
        if self.decay_steps is None:
            for optimizer in self.optimizers.values():
                if isinstance(optimizer.learning_rate, keras.Variable):
                    optimizer.learning_rate.assign(
                        optimizer.learning_rate * 0.5
                    )

    def _scaled(self, optimizer, objective):
        """What to take gradients of: replicas sum them, small ones vanish."""
        replica = tf.distribute.get_replica_context()
        objective = objective / replica.num_replicas_in_sync
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            objective = optimizer.scale_loss(objective)
        return objective

    def _end_step(self, batch_size):
        """Moves the averaged generator and counts the step."""
        replica = tf.distribute.get_replica_context()
        images = tf.cast(batch_size * replica.num_replicas_in_sync, tf.float32)
        seen = tf.cast(self.step + 1, tf.float32) * images
        half_life = tf.minimum(self.ema_half_life, EMA_RAMP_UP * seen)
        decay = tf.pow(0.5, images / half_life)
        if not self.ema_half_life:
            decay = tf.constant(0.0)
        for average, variable in zip(
            self.ema_generator.variables, self.generator.variables, strict=True
        ):
            if keras.backend.is_float_dtype(variable.dtype):
                average.assign(variable + (average - variable) * decay)
        self.step.assign(self.step + 1)

    def call(self, inputs, training=False):
        network = self.generator if training else self.ema_generator
        return network(inputs, training=training)

    def after_fit(self, data):
        """Takes from the training data what is needed after training.

        Args:
            data: `LabeledImages` that the model was trained on.
        """

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
                of a real image of another class, decoded as this one.
                Defaults to `"prior"`.

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

    def training_settings(self):
        """Gives the settings of `compile` that are plain data.

        Returns:
            A dict for JSON.
        """
        return {
            "ema_half_life": self.ema_half_life,
            "decay_steps": self.decay_steps,
        }

    def get_compile_config(self):
        return {
            **self.training_settings(),
            **self.optimizer_configs(),
        }

    def optimizer_configs(self):
        """Describes the optimizers as they were when training began.

        Returns:
            A dict from names to what Keras makes an optimizer from.
        """
        return {
            name: self._optimizer_config(name, optimizer)
            for name, optimizer in self.optimizers.items()
        }

    def _optimizer_config(self, name, optimizer):
        # Keras writes the rate of the moment, which may have decayed.
        first = self._first_learning_rates.get(name)
        if first is None:
            return keras.saving.serialize_keras_object(optimizer)
        now = optimizer.learning_rate.numpy()
        optimizer.learning_rate.assign(first)
        config = keras.saving.serialize_keras_object(optimizer)
        optimizer.learning_rate.assign(now)
        return config

    def compile_from_config(self, config):
        config = keras.saving.deserialize_keras_object(config)
        self.compile(**config)
