"""A whole evaluation in a TOML file: data, generators, arms and controls."""

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

from ganaug.commands.controls import CONTROLS
from ganaug.evaluate.classifiers import CLASSIFIERS

# Of `GANAugmenter.tune`: all else follows from the plan.
OF_TUNE = ("search", "num_trainings")


@dataclass(frozen=True)
class EvaluationPlan:
    """What an evaluation is, in full.

    Args:
        data: String. As in `load_data`; files and folders are looked for from
            the current folder on.
        arms: Dict from the name of an arm under test to a dict: its
            `"generator"`, the control that it is `"on_top_of"`, if any, or
            `"best control"`, and arguments of `SeededGenerator.augmenter`. Its
            `"tune"` has `"search"` and `"num_trainings"`; what is chosen is
            chosen on top of the same control.
        generators: Dict from names to dicts of arguments of `SeededGenerator`.
        references: Dict like `arms`, of what is shown beside. Defaults to
            none.
        controls: String, `"default"` or `"all"`, or a list of names of these,
            `"real only"` among them. Defaults to `"default"`.
        train_per_class: List of integers. So many training images of each
            class are drawn anew for each seed. Defaults to all images, the
            same for every seed.
        validation_per_class: Integer. So many more of each class are drawn to
            choose by. Without them a part of the training images chooses the
            best control, and no arm can be tuned.
        image_size: As in `load_data`.
        test_fraction: As there. Defaults to `0.2`.
        seeds: Integer. How many. Defaults to `5`.
        first_seed: Integer. Defaults to `0`.
        steps: Integer. Optimizer steps of each classifier. Defaults to `800`.
        batch_size: Integer. Real images in a batch. Defaults to `64`.
        classifier: String. A key of `CLASSIFIERS`. Defaults to `"cnn"`.
        horizontal_flip: Boolean. Whether classic augmentation may mirror
            images. Defaults to `False`.
        learning_curve: List of floats, as in `evaluate_augmentation`.
        allow_overlap: Boolean. As there. Defaults to `False`.

    Raises:
        ValueError: A value is of another kind, or names what there is not.
    """

    data: str
    arms: dict
    generators: dict
    references: dict = field(default_factory=dict)
    controls: str | list = "default"
    train_per_class: list | None = None
    validation_per_class: int | None = None
    image_size: list | None = None
    test_fraction: float = 0.2
    seeds: int = 5
    first_seed: int = 0
    steps: int = 800
    batch_size: int = 64
    classifier: str = "cnn"
    horizontal_flip: bool = False
    learning_curve: list = field(default_factory=list)
    allow_overlap: bool = False

    def __post_init__(self):
        for one in fields(self):
            self._check_type(one.name, one.type)
        for name, kind, of in (
            ("train_per_class", int, "integers"),
            ("image_size", int, "integers"),
            ("learning_curve", (int, float), "numbers"),
            ("controls", str, "strings"),
        ):
            parts = getattr(self, name)
            self._check(
                not isinstance(parts, list)
                or all(
                    isinstance(part, kind) and not isinstance(part, bool)
                    for part in parts
                ),
                name,
                f"a list of {of}",
            )
        for name in ("seeds", "steps", "batch_size"):
            self._check(getattr(self, name) > 0, name, "a positive integer")
        self._check(self.first_seed >= 0, "first_seed", "at least 0")
        self._check(
            self.classifier in CLASSIFIERS,
            "classifier",
            f"one of {tuple(CLASSIFIERS)}",
        )
        if isinstance(self.controls, str):
            self._check(
                self.controls in CONTROLS,
                "controls",
                f"one of {CONTROLS}, or a list of names of controls",
            )
        self._check(
            self.validation_per_class is None
            or self.train_per_class is not None,
            "validation_per_class",
            "left out without `train_per_class`: then every seed has all "
            "images, and holds some of them out to choose by",
        )
        for part in ("arms", "references"):
            for name, arm in getattr(self, part).items():
                self._check_arm(part, name, arm)

    def _check_type(self, name, expected):
        value = getattr(self, name)
        allowed = (int, float) if expected is float else expected
        # To Python a boolean is an integer, to the writer of a file it is not.
        fits = isinstance(value, allowed) and (
            expected is bool or not isinstance(value, bool)
        )
        self._check(
            fits, name, f"of type {getattr(expected, '__name__', expected)}"
        )

    def _check(self, holds, name, expected):
        if not holds:
            raise ValueError(
                f"`{name}` must be {expected}. "
                f"Received: {name}={getattr(self, name)!r}"
            )

    def _check_arm(self, part, name, arm):
        generator = arm.get("generator") if isinstance(arm, dict) else None
        if not isinstance(generator, str) or generator not in self.generators:
            raise ValueError(
                f"`{part}.{name}` must be a table with a `generator` out of "
                f"{sorted(self.generators)}. Received: {arm!r}"
            )
        if "tune" not in arm:
            return
        tune = arm["tune"]
        if not isinstance(tune, dict) or not set(tune) <= set(OF_TUNE):
            raise ValueError(
                f"`{part}.{name}.tune` must be a table with {OF_TUNE}. "
                f"Received: tune={tune!r}"
            )
        if self.validation_per_class is None:
            raise ValueError(
                f"`{part}.{name}.tune` chooses on images that nothing is "
                "trained on. Give `train_per_class` and "
                "`validation_per_class`. Received: validation_per_class=None"
            )


def read_plan(path):
    """Reads a plan.

    Args:
        path: A TOML file whose keys are those of `EvaluationPlan`.

    Returns:
        An `EvaluationPlan`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no TOML, or not of that form.

    Example:

    ```toml
    data = "digits"
    train_per_class = [100, 66, 44, 29, 19, 13, 8, 6, 4, 3]
    validation_per_class = 8
    seeds = 10

    [generators.small]
    model = "vae"

    [arms."MixUp + VAE"]
    generator = "small"
    on_top_of = "MixUp"
    ratio = 0.25
    ```
    """
    try:
        told = tomllib.loads(Path(path).read_text("utf-8"))
        known = {one.name for one in fields(EvaluationPlan)}
        unknown = sorted(set(told) - known)
        missing = sorted({"data", "arms", "generators"} - set(told))
        if unknown or missing:
            raise ValueError(
                f"Expected keys out of {sorted(known)}. "
                f"Received: unknown {unknown}, missing {missing}"
            )
        return EvaluationPlan(**told)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
