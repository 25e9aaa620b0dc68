"""ganaug's networks, layer for layer, as one writes them in PyTorch.

For image sides that can be halved without a rest until they have at most seven
pixels. Dense layers see features in TensorFlow's order, so that weights can be
carried over (`load_keras_weights`); PyTorch keeps images as channels-last, for
which that order costs nothing.
"""

import itertools
import math

import torch
from torch import nn
from torch.nn import functional

SLOPE = 0.2


def ladder(size, fewest=1):
    """Halves a size until no side is over seven pixels.

    Args:
        size: Integer. Both sides.
        fewest: Integer. Sizes that there are at least. Defaults to `1`.

    Returns:
        A list of integers, largest first.
    """
    sizes = [size]
    while sizes[-1] > 7 or len(sizes) < fewest:
        if sizes[-1] % 2:
            raise ValueError(f"Sides must halve evenly. Received: size={size}")
        sizes.append(sizes[-1] // 2)
    return sizes


def stages(sizes, width, most=4):
    """Gives each size its channels, as `ganaug` does.

    Args:
        sizes: List of integers.
        width: Integer.
        most: Integer. The largest multiple of `width`. Defaults to `4`.

    Returns:
        A list of pairs of integers.
    """
    return [
        (size, width * min(2**level, most)) for level, size in enumerate(sizes)
    ]


def flat(images):
    """Features of images in TensorFlow's order."""
    return images.permute(0, 2, 3, 1).flatten(1)


def unflat(features, size, channels):
    """Images, channels-last in memory, out of such features."""
    return features.view(-1, size, size, channels).permute(0, 3, 1, 2)


class LabelMaps(nn.Module):
    """The class as channels that are the same everywhere."""

    def __init__(self, num_classes):
        super().__init__()
        self.dim = min(num_classes, 16)
        self.embedding = nn.Embedding(num_classes, self.dim)
        nn.init.orthogonal_(
            self.embedding.weight, (num_classes / self.dim) ** 0.5
        )

    def forward(self, images, labels):
        maps = self.embedding(labels)[:, :, None, None]
        maps = maps.expand(-1, -1, *images.shape[2:])
        return torch.cat([images, maps], 1)


class Projection(nn.Module):
    """The last layer of a projection discriminator."""

    def __init__(self, num_classes, dim):
        super().__init__()
        self.unconditional = nn.Linear(dim, 1)
        self.embedding = nn.Embedding(num_classes, dim)
        nn.init.normal_(self.embedding.weight, std=0.05)
        self.scale = dim**-0.5

    def forward(self, features, labels):
        conditional = (self.embedding(labels) * features).sum(1)
        return self.unconditional(features)[:, 0] + conditional * self.scale


class Modulation(nn.Module):
    """Scales and shifts channels by an affine function of a style."""

    def __init__(self, channels, style_dim=128):
        super().__init__()
        self.affine = nn.Linear(style_dim, 2 * channels)
        nn.init.zeros_(self.affine.weight)
        nn.init.zeros_(self.affine.bias)

    def forward(self, images, style):
        scale, shift = self.affine(style)[:, :, None, None].chunk(2, 1)
        return images * (1 + scale) + shift


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut, modulated where there is a style."""

    def __init__(self, inputs, channels, modulated=False):
        super().__init__()
        self.conv_in = nn.Conv2d(inputs, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.conv_in.weight)
        nn.init.zeros_(self.conv_in.bias)
        self.conv_out = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)
        self.shortcut = None
        if inputs != channels:
            self.shortcut = nn.Conv2d(inputs, channels, 1, bias=False)
        self.modulation_in = self.modulation_out = None
        if modulated:
            self.modulation_in = Modulation(inputs)
            self.modulation_out = Modulation(channels)

    def forward(self, images, style=None):
        inner = images
        if self.modulation_in is not None:
            inner = self.modulation_in(inner, style)
        inner = self.conv_in(functional.leaky_relu(inner, SLOPE))
        if self.modulation_out is not None:
            inner = self.modulation_out(inner, style)
        inner = self.conv_out(functional.leaky_relu(inner, SLOPE))
        if self.shortcut is not None:
            images = self.shortcut(images)
        return images + inner


class R3ganGenerator(nn.Module):
    """`ganaug.gan.architectures.r3gan`'s generator."""

    def __init__(self, image_shape, num_classes, latent_dim, width):
        super().__init__()
        size, _, channels = image_shape
        self.shuffled = size >= 16
        sizes = ladder(size // 2 if self.shuffled else size)
        self.stages = stages(sizes, width)
        self.embedding = nn.Embedding(num_classes, latent_dim)
        nn.init.normal_(self.embedding.weight, std=0.05)
        self.style = nn.ModuleList(
            [nn.Linear(2 * latent_dim, 128), nn.Linear(128, 128)]
        )
        smallest, last = self.stages[-1]
        self.first = nn.Linear(128, smallest**2 * last)
        self.blocks = nn.ModuleList()
        for _, number in reversed(self.stages):
            self.blocks.append(ResidualBlock(last, number, modulated=True))
            last = number
        self.modulation = Modulation(last)
        if self.shuffled:
            self.grow = nn.Conv2d(last, 4 * math.ceil(width / 2), 3, padding=1)
            last = math.ceil(width / 2)
        self.pixels = nn.Conv2d(last, channels, 3, padding=1)

    def forward(self, latents, labels):
        style = torch.cat([latents, self.embedding(labels)], 1)
        for layer in self.style:
            style = functional.leaky_relu(layer(style), SLOPE)
        images = unflat(self.first(style), *self.stages[-1])
        for place, block in enumerate(self.blocks):
            if place:
                images = functional.interpolate(images, scale_factor=2)
            images = block(images, style)
        images = functional.leaky_relu(self.modulation(images, style), SLOPE)
        if self.shuffled:
            images = functional.pixel_shuffle(self.grow(images), 2)
            images = functional.leaky_relu(images, SLOPE)
        return torch.tanh(self.pixels(images).float())


class R3ganDiscriminator(nn.Module):
    """`ganaug.gan.architectures.r3gan`'s discriminator, with a projection."""

    def __init__(self, image_shape, num_classes, width):
        super().__init__()
        size, _, channels = image_shape
        shuffled = size >= 16
        of_it = stages(ladder(size // 2 if shuffled else size), width)
        self.first = nn.Conv2d(
            channels,
            width,
            4 if shuffled else 3,
            stride=2 if shuffled else 1,
            padding=1,
        )
        self.blocks = nn.ModuleList()
        last = width
        for _, number in of_it:
            self.blocks.append(ResidualBlock(last, number))
            last = number
        self.dense = nn.Linear(of_it[-1][0] ** 2 * last, last)
        self.logits = Projection(num_classes, last)

    def forward(self, images, labels):
        images = self.first(images)
        for place, block in enumerate(self.blocks):
            if place:
                images = functional.avg_pool2d(images, 2)
            images = block(images)
        features = self.dense(flat(functional.leaky_relu(images, SLOPE)))
        features = functional.leaky_relu(features, SLOPE)
        return self.logits(features.float(), labels)


class ClassVectors(nn.Module):
    """A learnt vector of each class, appended to features."""

    def __init__(self, num_classes):
        super().__init__()
        self.dim = min(num_classes, 128)
        self.embedding = nn.Embedding(num_classes, self.dim)
        nn.init.orthogonal_(
            self.embedding.weight, (num_classes / self.dim) ** 0.5
        )

    def forward(self, features, labels):
        return torch.cat([features, self.embedding(labels)], 1)


class DcganGenerator(nn.Module):
    """`ganaug.gan.architectures.dcgan`'s generator."""

    def __init__(self, image_shape, num_classes, latent_dim, width):
        super().__init__()
        size, _, channels = image_shape
        self.stages = stages(ladder(size, fewest=2)[1:], width, most=8)
        smallest, last = self.stages[-1]
        self.classes = ClassVectors(num_classes)
        self.first = nn.Linear(
            latent_dim + self.classes.dim, smallest**2 * last, bias=False
        )
        self.normalize = nn.BatchNorm2d(last, eps=1e-3)
        layers = []
        for _, number in reversed(self.stages[:-1]):
            layers += [
                nn.ConvTranspose2d(last, number, 4, 2, 1, bias=False),
                nn.BatchNorm2d(number, eps=1e-3),
                nn.ReLU(inplace=True),
            ]
            last = number
        layers.append(nn.ConvTranspose2d(last, channels, 4, 2, 1))
        self.layers = nn.Sequential(*layers)
        dcgan_weights(self)

    def forward(self, latents, labels):
        features = self.first(self.classes(latents, labels))
        images = unflat(features, *self.stages[-1])
        images = functional.relu(self.normalize(images))
        return torch.tanh(self.layers(images).float())


class DcganDiscriminator(nn.Module):
    """`ganaug.gan.architectures.dcgan`'s discriminator, with label maps."""

    def __init__(self, image_shape, num_classes, width):
        super().__init__()
        size, _, channels = image_shape
        of_it = stages(ladder(size, fewest=2)[1:], width, most=8)
        self.classes = LabelMaps(num_classes)
        layers, last = [], channels + self.classes.dim
        for level, (_, number) in enumerate(of_it):
            layers.append(nn.Conv2d(last, number, 4, 2, 1, bias=not level))
            if level:
                layers.append(nn.BatchNorm2d(number, eps=1e-3))
            layers.append(nn.LeakyReLU(SLOPE, inplace=True))
            last = number
        self.layers = nn.Sequential(*layers)
        self.logits = nn.Linear(of_it[-1][0] ** 2 * last, 1)
        dcgan_weights(self)

    def forward(self, images, labels):
        features = flat(self.layers(self.classes(images, labels)))
        return self.logits(features.float())[:, 0]


def dcgan_weights(network):
    """Starts convolutions at a standard deviation of 0.02."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, std=0.02)


class MlpGenerator(nn.Module):
    """`ganaug.gan.architectures.mlp`'s generator."""

    def __init__(self, image_shape, num_classes, latent_dim, width):
        super().__init__()
        size, _, self.channels = image_shape
        self.size = size
        self.classes = ClassVectors(num_classes)
        sizes = [latent_dim + self.classes.dim, width, 2 * width, 4 * width]
        self.hidden = _hidden(sizes)
        self.pixels = nn.Linear(sizes[-1], math.prod(image_shape))

    def forward(self, latents, labels):
        features = self.hidden(self.classes(latents, labels))
        pixels = torch.tanh(self.pixels(features).float())
        return unflat(pixels, self.size, self.channels)


class MlpDiscriminator(nn.Module):
    """`ganaug.gan.architectures.mlp`'s discriminator."""

    def __init__(self, image_shape, num_classes, width):
        super().__init__()
        self.classes = ClassVectors(num_classes)
        first = math.prod(image_shape) + self.classes.dim
        sizes = [first, 2 * width, width, width // 2]
        self.hidden = _hidden(sizes)
        self.logits = nn.Linear(sizes[-1], 1)

    def forward(self, images, labels):
        features = self.hidden(self.classes(flat(images), labels))
        return self.logits(features.float())[:, 0]


def _hidden(sizes):
    layers = []
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), nn.LeakyReLU(0.01)]
    return nn.Sequential(*layers)


NETWORKS = {
    "r3gan": (R3ganGenerator, R3ganDiscriminator),
    "dcgan": (DcganGenerator, DcganDiscriminator),
    "mlp": (MlpGenerator, MlpDiscriminator),
}


def load_keras_weights(network, arrays):
    """Carries weights over from ganaug's network of the same kind.

    Args:
        network: One of `NETWORKS`.
        arrays: List of NumPy arrays: `keras.Model.get_weights()`.

    Raises:
        ValueError: They do not fit, so the networks are not the same.
    """
    wanted = []
    for path, module in network.named_modules():
        for name in ("weight", "bias", "running_mean", "running_var"):
            tensor = getattr(module, name, None)
            if isinstance(tensor, torch.Tensor):
                wanted.append((path, module, tensor))
    with torch.no_grad():
        for (path, module, tensor), array in zip(wanted, arrays, strict=True):
            if array.ndim == 4:
                array = array.transpose(3, 2, 0, 1)
            elif isinstance(module, nn.Linear):
                array = array.T
            if path == "grow":
                # The pixel shuffle takes channels in another order.
                array = array.reshape(4, -1, *array.shape[1:]).swapaxes(0, 1)
                array = array.reshape(-1, *array.shape[2:])
            if tuple(array.shape) != tuple(tensor.shape):
                raise ValueError(
                    f"{path}: expected {tuple(tensor.shape)}. "
                    f"Received: {array.shape}"
                )
            tensor.copy_(torch.tensor(array.copy()))
