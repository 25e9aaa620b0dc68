"""Keras callbacks for the training of a GAN."""

import csv
import math
import time
from pathlib import Path

import keras

from ganaug.progress import ProgressReport


class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """Stops training with an explanation when a loss is NaN or infinite.

    `keras.callbacks.TerminateOnNaN` looks at `loss` alone, which a GAN does
    not have, and ends without a word.

    Raises:
        RuntimeError: At the end of the first batch with such a loss.
    """

    def on_train_batch_end(self, batch, logs=None):
        for name, value in (logs or {}).items():
            if not math.isfinite(float(value)):
                raise RuntimeError(
                    f"Training diverged at step {batch + 1}: `{name}` is "
                    f"{float(value)}. Raise `gamma`, lower the learning rates "
                    "or check the images."
                )


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
        if (batch + 1) % self.every:
            return
        self.losses["step"].append(batch + 1)
        for name, value in (logs or {}).items():
            self.losses.setdefault(name, []).append(float(value))
        self.model.reset_metrics()

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
    """

    def __init__(self, console, batch_size):
        super().__init__()
        self._batch_size = batch_size
        self._report = ProgressReport(console, "training", "steps")

    def on_train_begin(self, logs=None):
        self._steps = 0
        self._started = None

    def on_train_batch_end(self, batch, logs=None):
        self._steps += 1
        text = " ".join(
            f"{name} {float(value):.3f}" for name, value in (logs or {}).items()
        )
        if self._started is None:
            # The first step is mostly tracing, and no measure of the rest.
            self._started = time.perf_counter()
        else:
            seconds = time.perf_counter() - self._started
            seen = self._batch_size * (self._steps - 1)
            text += f" {seen / seconds:.0f} images/s"
        total = self.params["steps"] * self.params["epochs"]
        self._report.update(self._steps, total, text)

    def on_train_end(self, logs=None):
        self.stop()

    def stop(self):
        """Ends the drawing, also where training was cut short."""
        self._report.stop()
