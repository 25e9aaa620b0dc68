"""A frozen generator: labels and a seed in, images out, inside tf.data."""

import keras
import tensorflow as tf

from ganaug.data.images import from_unit
from ganaug.gan.latents import check_latents, draw_latents


class Sampler:
    """Draws images of given classes from a frozen generator, in a graph.

    The generator's weights, and the latents of real images where they are
    drawn from, become constants of whatever graph calls the
    sampler. So the dataset that uses it holds no variables: its iterators can
    be checkpointed and it can be sent to other processes.

    Args:
        generator: `keras.Model` called as `generator([latents, labels])`, its
            images in `[-1, 1]`. Its weights are copied now.
        latents: String. Where the latents come from, one of
            `ganaug.gan.latents.LATENTS`. Defaults to `"prior"`.
        latent_bank: `LatentBank`. Needed for all but the prior.

    Call arguments:
        labels: int32 tensor `(num_images,)`.
        seed: Integer tensor `(2,)`, which fixes the latents.
        value_range: Pair of floats. Value range of the result.
        dtype: dtype of the result.

    Raises:
        ValueError: Keras runs on another backend than TensorFlow, or the
            latents cannot be drawn.
    """

    def __init__(self, generator, latents="prior", latent_bank=None):
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                "Drawing images inside of tf.data needs Keras on TensorFlow. "
                "Set the environment variable KERAS_BACKEND=tensorflow. "
                f"Received: backend={keras.backend.backend()!r}"
            )
        check_latents(latents, latent_bank)
        self._latents = latents
        self._latent_bank = latent_bank
        self._generator = generator
        self._trainable, self._other = (
            [variable.numpy() for variable in variables]
            for variables in (
                generator.trainable_variables,
                generator.non_trainable_variables,
            )
        )
        self._latent_dim = generator.input_shape[0][-1]

    def __call__(self, labels, seed, value_range, dtype):
        latents = draw_latents(
            self._latents,
            self._latent_bank,
            labels,
            tf.shape(labels)[0],
            seed,
            self._latent_dim,
        )
        images, _ = self._generator.stateless_call(
            [tf.constant(value) for value in self._trainable],
            [tf.constant(value) for value in self._other],
            [latents, labels],
            training=False,
        )
        return from_unit(images, value_range, dtype)
