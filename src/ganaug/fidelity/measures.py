"""Measures of two sets of features, real and fake: NumPy and SciPy alone."""

import numpy as np
from scipy import linalg
from scipy.spatial import distance

# Rows of a distance or kernel matrix in memory at a time: 10,000 columns of
# float64 take 40 MB.
CHUNK = 512


def kernel_distance(real_features, fake_features):
    """Squared maximum mean discrepancy with a cubic kernel (KID).

    The unbiased estimate with the kernel `(x . y / dim + 1) ** 3`, over all
    pairs instead of random subsets: there is nothing to draw and it varies
    least. Being unbiased, it is about 0 and as often negative as positive where
    both are samples of one distribution, whatever their numbers. Of a set and
    itself it is slightly negative.

    Args:
        real_features: Array `(num_real, dim)`.
        fake_features: Array `(num_fake, dim)`.

    Returns:
        A float; smaller is better. Its scale is that of the features, to the
        sixth power.

    Raises:
        ValueError: A set has fewer than two rows, values that are not finite
            or another number of columns, or the real features are all equal.

    Example:

    >>> rng = np.random.default_rng(0)
    >>> real, fake = rng.normal(size=(2, 1000, 4))
    >>> abs(kernel_distance(real, fake)) < 0.05
    True
    >>> kernel_distance(real, fake + 1) > 5
    True

    Reference:
        - [Binkowski et al., 2018](https://arxiv.org/abs/1801.01401)
    """
    real, fake = _check_features(real_features, fake_features)
    _check_varied(real)
    return float(
        _mean_kernel_of_others(real)
        + _mean_kernel_of_others(fake)
        - 2 * _kernel_sum(real, fake) / (len(real) * len(fake))
    )


def _mean_kernel_of_others(features):
    """The kernel's mean over pairs of different rows."""
    num, dim = features.shape
    norms = np.einsum("ij,ij->i", features, features)
    with_itself = ((norms / dim + 1) ** 3).sum()
    return (_kernel_sum(features, features) - with_itself) / (num * (num - 1))


def _kernel_sum(rows, columns):
    total = 0.0
    for start in range(0, len(rows), CHUNK):
        kernel = rows[start : start + CHUNK] @ columns.T
        kernel /= rows.shape[1]
        kernel += 1
        total += (kernel * kernel * kernel).sum()
    return total


def frechet_distance(real_features, fake_features):
    """Fréchet distance of the Gaussians with the features' moments (FID).

    It is biased upwards: two samples of one distribution do not give 0 but
    more the smaller they are, much more where there are not many times more
    rows than columns. Compare only values of equal numbers of images, and
    prefer `kernel_distance` for few.

    Args:
        real_features: Array `(num_real, dim)`.
        fake_features: Array `(num_fake, dim)`.

    Returns:
        A float of at least 0; smaller is better. Its scale is that of the
        features, squared.

    Raises:
        ValueError: As in `kernel_distance`.

    Example:

    >>> real = np.random.default_rng(0).normal(size=(100, 4))
    >>> round(frechet_distance(real, real + 1), 6)
    4.0

    Reference:
        - [Heusel et al., 2017](https://arxiv.org/abs/1706.08500)
    """
    real, fake = _check_features(real_features, fake_features)
    _check_varied(real)
    offset = real.mean(0) - fake.mean(0)
    real_root, fake_root = _covariance_root(real), _covariance_root(fake)
    # With covariances R'R and F'F, the trace of the root of their product is
    # the sum of the singular values of RF'. No root is taken of a matrix that
    # may be singular.
    overlap = linalg.svdvals(real_root @ fake_root.T).sum()
    squared = (
        (offset**2).sum()
        + (real_root**2).sum()
        + (fake_root**2).sum()
        - 2 * overlap
    )
    return max(0.0, float(squared))


def _covariance_root(features):
    """A matrix R with R'R the covariance."""
    centered = features - features.mean(0)
    (root,) = linalg.qr(centered / np.sqrt(len(features) - 1), mode="r")
    return root[: features.shape[1]]


def precision_recall_density_coverage(real_features, fake_features, k=5):
    """Measures how good and how varied fakes are, apart from each other.

    Around each image lies a ball that reaches to its k-th nearest neighbor of
    the same set. Precision: the share of fakes in some real image's ball.
    Density: in how many real balls a fake is on average, divided by `k`.
    Recall: the share of real images in some fake's ball. Coverage: the share
    of real images whose ball holds a fake; unlike recall it does not grow
    with outliers among the fakes.

    What is like nothing real, such as noise, can still fall into the large ball
    of a real outlier and then raises precision and density. Read them beside
    coverage and `kernel_distance`, which it does not deceive.

    All depend on the numbers of images. For fakes as good as real images and
    as many of them the expectations are 1 for density and about
    `1 - 2 ** -k` for coverage.

    Args:
        real_features: Array `(num_real, dim)`.
        fake_features: Array `(num_fake, dim)`.
        k: Integer. Which neighbor a ball reaches to. Defaults to `5`.

    Returns:
        A dict of floats `"precision"`, `"recall"`, `"density"` and
        `"coverage"`; larger is better. All but density are at most 1.

    Raises:
        ValueError: A set has fewer than `k + 1` rows, or as in
            `kernel_distance`.

    Example:

    >>> real = np.random.default_rng(0).normal(size=(100, 4))
    >>> collapsed = np.repeat(real[:4], 25, axis=0)
    >>> scores = precision_recall_density_coverage(real, collapsed)
    >>> scores["precision"], scores["recall"], scores["coverage"] < 0.5
    (1.0, 0.04, True)

    Reference:
        - [Kynkäänniemi et al., 2019](https://arxiv.org/abs/1904.06991)
        - [Naeem et al., 2020](https://arxiv.org/abs/2002.09797)
    """
    real, fake = _check_features(real_features, fake_features)
    _check_varied(real)
    real_radii = _radii(real, k, "real_features")
    fake_radii = _radii(fake, k, "fake_features")
    num_balls = np.zeros(len(fake), np.int64)
    num_covered = num_recalled = 0
    for rows, distances in _distances(real, fake):
        in_real_ball = distances <= real_radii[rows, None]
        num_balls += in_real_ball.sum(0)
        num_covered += in_real_ball.any(1).sum()
        num_recalled += (distances <= fake_radii).any(1).sum()
    return {
        "precision": float((num_balls > 0).mean()),
        "recall": float(num_recalled / len(real)),
        "density": float(num_balls.mean() / k),
        "coverage": float(num_covered / len(real)),
    }


def coverage(real_features, fake_features, k=5):
    """Measures coverage alone, for which few fakes are enough.

    It is that of `precision_recall_density_coverage`.

    Args:
        real_features: Array `(num_real, dim)`, at least `k + 1` rows; they
            may be equal.
        fake_features: Array `(num_fake, dim)`, at least one row.
        k: Integer. Which neighbor a ball reaches to. Defaults to `5`.

    Returns:
        A float in `[0, 1]`.

    Raises:
        ValueError: There are too few rows, values that are not finite, or
            different numbers of columns.
    """
    real, fake = _check_features(real_features, fake_features, least=1)
    radii = _radii(real, k, "real_features")
    num_covered = sum(
        (distances.min(1) <= radii[rows]).sum()
        for rows, distances in _distances(real, fake)
    )
    return float(num_covered / len(real))


def _radii(features, k, name):
    """Distance of each row to its k-th nearest neighbor."""
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ValueError(f"`k` must be a positive integer. Received: k={k!r}")
    if k >= len(features):
        raise ValueError(
            f"`k` must be smaller than the number of images in `{name}`. Take "
            "more images or a smaller `k`. "
            f"Received: k={k} for {len(features)} images"
        )
    radii = np.empty(len(features))
    for rows, distances in _distances(features, features):
        # A row is its own nearest neighbor, number 0.
        radii[rows] = np.partition(distances, k, axis=1)[:, k]
    return radii


def _distances(rows, columns):
    # Differences are taken before they are squared, so that equal rows are at
    # the distance 0; the faster way, by products, rounds it to something else.
    for start in range(0, len(rows), CHUNK):
        part = slice(start, start + CHUNK)
        yield part, distance.cdist(rows[part], columns)


def _check_features(real_features, fake_features, least=2):
    real = np.asarray(real_features, np.float64)
    fake = np.asarray(fake_features, np.float64)
    for name, features in (("real", real), ("fake", fake)):
        if features.ndim != 2 or features.shape[1] < 1:
            raise ValueError(
                f"`{name}_features` must have the shape (num_images, dim). "
                f"Received: {name}_features.shape={features.shape}"
            )
        if len(features) < least:
            raise ValueError(
                f"`{name}_features` must hold at least {least} images. "
                f"Received: {name}_features.shape={features.shape}"
            )
        if not np.isfinite(features).all():
            raise ValueError(
                f"`{name}_features` must be finite; look at what the feature "
                "function gives for such images. Received: NaN or infinity in "
                f"{(~np.isfinite(features)).any(1).sum()} of {len(features)} "
                "rows"
            )
    if real.shape[1] != fake.shape[1]:
        raise ValueError(
            "Both sets must have the same features. Received: "
            f"real_features.shape={real.shape}, "
            f"fake_features.shape={fake.shape}"
        )
    return real, fake


def _check_varied(real):
    if (real == real[0]).all():
        raise ValueError(
            "`real_features` are the same for all images, so nothing can be "
            "measured by them. Expected a feature function that tells images "
            f"apart. Received: {len(real)} equal rows"
        )
