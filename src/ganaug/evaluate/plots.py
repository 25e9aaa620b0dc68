"""The report's plots, as SVG."""

import io

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from ganaug.evaluate.arms import BASELINE
from ganaug.evaluate.results import CANDIDATE, CONTROL

BLUE, GRAY, LIGHT_GRAY, RED = "#2b6cb0", "#718096", "#b7c0cc", "#c0392b"
# Rows of recalls that can be read.
MAX_CLASSES = 40
# Of a bin of confidence that is drawn.
FEWEST_PREDICTIONS = 20
STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 10,
    # The same picture twice is the same file.
    "svg.hashsalt": "ganaug",
    # Names of arms and classes may hold dollar signs.
    "text.parse_math": False,
}


def _svg(draw, width, height):
    """Draws into a figure and gives it as bytes."""
    with matplotlib.rc_context(STYLE):
        # Without pyplot, whose windows are the user's.
        figure = Figure(figsize=(width, height))
        draw(figure.subplots())
        stream = io.BytesIO()
        figure.savefig(
            stream, format="svg", bbox_inches="tight", metadata={"Date": None}
        )
        return stream.getvalue()


def forest_plot(report):
    """Draws the gain of every arm over real images only, with intervals.

    Args:
        report: `EvaluationReport`.

    Returns:
        Bytes of an SVG.
    """
    arms = [arm for arm in report.arms if arm.name != BASELINE]
    gains = [report.gain(arm.name, BASELINE) for arm in arms]
    colors = {CANDIDATE: BLUE, CONTROL: GRAY}

    def draw(axis):
        for row, (arm, gain) in enumerate(zip(arms, gains, strict=True)):
            color = colors.get(arm.role, LIGHT_GRAY)
            if np.isfinite(gain.low):
                axis.plot(
                    [100 * gain.low, 100 * gain.high],
                    [row, row],
                    color=color,
                    linewidth=2,
                )
            axis.plot(
                100 * gain.mean,
                row,
                marker="D" if arm.is_candidate else "o",
                color=color,
            )
        axis.axvline(0, color="black", linewidth=0.8)
        best = report.best_control
        if best.name != BASELINE:
            axis.axvline(
                100 * report.gain(best.name, BASELINE).mean,
                color=GRAY,
                linewidth=0.8,
                linestyle="--",
            )
        axis.set_yticks(range(len(arms)), [arm.name for arm in arms])
        for label, arm in zip(axis.get_yticklabels(), arms, strict=True):
            label.set_fontweight("bold" if arm.is_candidate else "normal")
        axis.invert_yaxis()
        axis.set_xlabel(f"points of balanced accuracy over {BASELINE}")
        axis.grid(axis="x", alpha=0.3)

    return _svg(draw, 6.5, 0.8 + 0.32 * len(arms))


def recall_plot(report, candidate):
    """Draws the recall of each class with and without synthetic images.

    Args:
        report: `EvaluationReport`.
        candidate: String.

    Returns:
        Bytes of an SVG.
    """
    arm = report.arm(candidate)
    without = report.arm(arm.without or BASELINE)
    counts = np.array(report.settings["train_images_per_class"])
    present = [
        index
        for index in np.argsort(-counts, kind="stable")
        if arm.mean_recall[index] is not None
    ]
    # The rarest, if there are too many.
    present = present[-MAX_CLASSES:]

    def draw(axis):
        for row, index in enumerate(present):
            before = 100 * without.mean_recall[index]
            after = 100 * arm.mean_recall[index]
            axis.plot(
                [before, after],
                [row, row],
                color=BLUE if after >= before else RED,
                linewidth=2,
                alpha=0.5,
            )
            axis.plot(before, row, "o", color=GRAY)
            axis.plot(after, row, "D", color=BLUE)
        axis.plot([], [], "o", color=GRAY, label=without.name)
        axis.plot([], [], "D", color=BLUE, label=arm.name)
        axis.set_yticks(
            range(len(present)),
            [
                f"{report.class_names[index]} ({counts[index]})"
                for index in present
            ],
        )
        axis.invert_yaxis()
        axis.set_xlabel("recall in per cent; in brackets: training images")
        axis.grid(axis="x", alpha=0.3)
        axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1), frameon=False)

    return _svg(draw, 6.5, 1.2 + 0.28 * len(present))


def reliability_plot(report, names):
    """Draws how often arms are right where they are so sure.

    Args:
        report: `EvaluationReport`.
        names: Sequence of arms.

    Returns:
        Bytes of an SVG.
    """

    def draw(axis):
        axis.plot([0, 1], [0, 1], color="black", linewidth=0.8)
        for place, name in enumerate(names):
            bins = np.sum(report.arm(name).reliability, axis=0)
            # Of a few predictions the share says nothing.
            count, total, right = bins[bins[:, 0] >= FEWEST_PREDICTIONS].T
            axis.plot(
                total / count,
                right / count,
                "o-",
                markersize=4,
                color=matplotlib.colormaps["tab10"](place % 10),
                label=name,
            )
        axis.set_xlabel("confidence of the classifier")
        axis.set_ylabel("share that is right")
        axis.grid(alpha=0.3)
        axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1), frameon=False)

    return _svg(draw, 5.5, 4.4)


def sweep_plot(report, candidate, points):
    """Draws the score against a setting's values.

    Args:
        report: `EvaluationReport`.
        candidate: String.
        points: Dict from value to the name of an arm.

    Returns:
        Bytes of an SVG.
    """
    values = sorted(points)
    without = report.arm(candidate).without or BASELINE

    def draw(axis):
        gains = [report.gain(points[value], without) for value in values]
        means = 100 * np.array([gain.mean for gain in gains])
        ends = 100 * np.array([[gain.low, gain.high] for gain in gains]).T
        ends = np.where(np.isfinite(ends), ends, means)
        axis.errorbar(
            values,
            means,
            yerr=np.abs(ends - means),
            fmt="D-",
            color=BLUE,
            capsize=3,
        )
        axis.axhline(0, color="black", linewidth=0.8)
        axis.set_xlabel("share of synthetic images (ratio)")
        axis.set_ylabel(f"points over {without}")
        axis.grid(alpha=0.3)

    return _svg(draw, 5.5, 3.2)


def learning_curve_plot(report, candidate, worth):
    """Draws a learning curve and the candidate's score beside it.

    Args:
        report: `EvaluationReport`.
        candidate: String.
        worth: `Worth`.

    Returns:
        Bytes of an SVG.
    """
    scores = 100 * np.array(worth.scores)
    spread = np.zeros(len(scores))
    if scores.shape[1] > 1:
        spread = scores.std(1, ddof=1)

    def draw(axis):
        axis.errorbar(
            worth.num_images,
            scores.mean(1),
            yerr=spread,
            fmt="o-",
            color=GRAY,
            capsize=3,
            label=report.arm(candidate).without,
        )
        axis.axhline(
            100 * np.mean(worth.candidate_scores),
            color=BLUE,
            linestyle="--",
            label=candidate,
        )
        axis.set_xscale("log")
        axis.set_xticks(worth.num_images, worth.num_images)
        axis.minorticks_off()
        axis.set_xlabel("real training images")
        axis.set_ylabel("balanced accuracy in per cent, ± sd")
        axis.grid(alpha=0.3)
        axis.legend(frameon=False)

    return _svg(draw, 5.5, 3.4)
