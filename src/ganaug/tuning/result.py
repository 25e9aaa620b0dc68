"""What tuning tried and chose."""

from dataclasses import dataclass

import numpy as np
from rich.markup import escape
from rich.table import Table

# Of the contest between what was found and ratio 0.
FINAL_SEEDS = 4
RULE = (
    "The settings that are best after successive halving meet ratio 0 with "
    f"{FINAL_SEEDS} seeds that chose nothing, on the same validation images. "
    "They are taken if their mean gain in balanced accuracy is more than its "
    "standard error, which counts both the seeds and the validation images. "
    "Otherwise the ratio is 0. Unless a control was named or a function given, "
    "all of it is on top of the control that successive halving finds best on "
    "the same images."
)


@dataclass(frozen=True)
class Tuning:
    """What `GANAugmenter.tune` tried and chose.

    Args:
        settings: Dict of what was chosen; the ratio is 0 where nothing helped.
        gain: Float. Mean gain over ratio 0 of the best settings, in balanced
            accuracy on the validation images, with seeds that chose nothing.
        standard_error: Float. Of it.
        candidate: Dict: the best settings, whether taken or not.
        rounds: Tuple of tuples, one for each round of halving: pairs of
            settings and their mean gain over ratio 0, best first; minus
            infinity where no image of some class passed a selection.
        num_trainings: Integer. Classifiers that were trained, to find the
            control too.
        on_top_of: String. The control that all of it was on top of, or `None`
            where a function that names none made the arms.
        control_rounds: Tuple of tuples, one for each round that chose it:
            pairs of names and mean balanced accuracy on the validation images,
            best first. Empty where it was named.
    """

    settings: dict
    gain: float
    standard_error: float
    candidate: dict
    rounds: tuple
    num_trainings: int
    on_top_of: str | None = None
    control_rounds: tuple = ()

    @property
    def helps(self):
        """Whether synthetic images are to be used."""
        return self.settings["ratio"] > 0

    def sentence(self):
        """Says in plain words what was chosen.

        Returns:
            A string.
        """
        found = ", ".join(
            f"{name}={_short(value)}" for name, value in self.candidate.items()
        )
        gain = (
            f"{100 * self.gain:+.2f} ± {100 * self.standard_error:.2f} points "
            "of balanced accuracy on validation images"
        )
        under = f", on top of {self.on_top_of!r}" if self.on_top_of else ""
        if not np.isfinite(self.gain):
            return (
                f"Chosen: ratio 0{under}. Of the best settings, {found}, there "
                "is a class without any image that passes."
            )
        if self.helps:
            return f"Chosen: {found}: {gain} over ratio 0{under}."
        return (
            f"Chosen: ratio 0. The best settings, {found}, gave {gain} over "
            f"it{under}, which is not more than the standard error."
        )

    def print(self, console):
        """Prints the rounds and the choice.

        Args:
            console: `rich.console.Console`.
        """
        if self.control_rounds:
            table = Table("round", "control", "balanced accuracy")
            for place, found in enumerate(self.control_rounds, 1):
                for name, score in found:
                    table.add_row(str(place), escape(name), f"{score:.2%}")
            console.print(table)
        table = Table("round", "settings", "gain in points")
        for place, found in enumerate(self.rounds, 1):
            for settings, gain in found:
                text = ", ".join(
                    f"{name}={_short(value)}"
                    for name, value in settings.items()
                )
                table.add_row(str(place), escape(text), f"{100 * gain:+.2f}")
        console.print(table)
        console.print(self.sentence(), highlight=False, markup=False)

    def to_dict(self):
        """Gives everything as plain Python data, fit for JSON.

        Returns:
            A dict.
        """
        return {
            "rule": RULE,
            "settings": _plain(self.settings),
            "candidate": _plain(self.candidate),
            "gain": _finite(self.gain),
            "standard_error": self.standard_error,
            "num_trainings": self.num_trainings,
            "on_top_of": self.on_top_of,
            "control_rounds": [
                [
                    {"control": name, "balanced_accuracy": score}
                    for name, score in found
                ]
                for found in self.control_rounds
            ],
            "rounds": [
                [
                    {"settings": _plain(one), "gain": _finite(gain)}
                    for one, gain in found
                ]
                for found in self.rounds
            ],
        }


def _finite(number):
    return number if np.isfinite(number) else None


def _plain(settings):
    return {
        name: value
        if value is None or isinstance(value, (str, int, float))
        else _short(value)
        for name, value in settings.items()
    }


def _short(value):
    # A `Selection` is told by its filters.
    filters = getattr(value, "filters", None)
    if filters:
        return " and ".join(one.name for one in filters)
    return f"{value}"
