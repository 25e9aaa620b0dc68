"""Adam whose update of a variable is one operation."""

import types

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="ganaug")
class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam with TensorFlow's own kernel for it.

    Keras writes the update of each variable as some forty operations, more than
    a third of those of a GAN's training step: they take time to trace, and many
    of them pass over memory. This computes the same numbers, up to rounding.
    The updates are Keras's with `amsgrad`, of variables in bfloat16, where the
    kernel rounds a `beta_2` of 0.999 to 1, and of embeddings: of a row that a
    batch looks up several times Keras sums the squares, not the gradients, and
    so takes larger steps, which recipes and published results rest on.

    Args:
        *args: As of `keras.optimizers.Adam`.
        **kwargs: As of `keras.optimizers.Adam`.

    Example:

    ```python
    optimizer = FusedAdam(2e-4, beta_1=0.0)
    gan.compile(d_optimizer=optimizer)
    ```

    Reference:
        - [Kingma and Ba, 2015](https://arxiv.org/abs/1412.6980)
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # In an object that Keras does not track.
        self._shared = types.SimpleNamespace(made_for=None, scalars=None)

    def apply(self, grads, trainable_variables=None):
        """Updates variables.

        Args:
            grads: List of gradients.
            trainable_variables: List of variables, or `None` for those it was
                built with. Defaults to `None`.
        """
        try:
            super().apply(grads, trainable_variables)
        finally:
            # Nothing of a graph outlives its making.
            self._shared.made_for = self._shared.scalars = None

    def update_step(self, gradient, variable, learning_rate):
        """Updates one variable and its moments.

        Args:
            gradient: Tensor or `tf.IndexedSlices`.
            variable: `keras.Variable` or `tf.Variable` of the same shape.
            learning_rate: Scalar tensor.
        """
        sparse = isinstance(gradient, tf.IndexedSlices)
        if self.amsgrad or sparse or variable.dtype == "bfloat16":
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        variable = _tensorflow_variable(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=_tensorflow_variable(self._momentums[index]).handle,
            v=_tensorflow_variable(self._velocities[index]).handle,
            grad=tf.cast(gradient, variable.dtype),
            **self._scalars(variable.dtype, learning_rate),
        )

    def _scalars(self, dtype, learning_rate):
        """What the updates of all variables have in common."""
        made_for = (tf.compat.v1.get_default_graph(), dtype)
        if self._shared.made_for != made_for:
            beta_1, beta_2, epsilon = (
                tf.constant(value, dtype)
                for value in (self.beta_1, self.beta_2, self.epsilon)
            )
            step = tf.cast(self.iterations + 1, dtype)
            self._shared.made_for = made_for
            self._shared.scalars = {
                "beta1_power": tf.pow(beta_1, step),
                "beta2_power": tf.pow(beta_2, step),
                "lr": tf.cast(learning_rate, dtype),
                "beta1": beta_1,
                "beta2": beta_2,
                "epsilon": epsilon,
            }
        return self._shared.scalars


def _tensorflow_variable(variable):
    return variable.value if isinstance(variable, keras.Variable) else variable
