"""Mixing beside tf.data: batches of NumPy arrays, for any Keras backend."""

import keras
import numpy as np
import tensorflow as tf

from ganaug.augment.class_counts import (
    count_labels,
    warn_of_classes_without_examples,
)
from ganaug.augment.dataset_fit import check_range
from ganaug.augment.modes import EXACT
from ganaug.augment.shares import ExactShare, ExpectedShare
from ganaug.augment.transforming import prepare
from ganaug.seeds import derive_seed


class AugmentedArrays(keras.utils.PyDataset):
    """Batches of arrays with synthetic examples among them.

    Made by `GANAugmenter.py_dataset`. A batch depends on the arrays, the seed,
    the epoch and its index alone, whatever the order in which threads ask for
    them.

    Args:
        settings: `ganaug.augment.augmenter.GANAugmenter`.
        source: `ganaug.augment.image_source.ImageSource`.
        ratio: `ganaug.augment.ratio.Ratio`, or `None` where it extends.
        arrays: Tuple of NumPy arrays: images, labels and, if there are any,
            weights.
        batch_size: Integer. Examples of a batch; real ones, where batches
            grow; about so many where the data set grows.
        shuffle: Boolean. Whether the order of the real examples is another
            one in each epoch.
        initial_epoch: Integer. The epoch that comes first.
        **kwargs: Of `keras.utils.PyDataset`: `workers`, `max_queue_size`.

    Raises:
        ValueError: An argument is out of range, or the arrays do not fit one
            another or the source.
    """

    def __init__(
        self,
        settings,
        source,
        ratio,
        arrays,
        batch_size,
        shuffle,
        initial_epoch,
        **kwargs,
    ):
        if kwargs.get("use_multiprocessing"):
            raise ValueError(
                "TensorFlow, which mixes, does not work in forked processes. "
                "Use threads: `workers=2`. Received: use_multiprocessing=True"
            )
        super().__init__(**kwargs)
        _check_integer("batch_size", batch_size, 1)
        _check_integer("initial_epoch", initial_epoch, 0)
        arrays = _check_arrays(arrays)
        self._arrays = arrays
        self._shuffle = shuffle
        self._seed = derive_seed(settings.seed, "arrays")
        self._rerandomizes = settings.rerandomize_each_iteration
        prepared = prepare(
            tuple(
                tf.TensorSpec((None, *array.shape[1:]), array.dtype)
                for array in arrays
            ),
            settings,
            source,
            lambda elements: count_labels(arrays[1], settings.class_names),
        )
        # Now, and not in the midst of an epoch.
        counts = count_labels(arrays[1], settings.class_names)
        _check_counts(prepared.class_counts, counts)
        warn_of_classes_without_examples(
            prepared.unnamed_classes, counts, settings.class_names
        )
        check_range(arrays[0], prepared.mixer.value_range)
        step = batch_size
        if prepared.growth is None:
            exact = settings.share == EXACT
            share_class = ExactShare if exact else ExpectedShare
            # It counts epochs itself: batches may be made ahead of the
            # callback that tells of the next one.
            self._share_at = lambda epoch: share_class(ratio.at_epoch(epoch))
        else:
            share = prepared.total_share()
            self._share_at = lambda epoch: share
            total = prepared.num_real + prepared.num_synthetic
            # Few enough real examples that they grow to a batch.
            step = max(1, batch_size * prepared.num_real // total)
        mixer, decide = prepared.mixer, self._share_at(initial_epoch)
        self._mix = tf.function(
            lambda entry, carried: mixer.mix_batch(entry, decide, carried),
            reduce_retracing=True,
        )
        self._starts = np.arange(0, len(arrays[0]), step)
        self._sizes = np.minimum(len(arrays[0]) - self._starts, step)
        self._begin(initial_epoch)

    def __len__(self):
        return len(self._starts)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(
                f"There are {len(self)} batches. Received: index={index}"
            )
        start = self._starts[index]
        rows = self._order[start : start + self._sizes[index]]
        batch = tuple(tf.constant(array[rows]) for array in self._arrays)
        entry = (batch, *(part[index] for part in self._numbers))
        mixed = self._mix(entry, self._carried[index])
        return tf.nest.map_structure(_to_numpy, mixed)

    def on_epoch_begin(self):
        """Notes that an epoch has begun."""
        self._is_under_way = True

    def on_epoch_end(self):
        """Takes other noise, and another order, for the next epoch."""
        # Keras's `fit` ends an epoch before the first one has begun.
        if self._is_under_way:
            self._begin(self._epoch + 1)

    def _begin(self, epoch):
        self._epoch = epoch
        self._is_under_way = False
        order, noise = np.random.SeedSequence([self._seed, epoch]).spawn(2)
        num_real = len(self._arrays[0])
        self._order = np.arange(num_real)
        if self._shuffle:
            self._order = np.random.default_rng(order).permutation(num_real)
        numbers = noise.generate_state(len(self), np.uint32).astype(np.int64)
        # What the mixer's noise expects beside a batch, if anything.
        self._numbers = (tf.constant(numbers),) if self._rerandomizes else ()
        entries = tf.data.Dataset.from_tensor_slices(
            (tf.constant(self._sizes), *self._numbers)
        )
        carrying = self._share_at(epoch).attach(entries, lambda entry: entry[0])
        self._carried = [
            entry[1] if len(entry) > 1 else None for entry in carrying
        ]


def augment_arrays(batches):
    """Joins the batches of an epoch.

    Args:
        batches: `AugmentedArrays`.

    Returns:
        A tuple of NumPy arrays, with a dict of them in the end where the
        batches have one.
    """
    return tf.nest.map_structure(
        lambda *parts: np.concatenate(parts),
        *(batches[index] for index in range(len(batches))),
    )


def _to_numpy(tensor):
    array = tensor.numpy()
    return array.astype(str) if tensor.dtype == tf.string else array


def _check_integer(name, number, least):
    if (
        isinstance(number, bool)
        or not isinstance(number, (int, np.integer))
        or number < least
    ):
        raise ValueError(
            f"`{name}` must be an integer of at least {least}. "
            f"Received: {name}={number!r}"
        )


def _check_arrays(arrays):
    names = ("images", "labels", "sample_weight")
    arrays = [
        (name, array if array is None else _as_array(name, array))
        for name, array in zip(names, arrays, strict=True)
        if array is not None or name != "sample_weight"
    ]
    lengths = {
        array.shape[0] if array is not None and array.ndim else None
        for _, array in arrays
    }
    if len(lengths) > 1 or lengths & {None, 0}:
        shapes = ", ".join(
            f"{name} of shape {getattr(array, 'shape', None)}"
            for name, array in arrays
        )
        raise ValueError(
            "`images`, `labels` and `sample_weight` must be arrays with one "
            "row for each of the same examples, at least one. "
            f"Received: {shapes}"
        )
    return tuple(array for _, array in arrays)


def _as_array(name, array):
    array = np.asarray(array)
    kinds = "biuf" if name == "sample_weight" else "iuf"
    # The `kind` of bfloat16 and its like is "V".
    if array.dtype.kind not in kinds + "V" or (
        name == "sample_weight" and not np.isfinite(array).all()
    ):
        raise ValueError(
            f"`{name}` must be an array of "
            f"{'finite ' if name == 'sample_weight' else ''}numbers. "
            f"Received: {name} of dtype {array.dtype}"
        )
    if name == "sample_weight" and array.dtype.kind != "f":
        array = array.astype(np.float32)
    return array


def _check_counts(given, counted):
    if given is not None and not np.array_equal(given, counted):
        raise ValueError(
            "`class_counts` must be those of `labels`. Leave it out to have "
            f"them counted. Received: class_counts={given.tolist()} for "
            f"labels with {counted.tolist()}"
        )
