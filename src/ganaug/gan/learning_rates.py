"""Learning rates: constant, falling or scheduled, and halved by rollbacks."""

import keras
import numpy as np
import tensorflow as tf

from ganaug.gan.layers import PACKAGE

# Of the first learning rate, where it decays.
FINAL_SHARE = 0.1


@keras.saving.register_keras_serializable(package=PACKAGE)
class GentleSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule of the user's, times what rollbacks have left of it.

    It belongs to the model whose rollbacks it follows. So saved and loaded it
    is the user's schedule again, which the model that is compiled with it
    makes gentle anew.

    Args:
        schedule: `keras.optimizers.schedules.LearningRateSchedule`, or a
            function without arguments that returns a learning rate.
        gentleness: `keras.Variable`. What to multiply with.
    """

    def __init__(self, schedule, gentleness):
        self.schedule = schedule
        self.gentleness = gentleness

    def __call__(self, step):
        is_function = not isinstance(
            self.schedule, keras.optimizers.schedules.LearningRateSchedule
        )
        rate = self.schedule() if is_function else self.schedule(step)
        gentleness = tf.convert_to_tensor(self.gentleness)
        return tf.cast(rate, gentleness.dtype) * gentleness

    def get_config(self):
        return {"schedule": keras.saving.serialize_keras_object(self.schedule)}

    @classmethod
    def from_config(cls, config):
        return keras.saving.deserialize_keras_object(config["schedule"])


class LearningRates:
    """The learning rates of a model's optimizers.

    Constant ones are kept where Keras has them, so callbacks may change them.
    Where they decay they are set at each step. Schedules of the user's are
    wrapped in a `GentleSchedule`. `soften` halves any of them.

    Args:
        step: `keras.Variable`. Training steps taken.
        gentleness: `keras.Variable`. What is left of learning rates that are
            not constant.
        decay_steps: Integer. Steps over which constant ones fall to a tenth,
            or `None`.
        begun_at: Integer or `keras.Variable`. The step at which they begin to
            fall. Defaults to `0`.

    Attributes:
        optimizers: Dict from names to the optimizers.

    Raises:
        ValueError: `decay_steps` is out of range.
    """

    def __init__(self, step, gentleness, decay_steps=None, begun_at=0):
        if decay_steps is not None and not (
            isinstance(decay_steps, (int, np.integer)) and decay_steps >= 1
        ):
            raise ValueError(
                "`decay_steps` must be a positive number of steps. "
                f"Received: decay_steps={decay_steps}"
            )
        self.decay_steps = None if decay_steps is None else int(decay_steps)
        self.optimizers = {}
        self._step = step
        self._begun_at = begun_at
        self._gentleness = gentleness
        # What each optimizer came with: a number or a schedule.
        self._given = {}

    def adopt(self, name, optimizer):
        """Takes an optimizer's learning rate into its care.

        Args:
            name: String. The argument that the optimizer was given as.
            optimizer: `keras.optimizers.Optimizer`.

        Raises:
            ValueError: It has a schedule, and `decay_steps` was given too.
        """
        rate = optimizer.learning_rate
        if isinstance(rate, keras.Variable):
            self._given[name] = float(keras.ops.convert_to_numpy(rate))
        elif self.decay_steps is not None:
            raise ValueError(
                "`decay_steps` is for constant learning rates, and "
                f"`{name}` has a schedule of its own. Leave one of them "
                f"out. Received: decay_steps={self.decay_steps}"
            )
        else:
            self._given[name] = _schedule_of(optimizer)
            optimizer.learning_rate = GentleSchedule(
                self._given[name], self._gentleness
            )
        self.optimizers[name] = optimizer

    def set_for_step(self):
        """Sets the learning rates for this step, where they decay."""
        if self.decay_steps is None:
            return
        progress = tf.minimum(
            tf.cast(self._step - self._begun_at, tf.float32)
            / float(self.decay_steps),
            1.0,
        )
        share = FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (
            1.0 + tf.cos(np.pi * progress)
        )
        for name, optimizer in self.optimizers.items():
            optimizer.learning_rate.assign(
                self._given[name]
                * share
                * tf.convert_to_tensor(self._gentleness)
            )

    def soften(self):
        """Halves all of them from now on."""
        self._gentleness.assign(self._gentleness * 0.5)
        for optimizer in self.optimizers.values():
            rate = optimizer.learning_rate
            if isinstance(rate, keras.Variable):
                rate.assign(rate * 0.5)

    def optimizer_configs(self):
        """Describes the optimizers as they were when they came.

        Returns:
            A dict from names to what Keras makes an optimizer from.
        """
        return {
            name: self._config(name, optimizer)
            for name, optimizer in self.optimizers.items()
        }

    def _config(self, name, optimizer):
        # Keras writes the rate of the moment, which may be a smaller one.
        now = optimizer.learning_rate
        if isinstance(now, keras.Variable):
            now = now.numpy()
        else:
            now = GentleSchedule(self._given[name], self._gentleness)
        optimizer.learning_rate = self._given[name]
        try:
            return keras.saving.serialize_keras_object(optimizer)
        finally:
            optimizer.learning_rate = now


def _schedule_of(optimizer):
    while isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = optimizer.inner_optimizer
    # Keras's property tells what a schedule gives, never which one it is.
    schedule = optimizer._learning_rate
    if isinstance(schedule, GentleSchedule):
        # Of an optimizer that was compiled with before.
        return schedule.schedule
    return schedule
