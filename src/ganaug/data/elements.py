"""The structure of a dataset's elements: where image and label are."""

from dataclasses import dataclass

import tensorflow as tf

DICT_KEYS = (("image", "label"), ("images", "labels"))
DICT_WEIGHT = "sample_weight"
KNOWN = (
    "(image, label), (image, label, weight), either with a Keras dict of "
    "inputs that has `image` or `images` in the place of the image, a TFDS "
    "dict with `image` and `label`, or a Keras dict with `images` and "
    "`labels`, a dict also with `sample_weight`; one example or a batch of "
    "them; images as (height, width, channels); labels as integers or one-hot"
)


@dataclass(frozen=True)
class Elements:
    """Where image and label are in a dataset's elements.

    Made by `parse_elements`.

    Args:
        image_key: Position or dict key of the image, or of the dict of inputs
            that it is in.
        label_key: Position or dict key of the label.
        weight_key: Position or dict key of the sample weight, or `None`.
        extra_keys: Tuple of the remaining dict keys.
        input_key: Dict key of the image among the inputs, or `None` where
            there is no dict of inputs.
        batched: Whether an element is a batch.
        image_shape: Tuple `(height, width, channels)`; `None` where unknown.
        image_dtype: `tf.DType` of the images.
        label_dtype: `tf.DType` of the labels.
        num_classes: Integer for one-hot or soft labels, `None` for integers.
    """

    image_key: int | str
    label_key: int | str
    weight_key: int | str | None
    extra_keys: tuple
    input_key: str | None
    batched: bool
    image_shape: tuple
    image_dtype: tf.DType
    label_dtype: tf.DType
    num_classes: int | None

    @property
    def are_dicts(self):
        """Whether an element is a dict itself, and not a tuple."""
        return isinstance(self.image_key, str)

    def image(self, element):
        """Gives the image, or images, of an element.

        Args:
            element: An element of the structure that was parsed.

        Returns:
            A tensor.
        """
        image = element[self.image_key]
        return image if self.input_key is None else image[self.input_key]

    def label(self, element):
        """Gives the label, or labels, of an element.

        Args:
            element: An element of the structure that was parsed.

        Returns:
            A tensor.
        """
        return element[self.label_key]

    def extras(self, element):
        """Gives what an element has beside image, label and weight.

        Args:
            element: An element of the structure that was parsed.

        Returns:
            A dict from keys to tensors, or to structures of them.
        """
        holder = element if self.input_key is None else element[self.image_key]
        return {key: holder[key] for key in self.extra_keys}

    def replace(self, element, extras=None, **tensors):
        """Copies an element with other tensors in some places.

        Args:
            element: An element of the structure that was parsed.
            extras: Dict as `extras` gives it, or `None` to keep what is there.
            **tensors: Any of `image`, `label` and `weight`.

        Returns:
            An element of the same structure.
        """
        keys = {
            "image": self.image_key,
            "label": self.label_key,
            "weight": self.weight_key,
        }
        is_dict = isinstance(element, dict)
        parts = dict(element) if is_dict else list(element)
        extras = extras or {}
        if self.input_key is not None:
            inputs = {**parts[self.image_key], **extras}
            if "image" in tensors:
                inputs[self.input_key] = tensors["image"]
            tensors = {**tensors, "image": inputs}
            extras = {}
        for name, tensor in tensors.items():
            parts[keys[name]] = tensor
        for key, tensor in extras.items():
            parts[key] = tensor
        if is_dict:
            return parts
        if hasattr(element, "_fields"):  # a namedtuple
            return type(element)(*parts)
        return tuple(parts)


def _refuse(element_spec, why):
    raise ValueError(
        f"The dataset's elements are not understood: {why}. Expected {KNOWN}. "
        f"Received: element_spec={element_spec}"
    )


def _keys(element_spec):
    """Keys of image, label and weight, those left, and that of the input."""
    if isinstance(element_spec, dict):
        for image_key, label_key in DICT_KEYS:
            if image_key in element_spec and label_key in element_spec:
                extra = set(element_spec) - {image_key, label_key}
                weight_key = DICT_WEIGHT if DICT_WEIGHT in extra else None
                extra -= {weight_key}
                extra = tuple(sorted(extra))
                return image_key, label_key, weight_key, extra, None
        _refuse(element_spec, f"the dict has the keys {sorted(element_spec)}")
    if isinstance(element_spec, tuple) and len(element_spec) in (2, 3):
        extra, input_key = (), None
        if isinstance(element_spec[0], dict):
            input_key, extra = _input_keys(element_spec)
        weight_key = 2 if len(element_spec) == 3 else None
        return 0, 1, weight_key, extra, input_key
    _refuse(element_spec, "neither a pair, a triple nor a dict")


def _input_keys(element_spec):
    """Key of the image among the inputs of a model, and the other keys."""
    keys = sorted(element_spec[0], key=str)
    named = [key for key, _ in DICT_KEYS if key in keys]
    if len(named) != 1:
        _refuse(
            element_spec,
            f"the inputs have the keys {keys}, where exactly one of `image` "
            "and `images` is the image",
        )
    return named[0], tuple(key for key in keys if key != named[0])


def parse_elements(element_spec):
    """Finds image and label in the elements of a dataset.

    Args:
        element_spec: `tf.data.Dataset.element_spec`.

    Returns:
        An `Elements`.

    Raises:
        ValueError: The structure, a rank or a dtype is not one of those known.

    Example:

    >>> import numpy as np
    >>> dataset = tf.data.Dataset.from_tensors(
    ...     {"image": np.zeros((8, 8, 1), "uint8"), "label": 3}
    ... )
    >>> parse_elements(dataset.element_spec).batched
    False
    """
    image_key, label_key, weight_key, extra_keys, input_key = _keys(
        element_spec
    )
    image, label = element_spec[image_key], element_spec[label_key]
    if input_key is not None:
        image = image[input_key]
    for name, spec in (("image", image), ("label", label)):
        if not isinstance(spec, tf.TensorSpec):
            _refuse(element_spec, f"the {name} is not a dense tensor")
        if spec.shape.rank is None:
            _refuse(element_spec, f"the rank of the {name} is not known")
    if image.dtype == tf.bool or not (
        image.dtype.is_integer or image.dtype.is_floating
    ):
        _refuse(element_spec, f"the images have dtype {image.dtype.name}")
    if image.shape.rank not in (3, 4):
        _refuse(
            element_spec,
            f"the image has rank {image.shape.rank}; gray images need a last "
            "axis of 1, as `tf.expand_dims(image, -1)` gives it",
        )
    batched = image.shape.rank == 4
    label_rank = label.shape.rank - batched
    if label_rank not in (0, 1):
        _refuse(element_spec, f"the label has rank {label.shape.rank}")
    num_classes = label.shape[-1] if label_rank else None
    if label_rank and (num_classes is None or num_classes < 2):
        _refuse(
            element_spec,
            f"labels of shape {label.shape} are neither integers of shape "
            "(batch,) nor one-hot of shape (batch, num_classes). `tf.squeeze` "
            "a last axis of 1; batches of gray images need a last axis of 1",
        )
    if label.dtype == tf.bool or not (label_rank or label.dtype.is_integer):
        _refuse(element_spec, f"the labels have dtype {label.dtype.name}")
    if weight_key is not None:
        weight = element_spec[weight_key]
        if not isinstance(weight, tf.TensorSpec) or (
            weight.shape.rank != batched
        ):
            _refuse(
                element_spec, "the weight is not one number for each example"
            )
    return Elements(
        image_key=image_key,
        label_key=label_key,
        weight_key=weight_key,
        extra_keys=extra_keys,
        input_key=input_key,
        batched=batched,
        image_shape=tuple(image.shape[-3:]),
        image_dtype=image.dtype,
        label_dtype=label.dtype,
        num_classes=num_classes,
    )
