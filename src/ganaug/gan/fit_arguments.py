"""Arguments of `fit`: checked before the first step, and what they come to."""

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

POSITIVE = (
    *("batch_size", "epochs", "steps_per_epoch"),
    *("checkpoint_every", "keep_checkpoints"),
)
COUNTS = ("initial_epoch", "max_rollbacks")


def check_fit_arguments(**numbers):
    """Checks arguments that are positive integers.

    Args:
        **numbers: Integers; `steps_per_epoch` may be `None`.

    Raises:
        ValueError: One is something else.
    """
    for name, number in numbers.items():
        if name == "steps_per_epoch" and number is None:
            continue
        if not _is_integer(number) or number < 1:
            raise ValueError(
                f"`{name}` must be a positive integer. "
                f"Received: {name}={number!r}"
            )


def _is_integer(number):
    return isinstance(number, (int, np.integer)) and not isinstance(
        number, bool
    )


@dataclass(frozen=True)
class FitArguments:
    """What one call of `fit` was asked for.

    Args:
        batch_size: Integer. As in `GenerativeModel.fit`, and so the others.
        epochs: Integer.
        initial_epoch: Integer.
        steps_per_epoch: Integer, or `None` before `for_data`.
        class_balanced: Boolean.
        verbose: As in `keras.Model.fit`.
        callbacks: Tuple of `keras.callbacks.Callback`.
        run_dir: Folder, or `None`.
        checkpoint_every: Integer.
        keep_checkpoints: Integer.
        guards: Boolean.
        max_rollbacks: Integer.

    Raises:
        ValueError: One is out of range.
    """

    batch_size: int
    epochs: int
    initial_epoch: int
    steps_per_epoch: int | None
    class_balanced: bool
    verbose: object
    callbacks: tuple
    run_dir: object
    checkpoint_every: int
    keep_checkpoints: int
    guards: bool
    max_rollbacks: int

    def __post_init__(self):
        check_fit_arguments(**{name: getattr(self, name) for name in POSITIVE})
        for name in COUNTS:
            number = getattr(self, name)
            if not _is_integer(number) or number < 0:
                raise ValueError(
                    f"`{name}` must be an integer of at least 0. "
                    f"Received: {name}={number!r}"
                )
        for name in (*POSITIVE, *COUNTS):
            number = getattr(self, name)
            if number is not None:
                # NumPy's are no JSON.
                object.__setattr__(self, name, int(number))

    def for_data(self, num_images):
        """Fills in what depends on the data.

        Args:
            num_images: Integer.

        Returns:
            `FitArguments` with `steps_per_epoch`.
        """
        if self.steps_per_epoch is not None:
            return self
        return replace(self, steps_per_epoch=-(-num_images // self.batch_size))

    @property
    def num_epochs(self):
        """Integer: epochs to train for."""
        return self.epochs - self.initial_epoch

    @property
    def num_steps(self):
        """Integer: training steps in all of them."""
        return self.num_epochs * self.steps_per_epoch

    def check_model(self, model):
        """Checks that Keras can run a model so.

        Args:
            model: Compiled `GenerativeModel`.

        Raises:
            ValueError: The strategy cannot run what was compiled, or epochs
                are not made of whole executions.
        """
        steps_per_execution = model.steps_per_execution
        strategy = model.distribute_strategy
        if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            raise ValueError(
                "Keras's `fit` does not run on several workers. Call "
                "`train_step` in a loop of your own, with `strategy.run`. "
                f"Received: strategy={type(strategy).__name__}"
            )
        num_replicas = strategy.num_replicas_in_sync
        if self.batch_size % num_replicas:
            raise ValueError(
                "`batch_size` is that of all replicas together and must be a "
                f"multiple of their number, {num_replicas}. "
                f"Received: batch_size={self.batch_size}"
            )
        if num_replicas > 1 and steps_per_execution != 1:
            raise ValueError(
                "Keras cannot run several steps per execution on several "
                "replicas. Leave out `steps_per_execution`. Received: "
                f"steps_per_execution={steps_per_execution}"
            )
        # Keras takes whole executions, and more steps than were asked for.
        if self.num_epochs > 1 and self.steps_per_epoch % steps_per_execution:
            raise ValueError(
                "In several epochs, `steps_per_epoch` must be a multiple of "
                "`steps_per_execution`. Give such a number to `fit`. "
                f"Received: steps_per_epoch={self.steps_per_epoch}, "
                f"steps_per_execution={steps_per_execution}"
            )

    def settings(self):
        """Gives what has to be the same for a training to go on.

        Returns:
            A dict of plain data.
        """
        return {
            "batch_size": self.batch_size,
            "steps_per_epoch": self.steps_per_epoch,
            "class_balanced": self.class_balanced,
            "checkpoint_every": self.checkpoint_every,
            "guards": self.guards,
            "max_rollbacks": self.max_rollbacks,
        }
