"""What examples carry beside image and label: weights, extras, origin."""

import numbers

import tensorflow as tf

from ganaug.data.elements import DICT_WEIGHT

IS_SYNTHETIC = "is_synthetic"
ARTIFACT = "artifact"
SEED = "seed"
INDEX = "index"
DRAWN_CLASS = "drawn_class"
NONE = -1


class Details:
    """Completes real and synthetic examples to elements of one structure.

    Args:
        elements: `ganaug.data.elements.Elements` of the data set.
        element_spec: Its `element_spec`.
        sample_weight: Float. Weight of synthetic examples; real ones keep
            theirs, or get 1. By default, synthetic ones get 1 where the data
            set has weights, and none are added where it has none.
        fill: Dict from extra keys to what synthetic examples have there: a
            value, or a structure of values as the data set has it. By default
            0, `""` or `False`.
        is_synthetic: Boolean. Whether examples are to say what they are.
        provenance: Boolean. Whether they are to say where they come from.
        ids: Tuple of strings, the ids of the artifacts.

    Raises:
        ValueError: An extra cannot be carried along, a value does not fit, or
            a key is taken.
    """

    def __init__(
        self,
        elements,
        element_spec,
        sample_weight,
        fill,
        is_synthetic,
        provenance,
        ids,
    ):
        self._elements = elements
        self._ids = ids
        self._is_synthetic = is_synthetic
        self._provenance = provenance
        self._adds_weight = (
            sample_weight is not None and elements.weight_key is None
        )
        self._sample_weight = 1.0 if sample_weight is None else sample_weight
        self._check_weight(element_spec)
        self._check_keys(element_spec)
        extras = elements.extras(element_spec)
        for key, spec in extras.items():
            _check_extra(key, spec, elements.batched)
        self._fill = _resolve_fill(fill or {}, extras, elements.batched)

    @property
    def are_added(self):
        """Whether elements get parts that the data set does not have."""
        return self._adds_weight or self._is_synthetic or self._provenance

    def real(self, examples, num_real):
        """Completes real examples.

        Args:
            examples: Batch of the data set.
            num_real: int32 tensor, its examples.

        Returns:
            A batch of the structure that comes out.
        """
        origin = {}
        if self._is_synthetic:
            origin[IS_SYNTHETIC] = tf.fill([num_real], False)
        if self._provenance:
            origin[ARTIFACT] = tf.fill([num_real], "")
            origin[SEED] = tf.zeros([num_real, 2], tf.int64)
            origin[INDEX] = tf.fill([num_real], tf.constant(NONE, tf.int64))
            origin[DRAWN_CLASS] = tf.fill([num_real], NONE)
        weight = tf.ones([num_real]) if self._adds_weight else None
        return self._extend(examples, weight, origin)

    def synthetic(self, examples, images, labels, classes, drawn):
        """Completes synthetic examples.

        Args:
            examples: Batch of the data set, for its structure.
            images: Tensor `(num_images, height, width, channels)`.
            labels: Tensor `(num_images, ...)`.
            classes: int32 tensor `(num_images,)`, those that were asked for.
            drawn: `ganaug.synthesis.drawn.Drawn`.

        Returns:
            A batch of the structure that comes out.
        """
        num_images = tf.shape(labels)[0]
        elements = self._elements
        tensors = {"image": images, "label": labels}
        weight = None
        if elements.weight_key is not None:
            dtype = examples[elements.weight_key].dtype
            tensors["weight"] = tf.fill(
                [num_images], tf.cast(self._sample_weight, dtype)
            )
        elif self._adds_weight:
            weight = tf.fill(
                [num_images], tf.cast(self._sample_weight, tf.float32)
            )
        extras = tf.nest.map_structure(
            lambda tensor, value: _repeat(value, num_images, tensor),
            elements.extras(examples),
            self._fill,
        )
        origin = {}
        if self._is_synthetic:
            origin[IS_SYNTHETIC] = tf.fill([num_images], True)
        if self._provenance:
            origin[ARTIFACT] = tf.gather(tf.constant(self._ids), drawn.sources)
            origin[SEED] = drawn.seeds
            origin[INDEX] = drawn.indices
            origin[DRAWN_CLASS] = classes
        return self._extend(
            elements.replace(examples, extras, **tensors), weight, origin
        )

    def _extend(self, examples, weight, origin):
        if isinstance(examples, dict):
            if weight is not None:
                origin = {DICT_WEIGHT: weight, **origin}
            return {**examples, **origin}
        if weight is not None:
            examples = (*examples, weight)
        return (*examples, origin) if origin else examples

    def _check_weight(self, element_spec):
        if self._elements.weight_key is None:
            return
        dtype = element_spec[self._elements.weight_key].dtype
        if dtype.is_integer and self._sample_weight % 1:
            raise ValueError(
                f"The dataset's weights are {dtype.name} integers. Cast them "
                "to float32, or give synthetic examples a whole number. "
                f"Received: sample_weight={self._sample_weight}"
            )

    def _check_keys(self, element_spec):
        added = [IS_SYNTHETIC] if self._is_synthetic else []
        if self._provenance:
            added += [ARTIFACT, SEED, INDEX, DRAWN_CLASS]
        taken = []
        if self._elements.are_dicts:
            taken = sorted(set(added) & set(self._elements.extra_keys))
        if taken:
            raise ValueError(
                "The elements have keys that `is_synthetic` or `provenance` "
                f"would write over. Rename {taken} in a `map`. "
                f"Received: element_spec={element_spec}"
            )


def check_detail_arguments(sample_weight, fill):
    """Checks what is asked for before there is a data set.

    Args:
        sample_weight: As in `Details`.
        fill: As in `Details`.

    Raises:
        ValueError: The weight is out of range, or `fill` is no dict.
    """
    if sample_weight is not None and (
        not isinstance(sample_weight, numbers.Real)
        or not 0 <= sample_weight < float("inf")
    ):
        raise ValueError(
            "`sample_weight` must be a finite number of at least 0, the "
            "weight of synthetic examples, or None. "
            f"Received: sample_weight={sample_weight!r}"
        )
    if fill is not None and not isinstance(fill, dict):
        raise ValueError(
            "`fill` must be a dict from the data set's extra keys to values. "
            f"Received: fill={fill!r}"
        )


def _named(name, structure):
    """All leaves of an extra, by name."""
    if isinstance(structure, dict):
        for key, inner in structure.items():
            yield from _named(f"{name}/{key}", inner)
    elif isinstance(structure, (tuple, list)):
        for place, inner in enumerate(structure):
            yield from _named(f"{name}/{place}", inner)
    else:
        yield name, structure


def _check_extra(key, structure, batched):
    for name, spec in _named(key, structure):
        problem = None
        if not isinstance(spec, tf.TensorSpec):
            problem = f"is no dense tensor but {spec}"
        elif spec.shape.rank is None:
            problem = "has an unknown rank"
        elif batched and spec.shape.rank == 0:
            problem = "has no axis for the examples of a batch"
        elif not batched and not spec.shape.is_fully_defined():
            problem = (
                f"has the shape {spec.shape}, which may vary, and single "
                "examples are mixed in groups; `padded_batch` before "
                "GANAugmenter makes its sizes equal"
            )
        if problem:
            raise ValueError(
                "GANAugmenter cannot carry every part of the elements along: "
                f"{name!r} {problem}. Drop it in a `map`, or make it dense "
                f"with `to_tensor`. Received: {name}={spec}"
            )


def _resolve_fill(fill, extras, batched):
    unknown = sorted(set(fill) - set(extras))
    if unknown:
        raise ValueError(
            "`fill` may name the data set's extra keys, which are "
            f"{sorted(extras)}. Received: fill for {unknown}"
        )
    resolved = {}
    for key, spec in extras.items():
        try:
            resolved[key] = _fill_for(spec, fill.get(key), batched)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"`fill` must have a value for {key!r} that fits {spec}. "
                f"{error} Received: fill={{{key!r}: {fill[key]!r}}}"
            ) from error
    return resolved


def _fill_for(spec, value, batched):
    if isinstance(spec, dict):
        # One value for all parts, or one for each by name.
        values = value
        if not isinstance(value, dict):
            values = dict.fromkeys(spec, value)
        if not set(values) <= set(spec):
            raise ValueError(f"Its parts are {sorted(spec)}.")
        return {
            key: _fill_for(inner, values.get(key), batched)
            for key, inner in spec.items()
        }
    if isinstance(spec, (tuple, list)):
        return tf.nest.map_structure(
            lambda inner: _fill_for(inner, value, batched), spec
        )
    if value is None:
        return tf.zeros((), spec.dtype).numpy()
    filling = tf.constant(value, spec.dtype)
    shape = spec.shape[1:] if batched else spec.shape
    if filling.shape.rank and not tf.broadcast_static_shape(
        filling.shape, shape
    ).is_compatible_with(shape):
        raise ValueError(f"It has the shape {filling.shape}.")
    return filling.numpy()


def _repeat(value, num, like):
    """The value `num` times, in the shape of the examples of a tensor."""
    shape = tf.concat([[num], tf.shape(like)[1:]], 0)
    return tf.broadcast_to(tf.constant(value, like.dtype), shape)
