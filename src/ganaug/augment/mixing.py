"""Mixing: which places and classes, and the synthetic examples in them.

Everything here runs eagerly as it does in a graph, and depends on its
arguments alone.
"""

from typing import NamedTuple

import tensorflow as tf

from ganaug.augment.noise import draw_uniforms


class Plan(NamedTuple):
    """Where real and synthetic examples go, and of which classes these are.

    Args:
        kept: int32 tensor `(num_real,)`, the places of the real examples.
        places: int32 tensor `(num_synthetic,)`, those of the synthetic ones,
            which go before where both have one.
        classes: int32 tensor `(num_synthetic,)`.
    """

    kept: tf.Tensor
    places: tf.Tensor
    classes: tf.Tensor


def plan_mix(labels, num_synthetic, seed, choice, grows=False, dealt=None):
    """Decides on places and classes.

    Args:
        labels: int32 tensor or array `(num_real,)`, classes of real examples.
        num_synthetic: Integer or int32 tensor; at most `num_real` unless
            `grows`.
        seed: int64 tensor or array `(2,)`.
        choice: Which classes: `WeightedChoice`, `MatchingChoice` or
            `QuotaChoice` of `ganaug.augment.class_choice`.
        grows: Boolean. Whether all real examples stay, in their order, with
            synthetic ones at random places among them. If not, synthetic ones
            take the places of random real ones. Defaults to `False`.
        dealt: What a `QuotaChoice` needs. Defaults to `None`.

    Returns:
        A `Plan`.

    Example:

    >>> from ganaug.augment.class_choice import WeightedChoice
    >>> plan = plan_mix([3, 3, 3, 3], 2, [7, 0], WeightedChoice([0.5, 0.5]))
    >>> plan.places.shape, plan.classes.shape
    (TensorShape([2]), TensorShape([2]))
    """
    num_real = tf.size(labels)
    num_places = num_real + num_synthetic if grows else num_real
    for_places, for_classes = tf.unstack(
        draw_uniforms(tf.stack([2, num_places]), seed)
    )
    # The places of the largest of random numbers: a random choice.
    order = tf.math.top_k(
        for_places, num_places if grows else num_synthetic
    ).indices
    places = order[:num_synthetic] if grows else order
    classes = choice(
        labels,
        None if grows else places,
        tf.slice(for_classes, [0], tf.expand_dims(num_synthetic, 0)),
        dealt,
    )
    kept = tf.sort(order[num_synthetic:]) if grows else tf.range(num_real)
    return Plan(kept, places, classes)


def merge(plan, real, synthetic):
    """Puts real and synthetic examples in their places.

    Args:
        plan: `Plan`.
        real: Structure of tensors `(num_real, ...)`.
        synthetic: The same structure of tensors `(num_synthetic, ...)`.

    Returns:
        The same structure of tensors.
    """
    return tf.nest.map_structure(
        lambda *tensors: tf.dynamic_stitch([plan.kept, plan.places], tensors),
        real,
        synthetic,
    )
