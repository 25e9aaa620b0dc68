"""Three published conditional GANs in PyTorch, for 28 x 28 pixels.

- `dcgan`: Radford et al. (2016), conditional as Mirza and Osindero (2014):
  non-saturating loss, Adam with 2e-4 and beta 0.5, batches of 128.
- `wgan_gp`: Gulrajani et al. (2017): the same networks without normalization in
  the critic, weight 10 of the penalty, five steps of the critic, Adam with 1e-4
  and betas 0 and 0.9, batches of 64.
- `sngan`: Miyato et al. (2018) with the projection of Miyato and Koyama (2018):
  residual networks of 256 channels in the generator, with conditional batch
  normalization, and of 128 in the spectrally normalized discriminator, hinge
  loss, five steps of the discriminator, Adam with 2e-4 and betas 0 and 0.9,
  batches of 64.
"""

import os
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from benchmarks.peers.torch_networks import (
    DcganDiscriminator,
    DcganGenerator,
    LabelMaps,
    flat,
    unflat,
)

SHAPE = (28, 28, 1)
LATENT_DIM = 128


class ConditionalBatchNorm(nn.Module):
    """Batch normalization with a scale and a shift for each class."""

    def __init__(self, channels, num_classes):
        super().__init__()
        self.normalize = nn.BatchNorm2d(channels, affine=False)
        self.scale = nn.Embedding(num_classes, channels)
        self.shift = nn.Embedding(num_classes, channels)
        nn.init.ones_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(self, images, labels):
        scale = self.scale(labels)[:, :, None, None]
        return (
            self.normalize(images) * scale
            + self.shift(labels)[:, :, None, None]
        )


class GrowingBlock(nn.Module):
    """A residual block of SNGAN's generator, which doubles the size."""

    def __init__(self, channels, num_classes):
        super().__init__()
        self.normalize_in = ConditionalBatchNorm(channels, num_classes)
        self.conv_in = nn.Conv2d(channels, channels, 3, padding=1)
        self.normalize_out = ConditionalBatchNorm(channels, num_classes)
        self.conv_out = nn.Conv2d(channels, channels, 3, padding=1)
        self.shortcut = nn.Conv2d(channels, channels, 1)

    def forward(self, images, labels):
        inner = functional.relu(self.normalize_in(images, labels))
        inner = self.conv_in(functional.interpolate(inner, scale_factor=2))
        inner = functional.relu(self.normalize_out(inner, labels))
        grown = functional.interpolate(images, scale_factor=2)
        return self.shortcut(grown) + self.conv_out(inner)


class SnganGenerator(nn.Module):
    """SNGAN's residual generator, from 7 to 28 pixels."""

    def __init__(self, num_classes, channels=256):
        super().__init__()
        self.channels = channels
        self.first = nn.Linear(LATENT_DIM, 49 * channels)
        self.blocks = nn.ModuleList(
            [GrowingBlock(channels, num_classes) for _ in range(2)]
        )
        self.normalize = nn.BatchNorm2d(channels)
        self.pixels = nn.Conv2d(channels, 1, 3, padding=1)

    def forward(self, latents, labels):
        images = unflat(self.first(latents), 7, self.channels)
        for block in self.blocks:
            images = block(images, labels)
        images = functional.relu(self.normalize(images))
        return torch.tanh(self.pixels(images))


class SnganBlock(nn.Module):
    """A residual block of SNGAN's discriminator."""

    def __init__(self, inputs, channels, first=False, halves=False):
        super().__init__()
        self.first, self.halves = first, halves
        self.conv_in = spectral_norm(nn.Conv2d(inputs, channels, 3, padding=1))
        self.conv_out = spectral_norm(
            nn.Conv2d(channels, channels, 3, padding=1)
        )
        self.shortcut = None
        if halves or inputs != channels:
            self.shortcut = spectral_norm(nn.Conv2d(inputs, channels, 1))

    def forward(self, images):
        inner = images if self.first else functional.relu(images)
        inner = self.conv_out(functional.relu(self.conv_in(inner)))
        if self.shortcut is not None:
            images = self.shortcut(images)
        if self.halves:
            images = functional.avg_pool2d(images, 2)
            inner = functional.avg_pool2d(inner, 2)
        return images + inner


class SnganDiscriminator(nn.Module):
    """SNGAN's residual discriminator with a projection."""

    def __init__(self, num_classes, channels=128):
        super().__init__()
        self.blocks = nn.Sequential(
            SnganBlock(1, channels, first=True, halves=True),
            SnganBlock(channels, channels, halves=True),
            SnganBlock(channels, channels),
            SnganBlock(channels, channels),
        )
        self.logits = spectral_norm(nn.Linear(channels, 1))
        self.embedding = spectral_norm(nn.Embedding(num_classes, channels))

    def forward(self, images, labels):
        features = functional.relu(self.blocks(images)).sum((2, 3))
        conditional = (self.embedding(labels) * features).sum(1)
        return self.logits(features)[:, 0] + conditional


class Critic(nn.Module):
    """WGAN-GP's critic: DCGAN's sizes without normalization."""

    def __init__(self, num_classes, width=64):
        super().__init__()
        self.classes = LabelMaps(num_classes)
        self.layers = nn.Sequential(
            nn.Conv2d(1 + self.classes.dim, width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, 2, 1),
            nn.LeakyReLU(0.2),
        )
        self.logits = nn.Linear(49 * 2 * width, 1)
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, 0.2)

    def forward(self, images, labels):
        return self.logits(flat(self.layers(self.classes(images, labels))))[
            :, 0
        ]


# Discriminator's steps, images in a batch, learning rate, betas.
SETTINGS = {
    "dcgan": (1, 128, 2e-4, (0.5, 0.999)),
    "wgan_gp": (5, 64, 1e-4, (0.0, 0.9)),
    "sngan": (5, 64, 2e-4, (0.0, 0.9)),
}
PENALTY = 10.0


class Peer:
    """A published GAN that trains for a time and draws.

    Args:
        name: String. A key of `SETTINGS`.
        images: uint8 array `(num_images, 28, 28, 1)`.
        labels: Integer array `(num_images,)`.
        seed: Integer.
        bfloat16: Boolean. Whether under autocast. Defaults to `False`.
    """

    def __init__(self, name, images, labels, seed, bfloat16=False):
        torch.set_num_threads(os.cpu_count())
        # As TensorFlow does.
        torch.set_flush_denormal(True)
        torch.manual_seed(seed)
        num_classes = int(labels.max()) + 1
        self.name, self._bfloat16 = name, bfloat16
        if name == "sngan":
            networks = (
                SnganGenerator(num_classes),
                SnganDiscriminator(num_classes),
            )
        else:
            networks = (
                DcganGenerator(SHAPE, num_classes, LATENT_DIM, 64),
                Critic(num_classes)
                if name == "wgan_gp"
                else DcganDiscriminator(SHAPE, num_classes, 64),
            )
        self.generator, self.discriminator = (
            network.to(memory_format=torch.channels_last)
            for network in networks
        )
        self.turns, self.batch_size, rate, betas = SETTINGS[name]
        self._of_generator, self._of_discriminator = (
            torch.optim.Adam(
                network.parameters(), rate, betas=betas, fused=True
            )
            for network in (self.generator, self.discriminator)
        )
        pixels = torch.tensor(images).permute(0, 3, 1, 2).float() / 127.5 - 1
        self._images = pixels.contiguous(memory_format=torch.channels_last)
        self._labels = torch.tensor(labels).long()
        self.steps = 0

    def train(self, seconds):
        """Trains for a time.

        Args:
            seconds: Float.

        Returns:
            A float, the seconds that it took, with the last step.
        """
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            self._step()
        return time.perf_counter() - started

    def _batch(self):
        rows = torch.randint(0, len(self._images), (self.batch_size,))
        return self._images[rows], self._labels[rows]

    def _fake(self, labels):
        return self.generator(torch.randn(len(labels), LATENT_DIM), labels)

    def _autocast(self):
        return torch.autocast("cpu", torch.bfloat16, enabled=self._bfloat16)

    def _step(self):
        for _ in range(self.turns):
            real, labels = self._batch()
            with self._autocast():
                with torch.no_grad():
                    fake = self._fake(labels)
                loss = self._judged(real, fake, labels)
            self._of_discriminator.zero_grad()
            loss.backward()
            self._of_discriminator.step()
        self.discriminator.requires_grad_(False)
        with self._autocast():
            on_fake = self.discriminator(self._fake(labels), labels).float()
            loss = -on_fake.mean()
            if self.name == "dcgan":
                loss = functional.softplus(-on_fake).mean()
        self._of_generator.zero_grad()
        loss.backward()
        self._of_generator.step()
        self.discriminator.requires_grad_(True)
        self.steps += 1

    def _judged(self, real, fake, labels):
        on_real = self.discriminator(real, labels).float()
        on_fake = self.discriminator(fake, labels).float()
        if self.name == "dcgan":
            return (
                functional.softplus(-on_real).mean()
                + functional.softplus(on_fake).mean()
            )
        if self.name == "sngan":
            return (
                functional.relu(1 - on_real).mean()
                + functional.relu(1 + on_fake).mean()
            )
        share = torch.rand(len(real), 1, 1, 1)
        between = (share * real + (1 - share) * fake).requires_grad_()
        [gradient] = torch.autograd.grad(
            self.discriminator(between, labels).sum(),
            between,
            create_graph=True,
        )
        norms = gradient.float().square().sum((1, 2, 3)).sqrt()
        penalty = PENALTY * (norms - 1).square().mean()
        return on_fake.mean() - on_real.mean() + penalty

    def generate(self, labels):
        """Draws images.

        Args:
            labels: Integer array `(num_images,)`.

        Returns:
            A uint8 array `(num_images, 28, 28, 1)`.
        """
        self.generator.eval()
        with torch.no_grad():
            parts = [
                self._fake(part)
                for part in torch.tensor(labels).long().split(250)
            ]
        self.generator.train()
        images = torch.cat(parts).float().permute(0, 2, 3, 1).numpy()
        return np.rint(127.5 * (images + 1)).clip(0, 255).astype(np.uint8)
