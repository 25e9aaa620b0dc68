"""How many synthetic examples come to each batch of real ones.

A share lets entries of a dataset carry what it must remember between batches
(`attach`), and then decides for one batch (`decide`).
"""

import tensorflow as tf

# Ratios of a schedule are rounded to such parts where shares are exact.
PARTS = 10**9
# What rounding may take from a whole number.
SLACK = 1e-9


class ExpectedShare:
    """Rounds the number for each batch up or down at random.

    So the share is right on average in small batches too, and a batch needs
    to know of no other one.

    Args:
        ratio: `ganaug.augment.ratio.Ratio`.
        step_size: Integer. Elements of the dataset in an entry. Defaults to
            `1`.
    """

    def __init__(self, ratio, step_size=1):
        self._ratio = ratio
        self._step_size = step_size

    def attach(self, entries, num_real):
        """Lets entries carry what `decide` needs.

        Args:
            entries: `tf.data.Dataset`.
            num_real: Callable from an entry to the number of its examples, an
                integer tensor.

        Returns:
            A dataset of tuples: the entry, and what it carries if anything.
        """
        if not self._ratio.is_schedule:
            return tf.data.Dataset.zip((entries,))

        def advance(step, entry):
            carried = self._ratio.per_real_at(step)
            return step + self._step_size, (entry, carried)

        return entries.scan(tf.constant(0, tf.int64), advance)

    def decide(self, num_real, uniform, carried=None):
        """Decides for one entry.

        Args:
            num_real: Integer tensor.
            uniform: Float tensor in `[0, 1)`.
            carried: What the entry carries.

        Returns:
            An int32 tensor, the number of synthetic examples, and `None`.
        """
        if carried is None:
            carried = float(self._ratio.per_real)
        wanted = carried * tf.cast(num_real, tf.float64)
        # Rounded up with the probability of what is over a whole number.
        number = wanted + (tf.cast(uniform, tf.float64) + SLACK)
        return tf.cast(number, tf.int32), None


class ExactShare:
    """Keeps the number of all batches so far at the floor of their share.

    Args:
        ratio: As in `ExpectedShare`.
        step_size: As in `ExpectedShare`.
    """

    def __init__(self, ratio, step_size=1):
        self._ratio = ratio
        self._step_size = step_size
        self._parts = PARTS if ratio.is_schedule else ratio.per_real.denominator

    def attach(self, entries, num_real):
        """Lets entries carry what `decide` needs.

        Args:
            entries: As in `ExpectedShare.attach`.
            num_real: As in `ExpectedShare.attach`.

        Returns:
            As in `ExpectedShare.attach`.
        """

        def advance(state, entry):
            step, owed = state
            if self._ratio.is_schedule:
                per_real = tf.round(self._ratio.per_real_at(step) * PARTS)
                per_real = tf.cast(per_real, tf.int64)
            else:
                per_real = self._ratio.per_real.numerator
            owed += per_real * tf.cast(num_real(entry), tf.int64)
            number = tf.cast(owed // self._parts, tf.int32)
            return (step + self._step_size, owed % self._parts), (entry, number)

        zero = tf.constant(0, tf.int64)
        return entries.scan((zero, zero), advance)

    def decide(self, num_real, uniform, carried=None):
        """Decides for one entry.

        Args:
            num_real: Not looked at.
            uniform: Not looked at.
            carried: What the entry carries.

        Returns:
            An int32 tensor, the number of synthetic examples, and `None`.
        """
        return carried, None

    def total(self, num_real):
        """Computes how many synthetic examples come to a whole dataset.

        Args:
            num_real: Integer. Its examples, in entries of `step_size`.

        Returns:
            An integer.
        """
        if not self._ratio.is_schedule:
            return int(num_real * self._ratio.per_real)
        starts = tf.data.Dataset.range(0, num_real, self._step_size)
        size = tf.constant(self._step_size, tf.int64)
        numbers = self.attach(
            starts, lambda start: tf.minimum(size, num_real - start)
        )
        return int(
            numbers.reduce(
                tf.constant(0, tf.int64),
                lambda total, entry: total + tf.cast(entry[1], tf.int64),
            )
        )


class TotalShare:
    """Spreads a fixed number evenly over the real examples of an epoch.

    Args:
        num_synthetic: Integer.
        num_real: Integer of at least 1.
        epoch_seed: Callable from an entry to an int64 tensor `(2,)`; what it
            gives for the first one is carried by all entries of an epoch.
    """

    def __init__(self, num_synthetic, num_real, epoch_seed):
        self._num_synthetic = num_synthetic
        self._num_real = num_real
        self._epoch_seed = epoch_seed

    def attach(self, entries, num_real):
        """Lets entries carry what `decide` needs.

        Args:
            entries: As in `ExpectedShare.attach`.
            num_real: As in `ExpectedShare.attach`.

        Returns:
            As in `ExpectedShare.attach`.
        """

        @tf.autograph.experimental.do_not_convert
        def advance(state, entry):
            seen, seed = state
            seed = tf.where(seen == 0, self._epoch_seed(entry), seed)
            after = seen + tf.cast(num_real(entry), tf.int64)
            # Where there are more real examples than were counted, the rest
            # of them stays alone.
            first, end = (
                tf.minimum(count, self._num_real)
                * self._num_synthetic
                // self._num_real
                for count in (seen, after)
            )
            number = tf.cast(end - first, tf.int32)
            return (after, seed), (entry, (number, (first, seed)))

        return entries.scan(
            (tf.constant(0, tf.int64), tf.zeros(2, tf.int64)), advance
        )

    def decide(self, num_real, uniform, carried=None):
        """Decides for one entry.

        Args:
            num_real: Not looked at.
            uniform: Not looked at.
            carried: What the entry carries.

        Returns:
            An int32 tensor, the number of synthetic examples, and what a
            `QuotaChoice` needs to choose their classes.
        """
        return carried
