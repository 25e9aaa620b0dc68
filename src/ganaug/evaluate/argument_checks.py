"""Checks of seeds and arms before an evaluation."""

from collections.abc import Iterable, Mapping

import numpy as np

from ganaug.evaluate.arms import BASELINE, BEST_CONTROL, as_arm


def check_seeds(seeds):
    """Reads a number of seeds, or a list of them.

    Args:
        seeds: As in `evaluate_augmentation`.

    Returns:
        A list of integers.

    Raises:
        ValueError: It is neither, or one comes twice.
    """
    given = seeds
    if isinstance(seeds, (int, np.integer)):
        seeds = range(seeds)
    seeds = list(seeds) if isinstance(seeds, Iterable) else []
    if (
        not seeds
        or not all(isinstance(seed, (int, np.integer)) for seed in seeds)
        or len(set(seeds)) != len(seeds)
        or min(seeds) < 0
    ):
        raise ValueError(
            "`seeds` must be a positive integer, or a list of different "
            f"integers from 0 on. Received: seeds={given}"
        )
    return [int(seed) for seed in seeds]


def check_dicts(**parts):
    """Checks that what holds arms are dicts.

    Args:
        **parts: By argument, a dict or `None`.

    Raises:
        TypeError: One is something else.
    """
    for name, value in parts.items():
        if value is not None and not isinstance(value, Mapping):
            raise TypeError(
                f"`{name}` must be a dict from names to arms. "
                f"Received: {name}={value!r}"
            )


def check_arms(arms, controls, references):
    """Checks names and settings of arms, and joins them.

    Args:
        arms: As in `evaluate_augmentation`.
        controls: As there.
        references: As there.

    Returns:
        A dict from name to `Arm`, controls first.

    Raises:
        ValueError: A name is missing or comes twice, a control learns for each
            seed, or an arm is on top of something else than a control.
        TypeError: An arm is neither `Arm` nor callable.
    """
    parts = {"arms": arms, "controls": controls, "references": references}
    names = [name for value in parts.values() for name in value]
    if not arms or len(set(names)) != len(names) or BASELINE not in controls:
        raise ValueError(
            "`arms` must name at least one arm, `controls` must hold "
            f"{BASELINE!r}, and no name may come twice. Received: "
            + ", ".join(f"{key}={sorted(parts[key])}" for key in parts)
        )
    found = {
        name: as_arm(arm)
        for value in (controls, arms, references)
        for name, arm in value.items()
    }
    for name, arm in found.items():
        if name in controls and arm.learn is not None:
            raise ValueError(
                f"Control {name!r} must not learn for each seed, since other "
                "arms may come on top of it. Put it among `arms` or "
                f"`references`. Received: learn={arm.learn!r}"
            )
        if arm.on_top_of is None:
            continue
        if name in controls or arm.on_top_of not in (*controls, BEST_CONTROL):
            raise ValueError(
                f"Arm {name!r} must be on top of a control, or of "
                f"{BEST_CONTROL!r}, and not be one. Received: "
                f"on_top_of={arm.on_top_of!r}, controls={sorted(controls)}"
            )
    return found
