"""The synthetic share of what comes out: a number or a schedule."""

import copy
import fractions
import numbers

import tensorflow as tf

from ganaug.augment.modes import APPEND, EXTEND

DEFAULT_RATIO = 0.25
MAX_DENOMINATOR = 10**9


def resolve_ratio(ratio, mode, epoch=None):
    """Checks the ratio that an augmenter is given.

    Args:
        ratio: As in `Ratio`, or `None` for the default.
        mode: String, one of `ganaug.augment.modes.MODES`.
        epoch: As in `Ratio`.

    Returns:
        A `Ratio`, or `None` where the data set grows to another measure.

    Raises:
        ValueError: As in `Ratio`; or there is a ratio where none has a
            meaning, or no schedule where there is an epoch.
    """
    if mode == EXTEND and ratio is not None:
        raise ValueError(
            "With mode='extend' the data set grows to what `sampling_strategy` "
            "says. Leave out `ratio`, or mix a share into batches with "
            f"mode='replace' or 'append'. Received: ratio={ratio!r}"
        )
    if epoch is not None and not callable(ratio):
        raise ValueError(
            "`schedule_by='epoch'` needs a schedule: a callable `ratio`, from "
            f"the epoch to a share. Received: ratio={ratio!r}"
        )
    if mode == EXTEND:
        return None
    if ratio is None:
        ratio = DEFAULT_RATIO
    return Ratio(ratio, mode == APPEND, epoch)


class Ratio:
    """The synthetic share of what comes out, in a graph too.

    Its attributes `ratio` and `grows` are the arguments; `is_schedule` and
    `by_epoch` say what kind it is.

    Args:
        ratio: Float in `[0, 1]`, or a callable from an int64 tensor to one.
        grows: Boolean. Whether synthetic examples are added to the real ones,
            and not put in their place. Then 1 is out of range.
        epoch: Integer `tf.Variable` that the schedule is called with, or
            `None` to call it with the number of elements that came before.

    Raises:
        ValueError: The ratio is out of range, now or at the schedule's start,
            or the schedule cannot be called in a graph.
    """

    def __init__(self, ratio, grows=False, epoch=None):
        self.ratio = ratio
        self.is_schedule = callable(ratio)
        self.grows = grows
        self._epoch = epoch
        self.by_epoch = epoch is not None
        if self.is_schedule:
            first = self._first_of_schedule()
            self._check(first, f"ratio(0)={first!r}")
        else:
            self._check(ratio, f"ratio={ratio!r}")
            self.ratio = float(ratio)

    @property
    def per_real(self):
        """`Fraction`: synthetic examples for each real one that comes in."""
        ratio = fractions.Fraction(self.ratio).limit_denominator(
            MAX_DENOMINATOR
        )
        return ratio / (1 - ratio) if self.grows else ratio

    def at_epoch(self, epoch):
        """Gives the ratio of an epoch.

        Args:
            epoch: Integer.

        Returns:
            A `Ratio` whose schedule, if it depends on epochs, is called with
            this one.
        """
        if not self.by_epoch:
            return self
        fixed = copy.copy(self)
        fixed._epoch = tf.constant(epoch, tf.int64)
        return fixed

    def grown(self, batch_size):
        """Computes the size of batches that come out, where it is certain.

        Args:
            batch_size: Integer, or `None` where it is not known.

        Returns:
            An integer, or `None` where batches may differ.
        """
        if not self.grows:
            return batch_size
        if batch_size is None or self.is_schedule:
            return None
        size = batch_size * (1 + self.per_real)
        return int(size) if size.denominator == 1 else None

    def per_real_at(self, step):
        """Gives how many synthetic examples come for each real one.

        Args:
            step: int64 tensor, elements that came before.

        Returns:
            A float64 tensor.
        """
        if not self.is_schedule:
            return tf.constant(float(self.per_real), tf.float64)
        at = step if self._epoch is None else tf.identity(self._epoch)
        ratio = tf.cast(self.ratio(tf.cast(at, tf.int64)), tf.float64)
        in_range = (ratio >= 0) & (ratio < 1 if self.grows else ratio <= 1)
        message = f"The schedule `ratio` must stay in {self._range}. It gave"
        with tf.control_dependencies(
            [tf.debugging.Assert(in_range, [message, ratio, "at", at])]
        ):
            ratio = tf.identity(ratio)
        return ratio / (1 - ratio) if self.grows else ratio

    @property
    def _range(self):
        return "[0, 1)" if self.grows else "[0, 1]"

    def _first_of_schedule(self):
        spec = tf.TensorSpec((), tf.int64)
        try:
            # Called as it is, TensorFlow warns of many such functions.
            traced = tf.function(
                lambda step: self.ratio(step)
            ).get_concrete_function(spec)
            return float(traced(tf.constant(0, tf.int64)))
        except Exception as error:
            raise ValueError(
                "`ratio` must be a number, or a function from an integer "
                "tensor to a ratio, which TensorFlow can trace. Keras's "
                "schedules are such functions when Keras runs on TensorFlow. "
                f"It failed with: {error} Received: ratio={self.ratio!r}"
            ) from error

    def _check(self, ratio, received):
        good = (
            isinstance(ratio, numbers.Real)
            and not isinstance(ratio, bool)
            and (0 <= ratio < 1 if self.grows else 0 <= ratio <= 1)
        )
        if not good:
            hint = ", the share of synthetic examples."
            if self.grows:
                hint += " Some of what comes out in mode='append' is real."
            raise ValueError(
                f"`ratio` must be in {self._range}{hint} Received: {received}"
            )
