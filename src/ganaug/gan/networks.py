"""The default generator and discriminator, for any image size.

Both work on a ladder of sizes: the image, then halves (rounded up) until no
side is over seven pixels. From sixteen pixels on, the full size itself has no
blocks, only a pixel shuffle and its inverse, since that is where convolutions
cost most.
"""

import keras

from ganaug.gan.layers import (
    SLOPE,
    LabelProjection,
    Modulation,
    PixelShuffle,
    ResidualBlock,
)

STYLE_DIM = 128
SMALLEST_SIDE = 7
SHUFFLE_FROM = 16
MAX_MULTIPLE = 4


def check_image_shape(image_shape):
    """Checks `(height, width, channels)` and returns it as integers.

    Args:
        image_shape: Tuple of three integers: height and width of at least 4
            pixels, and 1 to 4 channels.

    Returns:
        A tuple of three integers.

    Raises:
        ValueError: The shape is anything else.
    """
    shape = tuple(image_shape)
    if (
        len(shape) != 3
        or any(int(side) != side for side in shape)
        or min(shape[:2]) < 4
        or not 1 <= shape[2] <= 4
    ):
        raise ValueError(
            "`image_shape` must be (height, width, channels) with sides of at "
            "least 4 pixels and 1 to 4 channels. "
            f"Received: image_shape={image_shape}"
        )
    return tuple(int(side) for side in shape)


def _check_sizes(**sizes):
    for name, size in sizes.items():
        if not isinstance(size, int) or size < 1:
            raise ValueError(
                f"`{name}` must be a positive integer. Received: {name}={size}"
            )


def _ladder(image_shape):
    """Sizes that have blocks, largest first, and whether the top is halved."""
    size = image_shape[:2]
    shuffled = max(size) >= SHUFFLE_FROM
    if shuffled:
        size = tuple(-(-side // 2) for side in size)
    sizes = [size]
    while max(size) > SMALLEST_SIDE:
        size = tuple(-(-side // 2) for side in size)
        sizes.append(size)
    return sizes, shuffled


def fewest_parameters(image_shape, num_classes, latent_dim, width, depth):
    """Counts some of a generator's weights without building it.

    Args:
        image_shape: As in `build_generator`, and so the others.
        num_classes: Integer.
        latent_dim: Integer.
        width: Integer.
        depth: Integer.

    Returns:
        An integer: the weights of the embedding, of the first layer and of
        the blocks at the smallest size. The whole has more, but not many
        times more.
    """
    sizes, _ = _ladder(image_shape)
    (height, columns), channels = sizes[-1], _channels(width, len(sizes) - 1)
    return (
        num_classes * latent_dim
        + STYLE_DIM * height * columns * channels
        + depth * 9 * channels**2
    )


def _channels(width, level):
    return width * min(2**level, MAX_MULTIPLE)


def _crop(images, size):
    rows = images.shape[1] - size[0]
    columns = images.shape[2] - size[1]
    if rows or columns:
        images = keras.layers.Cropping2D(((0, rows), (0, columns)))(images)
    return images


def build_generator(image_shape, num_classes, latent_dim=64, width=32, depth=1):
    """Builds the generator: a modulated residual network.

    Latents and class become one style vector, which modulates every block, so
    that a rare class uses what the network learnt from the frequent ones.

    Args:
        image_shape: Tuple `(height, width, channels)`: sides of at least 4
            pixels, odd and non-square ones too, and 1 to 4 channels.
        num_classes: Integer. Number of classes.
        latent_dim: Integer. Size of the latents. Defaults to `64`.
        width: Integer. Channels at the largest size that has blocks; halving
            the size doubles them, up to fourfold. Defaults to `32`.
        depth: Integer. Residual blocks at each size. Defaults to `1`.

    Returns:
        A `keras.Model` called as `generator([latents, labels])` with float
        latents `(batch, latent_dim)` and integer labels `(batch,)`. It returns
        images `(batch, height, width, channels)` in `[-1, 1]`.

    Raises:
        ValueError: `image_shape` is not an image's shape, or a size is not a
            positive integer.

    Example:

    >>> generator = build_generator((9, 12, 3), num_classes=5)
    >>> generator.output_shape
    (None, 9, 12, 3)

    Reference:
        - [R3GAN, Huang et al., 2024](https://arxiv.org/abs/2501.05441)
    """
    image_shape = check_image_shape(image_shape)
    _check_sizes(
        num_classes=num_classes, latent_dim=latent_dim, width=width, depth=depth
    )
    sizes, shuffled = _ladder(image_shape)
    latents = keras.Input((latent_dim,), name="latents")
    labels = keras.Input((), dtype="int32", name="labels")
    style = keras.layers.Concatenate()(
        [
            latents,
            keras.layers.Embedding(
                num_classes, latent_dim, embeddings_initializer="random_normal"
            )(labels),
        ]
    )
    for _ in range(2):
        style = keras.layers.Dense(STYLE_DIM, kernel_initializer="he_normal")(
            style
        )
        style = keras.layers.LeakyReLU(SLOPE)(style)

    levels = list(enumerate(sizes))
    level, size = levels[-1]
    images = keras.layers.Dense(size[0] * size[1] * _channels(width, level))(
        style
    )
    images = keras.layers.Reshape((*size, _channels(width, level)))(images)
    for level, size in reversed(levels):
        if images.shape[1:3] != size:
            images = keras.layers.UpSampling2D()(images)
            images = _crop(images, size)
        for _ in range(depth):
            images = ResidualBlock(_channels(width, level))(images, style)

    images = Modulation()(images, style)
    images = keras.layers.LeakyReLU(SLOPE)(images)
    if shuffled:
        images = keras.layers.Conv2D(
            2 * width, 3, padding="same", kernel_initializer="he_normal"
        )(images)
        images = _crop(PixelShuffle()(images), image_shape[:2])
        images = keras.layers.LeakyReLU(SLOPE)(images)
    images = keras.layers.Conv2D(
        image_shape[2],
        3,
        padding="same",
        activation="tanh",
        dtype=keras.config.floatx(),
    )(images)
    return keras.Model([latents, labels], images, name="generator")


def build_discriminator(image_shape, num_classes, width=32, depth=1):
    """Builds the discriminator: a residual network with a label projection.

    It has no normalization, so a gradient penalty on one image does not depend
    on the rest of the batch.

    Args:
        image_shape: Tuple `(height, width, channels)`: sides of at least 4
            pixels, odd and non-square ones too, and 1 to 4 channels.
        num_classes: Integer. Number of classes.
        width: Integer. Channels at the largest size that has blocks; halving
            the size doubles them, up to fourfold. Defaults to `32`.
        depth: Integer. Residual blocks at each size. Defaults to `1`.

    Returns:
        A `keras.Model` called as `discriminator([images, labels])` with images
        `(batch, height, width, channels)` in `[-1, 1]` and integer labels
        `(batch,)`. It returns raw float32 logits `(batch,)`.

    Raises:
        ValueError: `image_shape` is not an image's shape, or a size is not a
            positive integer.

    Example:

    >>> discriminator = build_discriminator((9, 12, 3), num_classes=5)
    >>> discriminator.output_shape
    (None,)

    Reference:
        - [R3GAN, Huang et al., 2024](https://arxiv.org/abs/2501.05441)
        - [Miyato and Koyama, 2018](https://arxiv.org/abs/1802.05637)
    """
    image_shape = check_image_shape(image_shape)
    _check_sizes(num_classes=num_classes, width=width, depth=depth)
    sizes, shuffled = _ladder(image_shape)
    inputs = keras.Input(image_shape, name="images")
    labels = keras.Input((), dtype="int32", name="labels")
    images = keras.layers.Conv2D(
        width,
        4 if shuffled else 3,
        strides=2 if shuffled else 1,
        padding="same",
        kernel_initializer="he_normal",
    )(inputs)
    for level, size in enumerate(sizes):
        if images.shape[1:3] != size:
            images = keras.layers.AveragePooling2D(2, padding="same")(images)
        for _ in range(depth):
            images = ResidualBlock(_channels(width, level))(images)
    features = keras.layers.LeakyReLU(SLOPE)(images)
    features = keras.layers.Flatten()(features)
    features = keras.layers.Dense(
        _channels(width, len(sizes) - 1), kernel_initializer="he_normal"
    )(features)
    features = keras.layers.LeakyReLU(SLOPE, dtype=keras.config.floatx())(
        features
    )
    logits = LabelProjection(num_classes, dtype=keras.config.floatx())(
        features, labels
    )
    return keras.Model([inputs, labels], logits, name="discriminator")
