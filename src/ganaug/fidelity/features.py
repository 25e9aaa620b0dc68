"""A feature space that is learnt from the data themselves."""

import keras
import numpy as np
import tensorflow as tf

from ganaug.data.batches import class_balanced_batches
from ganaug.data.images import check_value_range, check_values, to_unit
from ganaug.seeds import derive_seed, resolve_seed, seeded_initializers

NUM_FEATURES = 64
LEARNING_RATE = 2e-3
DROPOUT = 0.3
BATCH_SIZE = 64
EVALUATION_BATCH_SIZE = 256
SMALLEST_SIDE = 4


class FeatureExtractor:
    """Features and class probabilities of images, by a classifier of them.

    Features are the layer before the last, standardized by the mean and the
    standard deviation of each over the training images. Then every feature
    counts alike in distances and kernels, and the measures do not depend on
    how large the network happened to make them.

    `train_feature_extractor` makes one. It recognizes its own training images
    better than new ones, so fakes are best compared with real images that it
    was not trained on, where there are enough.

    Args:
        model: `keras.Model` from float images in `[-1, 1]` of the shape
            `(batch, height, width, channels)` to a pair: features
            `(batch, dim)` and logits `(batch, num_classes)`.
        value_range: Pair of floats. Value range of the images it will be
            given.
        mean: Array `(dim,)`. Subtracted from the features. Defaults to 0.
        scale: Array `(dim,)`. What they are divided by then. Defaults to 1.
    """

    def __init__(self, model, value_range, mean=0.0, scale=1.0):
        self.model = model
        self.value_range = check_value_range(value_range)
        self.image_shape = tuple(model.input_shape[1:])
        (_, self.dim), (_, self.num_classes) = model.output_shape
        self._mean = np.broadcast_to(np.float32(mean), self.dim)
        self._scale = np.broadcast_to(np.float32(scale), self.dim)
        self._evaluate = tf.function(
            self._evaluate_batch,
            input_signature=[
                tf.TensorSpec((None, *self.image_shape), tf.float32)
            ],
        )

    def features(self, images):
        """Computes features.

        Args:
            images: Array `(num_images, height, width, channels)` in the value
                range of the data, of any real dtype.

        Returns:
            A float32 array `(num_images, dim)`.

        Raises:
            ValueError: There is no image, or the shape or a value is not that
                of such images.
        """
        return (self._run(images)[0] - self._mean) / self._scale

    def probabilities(self, images):
        """Computes the probability of each class.

        Args:
            images: As in `features`.

        Returns:
            A float32 array `(num_images, num_classes)`; rows sum to 1.

        Raises:
            ValueError: As in `features`.
        """
        return self._run(images)[1]

    def _run(self, images):
        images = np.asarray(images)
        if images.ndim != 4 or images.shape[1:] != self.image_shape:
            raise ValueError(
                "`images` must have the shape (num_images, height, width, "
                f"channels) with images of {self.image_shape}. "
                f"Received: images.shape={images.shape}"
            )
        # A convolution of an empty batch has a wrong shape.
        if len(images) == 0:
            raise ValueError(
                "`images` must hold at least one image. "
                f"Received: images.shape={images.shape}"
            )
        if images.dtype.kind == "f" and not np.isfinite(images).all():
            raise ValueError(
                "`images` must be finite. Received: NaN or infinity in "
                f"images of the shape {images.shape}"
            )
        check_values(images, self.value_range)
        parts = [
            self._evaluate(
                to_unit(
                    images[start : start + EVALUATION_BATCH_SIZE],
                    self.value_range,
                )
            )
            for start in range(0, len(images), EVALUATION_BATCH_SIZE)
        ]
        return tuple(
            np.concatenate([part.numpy() for part in column])
            for column in zip(*parts, strict=True)
        )

    def _evaluate_batch(self, images):
        features, logits = self.model(images, training=False)
        return (
            tf.cast(features, tf.float32),
            tf.nn.softmax(tf.cast(logits, tf.float32)),
        )


def train_feature_extractor(labeled_images, seed, steps=600):
    """Trains a small classifier of the images, for its features.

    A network that was trained on photographs sees little in digits, cells or
    garments; this one sees what tells their classes apart. Every class is
    drawn equally often, and images are shifted at random by a sixteenth of
    their sides, at least one pixel. The same seed gives the same network on
    the same kind of CPU.

    Only data with at least two classes teach features this way. For others
    give `score_images` a function of your own: random features would measure
    little and not say so.

    Args:
        labeled_images: `LabeledImages` of real images, sides of at least 4
            pixels, at least one image of each of two or more classes.
        seed: Integer in `[0, 2**31)`, or `None` to draw one.
        steps: Integer. Optimizer steps of 64 images. Defaults to `600`.

    Returns:
        A `FeatureExtractor` for images in the value range of
        `labeled_images`.

    Raises:
        ValueError: The images are too small, there are fewer than two
            classes or one without an image, or `steps` is not positive.

    Example:

    ```python
    extractor = train_feature_extractor(real, seed=0)
    scores = score_images(real, fake, extractor)
    ```
    """
    _check_data(labeled_images)
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ValueError(
            f"`steps` must be a positive integer. Received: steps={steps!r}"
        )
    seed = resolve_seed(seed)
    with seeded_initializers(derive_seed(seed, "weights")):
        model = _build_model(
            labeled_images.image_shape, labeled_images.num_classes
        )
    _train(model, labeled_images, seed, steps)
    return standardized_features(model, labeled_images)


def standardized_features(model, labeled_images):
    """Standardizes the features of a classifier by its training images.

    Args:
        model: As in `FeatureExtractor`.
        labeled_images: `LabeledImages` that it was trained on.

    Returns:
        A `FeatureExtractor` for images in the value range of
        `labeled_images`.
    """
    raw = FeatureExtractor(model, labeled_images.value_range)
    features = raw.features(labeled_images.images).astype(np.float64)
    scale = features.std(0)
    # Rounding alone makes features of equal images differ in the last digits.
    varies = scale > 1e-5 * np.abs(features).max()
    return FeatureExtractor(
        model,
        labeled_images.value_range,
        features.mean(0),
        np.where(varies, scale, 1.0),
    )


def _check_data(labeled_images):
    if min(labeled_images.image_shape[:2]) < SMALLEST_SIDE:
        raise ValueError(
            f"Images must have sides of at least {SMALLEST_SIDE} pixels. "
            f"Received: images of shape {labeled_images.image_shape}"
        )
    if labeled_images.num_classes < 2:
        raise ValueError(
            "Features are learnt by telling classes apart, so at least 2 are "
            "needed. For images of one kind give a feature function "
            "`images -> (num_images, dim)` of your own. "
            f"Received: class_names={labeled_images.class_names}"
        )
    labeled_images.check_trainable()


def _build_model(image_shape, num_classes):
    # In float32 whatever the policy: on a CPU half precision is far slower.
    layers = keras.layers
    inputs = keras.Input(image_shape)
    x, channels = inputs, 32
    # At full size a convolution costs most and shows least.
    strides = 2 if max(image_shape[:2]) > 32 else 1
    while True:
        x = layers.Conv2D(
            channels,
            3,
            strides=strides,
            padding="same",
            activation="relu",
            dtype="float32",
        )(x)
        if max(x.shape[1:3]) <= SMALLEST_SIDE:
            break
        x = layers.MaxPooling2D(2, padding="same", dtype="float32")(x)
        channels, strides = 64, 1
    # Not ReLU: a feature that is 0 for all training images has no scale.
    features = layers.Dense(NUM_FEATURES, activation="silu", dtype="float32")(
        layers.Flatten(dtype="float32")(x)
    )
    logits = layers.Dense(num_classes, dtype="float32")(
        layers.Dropout(DROPOUT, dtype="float32")(features)
    )
    return keras.Model(inputs, [features, logits], name="feature_extractor")


def _train(model, labeled_images, seed, steps):
    height, width, _ = labeled_images.image_shape
    shift_seed = tf.constant(derive_seed(seed, "shifts"), tf.int64)

    def prepare(step, batch):
        images, labels = batch
        images = to_unit(images, labeled_images.value_range)
        u = tf.random.stateless_uniform(
            (2, BATCH_SIZE, 1), tf.stack([shift_seed, step])
        )
        rows, columns = _shifted(height, u[0]), _shifted(width, u[1])
        images = tf.gather(images, rows, axis=1, batch_dims=1)
        return tf.gather(images, columns, axis=2, batch_dims=1), labels

    batches = (
        class_balanced_batches(
            labeled_images, BATCH_SIZE, derive_seed(seed, "batches")
        )
        .enumerate()
        .take(steps)
        .map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )
    trained = keras.Model(model.input, model.output[1])
    trained.compile(
        keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        auto_scale_loss=False,
    )
    trained.fit(batches, shuffle=False, verbose=0)


def _shifted(size, u):
    """Which rows to show for a random shift; the outermost is repeated."""
    reach = max(1, size // 16)
    shift = tf.cast(u * (2 * reach + 1), tf.int32) - reach
    return tf.clip_by_value(tf.range(size) + shift, 0, size - 1)
