"""Labels of synthetic images: hard, smoothed, soft."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganaug
from ganaug.augment.labels import SyntheticLabels
from ganaug.data.elements import parse_elements
from ganaug.synthesis.generators import Generators

CLASSES = 5
NAMES = ("ant", "bee", "cat", "dog", "elk")


def one_hot(dtype="float32"):
    return lambda x, y: (x, tf.one_hot(y, CLASSES, dtype=dtype))


def gray_teacher(softmax=True, scale=1.0, num_outputs=CLASSES):
    """Says what it thinks of an image's gray value alone."""
    inputs = keras.Input((4, 4, 1))
    # Convolutions of empty batches have the wrong shape: Dense would notice.
    pixels = keras.layers.Conv2D(
        3, 1, kernel_initializer="ones", use_bias=False
    )(inputs)
    first = keras.layers.Dense(
        1, kernel_initializer=keras.initializers.Constant(np.eye(48)[:, :1])
    )(keras.layers.Flatten()(pixels))
    gray = first / (40 * scale) - 1
    places = keras.ops.arange(num_outputs, dtype="float32")[None]
    scores = -keras.ops.square(gray - places)
    # Dropout has a state, which a dataset must not hold.
    scores = keras.layers.Dropout(0.5)(scores)
    return keras.Model(inputs, keras.ops.softmax(scores) if softmax else scores)


@pytest.mark.parametrize("mode", ["replace", "append", "extend"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_smoothing(talking_bank, real, read, told, dtype, mode):
    """As Keras smooths, for the synthetic labels alone."""
    augmenter = ganaug.GANAugmenter(
        source=talking_bank, mode=mode, label_smoothing=0.2, seed=0
    )
    dataset = real().map(one_hot(dtype)).batch(8)
    images, labels = read(dataset.apply(augmenter))
    assert labels.dtype == dtype
    stream = told(images)
    expected = np.eye(CLASSES)[stream.label[~stream.real]] * 0.8 + 0.04
    np.testing.assert_allclose(labels[~stream.real], expected, atol=1e-3)
    assert set(np.unique(labels[stream.real])) == {0, 1}


@pytest.mark.parametrize("batch", [None, 8, 1])
@pytest.mark.parametrize(
    ("source", "scale"), [("live", 1 / 255), ("bank", 1.0)]
)
def test_a_teacher_gives_soft_labels(
    talking, real, read, told, source, scale, batch
):
    """From the images as the pipeline has them; the real keep theirs."""
    teacher = gray_teacher(scale=scale)
    augmenter = ganaug.GANAugmenter(
        talking,
        0.5,
        source=source,
        teacher=teacher,
        value_range=(0, 255 * scale),
        seed=0,
    )
    dataset = real().map(
        lambda x, y: (
            tf.cast(x, tf.float32) * scale,
            tf.one_hot(y, CLASSES),
        )
    )
    dataset = dataset.batch(batch) if batch else dataset
    images, labels = read(dataset.apply(augmenter))
    stream = told(images, (0, 255 * scale))
    expected = teacher(images, training=False).numpy()
    assert (~stream.real).sum() > 10
    np.testing.assert_allclose(
        labels[~stream.real], expected[~stream.real], atol=1e-5
    )
    assert (labels[stream.real].max(1) == 1).all()


def test_no_images_have_no_labels(real):
    """Also where a teacher's convolution would stumble over them."""
    elements = parse_elements(real().map(one_hot()).element_spec)
    labels = SyntheticLabels(elements, NAMES, 0.1, gray_teacher(), False)
    images = tf.zeros((0, 4, 4, 1), tf.uint8)
    assert labels(tf.zeros(0, tf.int32), images, None).shape == (0, CLASSES)


def test_a_teacher_is_frozen(talking_bank, real, tmp_path):
    """It learns on, and the stream stays; iterators can be checkpointed."""
    teacher = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(CLASSES, "softmax", kernel_initializer="zeros"),
        ]
    )
    augmenter = ganaug.GANAugmenter(
        source=talking_bank, teacher=teacher, seed=0
    )
    dataset = real().map(one_hot()).batch(8).apply(augmenter)
    iterator = iter(dataset)
    before = next(iterator)[1].numpy()
    teacher.layers[-1].bias.assign([3, 0, 0, 0, 0])
    path = tf.train.Checkpoint(iterator=iterator).save(tmp_path / "ck")
    second = next(iterator)[1].numpy()
    tf.train.Checkpoint(iterator=iterator).restore(path)
    np.testing.assert_array_equal(next(iterator)[1], second)
    again = real().map(one_hot()).batch(8).apply(augmenter)
    assert (next(iter(again))[1].numpy() != before).any()


@pytest.mark.parametrize("source", ["live", "bank"])
def test_images_between_classes_have_soft_labels(talking, real, read, source):
    """Those that the image shows, live and from a bank."""
    generators = Generators(talking, class_interpolation=0.4)
    augmenter = ganaug.GANAugmenter(
        generators, 0.5, source=source, is_synthetic=True, seed=0
    )
    dataset = real().map(one_hot()).batch(8)
    images, labels, origin = read(dataset.apply(augmenter))
    made = origin["is_synthetic"]
    soft = labels[made]
    np.testing.assert_allclose(soft.sum(1), 1, atol=1e-6)
    assert ((soft > 0).sum(1) <= 2).all()
    assert (soft.max(1) < 0.999).sum() > 5
    shown = images[made][:, 0, 0, 0] / 40 - 1
    np.testing.assert_allclose(soft @ np.arange(CLASSES), shown, atol=0.02)
    assert (labels[~made].max(1) == 1).all()


def test_images_between_classes_may_be_smoothed_too(talking, real, read):
    """Whatever they are, a part is spread over all classes."""
    augmenter = ganaug.GANAugmenter(
        Generators(talking, class_interpolation=0.4), 1.0, label_smoothing=0.1
    )
    _, labels = read(real().map(one_hot()).batch(8).apply(augmenter))
    np.testing.assert_allclose(labels.min(1), 0.02, atol=1e-6)
    np.testing.assert_allclose(labels.sum(1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "given"), [("integers", "int64"), ("one-hot", "int32")]
)
@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"label_smoothing": 0.1}, "label_smoothing=0.1"),
        ({"teacher": True}, "teacher="),
        ({"between": True}, "images between classes"),
    ],
)
def test_soft_labels_need_one_hot_ones(
    talking, real, kwargs, message, dtype, given
):
    """The error says how to make them."""
    kwargs = dict(kwargs)
    between = kwargs.pop("between", False)
    if "teacher" in kwargs:
        kwargs["teacher"] = gray_teacher()
    augmenter = ganaug.GANAugmenter(
        Generators(talking, class_interpolation=0.3 * between), **kwargs
    )
    dataset = real().batch(8)
    if dtype == "one-hot":
        dataset = dataset.map(one_hot(given))
    with pytest.raises(ValueError, match=message) as error:
        dataset.apply(augmenter)
    assert "tf.one_hot(y, 5)" in str(error.value)
    assert f"its labels are {given} {dtype}" in str(error.value)


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (gray_teacher(softmax=False), "keras.layers.Softmax()"),
        (gray_teacher(num_outputs=3), r"output of shape \(4, 3\)"),
    ],
)
def test_a_teacher_must_give_probabilities(
    talking_bank, real, teacher, message
):
    """Of the classes, and not logits: when applied."""
    augmenter = ganaug.GANAugmenter(source=talking_bank, teacher=teacher)
    with pytest.raises(ValueError, match=message):
        real().map(one_hot()).batch(8).apply(augmenter)


@pytest.mark.parametrize("smoothing", [1.0, -0.1, "much"])
def test_bad_smoothing_is_refused(talking_bank, smoothing):
    """At construction."""
    with pytest.raises(ValueError, match="label_smoothing="):
        ganaug.GANAugmenter(source=talking_bank, label_smoothing=smoothing)


def test_bad_teachers_are_refused(talking_bank, talking):
    """What is no model, was never called, or contradicts the images."""
    with pytest.raises(TypeError, match=r"must be a keras\.Model"):
        ganaug.GANAugmenter(source=talking_bank, teacher="resnet")
    with pytest.raises(ValueError, match="trained, or at least called once"):
        ganaug.GANAugmenter(
            source=talking_bank,
            teacher=keras.Sequential([keras.layers.Dense(5)]),
        )
    with pytest.raises(ValueError, match="bring their soft labels along"):
        ganaug.GANAugmenter(
            Generators(talking, class_interpolation=0.3),
            teacher=gray_teacher(),
        )
