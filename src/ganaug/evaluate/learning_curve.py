"""How many more real images a gain is worth, read off a learning curve."""

from dataclasses import dataclass

import numpy as np

from ganaug.evaluate.arms import BEST_CONTROL, Arm
from ganaug.evaluate.statistics import CONFIDENCE

NUM_RESAMPLES = 2000
# How far beyond the real images that there are a curve is read.
MAX_FACTOR = 4.0
# An exponent that is nothing but rounding.
FLAT = -1e-6


def curve_arms(all_arms, candidates, controls, fractions):
    """Makes the arms of the learning curves.

    Args:
        all_arms: Dict from name to `Arm`.
        candidates: Names of those under test.
        controls: Names of the controls. What is compared with something else
            has no curve.
        fractions: Sequence of floats, shares of the real images.

    Returns:
        A dict from name to `Arm`: what each candidate is compared with, on
        each share of the real images.

    Raises:
        ValueError: A share is not between 0 and 1, or comes twice.
    """
    fractions = list(fractions)
    if len(set(fractions)) != len(fractions) or not all(
        0 < fraction < 1 for fraction in fractions
    ):
        raise ValueError(
            "`learning_curve` must be different shares between 0 and 1, both "
            f"excluded. Received: learning_curve={fractions}"
        )
    bases = dict.fromkeys(
        all_arms[name].on_top_of or all_arms[name].without
        for name in candidates
    )
    return {
        f"{base}, {100 * fraction:g}% of the images": Arm(
            on_top_of=base, fraction=fraction
        )
        for base in bases
        if base in controls or base == BEST_CONTROL
        for fraction in sorted(fractions)
    }


@dataclass(frozen=True)
class Worth:
    """What a gain is worth in real images.

    Args:
        num_images: Tuple of integers: real images at each point of the curve.
        scores: Array-like `(num_points, num_seeds)`: balanced accuracy of the
            arm without synthetic images.
        candidate_scores: Array-like `(num_seeds,)`: of the arm with them.
        more: Float. Further real images, in the same shares of the classes,
            with which the curve reaches the candidate's score; negative if it
            reaches it with fewer. Infinite beyond four times what there is.
            `None` where the curve does not rise.
        low: Float. Lower end of the 95 % interval, or `None`.
        high: Upper end.
    """

    num_images: tuple
    scores: tuple
    candidate_scores: tuple
    more: float | None
    low: float | None
    high: float | None

    @property
    def is_extrapolated(self):
        """Whether the answer lies beyond the images that there are."""
        return self.more is not None and self.more > 0


def worth_in_images(num_images, scores, candidate_scores, seed=0):
    """Reads a score off a learning curve.

    The error falls as a power of the number of images, which is fitted to the
    means over the seeds by least squares on logarithms. The interval is that of
    a bootstrap over seeds, curve and candidate resampled together, by
    percentiles.

    Args:
        num_images: Sequence of at least two different integers; the largest
            is what the candidate was trained on.
        scores: Array-like `(num_points, num_seeds)` in `[0, 1]`.
        candidate_scores: Array-like `(num_seeds,)`.
        seed: Integer. Fixes the resamples. Defaults to `0`.

    Returns:
        A `Worth`.

    Example:

    >>> curve = [[0.60, 0.60], [0.80, 0.80]]
    >>> round(worth_in_images([100, 200], curve, [0.8, 0.8]).more)
    0
    >>> round(worth_in_images([100, 200], curve, [0.9, 0.9]).more)
    200

    Reference:
        - [Hestness et al., 2017](https://arxiv.org/abs/1712.00409), on the
          power law of learning curves
    """
    num_images = np.asarray(num_images)
    scores = np.asarray(scores, np.float64)
    candidate_scores = np.asarray(candidate_scores, np.float64)
    order = np.argsort(num_images)
    num_images, scores = num_images[order], scores[order]
    num_seeds = scores.shape[1]
    more = _read_off(num_images, scores.mean(1), candidate_scores.mean())
    low = high = None
    if more is not None and num_seeds > 1:
        rng = np.random.default_rng(seed)
        drawn = []
        for _ in range(NUM_RESAMPLES):
            chosen = rng.integers(num_seeds, size=num_seeds)
            found = _read_off(
                num_images,
                scores[:, chosen].mean(1),
                candidate_scores[chosen].mean(),
            )
            # Where the resampled curve is flat, no number of images will do.
            drawn.append(np.inf if found is None else found)
        tail = (1 - CONFIDENCE) / 2
        # Not interpolated: some are infinite.
        low, high = np.quantile(
            drawn, [tail, 1 - tail], method="inverted_cdf"
        ).tolist()
    return Worth(
        tuple(num_images.tolist()),
        tuple(map(tuple, scores.tolist())),
        tuple(candidate_scores.tolist()),
        more,
        low,
        high,
    )


def _read_off(num_images, means, score):
    """Further images with which the curve reaches a score."""
    # An error of 0 has no logarithm.
    errors = np.maximum(1 - means, 1e-6)
    if num_images[0] == num_images[-1]:
        return None
    slope, level = np.polyfit(np.log(num_images), np.log(errors), 1)
    if slope > FLAT:
        return None
    present = num_images[-1]
    needed = np.exp((np.log(max(1 - score, 1e-6)) - level) / slope)
    # The curve does not go through its last point: what lies between counts
    # from where the curve itself has the score of the control.
    there = np.exp((np.log(errors[-1]) - level) / slope)
    more = present * (needed / there - 1)
    return float(more) if more <= (MAX_FACTOR - 1) * present else np.inf
