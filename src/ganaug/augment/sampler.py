"""A frozen generator: labels and a seed in, images out, inside tf.data."""

import keras
import tensorflow as tf

from ganaug.data.images import from_unit


class Sampler:
    """Draws images of given classes from a frozen generator, in a graph.

    The generator's weights become constants of whatever graph calls the
    sampler. So the dataset that uses it holds no variables: its iterators can
    be checkpointed and it can be sent to other processes.

    Args:
        generator: `keras.Model` called as `generator([latents, labels])`, its
            images in `[-1, 1]`. Its weights are copied now.

    Call arguments:
        labels: int32 tensor `(num_images,)`.
        seed: Integer tensor `(2,)`, which fixes the latents.
        value_range: Pair of floats. Value range of the result.
        dtype: dtype of the result.

    Raises:
        ValueError: Keras runs on another backend than TensorFlow.
    """

    def __init__(self, generator):
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                "Drawing images inside of tf.data needs Keras on TensorFlow. "
                "Set the environment variable KERAS_BACKEND=tensorflow. "
                f"Received: backend={keras.backend.backend()!r}"
            )
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
        latents = tf.random.stateless_normal(
            (tf.shape(labels)[0], self._latent_dim), seed
        )
        images, _ = self._generator.stateless_call(
            [tf.constant(value) for value in self._trainable],
            [tf.constant(value) for value in self._other],
            [latents, labels],
            training=False,
        )
        return from_unit(images, value_range, dtype)
