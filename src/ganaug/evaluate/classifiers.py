"""The reference downstream classifier."""

import keras


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
    low, high = value_range
    scale = 2.0 / (high - low)
    inputs = keras.Input(image_shape)
    x = keras.layers.Rescaling(scale, offset=-1.0 - low * scale)(inputs)
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
    return keras.Model(
        inputs, keras.layers.Dense(num_classes)(x), name="classifier"
    )
