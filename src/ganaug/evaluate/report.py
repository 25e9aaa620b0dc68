"""What an evaluation found: table, verdict, JSON and HTML."""

import base64
import dataclasses
import importlib.metadata
import io
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import jinja2
import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ganaug.evaluate.arms import BASELINE
from ganaug.evaluate.statistics import (
    CONFIDENCE,
    NO_GAIN,
    RULE,
    PairedGain,
    holm,
    paired_gain,
    verdicts,
)

TABLE_WIDTH = 100
# Further ones, as they are called in tables.
MEASURES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "geometric_mean": "geometric mean of recalls",
    "auroc": "AUROC",
    "calibration_error": "calibration error",
    "log_loss": "log loss",
}
PACKAGES = ("ganaug", "tensorflow", "keras", "numpy", "scikit-learn", "scipy")


@dataclass(frozen=True)
class ArmResult:
    """The scores of one arm, a number for each seed.

    Args:
        name: String.
        is_candidate: Boolean. Whether the arm is under test, not a control.
        without: String. The control that is the same but for what is under
            test, or `None`.
        accuracy: Tuple of floats in `[0, 1]`.
        balanced_accuracy: Tuple of floats: mean recall over the classes that
            the test set has.
        macro_f1: Tuple of floats: mean F1 over those classes.
        geometric_mean: Tuple of floats: geometric mean of the recalls.
        auroc: Tuple of floats: mean area under the ROC curve of each class
            against the rest; `None` where the test set has one class alone.
        calibration_error: Tuple of floats: expected calibration error.
        log_loss: Tuple of floats: mean negative log-likelihood in nats.
        recall: Tuple of tuples, a float for each class; `None` for a class
            without test images.
    """

    name: str
    is_candidate: bool
    without: str | None
    accuracy: tuple
    balanced_accuracy: tuple
    macro_f1: tuple
    geometric_mean: tuple
    auroc: tuple
    calibration_error: tuple
    log_loss: tuple
    recall: tuple

    @property
    def mean(self):
        """Mean balanced accuracy over the seeds."""
        return float(np.mean(self.balanced_accuracy))

    @property
    def spread(self):
        """Standard deviation of balanced accuracy over the seeds."""
        if len(self.balanced_accuracy) < 2:
            return 0.0
        return float(np.std(self.balanced_accuracy, ddof=1))

    @property
    def mean_recall(self):
        """List of mean recalls, `None` for a class without test images."""
        return [
            None if None in seeds else float(np.mean(seeds))
            for seeds in zip(*self.recall, strict=True)
        ]


@dataclass(frozen=True)
class EvaluationReport:
    """What `evaluate_augmentation` found.

    Gains are paired differences of balanced accuracy, seed by seed, with
    Student's 95 % interval. `print(report)` shows a table and the verdict.

    Args:
        arms: Tuple of `ArmResult`, controls first.
        seeds: Tuple of integers.
        class_names: Tuple of strings.
        settings: Dict of what the evaluation was told.
        notes: Tuple of sentences that a reader must know.
        about: Dict of further facts to print, such as the data's name.
    """

    arms: tuple
    seeds: tuple
    class_names: tuple
    settings: dict
    notes: tuple = ()
    about: dict = field(default_factory=dict)

    @property
    def candidates(self):
        """List of the arms under test."""
        return [arm for arm in self.arms if arm.is_candidate]

    @property
    def controls(self):
        """List of the other arms."""
        return [arm for arm in self.arms if not arm.is_candidate]

    @property
    def best_control(self):
        """The control with the highest mean balanced accuracy."""
        return max(self.controls, key=lambda arm: arm.mean)

    @cached_property
    def verdicts(self):
        """Dict from candidate to verdict, by the rule the report states."""
        return verdicts(
            {
                candidate.name: {
                    control.name: self.gain(candidate.name, control.name)
                    for control in self.controls
                }
                for candidate in self.candidates
            }
        )

    @cached_property
    def corrected_p_values(self):
        """Dict from reference to a dict from arm to its p, corrected by Holm.

        The references are real images only and the best control; of each, all
        other arms count.
        """
        corrected = {}
        for reference in (BASELINE, self.best_control.name):
            names = [arm.name for arm in self.arms if arm.name != reference]
            p_values = [self.gain(name, reference).p_value for name in names]
            corrected[reference] = dict(zip(names, holm(p_values), strict=True))
        return corrected

    def arm(self, name):
        """Finds an arm by its name.

        Args:
            name: String.

        Returns:
            An `ArmResult`.
        """
        return {arm.name: arm for arm in self.arms}[name]

    def gain(self, name, reference):
        """Compares two arms.

        Args:
            name: String. An arm.
            reference: String. The arm it is compared with.

        Returns:
            A `PairedGain` of balanced accuracy.
        """
        return paired_gain(
            self.arm(name).balanced_accuracy,
            self.arm(reference).balanced_accuracy,
        )

    def add(self, notes=(), **about):
        """Copies the report with more notes and facts.

        Args:
            notes: Sequence of sentences.
            **about: Facts, such as `data="digits"`.

        Returns:
            An `EvaluationReport`.
        """
        return dataclasses.replace(
            self,
            notes=(*self.notes, *notes),
            about={**self.about, **about},
        )

    def sentences(self):
        """Says in plain words what was found.

        Returns:
            A list of strings, for each candidate its verdict first.
        """
        best = self.best_control
        lines = []
        for arm in self.candidates:
            lines.append(
                f"{arm.name}: {self.verdicts[arm.name].upper()}. Its balanced "
                f"accuracy is {arm.mean:.2%}; the best control, {best.name}, "
                f"has {best.mean:.2%}. The gain over it is "
                f"{_points(self.gain(arm.name, best.name))}."
            )
            further = self.gain(arm.name, best.name).further_seeds()
            if self.verdicts[arm.name] == NO_GAIN and further:
                lines.append(
                    f"If the difference to {best.name} is what it looks like "
                    f"now, about {further} further seeds would show it, four "
                    "times in five."
                )
            if arm.without:
                lines.append(
                    f"Over {arm.without}, which is the same without synthetic "
                    f"images, it gains "
                    f"{_points(self.gain(arm.name, arm.without))}."
                )
        return lines

    def __str__(self):
        stream = io.StringIO()
        self.print(Console(file=stream, width=TABLE_WIDTH))
        return stream.getvalue()

    def to_markdown(self):
        """Gives the verdict and the table as Markdown.

        Returns:
            A string.
        """
        lines = [f"> {sentence}\n" for sentence in self.sentences()]
        lines += [
            "| arm | mean ± sd | over real only | over best control |",
            "|---|---:|---:|---:|",
        ]
        for row in self._rows():
            name = row["name"].replace("|", "\\|")
            mark = "**" if row["is_candidate"] else ""
            lines.append(
                f"| {mark}{name}{mark} | {row['score']} "
                f"| {row['over_baseline']} | {row['over_best']} |"
            )
        return "\n".join([*lines, "", *self.notes, ""])

    def print(self, console):
        """Prints table and verdict.

        Args:
            console: `rich.console.Console`.
        """
        table = Table(
            title=f"Balanced accuracy over {len(self.seeds)} paired seeds",
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
        )
        table.add_column("arm", overflow="fold", min_width=16)
        for header in (
            "mean ± sd",
            f"gain over\n{BASELINE}",
            "gain over\nbest control",
        ):
            table.add_column(header, justify="right", no_wrap=True)
        for row in self._rows():
            table.add_row(
                *(
                    escape(row[key])
                    for key in ("name", "score", "over_baseline", "over_best")
                ),
                style="bold" if row["is_candidate"] else None,
            )
        console.print(table)
        console.print(
            f"Gains in points of balanced accuracy, with {CONFIDENCE:.0%} "
            "intervals.",
            style="dim",
        )
        for line in (*self.sentences(), *self.notes):
            console.print(line, highlight=False, markup=False)

    def _rows(self):
        best = self.best_control.name
        return [
            {
                "name": arm.name,
                "is_candidate": arm.is_candidate,
                "is_best": arm.name == best,
                "score": f"{arm.mean:.2%} ± {100 * arm.spread:.2f}"
                if len(self.seeds) > 1
                else f"{arm.mean:.2%}",
                "over_baseline": _interval(self.gain(arm.name, BASELINE))
                if arm.name != BASELINE
                else "",
                "over_best": _interval(self.gain(arm.name, best))
                if arm.name != best
                else "best control",
            }
            for arm in self.arms
        ]

    def to_dict(self):
        """Gives everything as plain Python data, fit for JSON.

        Returns:
            A dict.
        """
        baseline, best = BASELINE, self.best_control.name
        return {
            "metric": "balanced_accuracy",
            "confidence": CONFIDENCE,
            "rule": RULE,
            "verdicts": self.verdicts,
            "summary": self.sentences(),
            "notes": list(self.notes),
            "seeds": list(self.seeds),
            "best_control": best,
            "class_names": list(self.class_names),
            "arms": [
                {
                    **dataclasses.asdict(arm),
                    "gain_over_real_only": self._gain_dict(arm.name, baseline),
                    "gain_over_best_control": self._gain_dict(arm.name, best),
                    "gain_over_without": self._gain_dict(arm.name, arm.without)
                    if arm.without
                    else None,
                }
                for arm in self.arms
            ],
            "settings": self.settings,
            "about": self.about,
            "versions": versions(),
        }

    def _gain_dict(self, name, reference):
        gain = self.gain(name, reference)
        bootstrap = gain.bootstrap_interval()
        corrected = self.corrected_p_values.get(reference, {})
        facts = {
            "mean": gain.mean,
            "low": gain.low,
            "high": gain.high,
            "bootstrap_low": bootstrap[0],
            "bootstrap_high": bootstrap[1],
            "p_value": gain.p_value,
            "corrected_p_value": corrected.get(name),
            "effect_size": gain.effect_size,
            "further_seeds": gain.further_seeds(),
            "num_seeds": gain.num_seeds,
        }
        # JSON has no infinity; one seed has no interval.
        return {
            key: None
            if isinstance(value, float) and not np.isfinite(value)
            else value
            for key, value in facts.items()
        }

    def _measures(self):
        """Rows of the further measures, a mean for each arm."""
        return [
            {
                "name": arm.name,
                "is_candidate": arm.is_candidate,
                "values": [
                    _mean(getattr(arm, measure)) for measure in MEASURES
                ],
            }
            for arm in self.arms
        ]

    def to_json(self, path):
        """Writes everything as JSON.

        Args:
            path: File to write.
        """
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False)
        Path(path).write_text(text + "\n", "utf-8")

    def to_html(self, path, pictures=None):
        """Writes one page that needs no other file and no network.

        Args:
            path: File to write.
            pictures: Dict from caption to the path of a PNG, which is copied
                into the page.
        """
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("ganaug.evaluate"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
        text = environment.get_template("report.html.jinja").render(
            report=self,
            facts=self.to_dict(),
            rows=self._rows(),
            measures=MEASURES,
            measure_rows=self._measures(),
            candidate_names=[arm.name for arm in self.candidates],
            pictures={
                caption: base64.b64encode(Path(file).read_bytes()).decode()
                for caption, file in (pictures or {}).items()
            },
        )
        Path(path).write_text(text, "utf-8")


def versions():
    """Gives the versions of the packages that scores depend on.

    Returns:
        A dict from names to versions.
    """
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def _mean(values):
    return "–" if None in values else f"{np.mean(values):.4f}"


def _interval(gain: PairedGain):
    if not np.isfinite(gain.low):
        return f"{100 * gain.mean:+.2f} [no interval]"
    return (
        f"{100 * gain.mean:+.2f} "
        f"[{100 * gain.low:+.2f}, {100 * gain.high:+.2f}]"
    )


def _points(gain: PairedGain):
    return f"{_interval(gain)} points"
