"""ConditionalVAEGAN: a GAN whose generator is the decoder of a VAE."""

import keras
import numpy as np
import tensorflow as tf

from ganaug.gan.adversarial_step import AdversarialStep
from ganaug.gan.conditional_gan import ConditionalGAN
from ganaug.gan.encoding import Encoding, check_weight
from ganaug.gan.fakes import EncodedFakes
from ganaug.gan.generative_model import whole
from ganaug.gan.layers import PACKAGE
from ganaug.gan.optimizers import scaled

# By preset: the squared errors grow with the number of pixels. "medium" is a
# first guess.
RECONSTRUCTION_WEIGHTS = {"tiny": 0.3, "small": 0.03, "medium": 0.006}
KL_WEIGHT = 0.03


@keras.saving.register_keras_serializable(package=PACKAGE)
class ConditionalVAEGAN(Encoding, ConditionalGAN):
    """A GAN whose generator also reconstructs what an encoder saw.

    Beside the GAN's two networks an encoder turns images and their classes
    into Gaussians over latents. Generator and encoder learn to reconstruct
    real images. A part of the fakes is made from encoded images of any class,
    decoded as another one, so that the discriminator sees to it that images
    which borrow the variation of another class look like their own.

    Args:
        image_shape: Tuple `(height, width, channels)`: sides of at least 4
            pixels, 1 to 4 channels.
        num_classes: Integer. Number of classes, at least 2; `None` for a
            model without classes.
        architecture: String. `"r3gan"`, `"resnet"`, `"dcgan"` or `"mlp"`.
            Defaults to `"r3gan"`.
        conditioning: String. As in `ConditionalGAN`, and so the others.
        preset: String.
        latent_dim: Integer.
        width: Integer.
        depth: Integer.
        spectral_normalization: Boolean. Of the discriminator.
        seed: Integer.

    Raises:
        ValueError: An argument is out of range.

    Example:

    ```python
    model = ganaug.ConditionalVAEGAN(image_shape=(8, 8, 1), num_classes=10)
    model.compile()
    model.fit(train_ds, steps_per_epoch=3000)
    images = model.generate([9, 9, 9], latents="transferred")
    ```

    Reference:
        - [VAE/GAN, Larsen et al., 2016](https://arxiv.org/abs/1512.09300)
        - [CVAE-GAN, Bao et al., 2017](https://arxiv.org/abs/1703.10155)
        - [BAGAN, Mariani et al., 2018](https://arxiv.org/abs/1803.09655)
    """

    def __init__(
        self,
        image_shape,
        num_classes,
        architecture="r3gan",
        conditioning=None,
        preset=None,
        latent_dim=None,
        width=None,
        depth=None,
        spectral_normalization=None,
        seed=None,
        **kwargs,
    ):
        networks = {"generator", "discriminator"} & set(kwargs)
        if networks or architecture == "custom":
            raise ValueError(
                "A VAE-GAN needs an encoder that fits its generator, so it "
                "takes no networks of your own. Name an `architecture`. "
                f"Received: architecture={architecture!r}, {sorted(networks)}"
            )
        super().__init__(
            image_shape,
            num_classes,
            architecture,
            conditioning=conditioning,
            preset=preset,
            latent_dim=latent_dim,
            width=width,
            depth=depth,
            spectral_normalization=spectral_normalization,
            seed=seed,
            **kwargs,
        )

    @property
    def metrics(self):
        return [
            *super().metrics,
            self.reconstruction_tracker,
            self.kl_tracker,
        ]

    @whole
    def compile(
        self,
        reconstruction_weight=None,
        kl_weight=KL_WEIGHT,
        encoded_share=0.5,
        autoencoder_steps=0,
        e_optimizer=None,
        **kwargs,
    ):
        """Chooses losses, optimizers and strengths. All have defaults.

        Args:
            reconstruction_weight: Float. Weight, for generator and encoder, of
                half the sum of squared errors in `[-1, 1]` over all pixels,
                beside the adversarial loss. Defaults to 0.3 for the preset
                `"tiny"`, 0.03 for `"small"` and 0.006 for `"medium"`.
            kl_weight: Float. Weight of the encoder's KL divergence in nats.
                Defaults to `0.03`.
            encoded_share: Float in `[0, 1]`. Share of the fakes, for both
                players, that are made from encoded images of the batch, of
                any class; the others' latents come from the prior. Defaults
                to `0.5`.
            autoencoder_steps: Integer. For so many steps at first the
                adversarial losses weigh nothing, and the discriminator stays
                as it is (BAGAN). Defaults to `0`.
            e_optimizer: `keras.optimizers.Optimizer` of the encoder, or its
                name. Defaults to the one of the other networks.
            **kwargs: Arguments of `ConditionalGAN.compile`.

        Raises:
            ValueError: An argument is out of range, or two do not go
                together.
        """
        super().compile(**kwargs)
        if reconstruction_weight is None:
            reconstruction_weight = RECONSTRUCTION_WEIGHTS[self.preset]
        self.reconstruction_weight = check_weight(
            "reconstruction_weight", reconstruction_weight
        )
        self.kl_weight = check_weight("kl_weight", kl_weight)
        if not 0 <= encoded_share <= 1:
            raise ValueError(
                "`encoded_share` must be in [0, 1]. "
                f"Received: encoded_share={encoded_share}"
            )
        if (
            not isinstance(autoencoder_steps, (int, np.integer))
            or autoencoder_steps < 0
        ):
            raise ValueError(
                "`autoencoder_steps` must be an integer of at least 0. "
                f"Received: autoencoder_steps={autoencoder_steps!r}"
            )
        self.encoded_share = float(encoded_share)
        self.autoencoder_steps = int(autoencoder_steps)
        self.e_optimizer = self._add_optimizer(
            "e_optimizer", e_optimizer, self.encoder
        )
        self.adversarial_step = VariationalAdversarialStep(self)

    def training_settings(self):
        return {
            **super().training_settings(),
            "reconstruction_weight": self.reconstruction_weight,
            "kl_weight": self.kl_weight,
            "encoded_share": self.encoded_share,
            "autoencoder_steps": self.autoencoder_steps,
        }


class VariationalAdversarialStep(AdversarialStep):
    """A step in which generator and encoder learn to reconstruct too.

    Args:
        model: `ConditionalVAEGAN` that has its weights and optimizers.
    """

    def __init__(self, model):
        fakes = EncodedFakes(
            model.generator,
            model.latent_dim,
            model.game.label_thresholds,
            model._encoded,
            model.encoded_share,
        )
        weight = self._weight if model.autoencoder_steps else None
        super().__init__(model, fakes, weight)

    def _weight(self):
        """The adversarial losses' weight in this step."""
        return tf.cast(
            self.model.step - self.model.compiled_at
            >= self.model.autoencoder_steps,
            tf.float32,
        )

    def train_generator(self, real, noise):
        model = self.model
        generated = model.generator.trainable_variables
        encoded = model.encoder.trainable_variables
        with tf.GradientTape() as tape:
            loss, objective = self.generator_objective(real, noise)
            if model.autoencoder_steps:
                objective = self._weight() * objective
            reconstruction, kl = model._variational_losses(*real, noise)
            objective += (
                model.reconstruction_weight * reconstruction
                + model.kl_weight * kl
            )
            # One pass for both; in float16 each optimizer has its own scale.
            # The smaller one, since either may have had an overflow.
            scales = [
                scaled(optimizer, 1.0)
                for optimizer in (model.g_optimizer, model.e_optimizer)
            ]
            scale = tf.minimum(*scales)
            objective *= scale
        gradients = tape.gradient(
            objective, generated + encoded, unconnected_gradients="zero"
        )
        split = len(generated)
        model.g_optimizer.apply(
            [
                _times(scales[0] / scale, gradient)
                for gradient in gradients[:split]
            ],
            generated,
        )
        model.e_optimizer.apply(
            [
                scales[1] / scale * tf.convert_to_tensor(gradient)
                for gradient in gradients[split:]
            ],
            encoded,
        )
        model.g_loss_tracker.update_state(loss)


def _times(factor, gradient):
    """Multiplies a gradient, which of an embedding is slices of it."""
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(
            factor * gradient.values, gradient.indices, gradient.dense_shape
        )
    return factor * gradient
