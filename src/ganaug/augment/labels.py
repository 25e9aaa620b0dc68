"""The labels of synthetic images: hard, smoothed, or soft."""

import numbers

import keras
import numpy as np
import tensorflow as tf

# What a sum of float16 probabilities may miss.
SLACK = 1e-2


class SyntheticLabels:
    """Makes labels of the data set's kind.

    Args:
        elements: `ganaug.data.elements.Elements` of the data set.
        class_names: Sequence of strings.
        label_smoothing: Float in `[0, 1)`. Share of each label that is spread
            evenly over the classes.
        teacher: `keras.Model` from images as the data set has them, cast to
            float32, to probabilities of the classes; or `None`.
        interpolated: Boolean. Whether images are drawn between classes, so
            that they come with soft labels.

    Call arguments:
        classes: int32 tensor `(num_images,)`.
        images: Tensor of the images, as the data set has them.
        targets: float32 tensor `(num_images, num_classes)` where images are
            drawn between classes.

    Call returns:
        A tensor `(num_images,)` or `(num_images, num_classes)`.

    Raises:
        ValueError: Soft labels are wanted where the data set's are integers,
            or the teacher gives no probabilities of the classes.
    """

    def __init__(
        self, elements, class_names, label_smoothing, teacher, interpolated
    ):
        self._elements = elements
        self._num_classes = len(class_names)
        self._smoothing = label_smoothing
        self._check_format(teacher, interpolated)
        self._teach = None if teacher is None else _freeze(teacher)

    def __call__(self, classes, images, targets):
        dtype = self._elements.label_dtype
        if self._elements.num_classes is None:
            return tf.cast(classes, dtype)
        if self._teach is not None:
            # oneDNN's convolution gets the shape of an empty batch wrong.
            soft = tf.cond(
                tf.size(classes) > 0,
                lambda: self._teach(tf.cast(images, tf.float32)),
                lambda: tf.zeros((0, self._num_classes)),
            )
        elif targets is not None:
            soft = targets
        elif not self._smoothing:
            return tf.one_hot(classes, self._num_classes, dtype=dtype)
        else:
            soft = tf.one_hot(classes, self._num_classes)
        if self._smoothing:
            soft *= 1 - self._smoothing
            soft += self._smoothing / self._num_classes
        return tf.cast(soft, dtype)

    def check_teacher(self, value_range, image_shape):
        """Checks that the teacher gives probabilities, by calling it.

        Args:
            value_range: Pair of floats. Value range of the data set's images.
            image_shape: Tuple `(height, width, channels)`.

        Raises:
            ValueError: It does not.
        """
        if self._teach is None:
            return
        low, high = value_range
        noise = np.random.default_rng(0).uniform(low, high, (4, *image_shape))
        given = self._teach(tf.constant(noise, tf.float32)).numpy()
        if given.shape != (len(noise), self._num_classes):
            raise ValueError(
                "`teacher` must give one probability for each of the "
                f"{self._num_classes} classes. Received: output of shape "
                f"{given.shape} for {len(noise)} images"
            )
        if given.min() < 0 or np.abs(given.sum(-1) - 1).max() > SLACK:
            raise ValueError(
                "`teacher` must give probabilities that add up to 1. Where it "
                "gives logits, put a softmax behind it: `keras.Sequential(["
                "teacher, keras.layers.Softmax()])`. "
                f"Received: output {given[0].tolist()}"
            )

    def _check_format(self, teacher, interpolated):
        given = {
            f"label_smoothing={self._smoothing}": self._smoothing > 0,
            f"teacher={teacher!r}": teacher is not None,
            "images between classes (class_interpolation)": interpolated,
        }
        given = [name for name, is_given in given.items() if is_given]
        elements = self._elements
        if not given or (
            elements.num_classes is not None
            and elements.label_dtype.is_floating
        ):
            return
        raise ValueError(
            "Soft labels need a data set with floating-point one-hot labels, "
            f"and its labels are {elements.label_dtype.name} "
            + ("integers. " if elements.num_classes is None else "one-hot. ")
            + "`dataset.map(lambda x, y: (x, tf.one_hot(y, "
            f"{self._num_classes})))` makes them. "
            f"Received: {' and '.join(given)}"
        )


def check_label_arguments(label_smoothing, teacher, interpolated):
    """Checks what is asked for of labels before there is a data set.

    Args:
        label_smoothing: As in `SyntheticLabels`.
        teacher: As in `SyntheticLabels`.
        interpolated: As in `SyntheticLabels`.

    Raises:
        ValueError: The smoothing is out of range, two things decide on the
            labels, or the teacher cannot be called in a graph.
        TypeError: The teacher is no Keras model.
    """
    if not isinstance(label_smoothing, numbers.Real) or not (
        0 <= label_smoothing < 1
    ):
        raise ValueError(
            "`label_smoothing` must be at least 0 and below 1. "
            f"Received: label_smoothing={label_smoothing!r}"
        )
    if teacher is None:
        return
    if not isinstance(teacher, keras.Model):
        raise TypeError(
            "`teacher` must be a keras.Model from images to probabilities. "
            f"Received: teacher={teacher!r}"
        )
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "A teacher inside of tf.data needs Keras on TensorFlow. Set the "
            "environment variable KERAS_BACKEND=tensorflow. "
            f"Received: backend={keras.backend.backend()!r}"
        )
    if not teacher.built:
        raise ValueError(
            "`teacher` must have been trained, or at least called once. "
            f"Received: teacher={teacher!r}"
        )
    if interpolated:
        raise ValueError(
            "Images between classes bring their soft labels along. Leave out "
            f"`teacher` or `class_interpolation`. Received: teacher={teacher!r}"
        )


def _freeze(model):
    """A function with the weights that a model has now, as constants."""
    values = {id(v): v.numpy() for v in model.variables}

    def call(images):
        trainable, other = (
            [tf.constant(values[id(variable)]) for variable in variables]
            for variables in (
                model.trainable_variables,
                model.non_trainable_variables,
            )
        )
        outputs, _ = model.stateless_call(
            trainable, other, images, training=False
        )
        return tf.cast(outputs, tf.float32)

    return call
