"""What tuned settings come on top of: a control that is named, or the best."""

import numpy as np

from ganaug.evaluate.argument_checks import check_dicts
from ganaug.evaluate.arms import (
    BEST_CONTROL,
    Arm,
    as_arm,
    default_controls,
)
from ganaug.seeds import derive_seed


def resolve_controls(on_top_of, controls, train):
    """Finds the arms that settings may come on top of.

    Args:
        on_top_of: As in `tune`.
        controls: As in `tune`.
        train: `LabeledImages`.

    Returns:
        A dict from name to `Arm`: all controls that are to be compared, the
        one that is named, or nothing where `on_top_of` is a function.

    Raises:
        ValueError: The control is unknown, or an arm is not complete in itself.
        TypeError: An argument or a control is of the wrong kind.
    """
    check_dicts(controls=controls)
    if callable(on_top_of):
        if controls is not None:
            raise ValueError(
                "`controls` are for an `on_top_of` that names one of them, or "
                f"{BEST_CONTROL!r}. Leave them out where it is a function. "
                f"Received: on_top_of={on_top_of!r}, controls={list(controls)}"
            )
        _check_complete("What `on_top_of` makes", on_top_of(nothing))
        return {}
    if controls is None:
        controls = default_controls(
            train.num_classes, imbalanced=train.is_imbalanced
        )
    names = list(controls)
    if BEST_CONTROL in names or not all(isinstance(one, str) for one in names):
        raise ValueError(
            "`controls` must have names that are strings, and not "
            f"{BEST_CONTROL!r}, which stands for the best of them. "
            f"Received: controls={names}"
        )
    if not names or on_top_of not in (*names, BEST_CONTROL):
        raise ValueError(
            "`on_top_of` must be the name of one of `controls`, "
            f"{BEST_CONTROL!r} for the best of them on validation images, or a "
            "function from a transformation to an Arm. "
            f"Received: on_top_of={on_top_of!r}, controls={names}"
        )
    for name, arm in controls.items():
        _check_complete(f"Control {name!r}", arm)
    if on_top_of != BEST_CONTROL:
        names = [on_top_of]
    return {name: as_arm(controls[name]) for name in names}


def _check_complete(what, arm):
    if not isinstance(arm, Arm) and not callable(arm):
        raise TypeError(
            f"{what} must be an Arm or a callable Dataset -> Dataset. "
            f"Received: {arm!r}"
        )
    arm = as_arm(arm)
    if arm.on_top_of is None and arm.learn is None and arm.fraction == 1:
        return
    raise ValueError(
        f"{what} must say all that it does, with all images. To come on top "
        "of a control, give its name as `on_top_of`, and among `controls` what "
        "it does. "
        f"Received: an Arm with on_top_of={arm.on_top_of!r}, "
        f"learn={arm.learn!r}, fraction={arm.fraction}"
    )


def count_control_trainings(num_controls):
    """Counts the trainings that find the best control.

    Args:
        num_controls: Integer.

    Returns:
        An integer: about two for each.
    """
    total = 0
    while num_controls > 1:
        total += num_controls
        num_controls = _half(num_controls)
    return total


def choose_control(controls, trials, seed):
    """Finds the best control by successive halving.

    Args:
        controls: Dict from name to `Arm`.
        trials: `Trials`.
        seed: Integer.

    Returns:
        A pair: the name, and a tuple of rounds, each a tuple of pairs of names
        and mean balanced accuracies on validation images, best first.
    """
    found = {name: [] for name in controls}
    rounds, left = [], list(controls)
    while len(left) > 1:
        of_round = derive_seed(seed, f"control {len(rounds)}")
        for name in left:
            correct = trials.correct(
                controls[name], of_round, {"control": name}
            )
            found[name].append(
                np.mean([part.mean() for part in trials.of_classes(correct)])
            )
        ranked = sorted(
            ((name, float(np.mean(found[name]))) for name in left),
            key=lambda pair: -pair[1],
        )
        rounds.append(tuple(ranked))
        left = [name for name, _ in ranked[: _half(len(left))]]
    (best,) = left
    return best, tuple(rounds)


def _half(number):
    return -(-number // 2)


def put_on(control, name):
    """Makes the function that puts a transformation under a control.

    Args:
        control: `Arm`.
        name: String. Its name.

    Returns:
        A callable from a transformation to an `Arm`.
    """
    return lambda transform: Arm(transform).on(control, name)


def nothing(dataset):
    """Stands where functions want a transformation and there is none.

    Args:
        dataset: `tf.data.Dataset`.

    Returns:
        It.
    """
    return dataset
