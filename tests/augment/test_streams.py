"""Streams: the same for a seed, other each epoch, and restored exactly."""

import hashlib

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

import ganaug
from ganaug.synthesis.generating import write_bank
from ganaug.synthesis.generators import Generators

KINDS = {
    "replace": {"ratio": 0.5},
    "append": {"ratio": 0.3, "mode": "append"},
    "extend": {"mode": "extend"},
    "exact": {"ratio": 0.3, "share": "exact"},
    "schedule": {"ratio": lambda step: 0.4 + tf.cast(step, tf.float32) / 50},
    "provenance": {"ratio": 0.5, "provenance": True, "is_synthetic": True},
}


# (source, kind, batch): every kind, every source, batched or not.
STREAMS = [
    *(("bank", kind, 8) for kind in KINDS),
    *(("bank", kind, None) for kind in KINDS if kind != "exact"),
    ("live", "replace", 8),
    ("live", "extend", 8),
    ("live", "append", None),
    *(("disk", kind, 8) for kind in ("replace", "append", "extend")),
    ("disk", "extend", None),
]


@pytest.fixture(scope="module")
def sources(talking, talking_bank, tmp_path_factory):
    """By name, the three sources there are."""
    folder = tmp_path_factory.mktemp("bank") / "bank"
    write_bank(Generators(talking), 64, folder, seed=0)
    return {"live": "live", "bank": talking_bank, "disk": folder}


def as_bytes(tensor):
    array = np.asarray(tensor)
    if array.dtype == object:
        return b"".join(array.ravel().tolist())
    return array.tobytes()


def hash_stream(dataset, epochs=1):
    digest = hashlib.sha256()
    for _ in range(epochs):
        for element in dataset:
            for tensor in tf.nest.flatten(element):
                digest.update(as_bytes(tensor))
    return digest.hexdigest()


@pytest.mark.parametrize(("source", "kind", "batch"), STREAMS)
def test_the_seed_fixes_the_stream(talking, sources, real, source, kind, batch):
    """In both epochs, whatever the numbers of threads and parallel calls."""

    def stream(seed, threads=4, calls=None):
        dataset = real(24).shuffle(24, seed=0)
        dataset = dataset.map(lambda x, y: (x, y), num_parallel_calls=calls)
        dataset = dataset.batch(batch) if batch else dataset
        options = tf.data.Options()
        options.threading.private_threadpool_size = threads
        augmenter = ganaug.GANAugmenter(
            talking, source=sources[source], seed=seed, **KINDS[kind]
        )
        dataset = dataset.apply(augmenter)
        # What follows may be done in parallel as well.
        dataset = dataset.map(lambda *e: e, num_parallel_calls=calls)
        return hash_stream(dataset.with_options(options), epochs=2)

    one = stream(1)
    assert stream(1, threads=1, calls=4) == one
    assert stream(2) != one


@pytest.mark.parametrize(
    ("source", "kind"),
    [("live", "replace"), *(("bank", kind) for kind in KINDS)],
)
def test_epochs_differ(talking, talking_bank, real, read, source, kind):
    """In the same batches, other images at other places; under `repeat` too."""
    augmenter = ganaug.GANAugmenter(
        talking,
        source=talking_bank if source == "bank" else source,
        seed=0,
        **KINDS[kind],
    )
    dataset = real(24).batch(8).apply(augmenter)
    assert hash_stream(dataset) != hash_stream(dataset)
    images = read(dataset.repeat(2))[0]
    half = len(images) // 2
    assert (images[:half] != images[-half:]).any()


@pytest.mark.parametrize("kind", KINDS)
def test_epochs_are_the_same_if_asked(talking, real, kind):
    """The noise then depends on the real images of a batch alone."""
    augmenter = ganaug.GANAugmenter(
        talking, rerandomize_each_iteration=False, seed=0, **KINDS[kind]
    )
    dataset = real(24).batch(8).apply(augmenter)
    assert hash_stream(dataset) == hash_stream(dataset)
    assert hash_stream(dataset) != hash_stream(
        real(24).batch(8).apply(augmenter.with_seed(1))
    )


def test_whoever_gets_a_batch_mixes_it_the_same(talking, real):
    """If asked: the set of elements is that of the whole dataset."""
    augmenter = ganaug.GANAugmenter(
        talking, 0.5, rerandomize_each_iteration=False, seed=0
    )
    batches = real(40).batch(5)

    def elements(dataset):
        mixed = dataset.apply(augmenter)
        return {images.tobytes() for images, _ in mixed.as_numpy_iterator()}

    parts = [elements(batches.shard(2, index)) for index in range(2)]
    assert parts[0] | parts[1] == elements(batches)
    assert len(parts[0] | parts[1]) == 8


def test_two_workers_do_not_repeat_each_others_noise(talking, real, read):
    """Though their random numbers are the same, their batches are not."""
    augmenter = ganaug.GANAugmenter(talking, 0.5, provenance=True, seed=0)
    seeds = [
        read(real(40).batch(5).shard(2, index).apply(augmenter))[2]["seed"]
        for index in range(2)
    ]
    seeds = [set(map(tuple, part[part.any(1)].tolist())) for part in seeds]
    assert [len(part) for part in seeds] == [4, 4]
    assert not seeds[0] & seeds[1]


def check_every_place(make, tmp_path):
    """Saves an iterator at each place, and restores it into another one.

    Before the first element, after each, and after the last one.
    """

    def elements(dataset):
        return [
            [as_bytes(tensor) for tensor in tf.nest.flatten(element)]
            for element in dataset
        ]

    expected = elements(make())
    assert len(expected) > 2
    saving, restoring = iter(make()), iter(make())
    restored = tf.train.Checkpoint(iterator=restoring)
    for place in range(len(expected) + 1):
        path = tf.train.Checkpoint(iterator=saving).write(
            str(tmp_path / f"at{place}")
        )
        restored.read(path)
        assert elements(restoring) == expected[place:]
        next(saving, None)


@pytest.mark.parametrize(("source", "kind", "batch"), STREAMS)
def test_an_iterator_can_be_restored_at_every_place(
    talking, sources, real, tmp_path, source, kind, batch
):
    """With tf.data's default checkpoint, into a dataset made anew.

    Before the first element, after each, and after the last one.
    """

    def make():
        dataset = real(20).shuffle(5, seed=1)
        dataset = dataset.batch(batch) if batch else dataset
        return dataset.apply(
            ganaug.GANAugmenter(
                talking, source=sources[source], seed=0, **KINDS[kind]
            )
        )

    check_every_place(make, tmp_path)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "extend"])
def test_an_iterator_can_be_restored_at_every_place_of_two_epochs(
    talking_bank, real, tmp_path, kind
):
    """Where the augmenter comes after `repeat`, as the documentation says."""

    def make():
        augmenter = ganaug.GANAugmenter(
            source=talking_bank, seed=0, **KINDS[kind]
        )
        dataset = real(12).shuffle(12, seed=1).batch(4).repeat(2)
        return dataset.apply(augmenter)

    check_every_place(make, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_later_epochs_can_be_restored_too(
    talking, sources, real, tmp_path, kind
):
    """Into the first iteration of a dataset made anew; the next one follows."""

    def make():
        augmenter = ganaug.GANAugmenter(
            talking, source=sources["bank"], seed=0, **KINDS[kind]
        )
        return real(20).shuffle(20, seed=1).batch(4).apply(augmenter)

    dataset, again = make(), make()
    first = hash_stream(dataset)
    saving = iter(dataset)
    next(saving)
    path = tf.train.Checkpoint(iterator=saving).write(str(tmp_path / "second"))
    restoring = iter(again)
    tf.train.Checkpoint(iterator=restoring).read(path)
    assert hash_stream(restoring) == hash_stream(saving)
    assert first != hash_stream(dataset) == hash_stream(again)


def test_the_stream_holds_no_variables(talking, real):
    """The generator is frozen: training on does not change the stream."""
    augmenter = ganaug.GANAugmenter(talking, 0.5, seed=0)
    batches = real(16).batch(8)
    dataset = batches.apply(augmenter)
    before = hash_stream(batches.apply(augmenter))
    weight = talking.generator.weights[-1]
    original = weight.numpy()
    weight.assign(original + 1)
    after = hash_stream(dataset)
    weight.assign(original)
    assert before == after


def test_places_tell_nothing_of_images(talking, real, read, told):
    """They are not decided by the random numbers that draw."""
    augmenter = ganaug.GANAugmenter(
        talking, 0.5, sampling_strategy={"ant": 1}, mode="append", seed=0
    )
    images, _ = read(real(240).repeat(4).batch(1).apply(augmenter))
    real_first = told(images).real[::2]
    noise = images[~told(images).real][:, -1, :, 0]
    assert abs(real_first.mean() - 0.5) < 4 * 0.5 / np.sqrt(960)
    for pixel in noise.T:
        test = stats.ks_2samp(pixel[real_first], pixel[~real_first])
        assert test.pvalue > 1e-3


@pytest.mark.parametrize("share", ["expected", "exact"])
def test_a_schedule_counts_single_examples(
    talking_bank, real, read, told, share
):
    """Not the groups they are mixed in; a cardinality is right to the last."""
    augmenter = ganaug.GANAugmenter(
        source=talking_bank,
        ratio=lambda step: tf.where(step < 100, 0.0, 0.5),
        mode="append",
        share=share,
        seed=0,
    )
    dataset = real(200).apply(augmenter)
    images, _ = read(dataset)
    stream = told(images)
    # Groups of 64: the third begins after 128.
    assert int(dataset.cardinality()) == len(images) == 200 + 72
    assert stream.real[:128].all()


def test_the_shares_of_a_stream(talking_bank, real, read, told):
    """Within what chance allows, or exactly, after every batch."""
    dataset = real(210).batch(7).repeat(20)
    for share in ("expected", "exact"):
        augmenter = ganaug.GANAugmenter(
            source=talking_bank, ratio=0.3, share=share, seed=0
        )
        per_batch = np.array(
            [
                (~told(images).real).sum()
                for images, _ in dataset.apply(augmenter).as_numpy_iterator()
            ]
        )
        # 2.1 of 7: 3 with the probability of 0.1.
        assert set(per_batch) == {2, 3}
        threes = (per_batch == 3).sum()
        if share == "exact":
            wanted = 3 * 7 * np.arange(1, 601) // 10
            np.testing.assert_array_equal(per_batch.cumsum(), wanted)
        else:
            assert abs(threes - 60) < 4 * np.sqrt(600 * 0.1 * 0.9)


@pytest.mark.parametrize("batch", [None, 8])
@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("uniform", [0.2] * 5),
        ("match", [0.5, 0.25, 0.125, 0.125, 0]),
        ("inverse_frequency", None),
        ({"bee": 3, 4: 1}, [0, 0.75, 0, 0, 0.25]),
    ],
)
def test_the_classes_of_a_stream(
    talking_bank, real, read, told, strategy, expected, batch
):
    """Those of the strategy, up to chance; where they match, of each batch."""
    labels = [0, 0, 0, 0, 1, 1, 2, 3] * 30
    kwargs = {}
    if expected is None:
        # Not those of the data, but what is said counts.
        kwargs["class_counts"] = [4, 2, 2, 1, 4]
        expected = np.array([1 / 4, 1 / 2, 1 / 2, 1, 1 / 4]) / 2.5
    augmenter = ganaug.GANAugmenter(
        source=talking_bank,
        ratio=0.5,
        sampling_strategy=strategy,
        seed=0,
        **kwargs,
    )
    dataset = real(240, labels).repeat(5)
    dataset = dataset.batch(batch) if batch else dataset
    images, found = read(dataset.apply(augmenter))
    stream = told(images)
    counts = np.bincount(found[~stream.real], minlength=5)
    np.testing.assert_allclose(
        counts / counts.sum(),
        expected,
        atol=4 * np.sqrt(0.25 / counts.sum()),
    )
    assert (counts[np.asarray(expected) == 0] == 0).all()
    if strategy == "match":
        np.testing.assert_array_equal(found, labels * 5)


def test_inverse_frequency_counts(talking_bank, real, read, told):
    """In one pass over the data, if the counts are not given."""
    augmenter = ganaug.GANAugmenter(
        source=talking_bank,
        ratio=0.5,
        sampling_strategy="inverse_frequency",
        seed=0,
    )
    labels = [0] * 100 + [1] * 60 + [2] * 40 + [3] * 30 + [4] * 20
    images, found = read(real(250, labels).repeat(8).apply(augmenter))
    counts = np.bincount(found[~told(images).real], minlength=5)
    inverse = 1 / np.array([100, 60, 40, 30, 20])
    np.testing.assert_allclose(
        counts / counts.sum(), inverse / inverse.sum(), atol=0.06
    )
    with pytest.raises(ValueError, match=r"of \['elk'\] there is none"):
        real(6, [0, 1, 2, 3, 3, 3]).apply(augmenter)
    with pytest.raises(ValueError, match="with `class_counts`"):
        real().repeat().apply(augmenter)
