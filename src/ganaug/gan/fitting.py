"""Training from the current step to the last: resumed, guarded, rolled back."""

import contextlib
import logging

import keras
import numpy as np
import tensorflow as tf

from ganaug.data.batches import class_balanced_batches, shuffled_batches
from ganaug.data.images import to_unit
from ganaug.gan.fit_arguments import (
    check_max_rollbacks,
    check_steps_per_execution,
    check_strategy,
)
from ganaug.gan.guards import DiversityReference, Guard
from ganaug.gan.resuming import describe_training, resume
from ganaug.gan.state_keeper import RolledBack, StateKeeper
from ganaug.gan.training_state import CheckpointFolder
from ganaug.seeds import derive_seed

logger = logging.getLogger("ganaug")


def fit_from_current_step(
    model,
    keras_fit,
    data,
    *,
    batch_size,
    epochs,
    initial_epoch,
    steps_per_epoch,
    class_balanced,
    verbose,
    callbacks,
    run_dir,
    checkpoint_every,
    keep_checkpoints,
    guards,
    max_rollbacks,
):
    """Runs Keras's `fit` until the last step, through stops and rollbacks.

    Args:
        model: Compiled `GenerativeModel`.
        keras_fit: `keras.Model.fit`, bound to the model.
        data: `LabeledImages`, checked.
        batch_size: Integer.
        epochs: Integer.
        initial_epoch: Integer.
        steps_per_epoch: Integer, or `None`.
        class_balanced: Boolean.
        verbose: As in `keras.Model.fit`.
        callbacks: List of `keras.callbacks.Callback`.
        run_dir: Folder, or `None`.
        checkpoint_every: Integer.
        keep_checkpoints: Integer.
        guards: Boolean.
        max_rollbacks: Integer.

    Returns:
        A `keras.callbacks.History`.

    Raises:
        ValueError: `run_dir` holds a training with other settings, the
            strategy cannot run what was compiled, or `max_rollbacks` is no
            number.
        RuntimeError: Training failed too often.
    """
    num_replicas = model.distribute_strategy.num_replicas_in_sync
    check_strategy(model, num_replicas, batch_size)
    check_max_rollbacks(max_rollbacks)
    if steps_per_epoch is None:
        steps_per_epoch = -(-len(data) // batch_size)
    check_steps_per_execution(model, steps_per_epoch, epochs - initial_epoch)
    begun_at, notes, folder = model.current_step, {}, None
    if run_dir is not None:
        folder = CheckpointFolder(run_dir, keep_checkpoints)
        settings = describe_training(
            model,
            data,
            batch_size,
            steps_per_epoch,
            class_balanced,
            checkpoint_every,
            guards,
            max_rollbacks,
        )
        begun_at, notes = resume(
            model, folder, settings, begun_at, initial_epoch
        )
    guard = Guard(model.chance_level, data.class_names)
    reference = None
    if guards:
        reference = _reference(model, data)
    keeper = StateKeeper(
        reference, guard, folder, checkpoint_every, max_rollbacks, callbacks
    )
    keeper.begin(model, notes)
    model.learnt.add(data)
    target = begun_at + (epochs - initial_epoch) * steps_per_epoch
    model.target_step = target
    if notes and model.current_step < target:
        logger.info("Training goes on from step %d.", model.current_step)
    elif notes:
        logger.info("Training was complete; nothing is left to do.")
    history = keras.callbacks.History()
    history.set_model(model)
    history.epoch = []
    model.stop_training = False
    finished = False
    try:
        while model.current_step < target and not model.stop_training:
            with contextlib.suppress(RolledBack):
                _run_segment(
                    model,
                    keras_fit,
                    data,
                    history,
                    keeper,
                    begun_at=begun_at,
                    batch_size=batch_size,
                    epochs=epochs,
                    initial_epoch=initial_epoch,
                    steps_per_epoch=steps_per_epoch,
                    class_balanced=class_balanced,
                    verbose=verbose,
                    callbacks=callbacks,
                )
            # Keras keeps it there, also where it was rolled back.
            _extend(history, model.history)
        finished = True
    finally:
        # Also where training was interrupted: what was learnt can be kept.
        keeper.pause()
        _record(model, data, batch_size, class_balanced, keeper)
    if finished:
        keeper.keep_last()
    model.history = history
    return history


def _run_segment(
    model,
    keras_fit,
    data,
    history,
    keeper,
    *,
    begun_at,
    batch_size,
    epochs,
    initial_epoch,
    steps_per_epoch,
    class_balanced,
    verbose,
    callbacks,
):
    """Runs the epochs that are left, or first the rest of a begun one."""
    start = model.current_step
    done = start - begun_at
    epoch = initial_epoch + done // steps_per_epoch
    rest = steps_per_epoch - done % steps_per_epoch
    if rest < steps_per_epoch:
        epochs = epoch + 1
    batches = _batches(model, data, batch_size, class_balanced, start)
    if epochs == epoch + 1:
        # Where several steps are one execution, the last takes fewer.
        batches = batches.take(rest)
    _forget_from(history, epoch)
    keras_fit(
        batches,
        epochs=epochs,
        verbose=verbose,
        callbacks=[keeper, *callbacks, keeper.last],
        initial_epoch=epoch,
        steps_per_epoch=rest,
        shuffle=False,
    )


def _extend(history, part):
    history.epoch.extend(part.epoch)
    for name, values in part.history.items():
        history.history.setdefault(name, []).extend(values)


def _forget_from(history, epoch):
    """Drops the epochs that are taken again after a rollback."""
    num_kept = sum(number < epoch for number in history.epoch)
    del history.epoch[num_kept:]
    for values in history.history.values():
        del values[num_kept:]


def _batches(model, data, batch_size, class_balanced, start):
    make = class_balanced_batches if class_balanced else shuffled_batches
    batches = make(
        data,
        batch_size * model.batches_per_step,
        derive_seed(model.seed, "batches"),
        start=start,
    )
    return batches.map(
        lambda images, labels: (to_unit(images, data.value_range), labels),
        num_parallel_calls=tf.data.AUTOTUNE,
    ).prefetch(tf.data.AUTOTUNE)


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
    images = to_unit(data.images[few], data.value_range).numpy()
    return DiversityReference(
        images, labels[few], derive_seed(model.seed, "guard")
    )


def _record(model, data, batch_size, class_balanced, keeper):
    steps = model.current_step
    model.learnt.training = {
        "model": type(model).__name__,
        "steps": steps,
        "batch_size": batch_size,
        "images_seen": steps * batch_size * model.batches_per_step,
        "seconds": round(keeper.seconds, 1),
        "num_images": len(model.learnt.fingerprints),
        "class_counts": data.class_counts.tolist(),
        "class_balanced": class_balanced,
        "preset": model.preset,
        "seed": model.seed,
        "rollbacks": keeper.rollbacks,
        **model.training_settings(),
    }
    model.after_fit(data)
