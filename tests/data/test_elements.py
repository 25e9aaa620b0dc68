"""The structures of elements that are understood, and those that are not."""

import numpy as np
import pytest
import tensorflow as tf

from ganaug.data.elements import parse_elements

IMAGE = np.zeros((5, 8, 6, 3), np.uint8)
LABEL = np.arange(5)
ONE_HOT = np.eye(5, dtype=np.float32)
WEIGHT = np.ones(5, np.float32)


@pytest.mark.parametrize(
    ("tensors", "num_classes", "has_weight", "extra"),
    [
        ((IMAGE, LABEL), None, False, ()),
        ((IMAGE, LABEL, WEIGHT), None, True, ()),
        ((IMAGE, ONE_HOT), 5, False, ()),
        ((IMAGE.astype("float16"), LABEL.astype("uint8")), None, False, ()),
        ({"image": IMAGE, "label": LABEL}, None, False, ()),
        ({"images": IMAGE, "labels": ONE_HOT}, 5, False, ()),
        ({"image": IMAGE, "label": LABEL, "id": LABEL}, None, False, ("id",)),
        (
            {"images": IMAGE, "labels": ONE_HOT, "sample_weight": WEIGHT},
            5,
            True,
            (),
        ),
        (({"image": IMAGE, "id": LABEL}, LABEL), None, False, ("id",)),
        (({"images": IMAGE}, ONE_HOT, WEIGHT), 5, True, ()),
    ],
)
@pytest.mark.parametrize("batched", [False, True])
def test_known_structures(tensors, num_classes, has_weight, extra, batched):
    """Pairs, triples and dicts, one example or a batch."""
    dataset = tf.data.Dataset.from_tensor_slices(tensors)
    if batched:
        dataset = dataset.batch(2)
    elements = parse_elements(dataset.element_spec)
    assert elements.batched == batched
    assert elements.image_shape == (8, 6, 3)
    assert elements.num_classes == num_classes
    assert (elements.weight_key is not None) == has_weight
    assert elements.extra_keys == extra
    element = next(iter(dataset))
    assert elements.image(element).shape[-3:] == (8, 6, 3)
    changed = elements.replace(element, label=tf.constant(0))
    tf.nest.assert_same_structure(element, changed)
    assert elements.label(changed) == 0
    extras = elements.extras(element)
    assert tuple(extras) == extra
    extras = {key: tf.constant("new") for key in extras}
    changed = elements.replace(element, extras)
    holder = changed if elements.are_dicts else changed[0]
    for key in extra:
        assert holder[key] == "new"
    changed = elements.replace(element, image=tf.constant(7))
    tf.nest.assert_same_structure(element, changed)
    assert elements.image(changed) == 7


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (IMAGE, "neither a pair"),
        ((IMAGE,), "neither a pair"),
        ((IMAGE, LABEL, WEIGHT, WEIGHT), "neither a pair"),
        ({"x": IMAGE, "y": LABEL}, r"keys \['x', 'y'\]"),
        ((IMAGE[0, ..., 0], LABEL[:8]), "expand_dims"),
        ((IMAGE > 0, LABEL), "dtype bool"),
        ((IMAGE, LABEL.astype("float32")), "labels have dtype float32"),
        ((IMAGE, LABEL[:, None]), "squeeze"),
        ((IMAGE, ONE_HOT[None].repeat(5, 0)), "label has rank"),
        (((IMAGE, IMAGE), LABEL), "not a dense tensor"),
        (({"x": IMAGE, "z": IMAGE}, LABEL), r"inputs have the keys \['x', 'z"),
        (({"image": IMAGE, "images": IMAGE}, LABEL), "exactly one of"),
        ((IMAGE, {"label": LABEL}), "the label is not a dense tensor"),
        (
            {"image": IMAGE, "label": LABEL, "sample_weight": ONE_HOT},
            "not one number for each",
        ),
    ],
)
def test_unknown_structures(tensors, message):
    """The error says what is wrong and shows what came."""
    spec = tf.nest.map_structure(tf.type_spec_from_value, tensors)
    with pytest.raises(ValueError, match=message) as error:
        parse_elements(spec)
    assert "Received: element_spec=" in str(error.value)


def test_unknown_rank_is_refused():
    """A generator without a signature of shapes gives no rank."""
    spec = (tf.TensorSpec(None, tf.uint8), tf.TensorSpec((), tf.int32))
    with pytest.raises(ValueError, match="rank of the image is not known"):
        parse_elements(spec)
