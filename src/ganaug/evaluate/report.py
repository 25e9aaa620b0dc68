"""What an evaluation found: gains, verdicts, and the report in all forms."""

import dataclasses
import io
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from rich.console import Console

from ganaug.evaluate.arms import BASELINE
from ganaug.evaluate.description import versions
from ganaug.evaluate.learning_curve import worth_in_images
from ganaug.evaluate.report_page import render_page
from ganaug.evaluate.report_text import TABLE_WIDTH, markdown, print_table
from ganaug.evaluate.report_words import sentences
from ganaug.evaluate.results import CONTROL, CURVE, REFERENCE
from ganaug.evaluate.statistics import (
    CONFIDENCE,
    RULE,
    decisive_controls,
    holm,
    paired_gain,
    verdicts,
)

# Of the JSON; it changes when a reader of the old one would go wrong.
SCHEMA_VERSION = 1


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
        chosen_control: String. The control that is best on validation data,
            on top of which some arms came, or `None`.
        sweeps: Dict from the name of a candidate to a dict from a setting's
            values, such as ratios, to names of arms that differ in it.
        samples: Plain data on the synthetic images, as
            `ganaug.fidelity.sample_report.SampleReport.to_dict` gives them,
            or `None`.
    """

    arms: tuple
    seeds: tuple
    class_names: tuple
    settings: dict
    notes: tuple = ()
    about: dict = field(default_factory=dict)
    chosen_control: str | None = None
    sweeps: dict = field(default_factory=dict)
    samples: dict | None = None

    @property
    def candidates(self):
        """List of the arms under test."""
        return [arm for arm in self.arms if arm.is_candidate]

    @property
    def controls(self):
        """List of the arms that candidates are measured against."""
        return [arm for arm in self.arms if arm.role == CONTROL]

    @property
    def references(self):
        """List of the arms that are shown beside."""
        return [arm for arm in self.arms if arm.role in (REFERENCE, CURVE)]

    @property
    def best_control(self):
        """The control with the highest mean balanced accuracy."""
        return max(self.controls, key=lambda arm: arm.mean)

    @cached_property
    def verdicts(self):
        """Dict from candidate to verdict, by the rule the report states."""
        return verdicts(self._gains_over_controls())

    @cached_property
    def decisive_controls(self):
        """Dict from candidate to the control that its verdict hangs on.

        A pair: the control that it is least certain to beat, and p of that,
        corrected over candidates.
        """
        return decisive_controls(self._gains_over_controls())

    def _gains_over_controls(self):
        return {
            candidate.name: {
                control.name: self.gain(candidate.name, control.name)
                for control in self.controls
            }
            for candidate in self.candidates
        }

    @cached_property
    def corrected_p_values(self):
        """Dict from reference to a dict from arm to its p, corrected by Holm.

        They are compared with real images only and with the best control; of
        each, all other arms but the references count.
        """
        corrected = {}
        for reference in (BASELINE, self.best_control.name):
            names = [
                arm.name
                for arm in (*self.controls, *self.candidates)
                if arm.name != reference
            ]
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

    def worth(self, name):
        """Tells how many more real images a candidate's gain is worth.

        Args:
            name: String. A candidate.

        Returns:
            A `Worth`, or `None` where no learning curve was made of what it is
            compared with.
        """
        without = self.arm(name).without
        # Where the best control is a named one, there are two of each.
        points = {
            arm.fraction: arm
            for arm in self.arms
            if arm.role == CURVE and arm.without == without
        }
        if without is None or not points:
            return None
        counts = np.array(self.settings["train_images_per_class"])
        points = [*points.values(), self.arm(without)]
        return worth_in_images(
            [
                int((counts * arm.fraction).round().clip(1, counts).sum())
                for arm in points
            ],
            [arm.balanced_accuracy for arm in points],
            self.arm(name).balanced_accuracy,
        )

    def add(self, notes=(), sweeps=None, samples=None, **about):
        """Copies the report with more notes and facts.

        Args:
            notes: Sequence of sentences.
            sweeps: As in the constructor. Defaults to those there are.
            samples: As there.
            **about: Facts, such as `data="digits"`.

        Returns:
            An `EvaluationReport`.
        """
        return dataclasses.replace(
            self,
            notes=(*self.notes, *notes),
            about={**self.about, **about},
            sweeps=self.sweeps if sweeps is None else sweeps,
            samples=self.samples if samples is None else samples,
        )

    def sentences(self):
        """Says in plain words what was found.

        Returns:
            A list of strings, for each candidate its verdict first.
        """
        return sentences(self)

    def __str__(self):
        stream = io.StringIO()
        self.print(Console(file=stream, width=TABLE_WIDTH))
        return stream.getvalue()

    def to_markdown(self):
        """Gives the verdict and the table as Markdown.

        Returns:
            A string.
        """
        return markdown(self)

    def print(self, console):
        """Prints table and verdict.

        Args:
            console: `rich.console.Console`.
        """
        print_table(self, console)

    def to_dict(self):
        """Gives everything as plain Python data, fit for JSON.

        Returns:
            A dict of the form that `docs/report.schema.json` describes.
        """
        baseline, best = BASELINE, self.best_control.name
        return {
            "schema_version": SCHEMA_VERSION,
            "metric": "balanced_accuracy",
            "confidence": CONFIDENCE,
            "rule": RULE,
            "verdicts": self.verdicts,
            "decisions": {
                name: {"control": control, "corrected_p_value": p_value}
                for name, (control, p_value) in self.decisive_controls.items()
            },
            "summary": self.sentences(),
            "notes": list(self.notes),
            "seeds": list(self.seeds),
            "best_control": best,
            "chosen_control": self.chosen_control,
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
            "worth": {
                arm.name: None if worth is None else _finite(worth)
                for arm, worth in (
                    (arm, self.worth(arm.name)) for arm in self.candidates
                )
            },
            "sweeps": {
                name: [[value, arm] for value, arm in points.items()]
                for name, points in self.sweeps.items()
            },
            "samples": self.samples,
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
        return _finite(facts)

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
            pictures: Dict from caption to a PNG, as its path or its bytes,
                which is copied into the page.
        """
        Path(path).write_text(render_page(self, pictures or {}), "utf-8")


def _finite(facts):
    """Plain data without infinity, which JSON does not know."""
    if dataclasses.is_dataclass(facts):
        facts = dataclasses.asdict(facts)
    return {
        key: None
        if isinstance(value, float) and not np.isfinite(value)
        else value
        for key, value in facts.items()
    }
