"""Columns of a bank: arrays that are read row by row, also in a graph."""

import os

import numpy as np
import tensorflow as tf

IMAGES = "images"
TARGETS = "targets"
# Source, both halves of the seed pair, index.
PROVENANCE = "provenance"
PROVENANCE_WIDTH = 4


def column_specs(image_shape, image_dtype, num_targets):
    """Says which columns a bank has.

    Args:
        image_shape: Tuple `(height, width, channels)`.
        image_dtype: String. dtype of the images.
        num_targets: Integer. Number of classes where images have soft labels,
            or `None`.

    Returns:
        A dict from the columns' names to pairs of dtype and shape of a row.
    """
    specs = {IMAGES: (str(image_dtype), tuple(image_shape))}
    if num_targets is not None:
        specs[TARGETS] = ("float32", (num_targets,))
    specs[PROVENANCE] = ("int64", (PROVENANCE_WIDTH,))
    return specs


def file_name(column):
    """Names the file of a column.

    Args:
        column: String, name of the column.

    Returns:
        A string.
    """
    return f"{column}.bin"


class MemoryColumn:
    """A column in memory: a constant, or a variable if it is to change.

    Args:
        array: NumPy array `(num_rows, ...)`.
        variable: Boolean. Whether rows can be replaced. Defaults to `False`.
    """

    def __init__(self, array, variable=False):
        # Pipelines run on the processor, whatever else there is.
        with tf.device("CPU:0"):
            self._tensor = (
                tf.Variable(array, trainable=False)
                if variable
                else tf.constant(array)
            )

    @property
    def array(self):
        """NumPy array of all rows."""
        return self._tensor.numpy()

    def gather(self, rows):
        """Reads rows.

        Args:
            rows: Integer tensor `(num_rows,)`.

        Returns:
            A tensor `(num_rows, ...)`.
        """
        with tf.device("CPU:0"):
            return tf.gather(self._tensor, rows)

    def replace(self, rows, array):
        """Writes rows; the column must have been made as a variable.

        Args:
            rows: Integer array `(num_rows,)`.
            array: NumPy array `(num_rows, ...)`.
        """
        self._tensor.scatter_update(
            tf.IndexedSlices(tf.constant(array), tf.constant(rows))
        )


class MappedColumn:
    """A column in a file of raw rows, of which only what is read is loaded.

    Args:
        path: File.
        dtype: String.
        shape: Tuple: number of rows, then the shape of a row.
    """

    def __init__(self, path, dtype, shape):
        self._path = os.path.abspath(path)
        self._dtype = dtype
        self._shape = tuple(shape)
        self._graph = self._mapping()

    def _mapping(self):
        graph = tf.Graph()
        with graph.as_default():
            tf.raw_ops.ImmutableConst(
                dtype=self._dtype,
                shape=self._shape,
                memory_region_name=self._path,
                name="rows",
            )
        graph = graph.as_graph_def()
        # TensorFlow would fold the constant when a graph is first run, and to
        # do so copy the whole file into memory. Nodes with this attribute are
        # not folded; an empty one says nothing else.
        graph.node[0].attr["_scoped_allocator"].list.SetInParent()
        return graph

    @property
    def array(self):
        """NumPy array of all rows, memory-mapped and read-only."""
        return np.memmap(self._path, self._dtype, "r", shape=self._shape)

    def gather(self, rows):
        """Reads rows.

        Args:
            rows: Integer tensor `(num_rows,)`.

        Returns:
            A tensor `(num_rows, ...)`.
        """
        if tf.executing_eagerly():
            return tf.constant(self.array[np.asarray(rows)])
        with tf.device("CPU:0"):
            [mapped] = tf.graph_util.import_graph_def(
                self._graph, return_elements=["rows:0"], name="bank"
            )
            return tf.gather(mapped, rows)
