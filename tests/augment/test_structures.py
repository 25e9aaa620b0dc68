"""Any pipeline: whatever its elements are, they stay what they are."""

import collections

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganaug

NUM = 40
CLASSES = 5
SHAPE = (4, 4, 1)
Example = collections.namedtuple("Example", ["image", "label"])

STRUCTURES = {
    "pair": lambda x, y: (x, y),
    "triple": lambda x, y: (x, y, 0.5 + tf.cast(y, tf.float32)),
    "namedtuple": Example,
    "TFDS dict": lambda x, y: {"image": x, "label": y},
    "Keras dict": lambda x, y: {"images": x, "labels": tf.one_hot(y, CLASSES)},
    "weights in a dict": lambda x, y: {
        "image": x,
        "label": y,
        "sample_weight": 0.5 + tf.cast(y, tf.float16),
    },
    "extra keys": lambda x, y: {
        "image": x,
        "label": y,
        "id": tf.strings.as_string(x[0, 1, 0]),
        "seen": x[0, 1, 0] >= 0,
        "objects": {"boxes": tf.cast(x[0], tf.float32) + 1, "n": y + 1},
    },
    "dict of inputs": lambda x, y: ({"image": x, "age": y + 1}, y),
    "dict of inputs and weights": lambda x, y: (
        {"images": x},
        tf.one_hot(y, CLASSES),
        0.5 + tf.cast(y, tf.float32),
    ),
}
LABELS = {
    "int64": lambda y: y,
    "uint8": lambda y: tf.cast(y, tf.uint8),
    "one-hot": lambda y: tf.one_hot(y, CLASSES),
    "one-hot float16": lambda y: tf.one_hot(y, CLASSES, dtype=tf.float16),
    "one-hot integers": lambda y: tf.one_hot(y, CLASSES, dtype=tf.int32),
    "soft": lambda y: 0.8 * tf.one_hot(y, CLASSES) + 0.04,
}
RANGES = {
    "float32": (0, 1),
    "float16": (-1, 1),
    "float64": (0, 255),
    "int16": (-100, 155),
    "bfloat16": (0, 255),
}
PIPELINES = {
    "single": lambda ds: ds,
    "batched": lambda ds: ds.batch(8),
    "ragged last batch": lambda ds: ds.batch(7),
    "batches of one": lambda ds: ds.batch(1),
    "one batch": lambda ds: ds.batch(64),
    "drop_remainder": lambda ds: ds.batch(7, drop_remainder=True),
    "cached and shuffled": lambda ds: ds.cache().shuffle(16, seed=0).batch(8),
    "unknown cardinality": lambda ds: ds.filter(lambda *e: True).batch(8),
    "unknown, single": lambda ds: ds.filter(lambda *e: True),
    "batches of several sizes": lambda ds: ds.batch(10).concatenate(
        ds.batch(4)
    ),
}
MODES = ("replace", "append", "extend")


def augmenter(bank, mode, **kwargs):
    ratio = None if mode == "extend" else 0.5
    return ganaug.GANAugmenter(
        source=bank, ratio=ratio, mode=mode, seed=0, **kwargs
    )


def parts(element):
    """Image and label of an element, and the rest by name."""
    if isinstance(element, dict):
        rest = dict(element)
        plural = "s" if "images" in rest else ""
        return rest.pop("image" + plural), rest.pop("label" + plural), rest
    image, label, *weight = element
    rest = {"sample_weight": weight[0]} if weight else {}
    if isinstance(image, dict):
        inputs = dict(image)
        image = inputs.pop("image" if "image" in inputs else "images")
        rest.update(inputs)
    return image, label, rest


def hard(labels):
    return labels.argmax(-1) if labels.ndim > 1 else labels


def check(dataset, augmented, mode, read, told, value_range=(0, 255)):
    """All that holds of any stream."""
    old_spec, new_spec = dataset.element_spec, augmented.element_spec
    batched = max(s.shape.rank for s in tf.nest.flatten(old_spec)) == 4
    if mode == "append" and batched:
        drop = [
            tf.nest.map_structure(
                lambda one: tf.TensorSpec(one.shape[1:], one.dtype), spec
            )
            for spec in (old_spec, new_spec)
        ]
        assert drop[0] == drop[1]
    else:
        assert new_spec == old_spec
    elements = list(augmented)
    known = int(augmented.cardinality())
    if known >= 0:
        assert known == len(elements)
    if mode == "extend":
        assert known >= 0
    else:
        assert (known >= 0) == (int(dataset.cardinality()) >= 0)
    for element in elements:
        for tensor, spec in zip(
            tf.nest.flatten(element), tf.nest.flatten(new_spec), strict=True
        ):
            assert spec.is_compatible_with(tensor)

    images, labels, rest = parts(read(augmented))
    stream = told(images, value_range)
    old_images, old_labels, old_rest = parts(read(dataset))
    order = told(old_images, value_range).number
    if len(set(order)) == len(order):
        assert len(set(stream.number[stream.real])) == stream.real.sum()
    place = {number: i for i, number in enumerate(order)}
    rows = np.array([place.get(number, 0) for number in stream.number])
    # Real examples are as they were, with all that belongs to them.
    np.testing.assert_array_equal(
        images[stream.real], old_images[rows[stream.real]]
    )
    np.testing.assert_array_equal(
        labels[stream.real], old_labels[rows[stream.real]]
    )
    for key in rest:
        tf.nest.map_structure(
            lambda new, old: np.testing.assert_array_equal(
                new[stream.real], old[rows[stream.real]]
            ),
            rest[key],
            old_rest[key],
        )
    # Synthetic ones have the label they show, and fill.
    made = ~stream.real
    assert made.sum() > 5
    np.testing.assert_array_equal(hard(labels)[made], stream.label[made])
    if labels.ndim > 1:
        np.testing.assert_array_equal(
            labels[made].astype(float), np.eye(CLASSES)[stream.label[made]]
        )
    if "sample_weight" in rest:
        assert (rest.pop("sample_weight")[made] == 1).all()
    for tensor in tf.nest.flatten(rest):
        empty = b"" if tensor.dtype == object else 0
        assert (tensor[made] == empty).all()
    # How many of which.
    if mode == "replace":
        assert len(images) == len(old_images)
    elif mode == "append":
        np.testing.assert_array_equal(stream.number[stream.real], order)
    return stream, hard(labels), hard(old_labels)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("batch", [None, 8])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_structures(talking_bank, real, read, told, structure, batch, mode):
    """Tuples and dicts, with weights and with further keys."""
    dataset = real(NUM).map(STRUCTURES[structure])
    if batch:
        dataset = dataset.batch(batch)
    augmented = dataset.apply(augmenter(talking_bank, mode))
    check(dataset, augmented, mode, read, told)


@pytest.mark.parametrize("mode", MODES)
def test_a_model_with_several_inputs_takes_it(talking_bank, real, mode):
    """As Keras feeds them, by name."""
    inputs = {
        "image": keras.Input(SHAPE, name="image"),
        "age": keras.Input((), name="age"),
    }
    features = keras.layers.Concatenate()(
        [
            keras.layers.Flatten()(inputs["image"]),
            keras.layers.Reshape((1,))(inputs["age"]),
        ]
    )
    model = keras.Model(inputs, keras.layers.Dense(CLASSES)(features))
    model.compile(
        "sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    dataset = real(NUM).map(lambda x, y: ({"image": x, "age": 3.0}, y)).batch(8)
    augmented = dataset.apply(augmenter(talking_bank, mode, fill={"age": 40.0}))
    ages = np.concatenate([x["age"] for x, _ in augmented])
    assert set(ages) == {3.0, 40.0}
    history = model.fit(
        augmented, validation_data=dataset, shuffle=False, verbose=0
    )
    assert "val_loss" in history.history


@pytest.mark.parametrize(
    ("mode", "batch"), [("replace", 8), ("append", None), ("extend", 8)]
)
@pytest.mark.parametrize("labels", LABELS)
def test_labels(talking_bank, real, read, told, labels, batch, mode):
    """Integers of any width, one-hot and soft labels."""
    dataset = real(NUM).map(lambda x, y: (x, LABELS[labels](y)))
    if batch:
        dataset = dataset.batch(batch)
    augmented = dataset.apply(
        augmenter(
            talking_bank,
            mode,
            sampling_strategy="all" if mode == "extend" else "match",
        )
    )
    stream, _, old = check(dataset, augmented, mode, read, told)
    assert set(stream.label[~stream.real]) <= set(old)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", RANGES)
def test_dtypes_and_ranges(talking_bank, real, read, told, dtype, mode):
    """Synthetic images come in the terms of the pipeline."""
    low, high = RANGES[dtype]

    def convert(x, y):
        x = tf.cast(x, tf.float32) / 255 * (high - low) + low
        return tf.cast(x, dtype), y

    if dtype == "bfloat16":
        # It holds all integers up to 256.
        told_range, cast = (0, 255), "float32"
    else:
        told_range, cast = (low, high), dtype
    dataset = real(NUM).map(convert).batch(8)
    augmented = dataset.apply(
        augmenter(talking_bank, mode, value_range=(low, high))
    )
    assert augmented.element_spec[0].dtype == dtype
    as_numpy = [
        ds.map(lambda x, y: (tf.cast(x, cast), y))
        for ds in (dataset, augmented)
    ]
    check(*as_numpy, mode, read, told, told_range)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_pipelines(talking_bank, real, read, told, pipeline, mode):
    """Batches of any kind, of known number or not."""
    dataset = PIPELINES[pipeline](real(NUM))
    dataset = dataset.cache() if "shuffled" in pipeline else dataset
    augmented = dataset.apply(augmenter(talking_bank, mode))
    stream, labels, old = check(dataset, augmented, mode, read, told)
    if mode == "extend":
        size = tf.nest.flatten(dataset.element_spec)[0].shape[0]
        counts = np.bincount(labels)
        wanted = np.full(3, np.bincount(old).max())
        if pipeline != "drop_remainder":
            np.testing.assert_array_equal(counts, wanted)
        else:
            assert counts.sum() == wanted.sum() // size * size
    if mode == "append":
        # As many synthetic as real examples, up to rounding.
        per_batch = 1 if pipeline == "batches of one" else 0.5
        num_batches = len(old) if "single" in pipeline else len(list(dataset))
        error = abs((~stream.real).sum() - stream.real.sum())
        assert error <= per_batch * num_batches


@pytest.mark.parametrize("mode", ["replace", "append"])
@pytest.mark.parametrize("batch", [None, 8])
def test_infinite_datasets(talking_bank, real, told, read, batch, mode):
    """They stay infinite."""
    dataset = real(NUM).repeat()
    dataset = dataset.batch(batch) if batch else dataset
    augmented = dataset.apply(augmenter(talking_bank, mode))
    assert augmented.cardinality() == tf.data.INFINITE_CARDINALITY
    images, labels = read(augmented.take(130))
    stream = told(images)
    assert abs(stream.real.mean() - 0.5) < 0.1
    np.testing.assert_array_equal(
        labels[~stream.real], stream.label[~stream.real]
    )


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_padded_batches_of_unknown_size(talking_bank, real, told, read, mode):
    """Decoded images have no static size; that of the batch is looked at."""

    def variable(x, y):
        tokens = tf.fill([tf.cast(y, tf.int32) + 1], 7)
        shape = tf.TensorShape([None, None, 1])
        x = tf.raw_ops.PlaceholderWithDefault(input=x, shape=shape)
        return {"image": x, "label": y, "tokens": tokens}

    dataset = real(NUM).map(variable).padded_batch(8)
    assert dataset.element_spec["image"].shape.as_list() == [None] * 3 + [1]
    augmented = dataset.apply(augmenter(talking_bank, mode))
    for key, spec in dataset.element_spec.items():
        assert augmented.element_spec[key].shape == spec.shape
    for batch in augmented.as_numpy_iterator():
        stream = told(batch["image"])
        assert (batch["tokens"][~stream.real] == 0).all()
        lengths = (batch["tokens"][stream.real] == 7).sum(1)
        np.testing.assert_array_equal(lengths, batch["label"][stream.real] + 1)


def test_a_padded_data_set_grows_where_its_size_is_known(
    talking_bank, real, told, read
):
    """As the error that asks for `padded_shapes` says."""

    def variable(x, y):
        return {
            "image": x,
            "label": y,
            "tokens": tf.fill([tf.cast(y, tf.int32) + 1], 7),
        }

    examples = real(NUM).map(variable)
    augment = augmenter(talking_bank, "extend")
    with pytest.raises(ValueError, match=r"padded_shapes.*'tokens'") as error:
        examples.padded_batch(8).apply(augment)
    assert "that of ['tokens'] is not known" in str(error.value)
    shapes = {"image": (4, 4, 1), "label": (), "tokens": (5,)}
    dataset = examples.padded_batch(8, padded_shapes=shapes).apply(augment)
    batches = list(dataset.as_numpy_iterator())
    grown = {
        key: np.concatenate([batch[key] for batch in batches])
        for key in ("image", "label", "tokens")
    }
    is_real = told(grown["image"]).real
    assert is_real.sum() == NUM < len(is_real)
    lengths = (grown["tokens"] == 7).sum(1)
    np.testing.assert_array_equal(lengths[is_real], grown["label"][is_real] + 1)
    assert not grown["tokens"][~is_real].any()
    # All classes have as many as the largest.
    assert len(set(np.bincount(grown["label"]))) == 1


def test_appending_tells_the_batch_size_where_it_is_certain(talking_bank, real):
    """Static batches grow by a static number, if it is a whole one."""
    static = real(NUM).batch(8, drop_remainder=True)

    def size(dataset, ratio, **kwargs):
        augmented = dataset.apply(
            ganaug.GANAugmenter(
                source=talking_bank, ratio=ratio, mode="append", **kwargs
            )
        )
        assert all(
            augmented.element_spec[0].is_compatible_with(images)
            for images, _ in augmented
        )
        return augmented.element_spec[0].shape[0]

    assert size(static, 0.5) == 16
    assert size(static, 0.2, share="exact") == 10
    assert size(static, 0.3) is None
    assert size(static, lambda step: 0.5) is None
    assert size(real(NUM).batch(8), 0.5) is None


def test_a_ratio_of_0_changes_nothing(talking_bank, real):
    """Not even the object."""
    dataset = real(NUM).batch(8)
    kwargs = {"source": talking_bank, "ratio": 0}
    assert dataset.apply(ganaug.GANAugmenter(**kwargs)) is dataset
    flagged = dataset.apply(ganaug.GANAugmenter(**kwargs, is_synthetic=True))
    _, _, origin = next(iter(flagged))
    assert not origin["is_synthetic"].numpy().any()


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_empty_datasets_stay_empty(talking_bank, real, mode):
    """There is nothing to mix into."""
    for dataset in (real(0), real(0).batch(4)):
        augmented = dataset.apply(augmenter(talking_bank, mode))
        assert augmented.cardinality() == 0
        assert not list(augmented)
