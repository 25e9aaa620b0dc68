"""Beside tf.data: Keras's PyDataset, whole arrays, a picture."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganaug

CLASSES = 5
LABELS = np.append(np.resize([0, 0, 0, 1, 1, 2], 118), [3, 4])
MODES = {
    "replace": {"ratio": 0.25},
    "append": {"ratio": 0.25, "mode": "append"},
    "exact": {"ratio": 0.3, "share": "exact"},
    "extend": {"mode": "extend"},
    "schedule": {"ratio": lambda step: 0.5, "share": "exact"},
}


@pytest.fixture
def arrays(real):
    """NumPy arrays of numbered real images, and their labels."""
    images, _ = next(iter(real(len(LABELS)).batch(len(LABELS))))
    return images.numpy(), LABELS.copy()


def augmenter(bank, mode, **kwargs):
    return ganaug.GANAugmenter(source=bank, seed=3, **MODES[mode], **kwargs)


def check(images, labels, told, mode):
    stream = told(images)
    made = ~stream.real
    np.testing.assert_array_equal(labels[made], stream.label[made])
    np.testing.assert_array_equal(
        labels[stream.real], LABELS[stream.number[stream.real]]
    )
    numbers = stream.number[stream.real]
    assert len(set(numbers)) == len(numbers)
    if mode in ("append", "extend"):
        assert sorted(numbers) == list(range(len(LABELS)))
    else:
        assert len(images) == len(LABELS)
    return made.sum()


@pytest.mark.parametrize("mode", MODES)
def test_whole_arrays(talking_bank, arrays, told, mode):
    """The shares are those of a dataset; real examples keep their order."""
    images, labels = augmenter(talking_bank, mode).augment_arrays(*arrays)
    assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
    made = check(images, labels, told, mode)
    if mode == "extend":
        assert np.bincount(labels).tolist() == [60] * CLASSES
    elif mode == "append":
        assert abs(made - 40) <= 2
    else:
        assert (
            abs(made - {"replace": 30, "exact": 36, "schedule": 60}[mode]) <= 2
        )
    numbers = told(images).number
    assert (np.diff(numbers[numbers >= 0]) > 0).all()


def test_further_parts(talking_bank, arrays):
    """Weights, one-hot labels, and what tells where an image is from."""
    images, labels = arrays
    weights = np.full(len(labels), 2, np.float32)
    images, labels, weights, origin = augmenter(
        talking_bank, "append", sample_weight=0.5, is_synthetic=True
    ).augment_arrays(images, np.eye(CLASSES, dtype="float32")[labels], weights)
    assert labels.shape == (len(images), CLASSES)
    made = origin["is_synthetic"]
    assert 30 < made.sum() < 50
    assert set(weights[made]) == {0.5}
    assert set(weights[~made]) == {2}


@pytest.mark.parametrize("mode", MODES)
def test_batches(talking_bank, arrays, told, mode):
    """Each epoch has every real example once, in another order."""
    batches = augmenter(talking_bank, mode).py_dataset(*arrays, batch_size=16)
    assert isinstance(batches, keras.utils.PyDataset)
    epochs = []
    for _ in range(2):
        parts = [batches[index] for index in range(len(batches))]
        images, labels = (
            np.concatenate(part) for part in zip(*parts, strict=True)
        )
        check(images, labels, told, mode)
        epochs.append(images)
        sizes = [len(part[0]) for part in parts]
        if mode == "extend":
            assert sum(sizes) == 60 * CLASSES and max(sizes) <= 17
            assert np.bincount(labels).tolist() == [60] * CLASSES
        elif mode != "append":
            assert sizes == [16] * 7 + [8]
        # An end without a beginning, as Keras calls it, changes nothing.
        batches.on_epoch_begin()
        batches.on_epoch_end()
        after = batches[0][0]
        batches.on_epoch_end()
        np.testing.assert_array_equal(batches[0][0], after)
    assert not np.array_equal(*[images[:8] for images in epochs])


@pytest.mark.parametrize("mode", MODES)
def test_a_batch_depends_on_its_index_alone(talking_bank, arrays, mode):
    """Whoever asks for it, and when; another seed gives others."""

    def make(seed=3):
        made = augmenter(talking_bank, mode).with_seed(seed)
        return made.py_dataset(*arrays, batch_size=16)

    batches, again, other = make(), make(), make(4)
    forth = [batches[index] for index in range(len(batches))]
    back = [again[index] for index in reversed(range(len(again)))][::-1]
    for one, two in zip(forth, back, strict=True):
        for a, b in zip(one, two, strict=True):
            np.testing.assert_array_equal(a, b)
    assert any(
        not np.array_equal(one[0], other[index][0])
        for index, one in enumerate(forth)
    )


def test_epochs_are_the_same_if_asked(talking_bank, arrays):
    """Where the order is, too."""
    batches = augmenter(
        talking_bank, "replace", rerandomize_each_iteration=False
    ).py_dataset(*arrays, batch_size=16, shuffle=False)
    first = batches[3]
    batches.on_epoch_begin()
    batches.on_epoch_end()
    for a, b in zip(first, batches[3], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("workers", [1, 3])
def test_fit_takes_them(talking_bank, arrays, workers):
    """In threads, and with a last epoch like the first."""
    seen = []

    class Spy(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.params["steps"])

    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    batches = augmenter(talking_bank, "extend").py_dataset(
        *arrays, batch_size=16, workers=workers
    )
    model.fit(batches, epochs=2, verbose=0, callbacks=[Spy()])
    assert seen == [len(batches)] * 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"labels": np.zeros(3, int)},
            r"images of shape \(120, 4, 4, 1\), lab",
        ),
        ({"labels": None}, "labels of shape None"),
        ({"images": np.full((120, 4, 4, 1), "x")}, "images of dtype <U1"),
        ({"sample_weight": np.full(120, np.nan)}, "finite.*sample_weight of"),
        ({"initial_epoch": -1}, "initial_epoch=-1"),
        ({"images": np.zeros((120, 9, 9, 1), "uint8")}, r"shape \(9, 9, 1\)"),
        (
            {"images": np.zeros((120, 4, 4), "uint8")},
            "the image has rank 2|axis of 1",
        ),
        ({"images": np.zeros((120, 4, 4, 1))}, "value_range=None"),
        ({"labels": np.full(120, 7)}, "labels from 7 to 7"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"use_multiprocessing": True}, "workers=2.*use_multiprocessing=True"),
    ],
)
def test_bad_arrays_are_refused(talking_bank, arrays, change, message):
    """When they are given, and not in the midst of an epoch."""
    arguments = {"images": arrays[0], "labels": arrays[1], **change}
    with pytest.raises(ValueError, match=message):
        augmenter(talking_bank, "extend").py_dataset(**arguments)
    if {"batch_size", "use_multiprocessing", "initial_epoch"} & set(change):
        return
    with pytest.raises(ValueError, match=message):
        augmenter(talking_bank, "replace").augment_arrays(**arguments)


def test_classes_without_a_real_example_are_told(talking_bank, arrays, real):
    """Where they are known; not those that somebody asked for by name."""
    images, labels = arrays
    labels[-2:] = 0
    told = pytest.warns(UserWarning, match=r"no real .* \['dog', 'elk'\], and")
    with told:
        augmenter(talking_bank, "replace").py_dataset(images, labels)
    counted = augmenter(
        talking_bank, "replace", class_counts=[60, 40, 20, 0, 0]
    )
    with told:
        real(120).batch(8).apply(counted)
    for strategy in ("match", {"dog": 1}):
        augmenter(
            talking_bank, "replace", sampling_strategy=strategy
        ).py_dataset(images, labels)
    augmenter(talking_bank, "replace").replace(ratio=0).py_dataset(*arrays)
    # As with imbalanced-learn, classes grow that are there.
    augmenter(talking_bank, "extend").py_dataset(images, labels)


def test_values_and_counts_are_checked_at_once(talking_bank, arrays):
    """Not when their batch comes up."""
    images, labels = arrays
    scaled = images / 255.0
    unit = augmenter(talking_bank, "replace", value_range=(0, 1))
    unit.py_dataset(scaled, labels)
    for wrong in (400.0, np.nan):
        broken = scaled.copy()
        broken[-1, 0, 0] = wrong
        with pytest.raises(ValueError, match=r"value range \(0.0, 1.0\)"):
            unit.py_dataset(broken, labels)
    with pytest.raises(ValueError, match=r"class_counts=\[20, 40, 60, 0, 0\]"):
        augmenter(
            talking_bank, "extend", class_counts=[20, 40, 60, 0, 0]
        ).py_dataset(images, labels)


@pytest.mark.parametrize("first", [0, 2])
def test_schedules_by_epoch_follow_the_epochs(talking_bank, arrays, first):
    """In each, though batches are made ahead of the callback's word."""
    made = ganaug.GANAugmenter(
        source=talking_bank,
        ratio=lambda epoch: tf.minimum(tf.cast(epoch, tf.float32) / 4, 1.0),
        schedule_by="epoch",
        sample_weight=0.5,
        seed=0,
    )
    shares = []

    class Model(keras.Model):
        def train_step(self, data):
            shares[-1].append(
                tf.reduce_mean(tf.cast(data[2] == 0.5, "float32"))
            )
            return {"loss": 0.0}

    class Epochs(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            shares.append([])

    inputs = keras.Input((4, 4, 1))
    model = Model(inputs, keras.layers.Flatten()(inputs))
    model.compile(run_eagerly=True)
    model.fit(
        made.py_dataset(*arrays, batch_size=40, initial_epoch=first, workers=2),
        epochs=first + 3,
        initial_epoch=first,
        callbacks=[Epochs(), made.epoch_callback()],
        verbose=0,
    )
    np.testing.assert_allclose(
        [np.mean(epoch) for epoch in shares],
        [first / 4, (first + 1) / 4, (first + 2) / 4],
    )


def test_provenance_is_text(talking_bank, arrays):
    """As the ids are; it has to be dropped before `fit`."""
    _, _, origin = augmenter(
        talking_bank, "replace", provenance=True
    ).augment_arrays(*arrays)
    assert set(origin["artifact"]) == {"", *talking_bank.ids}


def test_a_preview_shows_both_halves(talking, talking_bank, real):
    """Batched or not; classes that have no real image leave a gap."""
    sizes = set()
    for source in ("live", talking_bank):
        made = ganaug.GANAugmenter(talking, source=source, seed=0)
        for dataset in (real(40), real(40).batch(7)):
            picture = made.preview(dataset, num_per_class=3)
            sizes.add(picture.size)
            pixels = np.asarray(picture.convert("L"))
            left, right = np.array_split(pixels[30:], 2, axis=1)
            # Real images are black with a white corner, others have no black
            # but in names.
            assert (left == 0).sum() > 20 * (right == 0).sum()
            for label in range(CLASSES):
                assert (
                    abs(right.astype(int) - 40 * (label + 1)) < 2
                ).sum() > 500
    assert len(sizes) == 1
    assert picture.mode == "RGB"
    with pytest.raises(ValueError, match="num_per_class=0"):
        made.preview(real(40), num_per_class=0)


def test_a_preview_does_not_paint_over_mistakes(talking_bank, real):
    """What `apply` would refuse, or stop at, it refuses."""
    made = ganaug.GANAugmenter(source=talking_bank, value_range=(0, 1), seed=0)
    with pytest.raises(
        TypeError, match=r"preview\(dataset\).*LabeledImages|int"
    ):
        made.preview(3)
    floats = real(40).map(lambda x, y: (tf.cast(x, tf.float32), y))
    with pytest.raises(ValueError, match="values from 0 to 255"):
        made.preview(floats)
    fine = ganaug.GANAugmenter(source=talking_bank, seed=0)
    with pytest.raises(ValueError, match="labels from 5 to 5"):
        fine.preview(real(40).map(lambda x, y: (x, y * 0 + 5)))
    with pytest.raises(ValueError, match="without any example"):
        fine.preview(real(40).take(0))
