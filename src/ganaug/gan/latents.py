"""Where the latents of synthetic images come from: the prior or real images."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from ganaug.gan.latent_kinds import (
    INTERPOLATED,
    LATENTS,
    PRIOR,
    TRANSFERRED,
    latent_shares,
    needs_encoder,
)

# More would make artifacts large and hardly add to the variety.
MAX_IMAGES = 4096
# No posterior of a trained encoder comes near; beyond, images are NaN.
LARGEST_MEAN = 1e4
LARGEST_LOG_VARIANCE = 50.0


@dataclass(frozen=True, eq=False)
class LatentBank:
    """Where an encoder sees training images: Gaussians over latents.

    The images themselves are not in it. Its numbers become constants of a
    graph that draws from it.

    Args:
        mean: float32 array `(num_images, latent_dim)`.
        log_variance: float32 array of the same shape.
        labels: int32 array `(num_images,)` of the images' classes, each of
            them at least once; zeros without classes.
        num_classes: Integer, or `None` without classes.
    """

    mean: np.ndarray
    log_variance: np.ndarray
    labels: np.ndarray
    num_classes: int | None

    def __len__(self):
        return len(self.labels)

    @property
    def latent_dim(self):
        """Integer: size of the latents."""
        return self.mean.shape[1]

    @property
    def kinds(self):
        """Tuple of the kinds of latents that can be drawn with it."""
        return LATENTS[:-1] if self.num_classes is None else LATENTS

    def tensors(self):
        """Gives its numbers, to be written to a file.

        Returns:
            A dict from names to NumPy arrays.
        """
        return {
            "mean": self.mean,
            "log_variance": self.log_variance,
            "labels": self.labels,
        }

    def check(self):
        """Checks that images can be drawn with it.

        Raises:
            ValueError: A shape, a dtype or a label is wrong, a class has no
                image, or a number is NaN, infinite or too large.
        """
        shape = self.mean.shape
        if (
            len(shape) != 2
            or not all(shape)
            or self.log_variance.shape != shape
            or self.labels.shape != shape[:1]
            or self.mean.dtype != np.float32
            or self.log_variance.dtype != np.float32
            or self.labels.dtype != np.int32
        ):
            raise ValueError(
                "A bank of latents needs float32 mean and log variance "
                "(num_images, latent_dim) and int32 labels (num_images,). "
                f"Received: {shape}, {self.log_variance.shape} and "
                f"{self.labels.shape}"
            )
        if (
            not np.isfinite(self.mean).all()
            or not np.isfinite(self.log_variance).all()
            or np.abs(self.mean).max() > LARGEST_MEAN
            or np.abs(self.log_variance).max() > LARGEST_LOG_VARIANCE
        ):
            raise ValueError(
                "The latents of a bank must be finite and moderate; training "
                "diverged. Received: NaN, infinity or huge numbers"
            )
        classes = np.unique(self.labels)
        if not np.array_equal(classes, np.arange(self.num_classes or 1)):
            raise ValueError(
                "A bank of latents needs labels in [0, num_classes), and an "
                "image of every class. Received: labels of "
                f"{len(classes)} classes, num_classes={self.num_classes}"
            )

    def draw(self, kind, labels, seed, truncation=1.0):
        """Draws latents, eagerly or in a graph, the same in both.

        Args:
            kind: String. `"around"`: near an image of the class.
                `"interpolated"`: on the great circle between draws near two
                images of the class, two different ones where it has them; all
                places on the way equally likely. `"transferred"`: near an
                image of another class, all of them equally likely.
            labels: int32 tensor `(num_images,)`; zeros without classes.
            seed: Integer tensor `(2,)`.
            truncation: Float. What the encoder's standard deviations are
                multiplied with. Defaults to `1.0`.

        Returns:
            A float32 tensor `(num_images, latent_dim)`.
        """
        labels = tf.convert_to_tensor(labels)
        seed = tf.cast(seed, tf.int64)
        uniforms = tf.random.stateless_uniform(
            (tf.shape(labels)[0], 3), seed + [0, 1]
        )
        if kind == TRANSFERRED:
            other = _floor(uniforms[:, 2], self.num_classes - 1)
            labels = other + tf.cast(other >= labels, tf.int32)
        counts = np.bincount(self.labels, minlength=self.num_classes or 1)
        count = tf.gather(tf.constant(counts, tf.int32), labels)
        first = tf.gather(
            tf.constant(np.cumsum(counts) - counts, tf.int32), labels
        )
        place = _floor(uniforms[:, 0], count)
        latents = self._near(first + place, seed, truncation)
        if kind != INTERPOLATED:
            return latents
        # Any but the first one; of a single image, itself once more.
        further = 1 + _floor(uniforms[:, 1], tf.maximum(count - 1, 1))
        others = self._near(
            first + (place + further) % count, seed + [0, 2], truncation
        )
        return slerp(latents, others, uniforms[:, 2:])

    def _near(self, indices, seed, truncation):
        noise = tf.random.stateless_normal(
            (tf.shape(indices)[0], self.latent_dim), seed
        )
        # The indices count through the classes.
        order = np.argsort(self.labels, kind="stable")
        mean = tf.constant(self.mean[order])
        deviation = tf.constant(np.exp(0.5 * self.log_variance[order]))
        return tf.gather(mean, indices) + (
            truncation * noise * tf.gather(deviation, indices)
        )


def check_latents(latents, bank):
    """Checks that kinds of latents are known and can be drawn.

    Args:
        latents: As in `latent_shares`.
        bank: `LatentBank`, or `None` where no encoder was trained.

    Raises:
        ValueError: One is unknown, needs an encoder, or needs classes, or
            their shares are wrong.
    """
    if not needs_encoder(latents):
        return
    if bank is None:
        raise ValueError(
            "A GAN draws its latents from the prior alone. `ConditionalVAE` "
            "and `ConditionalVAEGAN` have an encoder, and know the latents of "
            "real images once they have been trained. "
            f"Received: latents={latents!r}"
        )
    if not set(latent_shares(latents)) <= set(bank.kinds):
        raise ValueError(
            "Latents are transferred from one class to another, and the model "
            f"has no classes. Use one of {list(bank.kinds)}. "
            f"Received: latents={latents!r}"
        )


def draw_latents(
    latents, bank, labels, num_images, seed, latent_dim, truncation=1.0
):
    """Draws latents of any kind, eagerly or in a graph.

    Row `i` depends on the seed, `i` and `labels[i]` alone.

    Args:
        latents: String or dict that `check_latents` let pass.
        bank: `LatentBank`; `None` will do for the prior.
        labels: int32 tensor `(num_images,)`, or `None` without classes.
        num_images: Integer or integer tensor.
        seed: Integer tensor `(2,)`.
        latent_dim: Integer.
        truncation: Float. What standard deviations are multiplied with.
            Defaults to `1.0`.

    Returns:
        A float32 tensor `(num_images, latent_dim)`.
    """
    if labels is None:
        labels = tf.zeros([num_images], tf.int32)
    shares = latent_shares(latents)
    drawn = [
        truncation * tf.random.stateless_normal((num_images, latent_dim), seed)
        if kind == PRIOR
        else bank.draw(kind, labels, seed, truncation)
        for kind in shares
    ]
    if len(drawn) == 1:
        return drawn[0]
    # `draw` takes the two seeds before this one.
    uniforms = tf.random.stateless_uniform(
        (num_images,), tf.cast(seed, tf.int64) + [0, 3]
    )
    bounds = np.cumsum(list(shares.values()), dtype=np.float32)[:-1]
    which = tf.searchsorted(tf.constant(bounds), uniforms, side="right")
    return tf.gather(tf.stack(drawn, 1), which[:, None], axis=1, batch_dims=1)[
        :, 0
    ]


def choose_images(labels, limit, seed):
    """Chooses images to keep: as many of each class as there is room for.

    Args:
        labels: Integer array `(num_images,)`.
        limit: Integer. Images to choose at most, unless there are more
            classes.
        seed: Integer. Fixes which images of a class are chosen.

    Returns:
        An integer array of indices in ascending order.

    Example:

    >>> labels = np.array([0, 0, 0, 0, 0, 1])
    >>> np.bincount(labels[choose_images(labels, 3, seed=0)]).tolist()
    [2, 1]
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    counts = np.bincount(labels)
    rank = np.arange(len(labels)) - np.repeat(
        np.cumsum(counts) - counts, counts
    )
    limit = max(limit, np.count_nonzero(counts))
    return np.sort(order[np.argsort(rank, kind="stable")[:limit]])


def slerp(first, last, share):
    """Moves along the great circle from one vector to another.

    Args:
        first: Float tensor or array `(..., dim)`.
        last: Of the same shape and dtype.
        share: Of the same dtype, broadcasts with them, in `[0, 1]`: 0 gives
            `first`.

    Returns:
        A tensor. Vectors that are parallel or zero are joined by a straight
        line.

    Example:

    >>> slerp(np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]]), 1.0).numpy()
    array([[0., 2.]])

    Reference:
        - [White, 2016](https://arxiv.org/abs/1609.04468)
    """
    lengths = tf.norm(first, axis=-1, keepdims=True) * tf.norm(
        last, axis=-1, keepdims=True
    )
    cosine = tf.reduce_sum(first * last, -1, keepdims=True) / tf.maximum(
        lengths, 1e-12
    )
    angle = tf.acos(tf.clip_by_value(cosine, -1.0, 1.0))
    sine = tf.sin(angle)
    straight = (sine < 1e-4) | (lengths < 1e-12)
    safe = tf.where(straight, tf.ones_like(sine), sine)
    weight = tf.where(straight, 1 - share, tf.sin((1 - share) * angle) / safe)
    other = tf.where(straight, share, tf.sin(share * angle) / safe)
    return weight * first + other * last


def _floor(uniforms, count):
    number = tf.cast(uniforms * tf.cast(count, tf.float32), tf.int32)
    # The product can round up to the count itself.
    return tf.minimum(number, count - 1)
