"""Bank: synthetic images that were drawn ahead, in memory or on disk."""

import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from ganaug.data.images import from_unit, to_unit
from ganaug.synthesis.bank_record import (
    FINGERPRINTS,
    RECORD,
    check_file,
    read_record,
    record_specs,
)
from ganaug.synthesis.columns import (
    IMAGES,
    PROVENANCE,
    TARGETS,
    MappedColumn,
    MemoryColumn,
    file_name,
)
from ganaug.synthesis.drawn import UNIT_RANGE, Drawn


class Bank:
    """Draws from images that frozen generators made ahead, inside tf.data too.

    It is called as `Generators` are, and gives of each class that is asked for
    a random image out of those it holds. It needs no Keras.

    `draw_bank` makes one in memory, `write_bank` one on disk, and `Bank.open`
    reads that. In memory, the images become constants of whatever graph calls
    the bank. On disk they are memory-mapped: the graph holds the name of the
    file, and only what is read is loaded, so a bank can be larger than memory.

    Row `i` depends on the seed, `i` and `labels[i]` alone.

    Args:
        record: Dict of what is known of the images, as `bank.json` holds it.
        columns: Dict from names to `MemoryColumn` or `MappedColumn`.
        fingerprints: NumPy array of `uint64`, one for each image that the
            generators learnt.

    Call arguments:
        labels: Integer tensor `(num_images,)`; without classes, zeros.
        seed: Integer tensor `(2,)`.
        value_range: Pair of floats. Value range of the images. Defaults to
            `(-1.0, 1.0)`.
        dtype: dtype of the images. Defaults to `tf.float32`.

    Call returns:
        A `Drawn`.

    Raises:
        tf.errors.InvalidArgumentError: When called for a class of which the
            bank holds no image.

    Example:

    ```python
    bank = Bank.open("banks/fashion")
    drawn = bank(tf.constant([0, 0, 7]), tf.constant([5, 0], tf.int64))
    ```
    """

    def __init__(self, record, columns, fingerprints):
        images = record["images"]
        self.record = record
        self.settings = record["drawn_with"]
        self.ids = tuple(self.settings["artifacts"])
        self.class_names = tuple(record["class_names"])
        self.num_classes = record["num_classes"]
        self.class_counts = tuple(record["class_counts"])
        self.image_shape = tuple(images["shape"])
        self.image_dtype = images["dtype"]
        self.value_range = tuple(images["value_range"])
        self.fingerprints = fingerprints
        self._columns = columns
        counts = np.asarray(self.class_counts, np.int64)
        self._counts, self._starts = counts, np.cumsum(counts) - counts

    @classmethod
    def open(cls, path, verify=True):
        """Opens a bank on disk, after checking that it is whole.

        Args:
            path: Folder that `write_bank` or `ganaug generate` has finished.
            verify: Boolean. Whether all files are read once, to compare their
                SHA-256; sizes are always compared. Defaults to `True`.

        Returns:
            A `Bank`.

        Raises:
            FileNotFoundError: There is no bank, or it is not finished.
            ValueError: A file is missing, cut or changed.
        """
        folder = Path(path)
        if not (folder / RECORD).is_file():
            raise FileNotFoundError(
                "Expected the folder of a bank, as `ganaug generate` writes "
                f"it, but it has no `{RECORD}`. Where the work was cut short, "
                "the same command finishes it. "
                f"Received: {os.fspath(path)!r}"
            )
        record = read_record(folder)
        num_rows = sum(record["class_counts"])
        specs = {
            name: (dtype, (num_rows, *shape))
            for name, (dtype, shape) in record_specs(record).items()
        }
        sizes = {
            file_name(name): np.dtype(dtype).itemsize * int(np.prod(shape))
            for name, (dtype, shape) in specs.items()
        }
        sizes[FINGERPRINTS] = 8 * record["num_fingerprints"]
        for name, num_bytes in sizes.items():
            sha256 = record["sha256s"][name] if verify else None
            check_file(folder, name, num_bytes, sha256)
        columns = {
            name: MappedColumn(folder / file_name(name), *spec)
            for name, spec in specs.items()
        }
        return cls(
            record, columns, np.fromfile(folder / FINGERPRINTS, np.uint64)
        )

    def __len__(self):
        return sum(self.class_counts)

    @property
    def images(self):
        """NumPy array of all images, sorted by class, in their own dtype."""
        return self._columns[IMAGES].array

    @property
    def labels(self):
        """int32 NumPy array `(num_images,)`."""
        return np.repeat(
            np.arange(len(self.class_names), dtype=np.int32), self._counts
        )

    @property
    def targets(self):
        """float32 NumPy array `(num_images, num_classes)`, or `None`."""
        column = self._columns.get(TARGETS)
        return None if column is None else column.array

    @property
    def provenance(self):
        """int64 NumPy array `(num_images, 4)`.

        The position of the artifact in `ids`, the two numbers of the seed
        pair, and the index in what was drawn with it.
        """
        return self._columns[PROVENANCE].array

    def check_artifacts(self, ids):
        """Checks that the images were drawn by these artifacts.

        Args:
            ids: Sequence of strings, as `Generators.ids` gives them.

        Raises:
            ValueError: They were drawn by others.
        """
        if sorted(ids) != sorted(self.ids):
            raise ValueError(
                "The bank was drawn by another artifact. Make a bank with "
                "this one, or name the one it was made with. Received: a bank "
                f"of artifacts {list(self.ids)} for {list(ids)}"
            )

    def __call__(self, labels, seed, value_range=UNIT_RANGE, dtype=tf.float32):
        labels = tf.cast(labels, tf.int32)
        starts, counts = tf.constant(self._starts), tf.constant(self._counts)
        counts = tf.gather(counts, labels)
        with tf.control_dependencies(self._checks(counts)):
            bits = tf.random.stateless_uniform(
                tf.shape(labels),
                tf.cast(seed, tf.int64),
                minval=None,
                maxval=None,
                dtype=tf.uint64,
            )
        # The rest of so large a number prefers no image that one would notice.
        places = tf.cast(bits % tf.cast(counts, tf.uint64), tf.int64)
        rows = tf.gather(starts, labels) + places
        return self.gather(rows, value_range, dtype)

    def _checks(self, counts):
        if self._counts.all():
            return []
        message = (
            "The bank holds no image of a class that was asked for. It holds "
            f"class_counts={list(self.class_counts)}"
        )
        return [tf.debugging.assert_positive(counts, message)]

    def gather(self, rows, value_range=UNIT_RANGE, dtype=tf.float32):
        """Reads given rows, eagerly or in a graph.

        Args:
            rows: Integer tensor `(num_images,)`, in `[0, len(bank))`.
            value_range: Pair of floats. Defaults to `(-1.0, 1.0)`.
            dtype: dtype of the images. Defaults to `tf.float32`.

        Returns:
            A `Drawn`.
        """
        drawn = {
            name: column.gather(rows) for name, column in self._columns.items()
        }
        images = drawn[IMAGES]
        dtype = tf.as_dtype(dtype)
        if (tuple(value_range), dtype.name) != (
            self.value_range,
            self.image_dtype,
        ):
            images = from_unit(
                to_unit(images, self.value_range), value_range, dtype
            )
        provenance = drawn[PROVENANCE]
        return Drawn(
            images=images,
            targets=drawn.get(TARGETS),
            sources=tf.cast(provenance[:, 0], tf.int32),
            seeds=provenance[:, 1:3],
            indices=provenance[:, 3],
        )

    def renewable(self):
        """Copies the bank into memory, so that images can be replaced.

        Its columns are variables: pipelines see what is replaced, and tf.data
        refuses to checkpoint their iterators by default.

        Returns:
            A `Bank`.
        """
        columns = {
            name: MemoryColumn(np.array(column.array), variable=True)
            for name, column in self._columns.items()
        }
        return Bank(self.record, columns, self.fingerprints)

    def replace(self, rows, columns):
        """Replaces images; the bank must come from `renewable`.

        Args:
            rows: Integer array `(num_images,)`.
            columns: Dict from names of columns to NumPy arrays
                `(num_images, ...)`, each image of the class of its row.
        """
        for name, column in self._columns.items():
            column.replace(rows, columns[name])
