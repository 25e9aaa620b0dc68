"""ConditionalGAN: the model that learns images of given classes."""

import time

import keras
import numpy as np
import tensorflow as tf

from ganaug import artifact
from ganaug.data.batches import class_balanced_batches
from ganaug.data.images import to_unit
from ganaug.data.labeled_images import as_labeled_images
from ganaug.gan.callbacks import StopOnNonFiniteLoss
from ganaug.gan.diff_augment import NUM_UNIFORMS, check_policy
from ganaug.gan.generation import check_labels, generate_images
from ganaug.gan.layers import PACKAGE
from ganaug.gan.learnt import Learnt
from ganaug.gan.networks import build_discriminator, build_generator
from ganaug.gan.objectives import (
    discriminator_objective,
    generator_objective,
    update_average,
)
from ganaug.gan.presets import PRESETS, choose_preset
from ganaug.seeds import derive_seed, resolve_seed, seeded_initializers

# Of the first learning rate, where it decays.
FINAL_LEARNING_RATE = 0.1
ADAM_BETAS = {"beta_1": 0.0, "beta_2": 0.99}


@keras.saving.register_keras_serializable(package=PACKAGE)
class ConditionalGAN(keras.Model):
    """A GAN that learns images of given classes, for small data too.

    The recipe is R3GAN's: a relativistic pairing loss with R1 and R2
    penalties, no normalization, and an averaged generator (EMA). To it come
    DiffAugment, for few images, and class-balanced batches, for rare classes.

    Args:
        image_shape: Tuple `(height, width, channels)`: sides of at least 4
            pixels, 1 to 4 channels.
        num_classes: Integer. Number of classes, at least 2.
        preset: String. `"tiny"`, `"small"` or `"medium"`: sizes of the
            networks and strengths that fit an image size. Chosen by
            `image_shape` by default.
        latent_dim: Integer. Size of the latents. Defaults to the preset's.
        width: Integer. Channels of the networks at their largest size.
            Defaults to the preset's.
        depth: Integer. Residual blocks at each size. Defaults to the
            preset's.
        seed: Integer. Fixes initial weights, batches and noise. Drawn at
            random by default; the attribute `seed` tells it.

    Raises:
        ValueError: An argument is out of range.

    Example:

    ```python
    gan = ganaug.ConditionalGAN(image_shape=(28, 28, 1), num_classes=10)
    gan.compile()
    gan.fit(train_ds, epochs=20)
    images = gan.generate([3, 3, 3], seed=0)
    gan.save_pretrained("runs/fashion")
    ```

    Reference:
        - [R3GAN, Huang et al., 2024](https://arxiv.org/abs/2501.05441)
        - [DiffAugment, Zhao et al., 2020](https://arxiv.org/abs/2006.10738)
    """

    def __init__(
        self,
        image_shape,
        num_classes,
        preset=None,
        latent_dim=None,
        width=None,
        depth=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if preset is None:
            preset = choose_preset(image_shape)
        if preset not in PRESETS:
            raise ValueError(
                f"`preset` must be one of {sorted(PRESETS)}. "
                f"Received: preset={preset!r}"
            )
        if int(num_classes) != num_classes or num_classes < 2:
            raise ValueError(
                "`num_classes` must be an integer of at least 2. "
                f"Received: num_classes={num_classes}"
            )
        defaults = PRESETS[preset]
        self.image_shape = tuple(int(side) for side in image_shape)
        self.num_classes = int(num_classes)
        self.preset = preset
        self.latent_dim = (
            defaults.latent_dim if latent_dim is None else latent_dim
        )
        self.width = defaults.width if width is None else width
        self.depth = defaults.depth if depth is None else depth
        self.seed = resolve_seed(seed)
        sizes = {"width": self.width, "depth": self.depth}
        with seeded_initializers(derive_seed(self.seed, "weights")):
            self.generator = build_generator(
                latent_dim=self.latent_dim, **self._shapes, **sizes
            )
            self.discriminator = build_discriminator(**self._shapes, **sizes)
            self.ema_generator = build_generator(
                latent_dim=self.latent_dim, **self._shapes, **sizes
            )
        self.ema_generator.set_weights(self.generator.get_weights())
        self.ema_generator.trainable = False
        self.d_loss_tracker = keras.metrics.Mean(name="d_loss")
        self.g_loss_tracker = keras.metrics.Mean(name="g_loss")
        self._noise_seed = derive_seed(self.seed, "noise")
        self.learnt = Learnt(tuple(str(label) for label in range(num_classes)))
        self.built = True

    @property
    def _shapes(self):
        return {
            "image_shape": self.image_shape,
            "num_classes": self.num_classes,
        }

    @property
    def metrics(self):
        return [self.d_loss_tracker, self.g_loss_tracker]

    def compile(
        self,
        d_optimizer=None,
        g_optimizer=None,
        gamma=None,
        diff_augment="translation,cutout",
        ema_half_life=20_000,
        decay_steps=None,
        **kwargs,
    ):
        """Chooses optimizers and strengths. Every argument has a default.

        Args:
            d_optimizer: `keras.optimizers.Optimizer` of the discriminator, or
                its name. Defaults to Adam with the preset's learning rate,
                `beta_1=0` and `beta_2=0.99`.
            g_optimizer: The generator's. Defaults to the same.
            gamma: Float. Weight of the R1 and R2 penalties, which enter the
                discriminator's loss as `gamma / 2 * (R1 + R2)`. Raise it where
                training is unstable. Defaults to the preset's.
            diff_augment: String. Augmentations of what the discriminator
                sees, out of `"color"`, `"translation"` and `"cutout"`,
                separated by commas; `""` for none. Defaults to
                `"translation,cutout"`.
            ema_half_life: Number of images after which a weight counts half
                in the averaged generator. Defaults to `20_000`.
            decay_steps: Integer. Steps over which the learning rates of the
                default optimizers fall to a tenth along a cosine: all the
                steps you will train for. They stay the same by default.
            **kwargs: `steps_per_execution`, `jit_compile` and `run_eagerly`,
                as in `keras.Model.compile`.

        Raises:
            ValueError: An argument is out of range.
        """
        super().compile(optimizer=None, loss=None, **kwargs)
        preset = PRESETS[self.preset]
        gamma = float(preset.gamma if gamma is None else gamma)
        if not 0 <= gamma < float("inf"):
            raise ValueError(
                "`gamma` must be finite and not negative. "
                f"Received: gamma={gamma}"
            )
        ema_half_life = float(ema_half_life)
        if not ema_half_life > 0:
            raise ValueError(
                "`ema_half_life` must be a positive number of images. "
                f"Received: ema_half_life={ema_half_life}"
            )
        check_policy(diff_augment)
        if decay_steps is not None and decay_steps < 1:
            raise ValueError(
                "`decay_steps` must be a positive number of steps. "
                f"Received: decay_steps={decay_steps}"
            )

        def adam():
            learning_rate = preset.learning_rate
            if decay_steps is not None:
                learning_rate = keras.optimizers.schedules.CosineDecay(
                    learning_rate, decay_steps, alpha=FINAL_LEARNING_RATE
                )
            return keras.optimizers.Adam(learning_rate, **ADAM_BETAS)

        self.d_optimizer, self.g_optimizer = (
            adam() if optimizer is None else keras.optimizers.get(optimizer)
            for optimizer in (d_optimizer, g_optimizer)
        )
        self.d_optimizer.build(self.discriminator.trainable_variables)
        self.g_optimizer.build(self.generator.trainable_variables)
        self.gamma = gamma
        self.diff_augment = diff_augment
        self.ema_half_life = ema_half_life

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
    ):
        """Trains both networks on images of every class in equal shares.

        The data are read into memory once. Each batch draws its classes
        uniformly, so an epoch is a number of steps rather than a pass.

        Args:
            x: A finite `tf.data.Dataset`, batched or not, of `(image, label)`,
                `(image, label, weight)` or TFDS or Keras dicts; or an array of
                images; or a `ganaug.data.labeled_images.LabeledImages`.
                Weights are ignored.
            y: Array of integer labels `(num_images,)`, where `x` is an array.
            batch_size: Integer. Images in a step. Defaults to `64`.
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

        Returns:
            A `keras.callbacks.History` with `d_loss` and `g_loss`.

        Raises:
            ValueError: The model is not compiled, or the data do not fit it:
                shape, classes, value range, NaN, a class without images. All
                of it is checked before the first step.
            RuntimeError: A loss became NaN or infinite.
        """
        if not self.compiled:
            raise ValueError("Call `compile()` before `fit()`.")
        for name, number in (
            ("batch_size", batch_size),
            ("epochs", epochs),
            ("steps_per_epoch", steps_per_epoch),
        ):
            if name == "steps_per_epoch" and number is None:
                continue
            if not isinstance(number, (int, np.integer)) or number < 1:
                raise ValueError(
                    f"`{name}` must be a positive integer. "
                    f"Received: {name}={number!r}"
                )
        batch_size = int(batch_size)
        data = x if y is None else (x, y)
        data = as_labeled_images(data, class_names, value_range)
        data.check_fits(self.image_shape, self.num_classes)
        data.check_trainable()
        if steps_per_epoch is None:
            steps_per_epoch = -(-len(data) // batch_size)
        step = int(self.g_optimizer.iterations)
        batches = class_balanced_batches(
            data, batch_size, derive_seed(self.seed, "batches"), start=step
        ).map(
            lambda images, labels: (to_unit(images, data.value_range), labels)
        )
        self.learnt.add(data)
        started = time.perf_counter()
        try:
            return super().fit(
                batches.prefetch(tf.data.AUTOTUNE),
                epochs=epochs,
                verbose=verbose,
                callbacks=[StopOnNonFiniteLoss(), *(callbacks or ())],
                initial_epoch=initial_epoch,
                steps_per_epoch=steps_per_epoch,
                shuffle=False,
            )
        finally:
            # Also where training was interrupted: what was learnt can be kept.
            seconds = time.perf_counter() - started
            self._record_training(data, batch_size, seconds)

    def _record_training(self, data, batch_size, seconds):
        steps = int(self.g_optimizer.iterations)
        self.learnt.training = {
            "steps": steps,
            "batch_size": batch_size,
            "images_seen": steps * batch_size,
            "seconds_of_last_fit": round(seconds, 1),
            "num_images": len(self.learnt.fingerprints),
            "class_counts": data.class_counts.tolist(),
            "preset": self.preset,
            "seed": self.seed,
            "gamma": self.gamma,
            "diff_augment": self.diff_augment,
            "ema_half_life": self.ema_half_life,
        }

    def train_step(self, data):
        images, labels = data
        batch_size = tf.shape(labels)[0]
        step = tf.cast(self.g_optimizer.iterations, tf.int32)

        latents, uniforms = self._noise(batch_size, step, 0)
        fake_images = self.generator([latents, labels], training=True)
        with tf.GradientTape() as tape:
            d_loss, objective = discriminator_objective(
                self.discriminator,
                images,
                fake_images,
                labels,
                uniforms,
                self.diff_augment,
                self.gamma,
            )
        variables = self.discriminator.trainable_variables
        self.d_optimizer.apply(tape.gradient(objective, variables), variables)

        latents, uniforms = self._noise(batch_size, step, 2)
        with tf.GradientTape() as tape:
            fake_images = self.generator([latents, labels], training=True)
            g_loss = generator_objective(
                self.discriminator,
                images,
                fake_images,
                labels,
                uniforms,
                self.diff_augment,
            )
        variables = self.generator.trainable_variables
        self.g_optimizer.apply(tape.gradient(g_loss, variables), variables)
        update_average(
            self.ema_generator.variables,
            self.generator.variables,
            step,
            batch_size,
            self.ema_half_life,
        )
        self.d_loss_tracker.update_state(d_loss)
        self.g_loss_tracker.update_state(g_loss)
        return self.get_metrics_result()

    def _noise(self, batch_size, step, purpose):
        # A function of seed and step, so that training can be resumed.
        seed = tf.stack([self._noise_seed, 4 * step + purpose])
        latents = tf.random.stateless_normal(
            (batch_size, self.latent_dim), seed
        )
        uniforms = tf.random.stateless_uniform(
            (2 * batch_size, NUM_UNIFORMS), seed + [0, 1]
        )
        return latents, uniforms

    def call(self, inputs, training=False):
        network = self.generator if training else self.ema_generator
        return network(inputs, training=training)

    def generate(self, labels, seed=None, batch_size=256):
        """Draws one image for each label, from the averaged generator.

        Args:
            labels: List or array of integers in `[0, num_classes)`.
            seed: Integer. The same seed and labels give the same images.
                Drawn at random by default.
            batch_size: Integer. Images generated at a time. Defaults to
                `256`.

        Returns:
            A NumPy array `(len(labels), height, width, channels)` with dtype
            and value range of the images the GAN was trained on; before
            training, float32 in `[-1, 1]`.

        Raises:
            ValueError: Labels or seed are out of range.
        """
        return generate_images(
            self.ema_generator,
            check_labels(labels, self.num_classes),
            resolve_seed(seed),
            self.learnt.value_range,
            self.learnt.image_dtype,
            batch_size,
        )

    def save_pretrained(self, path):
        """Writes the artifact: what `GANAugmenter.from_pretrained` reads.

        Args:
            path: Folder, new or empty.

        Raises:
            FileExistsError: The folder holds something.
            ValueError: The GAN has not been trained, or a weight is NaN or
                infinite.
        """
        artifact.save(self.to_artifact(), path)

    def to_artifact(self):
        """Gives the averaged generator and all that is known of it.

        Returns:
            A `ganaug.artifact.Artifact`.

        Raises:
            ValueError: The GAN has not been trained.
        """
        if not self.learnt.training:
            raise ValueError(
                "The GAN has not been trained, and its images are noise. Call "
                "`fit()` first."
            )
        return artifact.Artifact(
            generator=self.ema_generator,
            arguments={
                **self._shapes,
                "latent_dim": self.latent_dim,
                "width": self.width,
                "depth": self.depth,
            },
            class_names=self.learnt.class_names,
            value_range=self.learnt.value_range,
            image_dtype=self.learnt.image_dtype,
            training=self.learnt.training,
            fingerprints=self.learnt.fingerprints,
        )

    def get_config(self):
        return {
            **self._shapes,
            "preset": self.preset,
            "latent_dim": self.latent_dim,
            "width": self.width,
            "depth": self.depth,
            "seed": self.seed,
            "name": self.name,
            "learnt": self.learnt.get_config(),
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        learnt = config.pop("learnt")
        model = cls(**config)
        model.learnt = Learnt.from_config(learnt)
        return model

    def get_compile_config(self):
        return {
            "d_optimizer": keras.saving.serialize_keras_object(
                self.d_optimizer
            ),
            "g_optimizer": keras.saving.serialize_keras_object(
                self.g_optimizer
            ),
            "gamma": self.gamma,
            "diff_augment": self.diff_augment,
            "ema_half_life": self.ema_half_life,
        }

    def compile_from_config(self, config):
        config = keras.saving.deserialize_keras_object(config)
        self.compile(**config)
