"""A callback that looks at a training every so many steps."""

import keras

from ganaug.gan.fit_arguments import check_fit_arguments
from ganaug.gan.generative_model import GenerativeModel


class IntervalCallback(keras.callbacks.Callback):
    """Looks at a model every so many training steps, and when training ends.

    Steps are the model's own. A training that was stopped and resumed, or
    rolled back, is looked at just where one without a break would be.
    Subclasses say in `look` what a look is.

    Args:
        every: Integer. Training steps between looks.

    Raises:
        ValueError: `every` is not a positive integer.
        TypeError: When training begins: the model is none of ganaug's.
    """

    def __init__(self, every):
        super().__init__()
        check_fit_arguments(every=every)
        self.every = int(every)
        self._last_step = None

    def look(self, step):
        """Looks at the model.

        Args:
            step: Integer. Steps that the model has taken.
        """
        raise NotImplementedError

    def check(self, model):
        """Checks that it can look at a model.

        Args:
            model: What is trained.

        Raises:
            TypeError: It is none of ganaug's models.
        """
        if not isinstance(model, GenerativeModel):
            raise TypeError(
                f"{type(self).__name__} is for the `fit` of ganaug's models. "
                f"Received: a {type(model).__name__}"
            )

    def training_notes(self):
        """Gives what a resumed training has to know.

        Returns:
            A dict for JSON.
        """
        return {"last_step": self._last_step}

    def restore_training_notes(self, notes):
        """Takes back what `training_notes` gave.

        Args:
            notes: Dict; `None` for a training that begins.
        """
        self._last_step = None if notes is None else notes["last_step"]

    def on_train_begin(self, logs=None):
        self.check(self.model)
        if self._last_step is None:
            self._last_step = self.model.current_step

    def on_train_batch_end(self, batch, logs=None):
        step = self.model.current_step
        if step // self.every > self._last_step // self.every:
            self._look_now(step)

    def on_train_end(self, logs=None):
        # Keras's `fit` also ends with an epoch that was begun before a stop.
        if self.model.stop_training or self._is_last():
            self._look_unless_just_done()

    def _is_last(self):
        return self.model.current_step >= self.model.target_step

    def _look_unless_just_done(self):
        step = self.model.current_step
        if step != self._last_step:
            self._look_now(step)

    def _look_now(self, step):
        self._last_step = step
        self.look(step)
