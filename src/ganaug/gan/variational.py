"""What a variational autoencoder minimizes, and how it draws latents."""

from keras import ops


def reconstruction_loss(images, reconstructions):
    """Computes how far reconstructions are from their images.

    It is the negative log-likelihood under a normal distribution of variance 1
    for each pixel and channel, but for a constant.

    Args:
        images: Float tensor `(batch, height, width, channels)`.
        reconstructions: Float tensor of the same shape.

    Returns:
        A float32 scalar: half the sum of squared differences over pixels and
        channels, mean over the batch.

    Example:

    >>> from keras import ops
    >>> images = ops.ones((3, 2, 2, 1))
    >>> float(reconstruction_loss(images, 0 * images))
    2.0
    """
    difference = ops.cast(images, "float32") - ops.cast(
        reconstructions, "float32"
    )
    return 0.5 * ops.mean(ops.sum(ops.square(difference), axis=(1, 2, 3)))


def kl_divergence(mean, log_variance):
    """Computes how far Gaussians are from the standard normal distribution.

    Args:
        mean: Float tensor `(batch, latent_dim)`.
        log_variance: Float tensor of the same shape; of independent latents.

    Returns:
        A float32 scalar: the Kullback-Leibler divergence from the standard
        normal distribution to each Gaussian, in nats, sum over latents and
        mean over the batch.

    Example:

    >>> from keras import ops
    >>> float(kl_divergence(ops.ones((3, 2)), ops.zeros((3, 2))))
    1.0

    Reference:
        - [Kingma and Welling, 2014](https://arxiv.org/abs/1312.6114)
    """
    mean = ops.cast(mean, "float32")
    log_variance = ops.cast(log_variance, "float32")
    divergence = ops.exp(log_variance) + ops.square(mean) - 1 - log_variance
    return 0.5 * ops.mean(ops.sum(divergence, axis=1))


def reparameterize(mean, log_variance, noise):
    """Draws from Gaussians, so that gradients flow to mean and variance.

    Args:
        mean: Float tensor `(batch, latent_dim)`.
        log_variance: Float tensor of the same shape.
        noise: Float tensor of the same shape, drawn from the standard normal
            distribution.

    Returns:
        A float tensor of the same shape.

    Example:

    >>> from keras import ops
    >>> ones = ops.ones((1, 1))
    >>> float(reparameterize(ones, ops.log(4 * ones), -2 * ones)[0, 0])
    -3.0
    """
    return mean + ops.exp(0.5 * log_variance) * noise
