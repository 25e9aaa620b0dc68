"""Values of a table as pixels that a generator can learn, and back."""

import numpy as np

from ganaug.data.images import check_value_range, infer_value_range


class PixelScale:
    """The values of `X` as pixels that a generator can learn, and back.

    What comes as `uint8` in `[0, 255]`, or as what a pretrained generator
    draws, stays as it is. Anything else becomes float32 in `[0, 1]`, since
    float32, in which generators calculate, holds neither large offsets nor
    large numbers.

    Args:
        table: Array of numbers.
        value_range: Pair of numbers, or `None` to take it from the values.
        rescales: Boolean. Whether values may be mapped to `[0, 1]`.

    Raises:
        ValueError: The values leave the range, or it is none that their dtype
            can hold.
    """

    def __init__(self, table, value_range, rescales):
        self.dtype = table.dtype
        if self.dtype.kind not in "iuf" or self.dtype.itemsize > 8:
            raise ValueError(
                "`X` must be integers or floats of at most 64 bits. "
                f"Received: X of dtype {self.dtype}"
            )
        low, high = float(table.min()), float(table.max())
        if value_range is not None:
            value_range = check_value_range(value_range)
        elif low == high:
            raise ValueError(
                "`X` must hold images, and all its values are the same. "
                f"Received: X of {low:g} everywhere"
            )
        else:
            try:
                value_range = infer_value_range(table)
            except ValueError:
                value_range = low, high
        self.value_range = value_range
        limits = (np.iinfo if self.dtype.kind in "iu" else np.finfo)(self.dtype)
        if (
            low < value_range[0]
            or high > value_range[1]
            or value_range[0] < limits.min
            or value_range[1] > limits.max
        ):
            raise ValueError(
                "`value_range` must hold the values of `X`, and the dtype of "
                f"`X` must hold it. Received: value_range={value_range} for "
                f"{self.dtype} from {low:g} to {high:g}"
            )
        as_it_is = (self.dtype.name, value_range) == ("uint8", (0.0, 255.0))
        self._rescales = rescales and not as_it_is
        self.image_range = (0.0, 1.0) if self._rescales else value_range

    def to_images(self, table):
        """Maps values to pixels.

        Args:
            table: As in the class.

        Returns:
            An array of the same shape.
        """
        if not self._rescales:
            return table
        low, high = self.value_range
        # Halved, since the difference may be too large for any float.
        part = (table / 2 - low / 2) / (high / 2 - low / 2)
        return np.clip(part, 0, 1).astype(np.float32)

    def from_images(self, images):
        """Maps pixels back to values.

        Args:
            images: Array of pixels.

        Returns:
            An array of the same shape and of the dtype of the values.
        """
        if not self._rescales:
            return images.astype(self.dtype)
        low, high = self.value_range
        part = images.astype(np.float64)
        values = low * (1 - part) + high * part
        if self.dtype.kind in "iu":
            values = np.rint(values)
        return np.clip(values, low, high).astype(self.dtype)
