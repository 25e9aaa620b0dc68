"""Layers of the networks that Keras lacks."""

import keras
from keras import ops

SLOPE = 0.2
PACKAGE = "ganaug"
# Of Keras's layer. Its own momentum of 0.99 is slow for short trainings.
BATCH_NORMALIZATION = {"momentum": 0.9, "synchronized": True}
MAX_LABEL_MAPS = 16


@keras.saving.register_keras_serializable(package=PACKAGE)
class Modulation(keras.layers.Layer):
    """Scales and shifts channels by an affine function of a style vector.

    `images * (1 + scale(style)) + shift(style)`, both affine maps starting at
    zero, so the layer starts as the identity.

    Call arguments:
        images: Float tensor of shape `(batch, height, width, channels)`.
        style: Float tensor of shape `(batch, style_dim)`.

    Output shape:
        The shape of `images`.

    Reference:
        - [FiLM, Perez et al., 2018](https://arxiv.org/abs/1709.07871)
    """

    def build(self, images_shape, style_shape):
        self.affine = keras.layers.Dense(
            2 * images_shape[-1],
            kernel_initializer="zeros",
            name="affine",
            dtype=self.dtype_policy,
        )
        self.affine.build(style_shape)

    def call(self, images, style):
        scale, shift = ops.split(self.affine(style)[:, None, None, :], 2, -1)
        return images * (1.0 + scale) + shift

    def compute_output_shape(self, images_shape, style_shape):
        return images_shape


@keras.saving.register_keras_serializable(package=PACKAGE)
class ConditionalBatchNormalization(keras.layers.Layer):
    """Batch normalization, then a modulation by a style vector.

    Scale and shift of each channel are affine functions of the style, such as
    the embedding of a class, instead of one weight each. They start at 1 and
    0. Under `tf.distribute` the statistics are those of all replicas.

    Call arguments:
        images: Float tensor of shape `(batch, height, width, channels)`.
        style: Float tensor of shape `(batch, style_dim)`.

    Output shape:
        The shape of `images`.

    Reference:
        - [de Vries et al., 2017](https://arxiv.org/abs/1707.00683)
    """

    def build(self, images_shape, style_shape):
        self.normalization = keras.layers.BatchNormalization(
            center=False,
            scale=False,
            name="normalization",
            **BATCH_NORMALIZATION,
            dtype=self.dtype_policy,
        )
        self.normalization.build(images_shape)
        self.modulation = Modulation(name="modulation", dtype=self.dtype_policy)
        self.modulation.build(images_shape, style_shape)

    def call(self, images, style, training=None):
        images = self.normalization(images, training=training)
        return self.modulation(images, style)

    def compute_output_shape(self, images_shape, style_shape):
        return images_shape


@keras.saving.register_keras_serializable(package=PACKAGE)
class ResidualBlock(keras.layers.Layer):
    """Two 3x3 convolutions beside a shortcut, without normalization.

    The last convolution starts at zero (as in Fixup), so a new block is the
    identity and depth costs no stability. With a style the block modulates the
    input of both convolutions; a discriminator calls it without.

    Args:
        channels: Integer. Channels of the output. Where the input has another
            number, the shortcut is a 1x1 convolution.

    Call arguments:
        images: Float tensor of shape `(batch, height, width, channels)`.
        style: Float tensor of shape `(batch, style_dim)`, or `None`.

    Output shape:
        `(batch, height, width, channels)`.

    Reference:
        - [Fixup, Zhang et al., 2019](https://arxiv.org/abs/1901.09321)
        - [R3GAN, Huang et al., 2024](https://arxiv.org/abs/2501.05441)
    """

    def __init__(self, channels, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels

    def build(self, images_shape, style_shape=None):
        inner_shape = (*images_shape[:-1], self.channels)
        self.conv_in = keras.layers.Conv2D(
            self.channels,
            3,
            padding="same",
            kernel_initializer="he_normal",
            name="conv_in",
            dtype=self.dtype_policy,
        )
        self.conv_in.build(images_shape)
        self.conv_out = keras.layers.Conv2D(
            self.channels,
            3,
            padding="same",
            kernel_initializer="zeros",
            name="conv_out",
            dtype=self.dtype_policy,
        )
        self.conv_out.build(inner_shape)
        self.shortcut = None
        if images_shape[-1] != self.channels:
            self.shortcut = keras.layers.Conv2D(
                self.channels,
                1,
                use_bias=False,
                name="shortcut",
                dtype=self.dtype_policy,
            )
            self.shortcut.build(images_shape)
        self.modulation_in = self.modulation_out = None
        if style_shape is not None:
            self.modulation_in = Modulation(
                name="modulation_in", dtype=self.dtype_policy
            )
            self.modulation_in.build(images_shape, style_shape)
            self.modulation_out = Modulation(
                name="modulation_out", dtype=self.dtype_policy
            )
            self.modulation_out.build(inner_shape, style_shape)

    def call(self, images, style=None):
        inner = images
        if style is not None:
            inner = self.modulation_in(inner, style)
        inner = self.conv_in(ops.leaky_relu(inner, SLOPE))
        if style is not None:
            inner = self.modulation_out(inner, style)
        inner = self.conv_out(ops.leaky_relu(inner, SLOPE))
        shortcut = images if self.shortcut is None else self.shortcut(images)
        return shortcut + inner

    def compute_output_shape(self, images_shape, style_shape=None):
        return (*images_shape[:-1], self.channels)

    def get_config(self):
        return {**super().get_config(), "channels": self.channels}


@keras.saving.register_keras_serializable(package=PACKAGE)
class PixelShuffle(keras.layers.Layer):
    """Moves channels into space: height and width grow twofold.

    Input shape:
        `(batch, height, width, 4 * channels)`.

    Output shape:
        `(batch, 2 * height, 2 * width, channels)`.

    Reference:
        - [Shi et al., 2016](https://arxiv.org/abs/1609.05158)
    """

    def call(self, images):
        _, height, width, channels = images.shape
        images = ops.reshape(images, (-1, height, width, 2, 2, channels // 4))
        images = ops.transpose(images, (0, 1, 3, 2, 4, 5))
        return ops.reshape(images, (-1, 2 * height, 2 * width, channels // 4))

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (batch, 2 * height, 2 * width, channels // 4)


@keras.saving.register_keras_serializable(package=PACKAGE)
class LabelMaps(keras.layers.Layer):
    """Appends the class to images, as channels that are the same everywhere.

    Each class has a learnt vector of length 1, with one number for each
    channel. At first those of two classes are orthogonal, as one-hot vectors
    are; from 17 classes on, which no longer fit, they are not quite.

    Args:
        num_classes: Integer. Number of classes.

    Call arguments:
        images: Float tensor of shape `(batch, height, width, channels)`.
        labels: Integer tensor of shape `(batch,)`, values in
            `[0, num_classes)`.

    Output shape:
        `(batch, height, width, channels + min(num_classes, 16))`.

    Reference:
        - [Perarnau et al., 2016](https://arxiv.org/abs/1611.06355)
    """

    def __init__(self, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.dim = min(num_classes, MAX_LABEL_MAPS)

    def build(self, images_shape, labels_shape):
        self.embedding = keras.layers.Embedding(
            self.num_classes,
            self.dim,
            embeddings_initializer=keras.initializers.Orthogonal(
                gain=(self.num_classes / self.dim) ** 0.5
            ),
            name="embedding",
            dtype=self.dtype_policy,
        )
        self.embedding.build(labels_shape)

    def call(self, images, labels):
        vectors = self.embedding(labels)[:, None, None, :]
        maps = ops.broadcast_to(vectors, (*ops.shape(images)[:3], self.dim))
        return ops.concatenate([images, maps], axis=-1)

    def compute_output_shape(self, images_shape, labels_shape):
        return (*images_shape[:-1], images_shape[-1] + self.dim)

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


@keras.saving.register_keras_serializable(package=PACKAGE)
class LabelProjection(keras.layers.Layer):
    """Scores features for the given class (projection discriminator).

    `dense(features) + <embedding(label), features> / sqrt(dim)`. With spectral
    normalization the largest singular values of both, dense layer and
    embedding, are kept at 1, and nothing is divided.

    Args:
        num_classes: Integer. Number of classes.
        spectral_normalization: Boolean. Defaults to `False`.

    Call arguments:
        features: Float tensor of shape `(batch, dim)`.
        labels: Integer tensor of shape `(batch,)`, values in
            `[0, num_classes)`.

    Output shape:
        `(batch,)`: logits.

    Reference:
        - [Miyato and Koyama, 2018](https://arxiv.org/abs/1802.05637)
    """

    def __init__(self, num_classes, spectral_normalization=False, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.spectral_normalization = spectral_normalization

    def build(self, features_shape, labels_shape):
        dim = features_shape[-1]
        self.unconditional = keras.layers.Dense(
            1, name="unconditional", dtype=self.dtype_policy
        )
        if self.spectral_normalization:
            self._build_normalized(features_shape)
            return
        self.unconditional.build(features_shape)
        self.embedding = keras.layers.Embedding(
            self.num_classes,
            dim,
            embeddings_initializer="random_normal",
            name="embedding",
            dtype=self.dtype_policy,
        )
        self.embedding.build(labels_shape)
        self.scale = dim**-0.5

    def _build_normalized(self, features_shape):
        # Keras normalizes an embedding only where its input is a float.
        self.unconditional = keras.layers.SpectralNormalization(
            self.unconditional, dtype=self.dtype_policy
        )
        self.unconditional.build(features_shape)
        self.embedding = keras.layers.SpectralNormalization(
            keras.layers.Dense(
                features_shape[-1],
                use_bias=False,
                name="embedding",
                dtype=self.dtype_policy,
            ),
            dtype=self.dtype_policy,
        )
        self.embedding.build((features_shape[0], self.num_classes))
        self.scale = 1.0

    def call(self, features, labels):
        if self.spectral_normalization:
            labels = ops.one_hot(labels, self.num_classes, dtype=features.dtype)
        conditional = ops.sum(self.embedding(labels) * features, axis=-1)
        return self.unconditional(features)[:, 0] + conditional * self.scale

    def compute_output_shape(self, features_shape, labels_shape):
        return features_shape[:-1]

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "spectral_normalization": self.spectral_normalization,
        }
