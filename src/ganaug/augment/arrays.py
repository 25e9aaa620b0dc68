"""Mixing beside tf.data: batches of NumPy arrays, for any Keras backend."""

import keras
import numpy as np
import tensorflow as tf

from ganaug.augment.class_counts import count_labels
from ganaug.augment.modes import EXACT
from ganaug.augment.shares import ExactShare, ExpectedShare
from ganaug.augment.transforming import prepare
from ganaug.seeds import derive_seed


class AugmentedArrays(keras.utils.PyDataset):
    """Batches of arrays with synthetic examples among them.

    Made by `GANAugmenter.py_dataset`. A batch depends on the seed, the epoch
    and its index alone, whatever the order in which threads ask for them.

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
        **kwargs: Of `keras.utils.PyDataset`: `workers`, `max_queue_size`.

    Raises:
        ValueError: An argument is out of range, or the arrays do not fit one
            another or the source.
    """

    def __init__(
        self, settings, source, ratio, arrays, batch_size, shuffle, **kwargs
    ):
        if kwargs.get("use_multiprocessing"):
            raise ValueError(
                "TensorFlow, which mixes, does not work in forked processes. "
                "Use threads: `workers=2`. Received: use_multiprocessing=True"
            )
        super().__init__(**kwargs)
        _check_batch_size(batch_size)
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
            lambda elements, counts: _check_counts(counts, len(arrays[0])),
        )
        # Now, and not in the midst of an epoch.
        count_labels(arrays[1], settings.class_names)
        step = batch_size
        if prepared.growth is None:
            exact = settings.share == EXACT
            self._share = (ExactShare if exact else ExpectedShare)(ratio)
        else:
            self._share = prepared.total_share()
            total = prepared.num_real + prepared.num_synthetic
            # Few enough real examples that they grow to a batch.
            step = max(1, batch_size * prepared.num_real // total)
        mixer, share = prepared.mixer, self._share
        self._mix = tf.function(
            lambda entry, carried: mixer.mix_batch(entry, share, carried),
            reduce_retracing=True,
        )
        self._starts = np.arange(0, len(arrays[0]), step)
        self._sizes = np.minimum(len(arrays[0]) - self._starts, step)
        self._begin(0)

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
        return tf.nest.map_structure(lambda tensor: tensor.numpy(), mixed)

    def on_epoch_end(self):
        """Takes other noise, and another order, for the next epoch."""
        self._begin(self._epoch + 1)

    def _begin(self, epoch):
        self._epoch = epoch
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
        carrying = self._share.attach(entries, lambda entry: entry[0])
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


def _check_batch_size(batch_size):
    if (
        isinstance(batch_size, bool)
        or not isinstance(batch_size, (int, np.integer))
        or batch_size < 1
    ):
        raise ValueError(
            "`batch_size` must be a positive integer. "
            f"Received: batch_size={batch_size!r}"
        )


def _check_arrays(arrays):
    arrays = tuple(np.asarray(array) for array in arrays if array is not None)
    lengths = {array.shape[0] if array.ndim else None for array in arrays}
    if len(lengths) > 1 or lengths & {None, 0}:
        raise ValueError(
            "`images`, `labels` and `sample_weight` must be arrays with one "
            "row for each of the same examples, at least one. Received: "
            f"shapes {[array.shape for array in arrays]}"
        )
    return arrays


def _check_counts(counts, num_real):
    if counts.sum() != num_real:
        raise ValueError(
            f"`class_counts` must be those of the {num_real} examples. Leave "
            "it out to have them counted. Received: class_counts of "
            f"{counts.sum()} examples"
        )
