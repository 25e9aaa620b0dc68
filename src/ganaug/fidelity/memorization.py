"""Whether a generator gives its training images away: copies and attacks."""

from dataclasses import asdict, dataclass

import numpy as np
from scipy import stats
from sklearn.neighbors import NearestNeighbors

from ganaug.data.splits import fingerprints
from ganaug.seeds import derive_seed, resolve_seed

CONFIDENCE = 0.95
# Of the held-out images, this share counts as near-copies by definition.
QUANTILE = 0.01
MIN_HELD_OUT = 20
NUM_PAIRS = 10
COPIES = "copies"
LEAKS = "leaks membership"
NOTHING_FOUND = "nothing found"
RULE = (
    f"'{COPIES}': some synthetic image equals a training image where no "
    "held-out image does, or the share of near-copies is above that of "
    f"held-out images, the {CONFIDENCE:.0%} interval of their difference "
    "above zero, and more synthetic images are nearest to a training image "
    f"than to one of as many held-out images, the {CONFIDENCE:.0%} interval of "
    f"their share above one half. '{LEAKS}': otherwise, the {CONFIDENCE:.0%} "
    "interval of the attack's AUROC lies above one half. Otherwise "
    f"'{NOTHING_FOUND}'."
)


@dataclass(frozen=True)
class MemorizationScores:
    """What `measure_memorization` finds.

    Args:
        verdict: String, by the rule `RULE`.
        exact_copies: Float in `[0, 1]`. Share of synthetic images that equal a
            training image, pixel by pixel in 8 bits.
        held_out_exact_copies: Float. The same of held-out real images.
        near_copies: Float in `[0, 1]`. Share of synthetic images that lie
            nearer to a training image than `max_distance`.
        held_out_near_copies: Float. The same of held-out real images.
        near_copies_low: Float. Lower end of the 95 % interval of the
            difference of these two shares (Newcombe).
        near_copies_high: Float. Upper end.
        nearest_is_train: Float in `[0, 1]`. Share of synthetic images whose
            nearest real image is one that was trained on, out of as many of
            each class of both kinds; one half is chance. Unlike near-copies,
            it does not grow where images are blurred or pale. `None` where no
            class has both kinds.
        nearest_is_train_low: Float. Lower end of its 95 % interval (Wilson).
        nearest_is_train_high: Float. Upper end.
        max_distance: Float. What is near: root mean square difference of
            pixels, as a share of the value range.
        median_distance: Float. Median distance of a synthetic image to its
            nearest training image.
        held_out_median_distance: Float. The same of held-out real images.
        attack_auroc: Float in `[0, 1]`. How well it can be told by the
            distance to the nearest synthetic image whether a real image was
            trained on; one half is chance. `None` where no class has both
            kinds of images.
        attack_low: Float. Lower end of its 95 % interval (DeLong), `None`
            where there are too few images.
        attack_high: Float. Upper end.
        num_synthetic: Integer.
        num_held_out: Integer.
        nearest_pairs: Tuple of triples: index of a synthetic image, index of
            its nearest training image, and their distance; the nearest ones.
    """

    verdict: str
    exact_copies: float
    held_out_exact_copies: float
    near_copies: float
    held_out_near_copies: float
    near_copies_low: float
    near_copies_high: float
    nearest_is_train: float | None
    nearest_is_train_low: float | None
    nearest_is_train_high: float | None
    max_distance: float
    median_distance: float
    held_out_median_distance: float
    attack_auroc: float | None
    attack_low: float | None
    attack_high: float | None
    num_synthetic: int
    num_held_out: int
    nearest_pairs: tuple

    def to_dict(self):
        """Makes a dict that JSON can hold, of the same names."""
        facts = asdict(self)
        return {**facts, "nearest_pairs": [*map(list, self.nearest_pairs)]}


def measure_memorization(synthetic, train, held_out, seed=0):
    """Measures how far synthetic images give the training images away.

    What is near is calibrated on held-out real images: they, too, lie near to
    some training image by chance. The classes' shares should be the same among
    synthetic and held-out images, since common classes lie nearer.

    Args:
        synthetic: `LabeledImages`.
        train: `LabeledImages` that the generator learnt.
        held_out: `LabeledImages`, at least 20 real images that it did not.
        seed: Integer. Fixes which images the attack and the comparison with
            as many held-out ones are made on. Defaults to `0`.

    Returns:
        A `MemorizationScores`.

    Raises:
        ValueError: The images do not fit one another, or too few are held out.

    Example:

    >>> from ganaug.data.labeled_images import LabeledImages
    >>> rng = np.random.default_rng(0)
    >>> pixels = rng.uniform(size=(90, 4, 4, 1))
    >>> images = LabeledImages(pixels, np.zeros(90, int))
    >>> train, held_out = images.subset(range(60)), images.subset(range(60, 90))
    >>> measure_memorization(train, train, held_out).verdict
    'copies'

    Reference:
        - [Chen et al., GAN-Leaks, 2020](https://arxiv.org/abs/1909.03935), the
          full black-box attack
        - DeLong et al., Comparing the areas under two or more correlated
          receiver operating characteristic curves, Biometrics 44 (1988)
        - Newcombe, Interval estimation for the difference between independent
          proportions, Statistics in Medicine 17 (1998), method 10
    """
    for name, images in (("synthetic", synthetic), ("held_out", held_out)):
        images.check_fits(train.image_shape, train.num_classes)
        if images.value_range != train.value_range:
            raise ValueError(
                f"`{name}` must have the value range of `train`. "
                f"Received: {images.value_range} and {train.value_range}"
            )
    if len(held_out) < MIN_HELD_OUT:
        raise ValueError(
            f"`held_out` must be at least {MIN_HELD_OUT} images, to tell what "
            f"is near by chance. Received: {len(held_out)} images"
        )
    seed = resolve_seed(seed)
    known = _neighbors(train)
    distances, nearest = _to_nearest(known, synthetic)
    held_out_distances, _ = _to_nearest(known, held_out)
    max_distance = float(np.quantile(held_out_distances, QUANTILE))
    near = distances <= max_distance
    held_out_near = held_out_distances <= max_distance
    low, high = _difference_interval(near, held_out_near)
    train_numbers = fingerprints(train)
    exact, held_out_exact = (
        float(np.isin(fingerprints(images), train_numbers).mean())
        for images in (synthetic, held_out)
    )
    rng = np.random.default_rng(derive_seed(seed, "attack"))
    members, others = _matched(train, held_out, rng)
    nearer, auroc = (None, None, None), (None, None, None)
    if len(members):
        nearer = _nearest_is_train(synthetic, members, others)
        auroc = _attack(synthetic, members, others)
    verdict = NOTHING_FOUND
    if auroc[1] is not None and auroc[1] > 0.5:
        verdict = LEAKS
    too_near = low > 0 and nearer[1] is not None and nearer[1] > 0.5
    if too_near or (exact and not held_out_exact):
        verdict = COPIES
    first = np.argsort(distances, kind="stable")[:NUM_PAIRS]
    return MemorizationScores(
        verdict=verdict,
        exact_copies=exact,
        held_out_exact_copies=held_out_exact,
        near_copies=float(near.mean()),
        held_out_near_copies=float(held_out_near.mean()),
        near_copies_low=low,
        near_copies_high=high,
        nearest_is_train=nearer[0],
        nearest_is_train_low=nearer[1],
        nearest_is_train_high=nearer[2],
        max_distance=max_distance,
        median_distance=float(np.median(distances)),
        held_out_median_distance=float(np.median(held_out_distances)),
        attack_auroc=auroc[0],
        attack_low=auroc[1],
        attack_high=auroc[2],
        num_synthetic=len(synthetic),
        num_held_out=len(held_out),
        nearest_pairs=tuple(
            (int(index), int(nearest[index]), float(distances[index]))
            for index in first
        ),
    )


def _pixels(images):
    low, high = images.value_range
    rows = images.images.reshape(len(images), -1).astype(np.float32)
    # So that Euclidean distances are root mean squares.
    return (rows - low) / ((high - low) * np.sqrt(rows.shape[1]))


def _to_nearest(known, images):
    distances, indices = known.kneighbors(_pixels(images))
    return distances[:, 0], indices[:, 0]


def _difference_interval(one, other):
    """Newcombe's interval of the difference of two shares, by Wilson's."""
    shares, ends = [], []
    for flags in (one, other):
        interval = stats.binomtest(int(flags.sum()), len(flags)).proportion_ci(
            CONFIDENCE, method="wilson"
        )
        shares.append(flags.mean())
        ends.append((interval.low, interval.high))
    difference = shares[0] - shares[1]
    below = np.hypot(shares[0] - ends[0][0], ends[1][1] - shares[1])
    above = np.hypot(ends[0][1] - shares[0], shares[1] - ends[1][0])
    return float(difference - below), float(difference + above)


def _matched(train, held_out, rng):
    """Equally many images of both kinds, class by class."""
    members, others = [], []
    for label in range(train.num_classes):
        one = np.flatnonzero(train.labels == label)
        other = np.flatnonzero(held_out.labels == label)
        count = min(len(one), len(other))
        members.append(rng.choice(one, count, replace=False))
        others.append(rng.choice(other, count, replace=False))
    members, others = np.concatenate(members), np.concatenate(others)
    if not len(members):
        return [], []
    return train.subset(members), held_out.subset(others)


def _neighbors(images):
    return NearestNeighbors(n_neighbors=1, algorithm="brute").fit(
        _pixels(images)
    )


def _nearest_is_train(synthetic, members, others):
    distances = [
        _to_nearest(_neighbors(images), synthetic)[0]
        for images in (members, others)
    ]
    # Where both are as near, it is a toss: half of these count.
    wins = (distances[0] < distances[1]).sum()
    wins += (distances[0] == distances[1]).sum() // 2
    interval = stats.binomtest(int(wins), len(synthetic)).proportion_ci(
        CONFIDENCE, method="wilson"
    )
    return (
        float(wins / len(synthetic)),
        float(interval.low),
        float(interval.high),
    )


def _attack(synthetic, members, others):
    """AUROC of telling members by their distance to synthetic images."""
    known = _neighbors(synthetic)
    near, far = (_to_nearest(known, images)[0] for images in (members, others))
    # Of each pair, whether the member is nearer; a tie counts half.
    wins = (near[:, None] < far) + 0.5 * (near[:, None] == far)
    auroc = float(wins.mean())
    if len(near) < 2:
        return auroc, None, None
    error = np.sqrt(
        wins.mean(1).var(ddof=1) / len(near)
        + wins.mean(0).var(ddof=1) / len(far)
    )
    reach = stats.norm.ppf(0.5 + CONFIDENCE / 2) * error
    return auroc, float(max(0, auroc - reach)), float(min(1, auroc + reach))
