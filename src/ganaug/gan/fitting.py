"""Training from the current step to the last: resumed, guarded, rolled back."""

import contextlib
import logging

import keras
import numpy as np
import tensorflow as tf

from ganaug.data.batches import class_balanced_batches, shuffled_batches
from ganaug.data.images import to_unit
from ganaug.gan.guards import DiversityReference, Guard, classes_to_watch
from ganaug.gan.resuming import describe_training, resume
from ganaug.gan.state_keeper import RolledBack, StateKeeper
from ganaug.gan.training_state import CheckpointFolder
from ganaug.seeds import derive_seed

logger = logging.getLogger("ganaug")
# Of the discriminator, which an artifact does not hold.
NETWORK_SETTINGS = ("conditioning", "spectral_normalization")


class FitRun:
    """One call of `fit`: Keras's, again and again, until the last step.

    Args:
        model: Compiled `GenerativeModel`.
        keras_fit: `keras.Model.fit`, bound to the model.
        data: `LabeledImages`, checked.
        arguments: `FitArguments`.

    Raises:
        ValueError: Keras cannot run the model so.
    """

    def __init__(self, model, keras_fit, data, arguments):
        self.model = model
        self.keras_fit = keras_fit
        self.data = data
        self.arguments = arguments.for_data(len(data))
        self.arguments.check_model(model)
        self.history = keras.callbacks.History()
        self.history.set_model(model)
        self.history.epoch = []

    def run(self):
        """Trains, through stops and rollbacks.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            ValueError: `run_dir` holds a training with other settings.
            RuntimeError: Training failed too often.
        """
        model = self.model
        begun_at, notes, folder = self._resume()
        keeper = self._make_keeper(folder)
        keeper.begin(model, notes)
        model.learnt.add(self.data)
        target = begun_at + self.arguments.num_steps
        model.target_step = target
        if notes and model.current_step < target:
            logger.info("Training goes on from step %d.", model.current_step)
        elif notes:
            logger.info("Training was complete; nothing is left to do.")
        model.stop_training = False
        finished = False
        try:
            while model.current_step < target and not model.stop_training:
                with contextlib.suppress(RolledBack):
                    self._run_segment(keeper, begun_at)
                # Keras keeps it there, also where it was rolled back.
                self._extend_history(model.history)
            finished = True
        finally:
            # Also where training was interrupted: what was learnt can be kept.
            keeper.pause()
            self._record(keeper)
        if finished:
            keeper.keep_last()
        model.history = self.history
        return self.history

    def _resume(self):
        """Gives the step that the first epoch began at, notes and folder."""
        arguments, begun_at = self.arguments, self.model.current_step
        if arguments.run_dir is None:
            return begun_at, {}, None
        folder = CheckpointFolder(arguments.run_dir, arguments.keep_checkpoints)
        settings = describe_training(self.model, self.data, arguments)
        begun_at, notes = resume(
            self.model, folder, settings, begun_at, arguments.initial_epoch
        )
        return begun_at, notes, folder

    def _make_keeper(self, folder):
        reference = None
        if self.arguments.guards:
            reference = _reference(self.model, self.data)
        return StateKeeper(
            reference,
            Guard(self.model.chance_level, self.data.class_names),
            folder,
            self.arguments.checkpoint_every,
            self.arguments.max_rollbacks,
            self.arguments.callbacks,
        )

    def _run_segment(self, keeper, begun_at):
        """Runs the epochs that are left, or first the rest of a begun one."""
        arguments, start = self.arguments, self.model.current_step
        epochs_done, steps_done = divmod(
            start - begun_at, arguments.steps_per_epoch
        )
        epoch, epochs = arguments.initial_epoch + epochs_done, arguments.epochs
        rest = arguments.steps_per_epoch - steps_done
        if steps_done:
            epochs = epoch + 1
        batches = self._batches(start)
        if epochs == epoch + 1:
            # Where several steps are one execution, the last takes fewer.
            batches = batches.take(rest)
        self._forget_history_from(epoch)
        self.keras_fit(
            batches,
            epochs=epochs,
            verbose=arguments.verbose,
            callbacks=[keeper, *arguments.callbacks, keeper.last],
            initial_epoch=epoch,
            steps_per_epoch=rest,
            shuffle=False,
        )

    def _batches(self, start):
        data = self.data
        make = (
            class_balanced_batches
            if self.arguments.class_balanced
            else shuffled_batches
        )
        batches = make(
            data,
            self.arguments.batch_size * self.model.batches_per_step,
            derive_seed(self.model.seed, "batches"),
            start=start,
        )
        return batches.map(
            lambda images, labels: (to_unit(images, data.value_range), labels),
            num_parallel_calls=tf.data.AUTOTUNE,
        ).prefetch(tf.data.AUTOTUNE)

    def _extend_history(self, part):
        self.history.epoch.extend(part.epoch)
        for name, values in part.history.items():
            self.history.history.setdefault(name, []).extend(values)

    def _forget_history_from(self, epoch):
        """Drops the epochs that are taken again after a rollback."""
        num_kept = sum(number < epoch for number in self.history.epoch)
        del self.history.epoch[num_kept:]
        for values in self.history.history.values():
            del values[num_kept:]

    def _record(self, keeper):
        model, data, arguments = self.model, self.data, self.arguments
        steps = model.current_step
        if not steps:
            # Something failed before the first one: nothing was learnt.
            return
        model.learnt.training = {
            "model": type(model).__name__,
            "steps": steps,
            "batch_size": arguments.batch_size,
            "images_seen": (
                steps * arguments.batch_size * model.batches_per_step
            ),
            "seconds": round(keeper.seconds, 1),
            "num_images": len(model.learnt.fingerprints),
            "class_counts": data.class_counts.tolist(),
            "class_balanced": arguments.class_balanced,
            "preset": model.preset,
            "precision": model.precision,
            **{
                name: getattr(model, name)
                for name in NETWORK_SETTINGS
                if hasattr(model, name)
            },
            "seed": model.seed,
            "rollbacks": keeper.rollbacks,
            **model.training_settings(),
        }
        model.after_fit(data)


def _reference(model, data):
    labels = data.labels
    if model.num_classes is None:
        labels = np.zeros(len(data), np.int32)
    # A few of each class are enough, and the whole may be large.
    rng = np.random.default_rng(derive_seed(model.seed, "guard"))
    order = rng.permutation(len(data))
    rank = np.empty(len(data), int)
    by_class = order[np.argsort(labels[order], kind="stable")]
    counts = np.bincount(labels)
    rank[by_class] = np.arange(len(data)) - np.repeat(
        np.cumsum(counts) - counts, counts
    )
    few = np.flatnonzero(rank < 32)
    if not model.can_collapse:
        few = few[:0]
    few = few[np.isin(labels[few], classes_to_watch(labels[few]))]
    images = to_unit(data.images[few], data.value_range).numpy()
    return DiversityReference(
        images, labels[few], derive_seed(model.seed, "guard")
    )
