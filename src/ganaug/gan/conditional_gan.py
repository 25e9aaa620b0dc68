"""ConditionalGAN: the model that learns images of given classes."""

import keras
import tensorflow as tf

from ganaug.gan.adversarial_step import AdversarialStep, make_objectives
from ganaug.gan.architectures import build_discriminator
from ganaug.gan.game import resolve_game
from ganaug.gan.generative_model import GenerativeModel, whole
from ganaug.gan.layers import PACKAGE
from ganaug.gan.own_networks import check_choice, check_discriminator
from ganaug.gan.unrolled import check_unrollable


@keras.saving.register_keras_serializable(package=PACKAGE)
class ConditionalGAN(GenerativeModel):
    """A GAN that learns images of given classes, for small data too.

    The default recipe is R3GAN's: a relativistic pairing loss with R1 and R2
    penalties, no normalization, and an averaged generator (EMA). To it come
    DiffAugment, for few images, and class-balanced batches, for rare classes.
    Other architectures come with the loss and the optimizers that are usual
    for them; `compile` changes any of it.

    Args:
        image_shape: Tuple `(height, width, channels)`: sides of at least 4
            pixels, 1 to 4 channels.
        num_classes: Integer. Number of classes, at least 2; `None` for a GAN
            without classes.
        architecture: String. `"r3gan"`, `"resnet"`, `"dcgan"` or `"mlp"`.
            Defaults to `"r3gan"`.
        conditioning: String. How the discriminator learns of the class:
            `"concatenation"`, `"projection"` or `"auxiliary"` (ACGAN: it has
            to guess the class). Defaults to what is usual for the
            architecture.
        preset: String. `"tiny"`, `"small"` or `"medium"`: sizes of the
            networks and strengths that fit an image size. Chosen by
            `image_shape` by default.
        latent_dim: Integer. Size of the latents. Defaults to the preset's or
            the architecture's.
        width: Integer. Channels of the networks at their largest size.
            Defaults to the preset's or the architecture's.
        depth: Integer. Residual blocks at each size. Defaults to the preset's
            or the architecture's.
        spectral_normalization: Boolean. Whether the discriminator has it.
            Defaults to what is usual for the architecture.
        seed: Integer. Fixes initial weights, batches and noise. Drawn at
            random by default; the attribute `seed` tells it.
        generator: `keras.Model` of your own, called as `generator([latents,
            labels])` with float32 latents `(batch, latent_dim)` and int32
            labels `(batch,)`, or as `generator(latents)` without classes. It
            returns images in `[-1, 1]`. Needs `discriminator` too.
        discriminator: `keras.Model` of your own, called as
            `discriminator([images, labels])`, or as `discriminator(images)`
            without classes. It returns raw logits `(batch,)`. With
            `conditioning="auxiliary"` it is called as `discriminator(images)`
            and returns a list of logits and class logits `(batch,
            num_classes)`.

    Raises:
        ValueError: An argument is out of range.
        TypeError: A network is no Keras model.

    Example:

    ```python
    gan = ganaug.ConditionalGAN((28, 28, 1), num_classes=10, seed=0)
    gan.compile()
    gan.fit(train_ds, epochs=20, run_dir="runs/fashion-state")
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
        architecture=None,
        conditioning=None,
        preset=None,
        latent_dim=None,
        width=None,
        depth=None,
        spectral_normalization=None,
        seed=None,
        generator=None,
        discriminator=None,
        **kwargs,
    ):
        check_choice(
            architecture,
            generator,
            discriminator,
            width=width,
            depth=depth,
            spectral_normalization=spectral_normalization,
        )
        if architecture is None:
            architecture = "r3gan" if generator is None else "custom"
        self._given = conditioning, spectral_normalization, discriminator
        super().__init__(
            image_shape,
            num_classes,
            architecture,
            preset=preset,
            latent_dim=latent_dim,
            width=width,
            depth=depth,
            seed=seed,
            generator=generator,
            **kwargs,
        )
        self.d_loss_tracker = keras.metrics.Mean(name="d_loss")
        self.g_loss_tracker = keras.metrics.Mean(name="g_loss")
        self.augment_probability = self._scalar("augment_probability")
        self.overfitting = self._scalar("overfitting")
        self.d_loss_average = self._scalar("d_loss_average")

    def _build_networks(self, generator):
        conditioning, spectral_normalization, discriminator = self._given
        del self._given
        if spectral_normalization is None:
            spectral_normalization = self.recipe.spectral_normalization
        self.spectral_normalization = bool(spectral_normalization)
        super()._build_networks(generator)
        if discriminator is None:
            self.discriminator = build_discriminator(
                self.architecture,
                self.image_shape,
                self.num_classes,
                width=self.width,
                depth=self.depth,
                conditioning=conditioning,
                spectral_normalization=self.spectral_normalization,
            )
        else:
            check_discriminator(
                discriminator, self.image_shape, self.num_classes, conditioning
            )
            self.discriminator = discriminator
        self.conditioning = conditioning

    @property
    def networks(self):
        return {**super().networks, "discriminator": self.discriminator}

    @property
    def metrics(self):
        return [self.d_loss_tracker, self.g_loss_tracker]

    @property
    def state_variables(self):
        return [
            *super().state_variables,
            self.augment_probability,
            self.overfitting,
            self.d_loss_average,
        ]

    @property
    def batches_per_step(self):
        return self.game.discriminator_steps

    @property
    def chance_level(self):
        undecided = tf.zeros(1)
        level = float(self.objectives.loss.discriminator(undecided, undecided))
        return level if level > 0 else None

    @property
    def d_loss_average_value(self):
        return float(keras.ops.convert_to_numpy(self.d_loss_average))

    @property
    def gentler_settings(self):
        if not self.game.is_penalized:
            return super().gentler_settings
        times = 1 / self.gentleness_value
        return f"{super().gentler_settings} and the penalty times {times:.3g}"

    @property
    def advice(self):
        if self.game.penalty == "none":
            return "Choose a `penalty`, lower the learning rates"
        return "Raise `gamma`, lower the learning rates"

    @whole
    def compile(
        self,
        d_optimizer=None,
        g_optimizer=None,
        loss=None,
        penalty=None,
        gamma=None,
        penalty_interval=1,
        finite_difference=False,
        discriminator_steps=None,
        unrolled_steps=0,
        diff_augment=None,
        augment_probability=1.0,
        fake_labels="paired",
        auxiliary_weight=1.0,
        ema_half_life=None,
        decay_steps=None,
        **kwargs,
    ):
        """Chooses losses, optimizers and strengths. All have defaults.

        Args:
            d_optimizer: `keras.optimizers.Optimizer` of the discriminator, or
                its name. Defaults to Adam as is usual for the architecture.
                Under the policy `mixed_float16` it is wrapped in a
                `LossScaleOptimizer`.
            g_optimizer: The generator's. Defaults to the same.
            loss: String. `"relativistic"`, `"non_saturating"`, `"minimax"`,
                `"least_squares"`, `"hinge"` or `"wasserstein"`; or a
                `ganaug.gan.losses.AdversarialLoss`. Defaults to the one that
                is usual for the architecture.
            penalty: String. `"r1"`, `"r2"`, `"r1+r2"`, `"wgan_gp"`,
                `"dragan"` or `"none"`. Defaults to the architecture's;
                `"wgan_gp"` with the Wasserstein loss.
            gamma: Float. Weight of the penalty. R1 and R2 enter the
                discriminator's loss with half of it, as in the literature.
                Raise it where training is unstable. Defaults to the preset's,
                and to 10 for `"wgan_gp"` and `"dragan"`.
            penalty_interval: Integer. The penalty is computed every so many
                steps, with so many times its weight. Defaults to `1`. On
                several replicas it is computed at every step, and used at
                those.
            finite_difference: Boolean. Whether R1 and R2 are estimated from
                one more forward pass with a little noise, instead of a
                gradient of a gradient. Defaults to `False`.
            discriminator_steps: Integer. Steps of the discriminator, each with
                a batch of its own, for each of the generator. Defaults to the
                architecture's.
            unrolled_steps: Integer. Steps of the discriminator that the
                generator looks ahead (unrolled GAN). Defaults to `0`.
            diff_augment: String. Augmentations of what the discriminator
                sees, out of `"color"`, `"translation"`, `"cutout"` and
                `"flip"`, separated by commas; `""` for none. Defaults to the
                architecture's.
            augment_probability: Float in `[0, 1]`, the probability of each of
                them for each image; or `"adaptive"`, to steer it by how much
                the discriminator overfits (ADA). Defaults to `1.0`.
            fake_labels: String or array. `"paired"` gives the fake images the
                labels of the real batch; `"uniform"` draws them, every class
                equally likely; an array of `num_classes` probabilities draws
                them so. Paired losses need `"paired"`. Defaults to
                `"paired"`.
            auxiliary_weight: Float. Weight of the classification loss with
                `conditioning="auxiliary"`. Defaults to `1.0`.
            ema_half_life: Number of images after which a weight counts half
                in the averaged generator; 0 for no average. Early in training
                it is at most 5 % of the images seen, so that the initial
                weights are soon forgotten. Defaults to the architecture's.
            decay_steps: Integer. Steps over which constant learning rates
                fall to a tenth along a cosine: all the steps you will train
                for. They stay the same by default.
            **kwargs: `steps_per_execution`, `jit_compile` and `run_eagerly`,
                as in `keras.Model.compile`.

        Raises:
            ValueError: An argument is out of range, or two do not go
                together.
        """
        self._compile_shared(ema_half_life, decay_steps, **kwargs)
        self.game = resolve_game(
            self.recipe,
            self.num_classes,
            loss=loss,
            penalty=penalty,
            gamma=gamma,
            penalty_interval=penalty_interval,
            finite_difference=finite_difference,
            discriminator_steps=discriminator_steps,
            unrolled_steps=unrolled_steps,
            diff_augment=diff_augment,
            augment_probability=augment_probability,
            fake_labels=fake_labels,
            auxiliary_weight=auxiliary_weight,
        )
        self.objectives = make_objectives(self.game, self.discriminator)
        self.d_optimizer = self._add_optimizer(
            "d_optimizer", d_optimizer, self.discriminator
        )
        self.g_optimizer = self._add_optimizer(
            "g_optimizer", g_optimizer, self.generator
        )
        if self.game.unrolled_steps:
            check_unrollable(self.d_optimizer)
        self.adversarial_step = AdversarialStep(self)

    def training_settings(self):
        return {**self.game.settings(), **super().training_settings()}

    def train_step(self, data):
        """Takes one step of both networks.

        A loop of your own may call it too, in a `tf.function` and under
        `strategy.run`: the model must be compiled, and built in the
        strategy's scope.

        Args:
            data: Pair of float32 images `(batch, height, width, channels)` in
                `[-1, 1]` and int32 labels `(batch,)`, where `batch` is a
                multiple of `discriminator_steps`. What the replica has of
                the batch, under a strategy.

        Returns:
            A dict from names to scalar tensors: means since the metrics were
            reset.
        """
        images, labels = data
        if self.num_classes is None:
            labels = None
        noise = self._step_noise()
        self.learning_rates.set_for_step()
        self.adversarial_step.take(images, labels, noise)
        self._end_step(tf.shape(images)[0])
        return self.get_metrics_result()

    def get_config(self):
        config = {
            **super().get_config(),
            "conditioning": self.conditioning,
            "spectral_normalization": self.spectral_normalization,
        }
        if self.architecture == "custom":
            config.update(width=None, depth=None, spectral_normalization=None)
            for name, network in self.networks.items():
                config[name] = keras.saving.serialize_keras_object(network)
        return config

    def get_compile_config(self):
        if self.game.has_own_loss:
            raise ValueError(
                "A loss of your own cannot be saved with the model. Save with "
                "`include_optimizer=False`, or use a loss of ganaug's. "
                f"Received: loss={self.game.loss}"
            )
        return super().get_compile_config()
