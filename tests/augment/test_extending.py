"""Growing a data set, with imbalanced-learn's meaning."""

import numpy as np
import pytest
import tensorflow as tf
from imblearn.over_sampling import RandomOverSampler
from scipy import stats

import ganaug
from ganaug.augment.extending import resolve_growth

NAMES = ("ant", "bee", "cat", "dog", "elk")
LABELS = {
    "five classes": [0] * 20 + [1] * 9 + [2] * 9 + [3] * 2 + [4] * 5,
    "two majorities": [0] * 12 + [1] * 12 + [3] * 4,
    "balanced": [1, 2, 3, 4] * 6,
    "two classes": [4] * 30 + [1] * 7,
}
STRATEGIES = {
    "auto": "auto",
    "minority": "minority",
    "not minority": "not minority",
    "not majority": "not majority",
    "all": "all",
    "dict": {1: 33, 4: 41},
    "callable": lambda y: {label: 50 for label in np.unique(y)[-2:]},
    "float": 0.6,
}


def oversampled_counts(strategy, labels):
    """What imbalanced-learn grows the same labels to, or its refusal."""
    labels = np.asarray(labels)
    sampler = RandomOverSampler(sampling_strategy=strategy, random_state=0)
    try:
        _, grown = sampler.fit_resample(labels[:, None], labels)
    except ValueError as error:
        return error
    return np.bincount(grown, minlength=5)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("labels", LABELS)
def test_class_counts_are_those_of_imbalanced_learn(
    talking_bank, real, read, labels, strategy
):
    """For every strategy, on the stream itself; and so are the refusals."""
    labels, strategy = LABELS[labels], STRATEGIES[strategy]
    expected = oversampled_counts(strategy, labels)
    augmenter = ganaug.GANAugmenter(
        source=talking_bank, mode="extend", sampling_strategy=strategy, seed=0
    )
    dataset = real(len(labels), labels).batch(8)
    if isinstance(expected, ValueError):
        with pytest.raises(ValueError, match="imbalanced-learn says") as error:
            dataset.apply(augmenter)
        assert str(expected) in str(error.value)
        return
    _, found = read(dataset.apply(augmenter))
    np.testing.assert_array_equal(np.bincount(found, minlength=5), expected)


def test_random_class_counts_agree_too():
    """Without a stream: many data sets."""
    rng = np.random.default_rng(0)
    for _ in range(60):
        counts = rng.integers(0, 30, 5)
        labels = np.repeat(np.arange(5), counts)
        if len(np.unique(labels)) < 2:
            continue
        for strategy in ("auto", "minority", "not minority", "all"):
            grown = counts + resolve_growth(strategy, counts, NAMES)
            np.testing.assert_array_equal(
                grown, oversampled_counts(strategy, labels)
            )


def test_classes_have_names(talking_bank, real, read):
    """In a dict, and in what a callable returns."""
    labels = LABELS["five classes"]
    for strategy in ({"dog": 12, 4: 6}, lambda y: {"dog": 12, "4": 6}):
        augmenter = ganaug.GANAugmenter(
            source=talking_bank, mode="extend", sampling_strategy=strategy
        )
        _, found = read(real(45, labels).apply(augmenter))
        assert np.bincount(found).tolist() == [20, 9, 9, 12, 6]


@pytest.mark.parametrize("batch", [None, 1, 8, 45])
def test_every_epoch_has_all_of_it_in_another_order(
    talking_bank, real, read, told, batch
):
    """Each real example once, in its order; the counts to the last one."""
    augmenter = ganaug.GANAugmenter(source=talking_bank, mode="extend", seed=0)
    labels = LABELS["five classes"]
    dataset = real(45, labels)
    dataset = dataset.batch(batch) if batch else dataset
    extended = dataset.apply(augmenter)
    size = batch or 1
    assert int(extended.cardinality()) == -(-100 // size)
    epochs = []
    for _ in range(3):
        images, found = read(extended)
        stream = told(images)
        assert stream.number[stream.real].tolist() == list(range(45))
        assert np.bincount(found).tolist() == [20] * 5
        epochs.append((stream.real.tobytes(), found.tobytes(), images))
    assert len({(epoch[0], epoch[1]) for epoch in epochs}) == 3
    assert (epochs[0][2] != epochs[1][2]).any()
    if batch:
        sizes = [len(images) for images, _ in extended]
        assert sizes[:-1] == [batch] * (len(sizes) - 1)
        assert 0 < sizes[-1] <= batch


def test_synthetic_examples_are_spread(talking_bank, real, read, told):
    """Evenly over the epoch, and at random places within."""
    augmenter = ganaug.GANAugmenter(
        source=talking_bank,
        mode="extend",
        sampling_strategy={"bee": 125, "cat": 125},
        seed=0,
    )
    labels = [0] * 200 + [1] * 25 + [2] * 25
    extended = real(250, labels).batch(10).apply(augmenter)
    epochs = [read(extended) for _ in range(20)]
    real_ones = np.array([told(images).real for images, _ in epochs])
    assert real_ones.shape == (20, 450)
    quarters = real_ones.reshape(20, 5, 90).mean(-1)
    np.testing.assert_allclose(quarters, 250 / 450, atol=0.06)
    # Bees and cats in any order.
    made = [found[~told(images).real] for images, found in epochs]
    halves = sum(np.bincount(row[:100], minlength=3)[1:] for row in made)
    assert stats.chisquare(halves).pvalue > 1e-3
    by_place = real_ones.mean(0)
    assert by_place.min() > 0.05 and by_place.max() < 0.98


def test_many_more_than_there_are(talking_bank, real, read):
    """Each real example brings more than a batch of synthetic ones."""
    augmenter = ganaug.GANAugmenter(
        source=talking_bank,
        mode="extend",
        sampling_strategy={"ant": 300, "bee": 300},
        seed=0,
    )
    extended = real(3, [0, 1, 1]).batch(2).apply(augmenter)
    assert int(extended.cardinality()) == 300
    _, found = read(extended)
    assert np.bincount(found).tolist() == [300, 300]


def test_no_more_than_a_batch_is_drawn_at_a_time(talking, real, read):
    """Where a real example brings fewer than that."""
    augmenter = ganaug.GANAugmenter(
        talking,
        mode="extend",
        sampling_strategy={"ant": 60, "bee": 60},
        provenance=True,
    )
    for dataset in (real(24, [0, 1] * 12).batch(16), real(24, [0, 1] * 12)):
        _, _, origin = read(dataset.apply(augmenter))
        seeds = origin["seed"][origin["index"] >= 0]
        _, counts = np.unique(seeds, axis=0, return_counts=True)
        assert counts.sum() == 96
        assert counts.max() <= (64 if dataset.cardinality() == 24 else 16)


def test_drop_remainder_drops(talking_bank, real):
    """Batches that are all full stay so; the rest is left out."""
    augmenter = ganaug.GANAugmenter(source=talking_bank, mode="extend", seed=0)
    dataset = real(45, LABELS["five classes"]).batch(7, drop_remainder=True)
    extended = dataset.apply(augmenter)
    assert extended.element_spec == dataset.element_spec
    # 42 real ones: 20 + 9 + 9 + 2 + 2, which makes 100.
    assert int(extended.cardinality()) == 100 // 7 == len(list(extended))


def test_counts_can_be_given(talking_bank, real, read):
    """Then nothing is counted, and what does not fit is refused."""
    labels = LABELS["five classes"]
    counts = {"ant": 20, "bee": 9, "cat": 9, "dog": 2, "elk": 5}
    augmenter = ganaug.GANAugmenter(
        source=talking_bank, mode="extend", class_counts=counts, seed=0
    )
    seen = []

    def watch(label):
        seen.append(label)
        return label

    def watched(x, y):
        y = tf.numpy_function(watch, [y], y.dtype)
        return x, tf.ensure_shape(y, ())

    dataset = real(45, labels).map(watched)
    extended = dataset.apply(augmenter)
    assert not seen
    assert np.bincount(read(extended)[1]).tolist() == [20] * 5
    for other in (real(44), real(45).batch(5, drop_remainder=True).take(8)):
        with pytest.raises(ValueError, match="Leave it out to have them"):
            other.apply(augmenter)


def test_a_stream_of_another_size_than_it_was_said_to_have_stops(
    talking_bank, real
):
    """Where only the end tells."""
    augmenter = ganaug.GANAugmenter(
        source=talking_bank, mode="extend", class_counts=[20, 9, 9, 2, 5]
    )
    dataset = real(30, [0] * 18 + [1] * 9 + [2] * 3).batch(8).apply(augmenter)
    with pytest.raises(
        tf.errors.FailedPreconditionError, match="to contain 13"
    ):
        list(dataset)


@pytest.mark.parametrize("batch", [None, 8])
@pytest.mark.parametrize("one_hot", [False, True])
def test_counts_of_other_classes_stop_the_stream(
    talking_bank, real, batch, one_hot
):
    """Which the size of the data set does not tell."""
    augmenter = ganaug.GANAugmenter(
        source=talking_bank, mode="extend", class_counts=[5, 9, 9, 2, 20]
    )
    dataset = real(45, LABELS["five classes"])
    if one_hot:
        dataset = dataset.map(lambda x, y: (x, tf.one_hot(y, 5)))
    dataset = dataset.batch(batch) if batch else dataset
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r"class_counts=\[5, 9, 9, 2, 20\].*at least",
    ):
        list(dataset.apply(augmenter))


def test_what_cannot_be_extended(talking_bank, real):
    """Infinite and empty data sets, and those of one class."""
    augmenter = ganaug.GANAugmenter(source=talking_bank, mode="extend")
    counted = ganaug.GANAugmenter(
        source=talking_bank, mode="extend", class_counts=[20, 9, 9, 2, 5]
    )
    with pytest.raises(ValueError, match="infinite dataset cannot be counted"):
        real().repeat().apply(augmenter)
    with pytest.raises(ValueError, match="infinite dataset cannot be extended"):
        real().repeat().batch(4).apply(counted)
    with pytest.raises(ValueError, match="empty data set"):
        real(0).apply(augmenter)
    with pytest.raises(ValueError, match="without any batch"):
        real().filter(lambda x, y: False).batch(4).apply(counted)
    with pytest.raises(ValueError, match="more than 1 class"):
        real(9, [3] * 9).apply(augmenter)


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ("match", "mode='extend'.*sampling_strategy='match'"),
        ("uniform", "sampling_strategy='uniform'"),
        ("majority", "sampling_strategy='majority'"),
        (1.5, "sampling_strategy=1.5"),
        ([1, 2], r"sampling_strategy=\[1, 2\]"),
        ({"cow": 3}, "Received: 'cow'"),
        ({"ant": 3, 0: 3}, "names 'ant' twice"),
        ({"bee": 33.5}, "must be integers.*'bee': 33.5"),
        ({"bee": float("nan")}, "must be integers.*'bee': nan"),
        ({"bee": -1}, "of at least 0.*'bee': -1"),
    ],
)
def test_bad_strategies_are_refused_at_construction(
    talking_bank, strategy, message
):
    """As far as they can be judged without the data."""
    with pytest.raises(ValueError, match=message):
        ganaug.GANAugmenter(
            source=talking_bank, mode="extend", sampling_strategy=strategy
        )


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ({"ant": 10}, "greater or equal"),
        ({"elk": 30}, "not present in the data"),
        (lambda y: {"cow": 3}, "There is no such class"),
        (lambda y: [30] * 5, "must return a dict.*30, 30"),
        (lambda y: {"ant": 30.5}, "'ant': 30.5"),
        (0.5, "binary"),
    ],
)
def test_strategies_that_do_not_fit_the_data_are_refused(
    talking_bank, real, strategy, message
):
    """When applied, in imbalanced-learn's words."""
    augmenter = ganaug.GANAugmenter(
        source=talking_bank, mode="extend", sampling_strategy=strategy
    )
    with pytest.raises(ValueError, match=message) as error:
        real(40, [0] * 20 + [1] * 10 + [2] * 10).apply(augmenter)
    assert "class_counts=[20, 10, 10, 0, 0]" in str(error.value)
