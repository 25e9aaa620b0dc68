"""ConditionalVAE: images of given classes from a variational autoencoder."""

from dataclasses import replace

import keras
import tensorflow as tf

from ganaug.gan.encoding import Encoding, check_weight
from ganaug.gan.generative_model import GenerativeModel, whole
from ganaug.gan.layers import PACKAGE
from ganaug.gan.optimizers import scaled
from ganaug.gan.presets import choose_preset

# Latents, and width and depth of "mlp", by preset. "medium" is a first guess.
SIZES = {
    "tiny": (12, 128, 2),
    "small": (16, 256, 2),
    "medium": (64, 512, 2),
}
LEARNING_RATE = 1e-3
STEPS = 3000
# In images.
EMA_HALF_LIFE = 20_000
# By preset: the squared errors grow with the number of pixels. With a tenth of
# it, latents tell the class too, and those of another class change it.
KL_WEIGHTS = {"tiny": 0.1, "small": 1.0, "medium": 5.0}


@keras.saving.register_keras_serializable(package=PACKAGE)
class ConditionalVAE(Encoding, GenerativeModel):
    """A variational autoencoder that learns images of given classes.

    An encoder turns an image and its class into a Gaussian over latents, and
    the generator turns latents and the class back into the image. It trains
    many times faster than a GAN, and is smooth where a GAN is sharp. Beside
    the prior it can draw latents near real images, also near those of other
    classes: so a rare class borrows the variation of the
    frequent ones.

    Args:
        image_shape: Tuple `(height, width, channels)`: sides of at least 4
            pixels, 1 to 4 channels.
        num_classes: Integer. Number of classes, at least 2; `None` for a
            model without classes.
        architecture: String. `"mlp"`, `"r3gan"`, `"resnet"` or `"dcgan"`.
            Defaults to `"mlp"`.
        preset: String. `"tiny"`, `"small"` or `"medium"`: sizes of the
            networks that fit an image size. Chosen by `image_shape` by
            default.
        latent_dim: Integer. Size of the latents. Defaults to the preset's.
        width: Integer. Width of both networks. Defaults to the preset's or
            the architecture's.
        depth: Integer. Depth of both networks. Defaults to the preset's or
            the architecture's.
        seed: Integer. Fixes initial weights, batches and noise. Drawn at
            random by default; the attribute `seed` tells it.

    Raises:
        ValueError: An argument is out of range.

    Example:

    ```python
    vae = ganaug.ConditionalVAE(image_shape=(8, 8, 1), num_classes=10)
    vae.compile()
    vae.fit(train_ds, steps_per_epoch=3000)
    images = vae.generate([9, 9, 9], latents="transferred")
    vae.save_pretrained("runs/digits")
    ```

    Reference:
        - [Kingma and Welling, 2014](https://arxiv.org/abs/1312.6114)
        - [Conditional VAE, Sohn et al.,
          2015](https://papers.nips.cc/paper/5775)
    """

    def __init__(
        self,
        image_shape,
        num_classes,
        architecture="mlp",
        preset=None,
        latent_dim=None,
        width=None,
        depth=None,
        seed=None,
        **kwargs,
    ):
        if preset is None:
            preset = choose_preset(image_shape)
        sizes = SIZES.get(preset, (None, None, None))
        if latent_dim is None:
            latent_dim = sizes[0]
        if architecture == "mlp":
            width = sizes[1] if width is None else width
            depth = sizes[2] if depth is None else depth
        super().__init__(
            image_shape,
            num_classes,
            architecture,
            preset=preset,
            latent_dim=latent_dim,
            width=width,
            depth=depth,
            seed=seed,
            **kwargs,
        )
        self.recipe = replace(
            self.recipe,
            learning_rate=LEARNING_RATE,
            beta_1=0.9,
            beta_2=0.999,
            ema_half_life=EMA_HALF_LIFE,
            steps=STEPS,
        )

    @property
    def can_collapse(self):
        # Its images are smooth, and so more alike than real ones.
        return False

    @property
    def gentler_settings(self):
        if not self.kl_weight:
            return super().gentler_settings
        return (
            f"{super().gentler_settings} and the KL weight times "
            f"{self.gentleness_value:.3g}"
        )

    @property
    def advice(self):
        return "Lower the learning rate or `kl_weight`"

    @property
    def metrics(self):
        return [self.reconstruction_tracker, self.kl_tracker]

    @whole
    def compile(
        self,
        optimizer=None,
        kl_weight=None,
        ema_half_life=None,
        decay_steps=None,
        **kwargs,
    ):
        """Chooses the optimizer and strengths. All have defaults.

        Args:
            optimizer: `keras.optimizers.Optimizer` of both networks, or its
                name. Defaults to Adam with a learning rate of 0.001. Under
                the policy `mixed_float16` it is wrapped in a
                `LossScaleOptimizer`.
            kl_weight: Float. Weight of the KL divergence in nats, beside half
                the sum of squared errors in `[-1, 1]` over all pixels. A
                smaller one gives sharper reconstructions, a larger one latents
                closer to the prior, which tell less of the class. Each
                rollback halves it. Defaults to 0.1 for the preset `"tiny"`,
                1 for `"small"` and 5 for `"medium"`.
            ema_half_life: Number of images after which a weight counts half
                in the averaged networks; 0 for no average. Early in training
                it is at most 5 % of the images seen. Defaults to 20,000.
            decay_steps: Integer. Steps over which a constant learning rate
                falls to a tenth along a cosine: all the steps you will train
                for. It stays the same by default.
            **kwargs: `steps_per_execution`, `jit_compile` and `run_eagerly`,
                as in `keras.Model.compile`.

        Raises:
            ValueError: An argument is out of range.
        """
        self._compile_shared(ema_half_life, decay_steps, **kwargs)
        if kl_weight is None:
            kl_weight = KL_WEIGHTS[self.preset]
        self.kl_weight = check_weight("kl_weight", kl_weight)
        self.optimizer = self._add_optimizer("optimizer", optimizer, self)

    def training_settings(self):
        return {"kl_weight": self.kl_weight, **super().training_settings()}

    def train_step(self, data):
        """Takes one step of both networks.

        A loop of your own may call it too, in a `tf.function` and under
        `strategy.run`: the model must be compiled, and built in the
        strategy's scope.

        Args:
            data: Pair of float32 images `(batch, height, width, channels)` in
                `[-1, 1]` and int32 labels `(batch,)`. What the replica has of
                the batch, under a strategy.

        Returns:
            A dict from names to scalar tensors: means since the metrics were
            reset.
        """
        noise = self._step_noise()
        self.learning_rates.set_for_step()
        images, labels = data
        if self.num_classes is None:
            labels = None
        variables = self.trainable_variables
        kl_weight = self.kl_weight * tf.convert_to_tensor(self.gentleness)
        with tf.GradientTape() as tape:
            reconstruction, kl = self._variational_losses(images, labels, noise)
            objective = scaled(self.optimizer, reconstruction + kl_weight * kl)
        self.optimizer.apply(tape.gradient(objective, variables), variables)
        self._end_step(tf.shape(images)[0])
        return self.get_metrics_result()
