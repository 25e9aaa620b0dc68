"""Arrays that may be larger than memory: files of which rows are read."""

import contextlib
import mmap
import tempfile
import weakref

import numpy as np
import tensorflow as tf

from ganaug.data.exit import answers_until_exit

# What is larger is read row by row, from a file if it is not in memory yet.
MAX_BYTES = 2**26
# Values that are looked at together.
CHUNK = 2**22


def join(batches, max_bytes=None):
    """Joins arrays along the first axis, in a file where they are many.

    Args:
        batches: Iterable of NumPy arrays `(num_rows, ...)` of one dtype.
        max_bytes: Integer. Bytes that are held in memory. Defaults to 64 MiB.

    Returns:
        A NumPy array; above `max_bytes` a `numpy.memmap` of a file in the
        folder for temporary files, which has no name and goes with the array.
        `None` if there were no batches.

    Raises:
        OSError: There is no room for the file.
    """
    max_bytes = MAX_BYTES if max_bytes is None else max_bytes
    held, num_bytes, num_rows, file = [], 0, 0, None
    with contextlib.ExitStack() as stack:
        for batch in batches:
            num_rows += len(batch)
            num_bytes += batch.nbytes
            held.append(batch)
            if num_bytes <= max_bytes:
                continue
            if file is None:
                file = stack.enter_context(
                    tempfile.TemporaryFile(prefix="ganaug-")
                )
            for rows in held:
                _write(file, rows, num_bytes)
            held.clear()
        if file is None:
            return np.concatenate(held) if held else None
        # The mapping outlives the open file.
        return np.memmap(
            file, batch.dtype, "r", shape=(num_rows, *batch.shape[1:])
        )


def _write(file, rows, num_bytes):
    try:
        file.write(np.ascontiguousarray(rows).data)
        file.flush()
    except OSError as error:
        raise OSError(
            error.errno,
            f"{error.strerror}. A data set of more than {MAX_BYTES >> 20} MiB "
            "is kept in the folder for temporary files. Make room there, or "
            "name another folder in the environment variable TMPDIR. "
            f"Received: {num_bytes} bytes by now",
            tempfile.gettempdir(),
        ) from error


def is_mapped(array):
    """Tells whether an array's values are a file's.

    Args:
        array: NumPy array, or what becomes one.

    Returns:
        A boolean.
    """
    # Copies of a `numpy.memmap` are of its class too, and in memory.
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap.mmap)


def take_rows(array, indices):
    """Takes rows, into a file where they are many and the array is one.

    Args:
        array: NumPy array `(num_rows, ...)`.
        indices: Array of integers or booleans, or a slice.

    Returns:
        A NumPy array.
    """
    if not is_mapped(array):
        return array[indices]
    indices = np.arange(len(array))[indices]
    if not len(indices):
        return array[indices]
    return join(
        array[chunk] for _, chunk in row_chunks(indices, array[:1].size)
    )


def row_chunks(array, values=None):
    """Cuts an array into views of a few million values each.

    Args:
        array: NumPy array `(num_rows, ...)`.
        values: Integer. Values that a row stands for. Defaults to those that
            it has.

    Yields:
        Pairs of the first row's index and a view.
    """
    values = array[:1].size if values is None else values
    rows = max(1, CHUNK // max(1, values))
    for start in range(0, len(array), rows):
        yield start, array[start : start + rows]


def row_reader(array, order=None):
    """Makes a function that reads rows in a graph.

    Args:
        array: NumPy array `(num_rows, ...)`. One of up to 64 MiB becomes a
            constant, for which TensorFlow takes some three times the memory;
            of larger ones and of those in a file only what is read is copied,
            and they must not be changed meanwhile.
        order: Integer array. Row `i` is then `array[order[i]]`. Defaults to
            the order that there is.

    Returns:
        A function from an integer tensor `(num_rows,)` to a tensor
        `(num_rows, ...)`. It keeps the array alive, as does the dataset that
        it is mapped over.
    """
    if not is_mapped(array) and array.nbytes <= MAX_BYTES:
        constant = tf.constant(array if order is None else array[order])
        return lambda rows: tf.gather(constant, rows)
    rows_of_it = _Rows(array, order)
    # TensorFlow keeps what it calls, and all that it holds, for ever.
    weak = weakref.ref(rows_of_it)

    @answers_until_exit
    def read(rows):
        return weak().read(rows)

    def gather(rows):
        values = tf.numpy_function(
            read, [rows], rows_of_it.dtype, stateful=False
        )
        values.set_shape((rows.shape[0], *rows_of_it.row_shape))
        return values

    return gather


class _Rows:
    """Rows of an array, in an order of their own."""

    def __init__(self, array, order):
        self._array, self._order = array, order
        self.row_shape = array.shape[1:]
        # TensorFlow takes the bytes of other orders as they are.
        self.dtype = array.dtype.newbyteorder("=")

    def read(self, rows):
        rows = rows if self._order is None else self._order[rows]
        return np.asarray(self._array[rows], self.dtype)
