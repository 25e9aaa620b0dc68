"""Keras callbacks that tell how the training of a GAN goes."""

import csv
import time
from pathlib import Path

import keras

from ganaug.progress import ProgressReport


class LossHistory(keras.callbacks.Callback):
    """Keeps the mean losses of every so many steps.

    It resets the model's metrics each time, so that a number is not the mean
    since the epoch began.

    Args:
        every: Integer. Steps that one mean is over. Defaults to `50`.

    Attributes:
        losses: Dict with the list `"step"` and one list for each loss.
    """

    def __init__(self, every=50):
        super().__init__()
        self.every = every
        self.losses = {"step": []}

    def on_train_batch_end(self, batch, logs=None):
        step = self.model.current_step
        if step % self.every:
            return
        self.losses["step"].append(step)
        for name, value in (logs or {}).items():
            self.losses.setdefault(name, []).append(float(value))
        self.model.reset_metrics()

    def training_notes(self):
        """Gives what is kept in a checkpoint.

        Returns:
            A dict for JSON.
        """
        return {name: list(values) for name, values in self.losses.items()}

    def restore_training_notes(self, notes):
        """Takes back what a checkpoint kept.

        Args:
            notes: Dict that `training_notes` gave, or `None` at the start.
        """
        self.losses = {
            name: list(values)
            for name, values in (notes or {"step": []}).items()
        }

    def to_csv(self, path):
        """Writes a line for each mean.

        Args:
            path: File to write.
        """
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(self.losses)
            writer.writerows(zip(*self.losses.values(), strict=True))


class TrainingProgress(keras.callbacks.Callback):
    """Shows step, losses, images per second and time left.

    Args:
        console: `rich.console.Console` to draw on.
        batch_size: Integer. Images in a step.
        total: Integer. The step to stop at.
    """

    def __init__(self, console, batch_size, total):
        super().__init__()
        self._batch_size = batch_size
        self._total = total
        self._report = ProgressReport(console, "training", "steps")

    def on_train_begin(self, logs=None):
        self._started = None

    def on_train_batch_end(self, batch, logs=None):
        step = self.model.current_step
        text = " ".join(
            f"{name.removesuffix('_loss')} {float(value):.3f}"
            if len(logs) > 2
            else f"{name} {float(value):.3f}"
            for name, value in (logs or {}).items()
        )
        if self._started is None:
            # The first step is mostly tracing, and no measure of the rest.
            self._started = time.perf_counter()
            self._first = step
        else:
            seconds = time.perf_counter() - self._started
            seen = self._batch_size * (step - self._first)
            text += f" {seen / seconds:.0f} images/s"
        self._report.update(step, self._total, text)

    def on_train_end(self, logs=None):
        if self.model.current_step >= self._total:
            self.stop()

    def stop(self):
        """Ends the drawing, also where training was cut short."""
        self._report.stop()
