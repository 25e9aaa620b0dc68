"""A generator whose weights are constants."""

import copy

import keras
import numpy as np
import tensorflow as tf

from ganaug.gan.generation import cut_at_class_embedding
from ganaug.gan.latents import check_latents, draw_latents


class FrozenGenerator:
    """Draws images from one generator, with the weights it has now.

    Args:
        artifact: `ganaug.artifact.Artifact`.
        latents: As in `ganaug.gan.latent_kinds.latent_shares`.
        truncation: Float. What the latents' standard deviations are multiplied
            with.
        blends_classes: Boolean. Whether an image is drawn for shares of the
            classes and not for one of them.

    Raises:
        ValueError: The latents cannot be drawn, the generator has no class
            embedding to blend, or a weight is NaN or infinite.
    """

    def __init__(self, artifact, latents, truncation, blends_classes):
        check_latents(latents, artifact.latent_bank)
        self._latents = latents
        self._truncation = truncation
        self._latent_bank = artifact.latent_bank
        self._latent_dim = artifact.arguments["latent_dim"]
        self._has_classes = artifact.num_classes is not None
        self._embeddings = None
        self._model = artifact.generator
        if blends_classes:
            # Of a copy, since Keras cannot save a model any more whose layers
            # it has joined to another one.
            whole = keras.models.clone_model(artifact.generator)
            whole.set_weights(artifact.generator.get_weights())
            embed, self._model = cut_at_class_embedding(whole)
            self._embeddings = embed(tf.range(artifact.num_classes)).numpy()
        self._values = [variable.numpy() for variable in self._model.variables]
        if not all(np.isfinite(value).all() for value in self._values):
            raise ValueError(
                "The generator's weights must be finite; training diverged. "
                f"Received: generator={artifact.generator.name!r} with NaN or "
                "infinity"
            )

    def replace(self, latents, truncation):
        """Copies it to draw with other latents, with the same weights.

        Args:
            latents: As in the constructor.
            truncation: As there.

        Returns:
            A `FrozenGenerator`.

        Raises:
            ValueError: The latents cannot be drawn.
        """
        check_latents(latents, self._latent_bank)
        copied = copy.copy(self)
        copied._latents, copied._truncation = latents, truncation
        return copied

    def draw(self, rows, labels, targets, num_images, seed):
        """Draws some rows of what a seed makes.

        Args:
            rows: int32 tensor `(num_rows,)`, at least one.
            labels: int32 tensor `(num_images,)`.
            targets: float32 tensor `(num_images, num_classes)`, the shares of
                the classes, where they are blended.
            num_images: Integer tensor.
            seed: int64 tensor `(2,)`.

        Returns:
            A float32 tensor `(num_rows, height, width, channels)` in
            `[-1, 1]`.
        """
        latents = draw_latents(
            self._latents,
            self._latent_bank,
            labels,
            num_images,
            seed,
            self._latent_dim,
            self._truncation,
        )
        inputs = tf.gather(latents, rows)
        if self._embeddings is not None:
            shares = tf.gather(targets, rows)
            embeddings = tf.cast(tf.constant(self._embeddings), tf.float32)
            inputs = [inputs, shares @ embeddings]
        elif self._has_classes:
            inputs = [inputs, tf.gather(labels, rows)]
        constants = {
            id(variable): tf.constant(value)
            for variable, value in zip(
                self._model.variables, self._values, strict=True
            )
        }
        trainable, other = (
            [constants[id(variable)] for variable in variables]
            for variables in (
                self._model.trainable_variables,
                self._model.non_trainable_variables,
            )
        )
        images, _ = self._model.stateless_call(
            trainable, other, inputs, training=False
        )
        return tf.cast(images, tf.float32)
