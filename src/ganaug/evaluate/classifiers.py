"""The reference downstream classifiers."""

import keras

# Of the moving averages of batch normalization: at Keras's own, 0.99, they lag
# behind in trainings of a few hundred steps.
MOMENTUM = 0.9


def build_classifier(image_shape, num_classes, value_range):
    """Builds a small convolutional network for images as they are.

    Convolution and pooling in turn until no side is over four pixels, then
    one hidden layer with dropout.

    Args:
        image_shape: Tuple `(height, width, channels)`.
        num_classes: Integer. Number of classes.
        value_range: Pair of floats. Value range of the images, which the
            network rescales itself.

    Returns:
        An uncompiled `keras.Model` from images
        `(batch, height, width, channels)` to logits `(batch, num_classes)`.

    Example:

    >>> build_classifier((8, 8, 1), 10, (0, 255)).output_shape
    (None, 10)
    """
    inputs, x = _rescaled_inputs(image_shape, value_range)
    channels = 32
    while True:
        x = keras.layers.Conv2D(channels, 3, padding="same", activation="relu")(
            x
        )
        if max(x.shape[1:3]) <= 4:
            break
        x = keras.layers.MaxPooling2D(2, padding="same")(x)
        channels = 64
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(128, activation="relu")(x)
    x = keras.layers.Dropout(0.3)(x)
    return keras.Model(inputs, _logits(x, num_classes), name="classifier")


def build_residual_classifier(image_shape, num_classes, value_range):
    """Builds a small residual network for images as they are.

    Two residual blocks of two convolutions at each size, with batch
    normalization, at 16, 32 and 64 channels; the size is halved between them
    as long as both sides have at least four pixels. Then the mean over places.

    Args:
        image_shape: Tuple `(height, width, channels)`.
        num_classes: Integer. Number of classes.
        value_range: Pair of floats. Value range of the images, which the
            network rescales itself.

    Returns:
        An uncompiled `keras.Model` from images
        `(batch, height, width, channels)` to logits `(batch, num_classes)`.

    Example:

    >>> build_residual_classifier((8, 8, 1), 10, (0, 255)).output_shape
    (None, 10)

    Reference:
        - [He et al., 2015](https://arxiv.org/abs/1512.03385), section 4.2
    """
    inputs, x = _rescaled_inputs(image_shape, value_range)
    x = keras.layers.Conv2D(16, 3, padding="same", use_bias=False)(x)
    for stage, channels in enumerate((16, 32, 64)):
        for block in range(2):
            halve = stage and not block and min(x.shape[1:3]) >= 4
            x = _residual_block(x, channels, 2 if halve else 1)
    x = keras.layers.BatchNormalization(momentum=MOMENTUM)(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(
        inputs, _logits(x, num_classes), name="residual_classifier"
    )


def _logits(x, num_classes):
    # Under a policy of mixed precision, eight bits are too few for them.
    return keras.layers.Dense(num_classes, dtype=keras.config.floatx())(x)


def _rescaled_inputs(image_shape, value_range):
    low, high = value_range
    scale = 2.0 / (high - low)
    inputs = keras.Input(image_shape)
    return inputs, keras.layers.Rescaling(scale, offset=-1.0 - low * scale)(
        inputs
    )


def _residual_block(x, channels, strides):
    shortcut = x
    x = keras.layers.BatchNormalization(momentum=MOMENTUM)(x)
    x = keras.layers.ReLU()(x)
    if strides > 1 or shortcut.shape[-1] != channels:
        shortcut = keras.layers.Conv2D(channels, 1, strides, use_bias=False)(x)
    x = keras.layers.Conv2D(
        channels, 3, strides, padding="same", use_bias=False
    )(x)
    x = keras.layers.BatchNormalization(momentum=MOMENTUM)(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    return keras.layers.Add()([x, shortcut])


# By the names that the command line and files have for them.
CLASSIFIERS = {
    "cnn": build_classifier,
    "residual": build_residual_classifier,
}
