"""Checks of the arguments of `fit`, before the first step."""

import numpy as np


def check_fit_arguments(**numbers):
    """Checks arguments of `fit` that are positive integers.

    Args:
        **numbers: Integers; `steps_per_epoch` may be `None`.

    Raises:
        ValueError: One is something else.
    """
    for name, number in numbers.items():
        if name == "steps_per_epoch" and number is None:
            continue
        if (
            not isinstance(number, (int, np.integer))
            or isinstance(number, bool)
            or number < 1
        ):
            raise ValueError(
                f"`{name}` must be a positive integer. "
                f"Received: {name}={number!r}"
            )


def check_strategy(model, num_replicas, batch_size):
    """Checks that the distribution strategy can run what was compiled.

    Args:
        model: Compiled `GenerativeModel`.
        num_replicas: Integer.
        batch_size: Integer. Of all replicas together.

    Raises:
        ValueError: It cannot.
    """
    if num_replicas == 1:
        return
    if batch_size % num_replicas:
        raise ValueError(
            "`batch_size` is that of all replicas together and must be a "
            f"multiple of their number, {num_replicas}. "
            f"Received: batch_size={batch_size}"
        )
    if model.steps_per_execution != 1:
        raise ValueError(
            "Keras cannot run several steps per execution on several "
            "replicas. Leave out `steps_per_execution`. Received: "
            f"steps_per_execution={model.steps_per_execution}"
        )


def check_max_rollbacks(max_rollbacks):
    """Checks how often training may be rolled back.

    Args:
        max_rollbacks: Integer of at least 0.

    Raises:
        ValueError: It is something else.
    """
    if (
        not isinstance(max_rollbacks, (int, np.integer))
        or isinstance(max_rollbacks, bool)
        or max_rollbacks < 0
    ):
        raise ValueError(
            "`max_rollbacks` must be an integer of at least 0. "
            f"Received: max_rollbacks={max_rollbacks!r}"
        )


def check_steps_per_execution(model, steps_per_epoch, num_epochs):
    """Checks that epochs are made of whole executions.

    Args:
        model: Compiled `GenerativeModel`.
        steps_per_epoch: Integer.
        num_epochs: Integer.

    Raises:
        ValueError: They are not.
    """
    # Keras takes whole executions and would take more steps than asked for.
    if num_epochs > 1 and steps_per_epoch % model.steps_per_execution:
        raise ValueError(
            "In several epochs, `steps_per_epoch` must be a multiple of "
            "`steps_per_execution`. Give such a number to `fit`. Received: "
            f"steps_per_epoch={steps_per_epoch}, "
            f"steps_per_execution={model.steps_per_execution}"
        )
