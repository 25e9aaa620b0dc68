"""`ganaug evaluate --config`: an evaluation as a file says it."""

import contextlib
import dataclasses
import inspect
import io
from pathlib import Path

from rich.console import Console

from ganaug.commands.evaluate import GENERATORS
from ganaug.commands.evaluation_plan import CLASSIFIERS
from ganaug.data.sources import load_data
from ganaug.evaluate.arms import (
    BASELINE,
    BEST_CONTROL,
    Arm,
    all_controls,
    default_controls,
)
from ganaug.evaluate.protocol import evaluate_augmentation
from ganaug.evaluate.seed_samples import SeedSamples
from ganaug.progress import ProgressReport
from ganaug.seeded_generator import SeededGenerator


def load_planned(plan, data_dir=None):
    """Loads the data of a plan.

    Args:
        plan: `EvaluationPlan`.
        data_dir: Folder of TFDS. Defaults to TFDS's own default.

    Returns:
        A `ganaug.data.sources.RealData` with a test set.

    Raises:
        FileNotFoundError: They are not there.
        ValueError: They are wrong, or have no test set.
    """
    real = load_data(
        plan.data,
        data_dir,
        None if plan.image_size is None else tuple(plan.image_size),
        test_fraction=plan.test_fraction,
    )
    if real.test is None:
        raise ValueError(
            "Evaluation needs a test set. Raise `test_fraction`, or add test "
            f"images. Received: test_fraction={plan.test_fraction}"
        )
    return real


def evaluate_plan(plan, real, console, run_dir):
    """Evaluates as a plan says.

    Args:
        plan: `EvaluationPlan`.
        real: What `load_planned` returned.
        console: `rich.console.Console` for progress.
        run_dir: Folder in which finished trainings are kept, and generators of
            seeds.

    Returns:
        An `EvaluationReport`.

    Raises:
        ValueError: The plan does not fit the data, or as
            `evaluate_augmentation` raises it.
        TypeError: A generator or an arm has an argument that there is not.
    """
    for note in real.notes:
        console.print(note, highlight=False)
    train = real.train
    if plan.train_per_class is not None:
        train = SeedSamples(
            real.train, tuple(plan.train_per_class), plan.validation_per_class
        )
    controls = _controls(plan, real.train)
    generators = {
        name: _generator(name, arguments, Path(run_dir) / GENERATORS)
        for name, arguments in plan.generators.items()
    }
    arms, references = (
        {
            name: _arm(name, arm, plan, generators, controls)
            for name, arm in part.items()
        }
        for part in (plan.arms, plan.references)
    )
    shown = ProgressReport(console, "evaluating", "trainings")

    def progress(done, total, arm, seed):
        text = "" if arm is None else f"({arm}, seed {seed})"
        shown.update(done, total, text)

    try:
        report = evaluate_augmentation(
            train,
            real.test,
            arms,
            controls,
            references,
            classifier=CLASSIFIERS[plan.classifier],
            seeds=range(plan.first_seed, plan.first_seed + plan.seeds),
            steps=plan.steps,
            batch_size=plan.batch_size,
            learning_curve=tuple(plan.learning_curve),
            allow_overlap=plan.allow_overlap,
            progress=progress,
            run_dir=run_dir,
        )
    finally:
        shown.stop()
    return report.add(
        notes=real.notes,
        data=real.name,
        configuration=dataclasses.asdict(plan),
    )


def help_with_plan(plan, data_dir, run_dir):
    """Does a part of the trainings, silently, and reports nothing.

    Args:
        plan: `EvaluationPlan`.
        data_dir: As in `load_planned`.
        run_dir: As in `evaluate_plan`.
    """
    evaluate_plan(
        plan, load_planned(plan, data_dir), Console(file=io.StringIO()), run_dir
    )


def _controls(plan, images):
    settings = {
        "horizontal_flip": plan.horizontal_flip,
        "imbalanced": images.is_imbalanced
        if plan.train_per_class is None
        else len(set(plan.train_per_class)) > 1,
    }
    if plan.controls == "default":
        return default_controls(images.num_classes, **settings)
    every = all_controls(images.num_classes, images.value_range, **settings)
    if plan.controls == "all":
        return every
    unknown = [name for name in plan.controls if name not in every]
    if unknown or BASELINE not in plan.controls:
        raise ValueError(
            f"`controls` must be names out of {list(every)}, {BASELINE!r} "
            f"among them. Received: controls={plan.controls}"
        )
    return {name: every[name] for name in plan.controls}


def _generator(name, arguments, folder):
    known = set(inspect.signature(SeededGenerator).parameters) - {"folder"}
    if not isinstance(arguments, dict) or not set(arguments) <= known:
        raise ValueError(
            f"`generators.{name}` must be a table of arguments of "
            f"SeededGenerator, out of {sorted(known)}. Received: {arguments!r}"
        )
    with _named(f"Generator {name!r}"):
        return SeededGenerator(**arguments, folder=folder)


def _arm(name, told, plan, generators, controls):
    arguments = dict(told)
    generator = generators[arguments.pop("generator")]
    on_top_of = arguments.pop("on_top_of", None)
    if on_top_of not in (None, BEST_CONTROL, *controls):
        raise ValueError(
            f"Arm {name!r} must be on top of one of {list(controls)}, of "
            f"{BEST_CONTROL!r}, or of nothing. "
            f"Received: on_top_of={on_top_of!r}"
        )
    if "tune" in arguments:
        if not isinstance(arguments["tune"], dict):
            raise ValueError(
                f"`tune` of arm {name!r} must be a table of arguments of "
                f"GANAugmenter.tune. Received: tune={arguments['tune']!r}"
            )
        # As the arm is trained, and on top of what it comes on top of.
        trained = {
            "classifier": CLASSIFIERS[plan.classifier],
            "steps": plan.steps,
            "batch_size": plan.batch_size,
            "controls": controls,
        }
        if on_top_of in controls:
            trained["on_top_of"] = on_top_of
            trained["controls"] = {on_top_of: controls[on_top_of]}
        arguments["tune"] = {**trained, **arguments["tune"]}
    with _named(f"Arm {name!r}"):
        return Arm(learn=generator.augmenter(**arguments), on_top_of=on_top_of)


@contextlib.contextmanager
def _named(what):
    """Says of errors where in the file they come from."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"{what}: {error}") from None
