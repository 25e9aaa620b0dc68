"""What keeps the good states of a training, and ends the bad ones."""

import logging
import time

import keras
import numpy as np

from ganaug.gan.guards import non_finite
from ganaug.gan.training_state import restore, snapshot, to_plain

logger = logging.getLogger("ganaug")


class RolledBack(Exception):
    """Training failed and its state was put back; it has to go on from there.

    It ends a run of Keras's `fit` and never reaches the user.
    """


class StateKeeper(keras.callbacks.Callback):
    """Looks at training at an interval; keeps good states, ends bad ones.

    It has to be the first callback, so that no other one sees a bad state, and
    its attribute `last` the last one, so that what they note belongs to the
    state that is kept.

    Args:
        reference: `DiversityReference`, or `None` for no guards but NaN.
        guard: `Guard`.
        folder: `CheckpointFolder`, or `None`.
        every: Integer. Steps between looks.
        max_rollbacks: Integer.
        companions: List of callbacks; those with `training_notes` have them
            kept in the checkpoint.

    Raises:
        RuntimeError: Training failed too often.
    """

    def __init__(
        self, reference, guard, folder, every, max_rollbacks, companions
    ):
        super().__init__()
        self.reference = reference
        self.guard = guard
        self.folder = folder
        self.every = every
        self.max_rollbacks = max_rollbacks if reference is not None else 0
        self.companions = [
            callback
            for callback in companions
            if hasattr(callback, "training_notes")
        ]
        self.last = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: self._keep_if_due()
        )
        self.rollbacks = []
        self.seconds = 0.0
        self._since = None
        self._due = None

    def begin(self, model, notes):
        """Takes the model's state as the first good one.

        Args:
            model: `GenerativeModel`.
            notes: Dict kept with the checkpoint that it was restored from;
                empty for a training that begins.
        """
        self.set_model(model)
        self.rollbacks = list(notes.get("rollbacks", ()))
        self.seconds = notes.get("seconds", 0.0)
        self._good = snapshot(model)
        self._good_notes = notes
        self._restore_notes(notes)
        self._last_look = model.current_step

    def _restore_notes(self, notes):
        self.guard.restore(notes.get("guard", {}))
        noted = notes.get("callbacks", {})
        for key, callback in self._named_companions():
            callback.restore_training_notes(noted.get(key))

    def _named_companions(self):
        return [
            (f"{index} {type(callback).__name__}", callback)
            for index, callback in enumerate(self.companions)
        ]

    def on_train_begin(self, logs=None):
        self._since = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        problem = non_finite(logs or {})
        if problem is None:
            step = self.model.current_step
            if step // self.every == self._last_look // self.every:
                return
            self._last_look = step
            problem = self._look(step)
        if problem is not None:
            self._answer(problem)

    def _look(self, step):
        tensors = snapshot(self.model)
        problem = _broken(tensors)
        if problem is None and self.reference is not None:
            problem = self.guard.look(
                step, self.model.d_loss_average_value, self._diversity()
            )
        # A state under suspicion is no place to go back to.
        if problem is None and (
            self.reference is None or not self.guard.is_suspicious
        ):
            self._due = tensors
        return problem

    def _diversity(self):
        labels = self.reference.labels()
        # No class may have enough images, and convolutions need one.
        if not len(labels):
            return {}
        return self.reference.ratios(self.model.draw_for_guard(labels))

    def _keep_if_due(self):
        if self._due is not None:
            self._keep(self._due, self.model.current_step)
            self._due = None

    def _keep(self, tensors, step):
        if self._since is not None:
            now = time.perf_counter()
            self.seconds += now - self._since
            self._since = now
        self._good = tensors
        # A copy, whatever callbacks go on to do with what they gave.
        self._good_notes = to_plain(
            {
                "rollbacks": self.rollbacks,
                "seconds": self.seconds,
                "guard": self.guard.state(),
                "callbacks": {
                    key: callback.training_notes()
                    for key, callback in self._named_companions()
                },
            }
        )
        if self.folder is not None:
            self.folder.save(tensors, step, self._good_notes)

    def _answer(self, problem):
        model = self.model
        failed_at, settings = model.current_step, model.gentler_settings
        self.pause()
        restore(model, self._good)
        step = model.current_step
        self._last_look = step
        if len(self.rollbacks) >= self.max_rollbacks:
            times = "time" if len(self.rollbacks) == 1 else "times"
            raise RuntimeError(
                f"Training failed at step {failed_at}: {problem}. "
                + (
                    f"It was rolled back {len(self.rollbacks)} {times} "
                    f"before, at last with {settings}. "
                    if self.rollbacks
                    else ""
                )
                + f"{model.advice}, or look at the images. The weights are "
                f"those of step {step}, the last good ones."
            )
        self._restore_notes(self._good_notes)
        for _ in range(1 + self._rollbacks_since_good()):
            model.soften()
        self.rollbacks.append(
            {"failed_at": failed_at, "back_to": step, "problem": problem}
        )
        logger.warning(
            "Training failed at step %d: %s. Back to step %d with %s "
            "(rollback %d of at most %d).",
            failed_at,
            problem,
            step,
            model.gentler_settings,
            len(self.rollbacks),
            self.max_rollbacks,
        )
        raise RolledBack

    def _rollbacks_since_good(self):
        # The good state does not know of those, so they are done again.
        return len(self.rollbacks) - len(self._good_notes.get("rollbacks", ()))

    def on_train_end(self, logs=None):
        self.pause()
        # What the last step did to the weights is in no loss.
        problem = _broken(snapshot(self.model))
        if problem is not None:
            self.model.stop_training = False
            self._answer(problem)

    def pause(self):
        """Stops the clock."""
        if self._since is not None:
            self.seconds += time.perf_counter() - self._since
            self._since = None

    def keep_last(self):
        """Keeps the state that training ended with, whatever it is.

        The clock stands still, so that who reads it finds the same seconds.
        """
        if self.folder is not None:
            self._keep(snapshot(self.model), self.model.current_step)


def _broken(tensors):
    broken = [
        key
        for key, value in tensors.items()
        if value.dtype.kind == "f" and not np.isfinite(value).all()
    ]
    return f"{len(broken)} weights are NaN or infinite" if broken else None
