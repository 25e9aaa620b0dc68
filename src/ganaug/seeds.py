"""One seed for each object, and what is derived from it."""

import contextlib
import random
import zlib

import numpy as np

MAX_SEED = 2**31 - 1


def resolve_seed(seed):
    """Checks a seed, or draws one.

    Args:
        seed: Integer in `[0, 2**31)`, or `None` to draw one at random.

    Returns:
        An integer, so that a run without a seed can still say which it had.

    Raises:
        ValueError: The seed is out of range or not an integer.
    """
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1)[0]) & MAX_SEED
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        seed_is_good = False
    else:
        seed_is_good = 0 <= seed <= MAX_SEED
    if not seed_is_good:
        raise ValueError(
            "`seed` must be an integer from 0 to 2**31 - 1, or None. "
            f"Received: seed={seed!r}"
        )
    return int(seed)


def derive_seed(seed, purpose):
    """Splits off a seed for one purpose.

    Args:
        seed: Integer.
        purpose: String. Different purposes give unrelated seeds.

    Returns:
        An integer in `[0, 2**31)`.
    """
    entropy = [seed, zlib.crc32(purpose.encode())]
    state = np.random.SeedSequence(entropy).generate_state(1)[0]
    return int(state) & MAX_SEED


@contextlib.contextmanager
def seeded_initializers(seed):
    """Makes the initial weights of Keras models built inside reproducible.

    Keras takes the seeds of initializers and of Dropout that have none of
    their own from Python's `random`; its state is put back afterwards.

    Args:
        seed: Integer.
    """
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
