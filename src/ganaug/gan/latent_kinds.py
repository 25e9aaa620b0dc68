"""The kinds of latents, and mixtures of them."""

import numbers
from collections.abc import Mapping

PRIOR = "prior"
AROUND = "around"
INTERPOLATED = "interpolated"
TRANSFERRED = "transferred"
LATENTS = (PRIOR, AROUND, INTERPOLATED, TRANSFERRED)


def latent_shares(latents):
    """Reads where latents come from, and how many from where.

    Args:
        latents: String, one of `LATENTS`; or a dict from some of these to
            numbers that are not negative, in whose proportion they are mixed.

    Returns:
        A dict from kinds to shares, which are above 0 and sum to 1, in the
        order of `LATENTS`.

    Raises:
        ValueError: A kind is unknown, or the numbers are no proportion.

    Example:

    >>> latent_shares({"around": 1, "prior": 3, "transferred": 0})
    {'prior': 0.75, 'around': 0.25}
    """
    weights = {latents: 1} if isinstance(latents, str) else latents
    if not isinstance(weights, Mapping) or not set(weights) <= set(LATENTS):
        raise ValueError(
            f"`latents` must be one of {list(LATENTS)}, or a dict from some of "
            "these to their shares, such as {'prior': 2, 'around': 1}. "
            f"Received: latents={latents!r}"
        )
    if not all(
        isinstance(weight, numbers.Real)
        and not isinstance(weight, bool)
        and 0 <= weight < float("inf")
        for weight in weights.values()
    ) or not any(weights.values()):
        raise ValueError(
            "The shares of `latents` must be finite numbers of at least 0, "
            f"and not all 0. Received: latents={latents!r}"
        )
    largest = float(max(weights.values()))
    parts = {
        kind: float(weights[kind]) / largest
        for kind in LATENTS
        if weights.get(kind)
    }
    total = sum(parts.values())
    return {kind: part / total for kind, part in parts.items()}


def canonical_latents(latents):
    """Writes what means the same in the same way, fit for JSON.

    Args:
        latents: As in `latent_shares`.

    Returns:
        A string where all are of one kind, or else a dict from kinds to shares.

    Raises:
        ValueError: As there.
    """
    shares = latent_shares(latents)
    return next(iter(shares)) if len(shares) == 1 else shares


def needs_encoder(latents):
    """Tells whether latents of real images are among those asked for.

    Args:
        latents: As in `latent_shares`.

    Returns:
        A boolean.

    Raises:
        ValueError: As there.
    """
    return set(latent_shares(latents)) != {PRIOR}
