"""The measures against closed forms and cases of known direction."""

import subprocess
import sys

import numpy as np
import ot
import prdc
import pytest
from scipy import linalg
from sklearn.metrics.pairwise import polynomial_kernel

from ganaug.fidelity import measures
from ganaug.fidelity.measures import (
    coverage,
    frechet_distance,
    kernel_distance,
    precision_recall_density_coverage,
)

ALL = [kernel_distance, frechet_distance, precision_recall_density_coverage]


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def whitened(seed, num, dim):
    """Rows whose mean is exactly 0 and whose covariance is the identity."""
    rows = normal(seed, num, dim)
    rows -= rows.mean(0)
    root = linalg.cholesky(np.cov(rows, rowvar=False), lower=True)
    return linalg.solve_triangular(root, rows.T, lower=True).T


def test_measuring_needs_no_tensorflow():
    """The measures can be used where TensorFlow is not loaded."""
    code = (
        "import sys, ganaug.fidelity.measures as m\n"
        "print('tensorflow' in sys.modules)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert printed.strip() == "False"


def test_kernel_distance_is_the_mean_over_pairs():
    """The definition, pair by pair, a row never paired with itself."""
    real, fake = normal(0, 5, 3), normal(1, 4, 3)

    def kernel(x, y):
        return (x @ y / 3 + 1) ** 3

    within = [
        np.mean(
            [kernel(x, y) for i, x in enumerate(a) for y in np.delete(a, i, 0)]
        )
        for a in (real, fake)
    ]
    between = np.mean([kernel(x, y) for x in real for y in fake])
    assert kernel_distance(real, fake) == pytest.approx(
        sum(within) - 2 * between
    )


@pytest.mark.parametrize("num", [10, 200])
@pytest.mark.parametrize("shift", [0.0, 0.8])
def test_kernel_distance_is_unbiased(num, shift):
    """For shifted Gaussians the mean is the closed form, for few images too."""
    dim, repeats = 3, 400
    rng = np.random.default_rng(2)
    found = [
        kernel_distance(
            rng.normal(size=(num, dim)), rng.normal(shift, 1, (num, dim))
        )
        for _ in range(repeats)
    ]
    # With m the squared length of the shift, x.y has the moments 0, d, 0 among
    # the real, 0, m + d, 0 across, and m, m^2 + 2m + d,
    # m^3 + 6m^2 + 3md + 6m among the fakes. The rest is (x.y / d + 1)^3.
    m = dim * shift**2
    expected = (
        3 * m / dim
        + 3 * m**2 / dim**2
        + (m**3 + 6 * m**2 + 3 * m * dim + 6 * m) / dim**3
    )
    standard_error = np.std(found) / np.sqrt(repeats)
    assert np.mean(found) == pytest.approx(expected, abs=4 * standard_error)
    # Pairing rows with themselves would add (E k(x, x) - E k(x, x')) / num a
    # side, at least (8 - 2) / num by Jensen: of 10 rows, this would show.
    assert num > 10 or 4 * standard_error < 12 / num


def test_kernel_distance_of_a_set_and_itself():
    """It is below 0 by what leaving out the pairs with itself takes away."""
    rows = normal(3, 50, 4)
    kernel = (rows @ rows.T / 4 + 1) ** 3
    others = (kernel.sum() - np.trace(kernel)) / (50 * 49)
    found = kernel_distance(rows, rows)
    assert found == pytest.approx(2 * (others - kernel.mean()))
    assert found < 0


def test_frechet_distance_of_known_moments():
    """The closed form, with covariances that do not commute."""
    real_map, fake_map = normal(0, 2, 4, 4)
    shift = np.array([1.0, 0.0, -2.0, 0.5])
    real = whitened(1, 60, 4) @ real_map
    fake = whitened(2, 80, 4) @ fake_map + shift
    real_cov, fake_cov = real_map.T @ real_map, fake_map.T @ fake_map
    overlap = np.trace(linalg.sqrtm(real_cov @ fake_cov).real)
    assert frechet_distance(real, fake) == pytest.approx(
        (shift**2).sum() + np.trace(real_cov + fake_cov) - 2 * overlap
    )


def test_frechet_distance_of_singular_covariances():
    """Fewer images than features give no NaN: still 0 for a set and itself."""
    rows = normal(0, 5, 20)
    assert frechet_distance(rows, rows) == pytest.approx(0, abs=1e-10)
    # Where all fakes are equal, their variance is 0.
    fake = np.repeat(rows[:1], 7, axis=0)
    assert frechet_distance(rows, fake) == pytest.approx(
        ((rows.mean(0) - rows[0]) ** 2).sum() + rows.var(0, ddof=1).sum()
    )


def test_frechet_distance_is_biased_upwards():
    """Two samples of one distribution are further apart the fewer they are."""
    # Its mean is about dim^2 / num for both together: .64, .16 and .04.
    found = [
        frechet_distance(normal(0, num, 8), normal(1, num, 8))
        for num in (100, 400, 1600)
    ]
    assert found[0] > 2 * found[1] > 4 * found[2] > 0


@pytest.mark.parametrize("measure", [kernel_distance, frechet_distance])
def test_distances_are_symmetric_and_grow(measure):
    """Real and fake may change places; a larger shift is further."""
    real, fake = normal(0, 100, 4), normal(1, 90, 4)
    assert measure(real, fake) == pytest.approx(measure(fake, real))
    distances = [measure(real, fake + shift) for shift in (0, 0.3, 0.6, 1.2)]
    assert distances == sorted(distances)


def test_balls_by_hand():
    """Numbers on a line whose balls can be written down."""
    real = np.array([[0.0], [1.0], [3.0], [10.0]])  # radii 1, 1, 2, 7
    fake = np.array([[2.0], [2.5], [4.0], [30.0]])  # radii .5, .5, 1.5, 26
    found = precision_recall_density_coverage(real, fake, k=1)
    # The fakes are in 2 (those of 1 and 3), 1, 2 (3 and 10) and 0 real balls.
    # Of the real, 3 and 10 are in a fake ball: 3 in that of 2.5 (and 4), 10 in
    # that of 30, whose edge is at 4; 0 and 1 are in none.
    assert found == {
        "precision": 0.75,
        "recall": 0.5,
        "density": 5 / 4,
        "coverage": 0.75,
    }
    assert coverage(real, fake, k=1) == 0.75


def test_a_set_and_itself_are_equal():
    """Everything is 1, or for density at least 1, even with equal images."""
    rows = np.repeat(normal(0, 20, 3), 3, axis=0)
    found = precision_recall_density_coverage(rows, rows, k=2)
    assert found["density"] >= 1
    assert [found[n] for n in ("precision", "recall", "coverage")] == [1] * 3


def test_expectations_for_perfect_fakes():
    """Two samples of one distribution have density 1 and known coverage."""
    num, k, repeats = 200, 5, 20
    rng = np.random.default_rng(0)
    found = [
        precision_recall_density_coverage(*rng.normal(size=(2, num, 4)), k)
        for _ in range(repeats)
    ]
    # Of the real image's 2 * num - 1 neighbors, the nearest k are all real.
    neighbors = np.arange(k)
    missed = np.prod((num - 1 - neighbors) / (2 * num - 1 - neighbors))
    for name, expected in (("density", 1), ("coverage", 1 - missed)):
        values = [scores[name] for scores in found]
        # The sampling error of their mean, estimated from the repeats.
        error = np.std(values) / np.sqrt(repeats)
        assert np.mean(values) == pytest.approx(expected, abs=4 * error), name
        assert error < 0.02


def test_mode_collapse_has_precision_but_no_coverage():
    """Fakes around a few real images are good, but not varied."""
    real = normal(0, 300, 4)
    fake = np.repeat(real[:6], 50, axis=0) + 1e-3 * normal(1, 300, 4)
    found = precision_recall_density_coverage(real, fake)
    assert found["precision"] == 1
    assert found["recall"] < 0.05
    assert found["coverage"] < 0.3


def test_too_much_variety_has_recall_but_no_precision():
    """Fakes all over the place reach the real images, but most are bad."""
    real, fake = normal(0, 300, 4), 4 * normal(1, 300, 4)
    found = precision_recall_density_coverage(real, fake)
    assert found["recall"] > 0.9
    assert found["precision"] < 0.3
    assert found["density"] < 0.2


def test_far_fakes_score_zero():
    """Nothing is shared by sets that lie apart."""
    real, fake = normal(0, 30, 4), normal(1, 40, 4) + 100
    found = precision_recall_density_coverage(real, fake)
    assert set(found.values()) == {0.0}


@pytest.mark.parametrize("measure", [*ALL, coverage])
def test_chunks_change_nothing(measure, monkeypatch):
    """Memory is bounded without another result."""
    real, fake = normal(0, 50, 4), normal(1, 40, 4) + 0.3
    whole = measure(real, fake)
    monkeypatch.setattr(measures, "CHUNK", 7)
    assert measure(real, fake) == pytest.approx(whole)


def test_coverage_takes_a_single_fake():
    """One fake covers the real images whose balls it is in."""
    assert coverage([[0.0], [1.0], [5.0]], [[0.5]], k=1) == pytest.approx(2 / 3)
    assert coverage([[1.0]] * 4, [[1.0]], k=2) == 1
    assert coverage([[1.0]] * 4, [[1.1]], k=2) == 0


@pytest.mark.parametrize("measure", ALL)
@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (np.zeros(8), np.zeros((8, 1)), r"real_features.shape=\(8,\)"),
        (np.eye(8), np.eye(8)[:, :5], "the same features"),
        (np.eye(8)[:1], np.eye(8), "`real_features` must hold at least 2"),
        (np.eye(8), np.eye(8)[:1], "`fake_features` must hold at least 2"),
        (np.eye(8), np.zeros((0, 8)), "`fake_features` must hold at least 2"),
        (np.eye(8), np.eye(8) * np.nan, "`fake_features` must be finite"),
        (np.full((8, 8), np.inf), np.eye(8), "in 8 of 8 rows"),
        (np.ones((8, 2)), normal(0, 8, 2), "same for all images"),
    ],
)
def test_what_cannot_be_measured_is_refused(measure, real, fake, message):
    """The error says which features are wrong, and how."""
    with pytest.raises(ValueError, match=message):
        measure(real, fake)


@pytest.mark.parametrize("measure", [ALL[2], coverage])
@pytest.mark.parametrize("k", [0, -1, 1.5, True, "5"])
def test_k_must_be_positive(measure, k):
    """Another `k` is no neighbor."""
    with pytest.raises(ValueError, match="`k` must be a positive integer"):
        measure(normal(0, 9, 2), normal(1, 9, 2), k)


def test_k_must_leave_neighbors():
    """The error names the set that is too small."""
    large, small = normal(0, 9, 2), normal(1, 4, 2)
    with pytest.raises(ValueError, match=r"`fake_features`.*k=4 for 4 images"):
        precision_recall_density_coverage(large, small, k=4)
    with pytest.raises(ValueError, match=r"`real_features`.*k=4 for 4 images"):
        coverage(small, large, k=4)
    assert coverage(large, small, k=4) <= 1


def test_pot_gives_the_same_frechet_distance():
    """The distance of two normal distributions, as optimal transport has it."""
    real = normal(0, 300, 12) @ normal(1, 12, 12)
    fake = 0.8 * normal(2, 250, 12) + 0.2
    moments = [
        moment
        for of_both in (
            (real.mean(0), fake.mean(0)),
            (np.cov(real, rowvar=False), np.cov(fake, rowvar=False)),
        )
        for moment in of_both
    ]
    theirs = ot.gaussian.bures_wasserstein_distance(*moments) ** 2
    assert theirs > 10
    assert frechet_distance(real, fake) == pytest.approx(theirs, rel=1e-9)


def test_scikit_learns_kernel_gives_the_same_kernel_distance():
    """The cubic kernel of the Kernel Inception Distance."""
    real, fake = normal(0, 300, 12), 0.8 * normal(1, 250, 12) + 0.2

    def kernel(x, y):
        return polynomial_kernel(x, y, degree=3, gamma=1 / 12, coef0=1)

    def mean_of_others(x):
        return (kernel(x, x).sum() - np.trace(kernel(x, x))) / (
            len(x) * (len(x) - 1)
        )

    theirs = (
        mean_of_others(real)
        + mean_of_others(fake)
        - 2 * kernel(real, fake).mean()
    )
    assert theirs > 0.01
    assert kernel_distance(real, fake) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("k", [3, 5])
def test_the_reference_implementation_gives_the_same(k):
    """The authors' own package, on the same features."""
    rng = np.random.default_rng(0)
    real = rng.normal(size=(300, 12))
    fake = 0.8 * rng.normal(size=(250, 12)) + 0.2
    theirs = prdc.compute_prdc(real, fake, nearest_k=k)
    ours = precision_recall_density_coverage(real, fake, k)
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(float(value), abs=1e-12)
        assert 0 < value < 2
