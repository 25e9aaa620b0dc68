"""What an evaluation found, in words and in formatted numbers."""

import json

import numpy as np

from ganaug.evaluate.arms import BASELINE, Arm
from ganaug.evaluate.description import describe
from ganaug.evaluate.statistics import MIN_SEEDS, NO_GAIN

# Further ones, as they are called in tables.
MEASURES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "geometric_mean": "geometric mean of recalls",
    "auroc": "AUROC",
    "calibration_error": "calibration error",
    "log_loss": "log loss",
}


def sentences(report):
    """Says in plain words what was found.

    Args:
        report: `EvaluationReport`.

    Returns:
        A list of strings, for each candidate its verdict first.
    """
    best = report.best_control
    lines = []
    for arm in report.candidates:
        lines.append(
            f"{arm.name}: {report.verdicts[arm.name].upper()}. Its balanced "
            f"accuracy is {arm.mean:.2%}; the best control, {best.name}, "
            f"has {best.mean:.2%}. The gain over it is "
            f"{points(report.gain(arm.name, best.name))}."
        )
        lines += _tell_what_decided(report, arm)
        if arm.without:
            chosen = ""
            if arm.on_top_of and arm.on_top_of == report.chosen_control:
                chosen = ", chosen on validation data"
            lines.append(
                f"Over {arm.without}{chosen}, which is the same without "
                f"synthetic images, {arm.name} gains "
                f"{points(report.gain(arm.name, arm.without))}."
            )
        worth = report.worth(arm.name)
        if worth is not None:
            lines.append(_tell_worth(arm, worth))
    return lines


def _tell_what_decided(report, arm):
    control, p_value = report.decisive_controls[arm.name]
    gain = report.gain(arm.name, control)
    if report.verdicts[arm.name] != NO_GAIN or len(report.seeds) < MIN_SEEDS:
        return []
    if gain.mean > 0:
        number = len(report.candidates)
        corrected = f", corrected for {number} candidates" if number > 1 else ""
        lines = [
            f"What decides is {control}, over which the gain is least certain: "
            f"{interval(gain)}, p = {p_value:.3f}{corrected}."
        ]
    else:
        lines = [
            f"What decides is {control}, which {arm.name} does not beat: "
            f"{interval(gain)}."
        ]
    further = gain.further_seeds()
    # Where the interval has no zero in it, p was corrected away.
    if further and gain.low <= 0 <= gain.high:
        lines.append(
            f"If the difference to {control} is what it looks like now, about "
            f"{further} further seeds would show it, four times in five."
        )
    return lines


def _tell_worth(arm, worth):
    have = worth.num_images[-1]
    if worth.more is None:
        return (
            f"What {arm.name} is worth in real images cannot be said: "
            f"{arm.without} did not get better from {worth.num_images[0]} to "
            f"{have} of them."
        )
    most = round(3 * have)
    interval = ""
    if worth.low is not None:
        ends = [
            f"{end:+,.0f}" if np.isfinite(end) else f"over {most:+,d}"
            for end in (worth.low, worth.high)
        ]
        interval = f" [{ends[0]}, {ends[1]}]"
    number = (
        f"{worth.more:+,.0f}"
        if np.isfinite(worth.more)
        else f"more than {most:+,d}"
    )
    return (
        f"{arm.name} is worth {number}{interval} real images beside the "
        f"{have:,} there are, read off the learning curve of {arm.without}"
        + (", which is drawn on beyond them." if worth.is_extrapolated else ".")
    )


def table_rows(report):
    """Gives the rows of the main table.

    Args:
        report: `EvaluationReport`.

    Returns:
        A list of dicts of strings and Booleans.
    """
    best = report.best_control.name
    return [
        {
            "name": arm.name,
            "role": arm.role,
            "is_candidate": arm.is_candidate,
            "is_best": arm.name == best,
            "is_chosen": arm.name == report.chosen_control,
            "score": f"{arm.mean:.2%} ± {100 * arm.spread:.2f}"
            if len(report.seeds) > 1
            else f"{arm.mean:.2%}",
            "over_baseline": interval(report.gain(arm.name, BASELINE))
            if arm.name != BASELINE
            else "",
            "over_best": interval(report.gain(arm.name, best))
            if arm.name != best
            else "best control",
        }
        for arm in report.arms
    ]


def measure_rows(report):
    """Gives the rows of the further measures.

    Args:
        report: `EvaluationReport`.

    Returns:
        A list of dicts: the arm's name, whether it is a candidate, and a
        formatted mean of each measure.
    """
    return [
        {
            "name": arm.name,
            "is_candidate": arm.is_candidate,
            "values": [_mean(getattr(arm, measure)) for measure in MEASURES],
        }
        for arm in report.arms
    ]


def _mean(values):
    return "–" if None in values else f"{np.mean(values):.4f}"


def interval(gain):
    """Formats a gain in points with its interval.

    Args:
        gain: `PairedGain`.

    Returns:
        A string.
    """
    if not np.isfinite(gain.low):
        return f"{100 * gain.mean:+.2f} [no interval]"
    return (
        f"{100 * gain.mean:+.2f} "
        f"[{100 * gain.low:+.2f}, {100 * gain.high:+.2f}]"
    )


def points(gain):
    """Formats a gain with its unit.

    Args:
        gain: `PairedGain`.

    Returns:
        A string.
    """
    return f"{interval(gain)} points"


def definitions(report):
    """Tells what each arm did.

    Args:
        report: `EvaluationReport`.

    Returns:
        A list of pairs: an arm's name, and as JSON all that tells it from
        plain training on the real images.
    """
    plain = describe(Arm())
    return [
        (
            name,
            json.dumps(
                {
                    key: value
                    for key, value in described.items()
                    if value != plain[key]
                },
                ensure_ascii=False,
            ),
        )
        for name, described in report.settings["arms"].items()
    ]
