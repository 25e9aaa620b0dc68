"""A GAN's training step in the style of Keras's own guides.

A `keras.Model` whose `train_step` trains the discriminator on real and fake
images in passes of their own, the generator on another batch of fakes, and
takes a penalty with a tape inside of a tape, as the guides to custom training
steps and to WGAN-GP do.
"""

import keras
import tensorflow as tf

from ganaug.gan.diff_augment import NUM_UNIFORMS, diff_augment


class TutorialGAN(keras.Model):
    """Two networks and their `train_step`.

    Args:
        generator: `keras.Model` of latents and labels.
        discriminator: `keras.Model` of images and labels.
        latent_dim: Integer.
        relativistic: Boolean. Otherwise the loss is non-saturating.
        gamma: Float. Weight of R1 and R2, half of which counts; 0 for none.
        policy: String. DiffAugment's.
    """

    def __init__(
        self, generator, discriminator, latent_dim, relativistic, gamma, policy
    ):
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.latent_dim = latent_dim
        self.relativistic = relativistic
        self.gamma = gamma
        self.policy = policy

    def compile(self, d_optimizer, g_optimizer):
        """Takes the optimizers."""
        super().compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer

    def _augment(self, images):
        if not self.policy:
            return images
        uniforms = tf.random.uniform((tf.shape(images)[0], NUM_UNIFORMS))
        return diff_augment(images, uniforms, self.policy)

    def _judge(self, images, labels):
        return self.discriminator([images, labels], training=True)

    def _penalty(self, images, labels):
        with tf.GradientTape() as tape:
            tape.watch(images)
            logits = self._judge(images, labels)
        gradients = tape.gradient(logits, images)
        return tf.reduce_mean(tf.reduce_sum(gradients**2, axis=(1, 2, 3)))

    def train_step(self, data):
        """Takes one step of both networks.

        Args:
            data: Pair of images and labels.

        Returns:
            A dict of losses.
        """
        images, labels = data
        batch_size = tf.shape(images)[0]
        latents = tf.random.normal((batch_size, self.latent_dim))
        fakes = self.generator([latents, labels], training=True)
        with tf.GradientTape() as tape:
            real, fake = self._augment(images), self._augment(fakes)
            on_real = self._judge(real, labels)
            on_fake = self._judge(fake, labels)
            if self.relativistic:
                d_loss = tf.reduce_mean(tf.nn.softplus(on_fake - on_real))
            else:
                d_loss = tf.reduce_mean(
                    tf.nn.softplus(-on_real) + tf.nn.softplus(on_fake)
                )
            if self.gamma:
                d_loss += (self.gamma / 2) * (
                    self._penalty(real, labels) + self._penalty(fake, labels)
                )
        weights = self.discriminator.trainable_weights
        gradients = tape.gradient(d_loss, weights)
        self.d_optimizer.apply_gradients(zip(gradients, weights, strict=True))
        latents = tf.random.normal((batch_size, self.latent_dim))
        with tf.GradientTape() as tape:
            fakes = self.generator([latents, labels], training=True)
            on_fake = self._judge(self._augment(fakes), labels)
            if self.relativistic:
                on_real = self._judge(self._augment(images), labels)
                g_loss = tf.reduce_mean(tf.nn.softplus(on_real - on_fake))
            else:
                g_loss = tf.reduce_mean(tf.nn.softplus(-on_fake))
        weights = self.generator.trainable_weights
        gradients = tape.gradient(g_loss, weights)
        self.g_optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return {"d_loss": d_loss, "g_loss": g_loss}
