"""GANAugmenter: a transformation Dataset -> Dataset."""

import copy
import numbers

import numpy as np
import tensorflow as tf

from ganaug import artifact
from ganaug.augment.sampler import Sampler
from ganaug.augment.sampling_strategy import resolve_class_weights
from ganaug.data.elements import parse_elements
from ganaug.data.images import check_value_range
from ganaug.seeds import derive_seed, resolve_seed

# Single examples are grouped, so that the generator runs on whole batches.
GROUP_SIZE = 64


class GANAugmenter:
    """Mixes class-conditioned synthetic images into a dataset's batches.

    In every batch a share of the examples, at random places, is replaced by
    images of a pretrained GAN with their labels. Structure, shapes, dtypes and
    cardinality stay as they are. Apply it to training data only, before
    classic augmentation, which should see both kinds of images.

    The synthetic images are other ones in every epoch, and the same for the
    same seed, whatever the number of threads.

    Args:
        pretrained: `ganaug.artifact.Artifact`, or a trained
            `ganaug.ConditionalGAN`. `GANAugmenter.from_pretrained` reads one
            from a folder.
        ratio: Float in `[0, 1]`. Expected share of synthetic examples; a part
            of an example becomes one with that probability. Defaults to
            `0.25`.
        sampling_strategy: Which classes synthetic images have. `"uniform"`:
            every class equally often, which lifts rare classes. `"match"`: the
            label of the real example replaced, which keeps the class shares.
            Or a dict from class name or index to a weight. Defaults to
            `"uniform"`.
        value_range: Pair of numbers. The values of black and of full
            intensity in the dataset. Floating-point images need it, since
            nothing else tells `[0, 1]` from `[-1, 1]`. Integers have by
            default the range that the GAN was trained on, where the dtype is
            the same, and otherwise `[0, 255]` if they are `uint8`.
        seed: Integer. Fixes places, labels and images. Drawn at random by
            default; the attribute `seed` tells it.
        latents: String. Where the latents of synthetic images come from:
            `"prior"`; or, if the model has an encoder, `"around"` a training
            image of the class, `"interpolated"` between two of them, or
            `"transferred"`: that of a training image of another class,
            decoded as this one, so that rare classes borrow the variation of
            the frequent ones. Defaults to `"prior"`.

    Call arguments:
        dataset: `tf.data.Dataset`, batched or not, of `(image, label)`,
            `(image, label, weight)`, or TFDS or Keras dicts; integer or
            one-hot labels. Synthetic examples get weight 1.

    Raises:
        ValueError: An argument is out of range; when applied, the dataset's
            structure is not known or its images or classes do not fit the GAN.
        tf.errors.InvalidArgumentError: While iterated, an image leaves the
            value range, or a label is not a class of the GAN.

    Example:

    ```python
    augmenter = ganaug.GANAugmenter.from_pretrained("runs/fashion", ratio=0.25)
    model.fit(train_ds.batch(64).apply(augmenter), epochs=10)
    ```
    """

    def __init__(
        self,
        pretrained,
        ratio=0.25,
        sampling_strategy="uniform",
        value_range=None,
        seed=None,
        latents="prior",
    ):
        if hasattr(pretrained, "to_artifact"):
            pretrained = pretrained.to_artifact()
        if not isinstance(pretrained, artifact.Artifact):
            raise TypeError(
                "`pretrained` must be an Artifact or a ConditionalGAN; a "
                "folder is read by `GANAugmenter.from_pretrained(path)`. "
                f"Received: pretrained={pretrained!r}"
            )
        if pretrained.num_classes is None:
            raise ValueError(
                "GANAugmenter mixes in images with labels, and a generator "
                "without classes has none. Train a model with `num_classes`. "
                "Received: pretrained with num_classes=None"
            )
        if not isinstance(ratio, numbers.Real) or not 0 <= ratio <= 1:
            raise ValueError(
                "`ratio` must be in [0, 1], the share of synthetic examples. "
                f"Received: ratio={ratio!r}"
            )
        if value_range is not None:
            value_range = check_value_range(value_range)
        self.ratio = float(ratio)
        self.sampling_strategy = sampling_strategy
        self.value_range = value_range
        self.seed = resolve_seed(seed)
        self._class_weights = resolve_class_weights(
            sampling_strategy, pretrained.class_names
        )
        self._pretrained = pretrained
        self.latents = latents
        self._sampler = Sampler(
            pretrained.generator, latents, pretrained.latent_bank
        )

    @classmethod
    def from_pretrained(cls, path, **kwargs):
        """Reads the artifact in a folder.

        Args:
            path: Folder written by `ConditionalGAN.save_pretrained` or
                `ganaug train`.
            **kwargs: Arguments of `GANAugmenter`.

        Returns:
            A `GANAugmenter`.

        Raises:
            FileNotFoundError: There is no artifact.
            ValueError: It is cut, changed or not ganaug's, or an argument is
                out of range.
        """
        return cls(artifact.load(path), **kwargs)

    @property
    def training_fingerprints(self):
        """Fingerprints of the images that the generator learnt."""
        return self._pretrained.fingerprints

    @property
    def class_names(self):
        """Tuple of the names of the GAN's classes."""
        return self._pretrained.class_names

    def with_seed(self, seed):
        """Copies the augmenter with another seed.

        Args:
            seed: Integer.

        Returns:
            A `GANAugmenter`.
        """
        copied = copy.copy(self)
        copied.seed = resolve_seed(seed)
        return copied

    def __call__(self, dataset):
        if not tf.executing_eagerly():
            raise ValueError(
                "GANAugmenter cannot be applied inside of `interleave`, "
                "`flat_map` or a tf.function, where every part would have the "
                "same noise. Apply it to the dataset that comes out of it. "
                f"Received: {dataset}"
            )
        if not isinstance(dataset, tf.data.Dataset):
            raise TypeError(
                "GANAugmenter takes a tf.data.Dataset, as in "
                "`dataset.apply(augmenter)`. "
                f"Received: {type(dataset).__name__}"
            )
        elements = parse_elements(dataset.element_spec)
        value_range = self._check(dataset, elements)
        if self.ratio == 0:
            return dataset
        batches = dataset if elements.batched else dataset.batch(GROUP_SIZE)

        def mix(element, seed):
            image, label = elements.image(element), elements.label(element)
            mixed = self._mix(image, label, elements, value_range, seed)
            if elements.weight_key is None:
                image, label, _ = mixed
                return elements.replace(element, image=image, label=label)
            image, label, is_synthetic = mixed
            weight = element[elements.weight_key]
            weight = tf.where(is_synthetic, tf.ones_like(weight), weight)
            return elements.replace(
                element, image=image, label=label, weight=weight
            )

        # Seeds are elements, so noise depends on epoch and place alone: on
        # no thread and no variable.
        seeds = tf.data.Dataset.random(
            derive_seed(self.seed, "augmenter"),
            rerandomize_each_iteration=True,
        ).batch(2, drop_remainder=True)
        mixed = tf.data.Dataset.zip(batches, seeds).map(
            mix, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        )
        if not elements.batched:
            mixed = mixed.unbatch()
        cardinality = dataset.cardinality()
        if cardinality >= 0 and not elements.batched:
            mixed = mixed.apply(
                tf.data.experimental.assert_cardinality(cardinality)
            )
        return mixed

    def _mix(self, images, labels, elements, value_range, seed):
        """Replaces a share of a batch; tells which examples are synthetic."""
        pretrained = self._pretrained
        num_classes = len(pretrained.class_names)
        _assert_range(images, value_range)
        if elements.num_classes is None:
            labels = _checked_labels(labels, num_classes)
        num_images = tf.shape(images)[0]
        uniforms = tf.random.stateless_uniform((num_images + 1,), seed)
        # Rounded up or down at random, so that the share is right on average
        # in small batches too.
        num_synthetic = tf.cast(
            self.ratio * tf.cast(num_images, tf.float32) + uniforms[-1],
            tf.int32,
        )
        num_synthetic = tf.minimum(num_synthetic, num_images)
        places = tf.argsort(uniforms[:-1])[:num_synthetic, None]
        if self._class_weights is None:
            classes = tf.gather_nd(labels, places)
            if elements.num_classes is not None:
                classes = tf.argmax(classes, -1)
            classes = tf.cast(classes, tf.int32)
        else:
            classes = tf.random.stateless_categorical(
                tf.math.log([self._class_weights]),
                num_synthetic,
                seed + [0, 1],
                tf.int32,
            )[0]
        # oneDNN's convolution gets the shape of an empty batch wrong.
        synthetic = tf.cond(
            num_synthetic > 0,
            lambda: self._sampler(
                classes, seed + [0, 2], value_range, elements.image_dtype
            ),
            lambda: images[:0],
        )
        if elements.num_classes is None:
            new_labels = tf.cast(classes, labels.dtype)
        else:
            new_labels = tf.one_hot(classes, num_classes, dtype=labels.dtype)
        is_synthetic = tf.scatter_nd(
            places, tf.ones_like(classes, tf.bool), [num_images]
        )
        return (
            tf.tensor_scatter_nd_update(images, places, synthetic),
            tf.tensor_scatter_nd_update(labels, places, new_labels),
            is_synthetic,
        )

    def _check(self, dataset, elements):
        """Checks that the dataset fits; gives its value range."""
        pretrained = self._pretrained
        num_classes = len(pretrained.class_names)
        problem = None
        if elements.extra_keys:
            problem = (
                f"the elements also have {list(elements.extra_keys)}, which "
                "synthetic examples do not; drop them in a `map`"
            )
        elif elements.image_shape != pretrained.image_shape:
            problem = (
                f"the images have shape {elements.image_shape}, but the GAN "
                f"was trained on {pretrained.image_shape}; resize the images "
                "or train another GAN"
            )
        elif elements.num_classes not in (None, num_classes):
            problem = (
                f"the labels have {elements.num_classes} classes, but the GAN "
                f"has {num_classes}: {list(pretrained.class_names)}"
            )
        if problem:
            raise ValueError(
                f"The GAN does not fit the dataset: {problem}. "
                f"Received: element_spec={dataset.element_spec}"
            )
        if self.value_range is not None:
            return self.value_range
        if elements.image_dtype.is_integer:
            if elements.image_dtype.name == pretrained.image_dtype:
                return pretrained.value_range
            if elements.image_dtype == tf.uint8:
                return (0.0, 255.0)
        raise ValueError(
            "The value range of the dataset is not known: its images are "
            f"{elements.image_dtype.name}, but the GAN was trained on "
            f"{pretrained.image_dtype} in {list(pretrained.value_range)}. "
            "Declare it with `value_range`, for instance (0, 1). "
            "Received: value_range=None"
        )


def _assert_range(images, value_range):
    # A dataset in [0, 255] that is taken for [0, 1] would train on garbage
    # without a word; a check of the batch costs microseconds.
    low, high = value_range
    dtype = images.dtype
    if dtype.is_integer and low <= dtype.min and dtype.max <= high:
        return
    slack = 1e-3 * (high - low)
    message = (
        "The images leave the value range that GANAugmenter was told or that "
        f"its GAN was trained on. Declare theirs. Received: {value_range=}"
    )
    images = tf.cast(images, tf.float32)
    tf.debugging.assert_greater_equal(
        tf.reduce_min(images), np.float32(low - slack), message
    )
    tf.debugging.assert_less_equal(
        tf.reduce_max(images), np.float32(high + slack), message
    )


def _checked_labels(labels, num_classes):
    message = f"The dataset's labels must be in [0, {num_classes})."
    wide = tf.cast(labels, tf.int64)
    # What is computed from the labels waits for the checks; else its own,
    # obscure error might come first.
    with tf.control_dependencies(
        [
            tf.debugging.assert_non_negative(wide, message),
            tf.debugging.assert_less(
                wide, tf.constant(num_classes, tf.int64), message
            ),
        ]
    ):
        return tf.identity(labels)
