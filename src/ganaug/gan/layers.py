"""Layers of the networks that Keras lacks."""

import keras
from keras import ops

SLOPE = 0.2
PACKAGE = "ganaug"


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
            2 * images_shape[-1], kernel_initializer="zeros", name="affine"
        )
        self.affine.build(style_shape)

    def call(self, images, style):
        scale, shift = ops.split(self.affine(style)[:, None, None, :], 2, -1)
        return images * (1.0 + scale) + shift

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
        )
        self.conv_in.build(images_shape)
        self.conv_out = keras.layers.Conv2D(
            self.channels,
            3,
            padding="same",
            kernel_initializer="zeros",
            name="conv_out",
        )
        self.conv_out.build(inner_shape)
        self.shortcut = None
        if images_shape[-1] != self.channels:
            self.shortcut = keras.layers.Conv2D(
                self.channels, 1, use_bias=False, name="shortcut"
            )
            self.shortcut.build(images_shape)
        self.modulation_in = self.modulation_out = None
        if style_shape is not None:
            self.modulation_in = Modulation(name="modulation_in")
            self.modulation_in.build(images_shape, style_shape)
            self.modulation_out = Modulation(name="modulation_out")
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
class LabelProjection(keras.layers.Layer):
    """Scores features for the given class (projection discriminator).

    `dense(features) + <embedding(label), features> / sqrt(dim)`.

    Args:
        num_classes: Integer. Number of classes.

    Call arguments:
        features: Float tensor of shape `(batch, dim)`.
        labels: Integer tensor of shape `(batch,)`, values in
            `[0, num_classes)`.

    Output shape:
        `(batch,)`: logits.

    Reference:
        - [Miyato and Koyama, 2018](https://arxiv.org/abs/1802.05637)
    """

    def __init__(self, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes

    def build(self, features_shape, labels_shape):
        dim = features_shape[-1]
        self.unconditional = keras.layers.Dense(1, name="unconditional")
        self.unconditional.build(features_shape)
        self.embedding = keras.layers.Embedding(
            self.num_classes,
            dim,
            embeddings_initializer="random_normal",
            name="embedding",
        )
        self.embedding.build(labels_shape)
        self.scale = dim**-0.5

    def call(self, features, labels):
        conditional = ops.sum(self.embedding(labels) * features, axis=-1)
        return self.unconditional(features)[:, 0] + conditional * self.scale

    def compute_output_shape(self, features_shape, labels_shape):
        return features_shape[:-1]

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}
