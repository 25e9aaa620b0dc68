"""A GAN's training step as one writes it in PyTorch."""

import copy
import os

import torch
from torch import nn
from torch.nn import functional

from benchmarks.peers.torch_networks import NETWORKS, load_keras_weights


def augment(images):
    """DiffAugment's translation and cutout, as its authors index pixels."""
    batch, _, height, width = images.shape
    down, right = max(1, round(height / 8)), max(1, round(width / 8))
    first = torch.arange(batch).view(-1, 1, 1)
    rows = torch.randint(-down, down + 1, (batch, 1, 1)) + down
    columns = torch.randint(-right, right + 1, (batch, 1, 1)) + right
    rows = rows + torch.arange(height).view(1, -1, 1)
    columns = columns + torch.arange(width).view(1, 1, -1)
    padded = functional.pad(images, (right, right, down, down))
    moved = padded.permute(0, 2, 3, 1)[first, rows, columns]
    hole = _inside(height, batch).view(batch, height, 1, 1) & _inside(
        width, batch
    ).view(batch, 1, width, 1)
    return (moved * ~hole).permute(0, 3, 1, 2)


def _inside(size, batch):
    center = torch.randint(0, size + 1, (batch, 1))
    return (torch.arange(size) + 0.5 - center).abs() < size / 4


class Training:
    """Networks, optimizers, and a step of both.

    Args:
        architecture: String. A key of `NETWORKS`.
        image_shape: Sequence `(height, width, channels)`.
        num_classes: Integer.
        latent_dim: Integer.
        width: Integer.
        loss: `"relativistic"` or `"non_saturating"`.
        gamma: Float. Weight of R1 and R2, half of which counts; 0 for none.
        learning_rate: Float.
        betas: Pair of floats.
        augmented: Boolean. Whether with DiffAugment.
        average: Boolean. Whether the generator is averaged.
        bfloat16: Boolean. Whether under autocast.
        compiled: Boolean. Whether networks go through `torch.compile`.
    """

    def __init__(
        self,
        architecture,
        image_shape,
        num_classes,
        latent_dim,
        width,
        loss,
        gamma,
        learning_rate,
        betas,
        augmented,
        average,
        bfloat16=False,
        compiled=False,
    ):
        generator, discriminator = NETWORKS[architecture]
        self.generator = generator(image_shape, num_classes, latent_dim, width)
        self.discriminator = discriminator(image_shape, num_classes, width)
        for network in (self.generator, self.discriminator):
            network.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.generator) if average else None
        self._g, self._d = self.generator, self.discriminator
        if compiled:
            # Batches have two sizes, and each is to be compiled as it is.
            self._g, self._d = (
                torch.compile(network, dynamic=False)
                for network in (self._g, self._d)
            )
        self._optimizers = [
            torch.optim.Adam(
                network.parameters(),
                learning_rate,
                betas=tuple(betas),
                fused=True,
            )
            for network in (self.generator, self.discriminator)
        ]
        self._relativistic = loss == "relativistic"
        self._gamma = gamma
        self._latent_dim = latent_dim
        self._augment = augment if augmented else lambda images: images
        self._bfloat16 = bfloat16
        self._joined = not any(
            isinstance(part, nn.BatchNorm2d)
            for part in self.discriminator.modules()
        )

    def load(self, generator, discriminator):
        """Takes the weights of ganaug's networks.

        Args:
            generator: List of arrays.
            discriminator: List of arrays.
        """
        load_keras_weights(self.generator, generator)
        load_keras_weights(self.discriminator, discriminator)

    def _autocast(self):
        return torch.autocast("cpu", torch.bfloat16, enabled=self._bfloat16)

    def _seen(self, images):
        images = self._augment(images)
        return images.contiguous(memory_format=torch.channels_last)

    def discriminator_objective(self, real, fake, labels):
        """Computes what the discriminator minimizes.

        Args:
            real: Float tensor `(batch, channels, height, width)`.
            fake: As `real`.
            labels: Integer tensor `(batch,)`, of both.

        Returns:
            A scalar tensor.
        """
        real, fake = self._seen(real), self._seen(fake)
        batches = [(real, labels), (fake, labels)]
        if self._joined:
            # Without statistics of a batch, one pass does for both.
            batches = [(torch.cat([real, fake]), torch.cat([labels, labels]))]
        penalty = 0.0
        if self._gamma:
            for images, _ in batches:
                images.requires_grad_()
        judged = [self._d(*batch) for batch in batches]
        if self._gamma:
            gradients = torch.autograd.grad(
                sum(logits.sum() for logits in judged),
                [images for images, _ in batches],
                create_graph=True,
            )
            squares = sum(g.float().square().sum() for g in gradients)
            penalty = 0.5 * self._gamma * squares / len(labels)
        on_real, on_fake = torch.cat(judged).chunk(2)
        if self._relativistic:
            return functional.softplus(on_fake - on_real).mean() + penalty
        return (
            functional.softplus(-on_real).mean()
            + functional.softplus(on_fake).mean()
            + penalty
        )

    def generator_objective(self, real, fake, labels):
        """Computes what the generator minimizes.

        Args:
            real: As in `discriminator_objective`, and so the others.
            fake: As `real`.
            labels: Integer tensor.

        Returns:
            A scalar tensor.
        """
        on_fake = self._d(self._seen(fake), labels)
        if not self._relativistic:
            return functional.softplus(-on_fake).mean()
        with torch.no_grad():
            on_real = self._d(self._seen(real), labels)
        return functional.softplus(on_real - on_fake).mean()

    def step(self, real, labels):
        """Takes one step of both networks.

        Args:
            real: Float tensor `(batch, channels, height, width)` in
                `[-1, 1]`.
            labels: Integer tensor `(batch,)`.
        """
        of_generator, of_discriminator = self._optimizers
        with self._autocast():
            with torch.no_grad():
                fake = self._g(self._latents(labels), labels)
            objective = self.discriminator_objective(real, fake, labels)
        of_discriminator.zero_grad()
        objective.backward()
        of_discriminator.step()
        self.discriminator.requires_grad_(False)
        with self._autocast():
            fake = self._g(self._latents(labels), labels)
            objective = self.generator_objective(real, fake, labels)
        of_generator.zero_grad()
        objective.backward()
        of_generator.step()
        self.discriminator.requires_grad_(True)
        if self.average is not None:
            with torch.no_grad():
                torch._foreach_lerp_(
                    list(self.average.parameters()),
                    list(self.generator.parameters()),
                    0.01,
                )

    def _latents(self, labels):
        return torch.randn(len(labels), self._latent_dim)


def make_step(batch_size, **settings):
    """Makes a step of a `Training` on one random batch.

    Args:
        batch_size: Integer.
        **settings: Of `Training`.

    Returns:
        A function without arguments, and facts for the table.
    """
    torch.set_num_threads(os.cpu_count())
    # As TensorFlow does.
    torch.set_flush_denormal(True)
    training = Training(**settings)
    height, width, channels = settings["image_shape"]
    real = 2 * torch.rand(batch_size, channels, height, width) - 1
    real = real.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, settings["num_classes"], (batch_size,))
    parameters = [
        sum(weight.numel() for weight in network.parameters())
        for network in (training.generator, training.discriminator)
    ]
    facts = {"version": torch.__version__, "parameters": parameters}
    return lambda: training.step(real, labels), facts
