"""`ganaug evaluate --config`: an evaluation as a file says it."""

import contextlib
import dataclasses
import inspect
import io
from pathlib import Path

from rich.console import Console

from ganaug.commands.controls import choose_controls
from ganaug.commands.evaluate import GENERATORS
from ganaug.data.sources import load_data
from ganaug.evaluate.arms import BASELINE, BEST_CONTROL, Arm
from ganaug.evaluate.classifiers import CLASSIFIERS
from ganaug.evaluate.pipeline import ArmPipeline
from ganaug.evaluate.protocol import evaluate_augmentation
from ganaug.evaluate.seed_samples import SeedSamples
from ganaug.progress import trainings_shown
from ganaug.seeded_generator import SeededGenerator
from ganaug.tuning.candidates import MIN_TRAININGS, SEARCH, check_search


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


def rehearse(plan, real):
    """Does a little of all that will be done, so that errors come at once.

    A step of each generator, a batch of each arm, and the checks of what is
    tuned: what is wrong there would else be found after hours, when the folder
    holds the trainings of a plan that cannot be finished.

    Args:
        plan: `EvaluationPlan`.
        real: What `load_planned` returned.

    Raises:
        ValueError: The plan does not fit the data, or a value is wrong.
        TypeError: A generator or an arm has an argument that there is not.
    """
    parts = PlanParts(plan, real, folder=None, steps=1)
    images = parts.first_images()
    for name, arm in {**parts.arms, **parts.references}.items():
        with _named(f"Arm {name!r}"):
            untuned = dataclasses.replace(arm.learn, tune=None)
            augmenter = untuned(images, None, plan.first_seed)
            if arm.learn.tune is not None:
                check_search(
                    augmenter,
                    arm.learn.tune.get("search", SEARCH),
                    arm.learn.tune.get("num_trainings", MIN_TRAININGS),
                    CLASSIFIERS[plan.classifier],
                )
        pipeline = ArmPipeline(name, Arm(augmenter), images, plan.batch_size)
        next(iter(pipeline.batches(plan.first_seed)))


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
    parts = PlanParts(plan, real, Path(run_dir) / GENERATORS)
    for note in real.notes:
        console.print(note, highlight=False)
    with trainings_shown(console) as progress:
        report = evaluate_augmentation(
            parts.train,
            real.test,
            parts.arms,
            parts.controls,
            parts.references,
            classifier=CLASSIFIERS[plan.classifier],
            seeds=range(plan.first_seed, plan.first_seed + plan.seeds),
            steps=plan.steps,
            batch_size=plan.batch_size,
            learning_curve=tuple(plan.learning_curve),
            allow_overlap=plan.allow_overlap,
            progress=progress,
            run_dir=run_dir,
        )
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


class PlanParts:
    """What a plan names, made.

    Args:
        plan: `EvaluationPlan`.
        real: `RealData`.
        folder: Folder of the generators of seeds, or `None`.
        steps: Integer. Of each generator. Defaults to those of the plan.
    """

    def __init__(self, plan, real, folder, steps=None):
        self._plan = plan
        self.train = real.train
        imbalanced = real.train.is_imbalanced
        if plan.train_per_class is not None:
            self.train = SeedSamples(
                real.train,
                tuple(plan.train_per_class),
                plan.validation_per_class,
            )
            imbalanced = len(set(plan.train_per_class)) > 1
        self.controls = choose_controls(
            plan.controls, real.train, plan.horizontal_flip, imbalanced
        )
        more = {"folder": folder} | ({} if steps is None else {"steps": steps})
        generators = {
            name: _generator(name, arguments, more)
            for name, arguments in plan.generators.items()
        }
        self.arms, self.references = (
            {
                name: self._arm(name, arm, generators)
                for name, arm in part.items()
            }
            for part in (plan.arms, plan.references)
        )

    def first_images(self):
        """Gives the training images of the first seed."""
        if not callable(self.train):
            return self.train
        drawn = self.train(self._plan.first_seed)
        return drawn[0] if isinstance(drawn, tuple) else drawn

    def _arm(self, name, told, generators):
        arguments = dict(told)
        generator = generators[arguments.pop("generator")]
        on_top_of = arguments.pop("on_top_of", None)
        if on_top_of not in (None, BEST_CONTROL, *self.controls):
            raise ValueError(
                f"Arm {name!r} must be on top of one of {list(self.controls)}, "
                f"of {BEST_CONTROL!r}, or of nothing. "
                f"Received: on_top_of={on_top_of!r}"
            )
        if "tune" in arguments:
            under = on_top_of or BASELINE
            controls = self.controls
            if under != BEST_CONTROL:
                controls = {under: controls[under]}
            arguments["tune"] = {
                "classifier": CLASSIFIERS[self._plan.classifier],
                "steps": self._plan.steps,
                "batch_size": self._plan.batch_size,
                "on_top_of": under,
                "controls": controls,
                **arguments["tune"],
            }
        with _named(f"Arm {name!r}"):
            return Arm(
                learn=generator.augmenter(**arguments), on_top_of=on_top_of
            )


def _generator(name, arguments, more):
    known = set(inspect.signature(SeededGenerator).parameters) - {"folder"}
    if not isinstance(arguments, dict) or not set(arguments) <= known:
        raise ValueError(
            f"`generators.{name}` must be a table of arguments of "
            f"SeededGenerator, out of {sorted(known)}. Received: {arguments!r}"
        )
    with _named(f"Generator {name!r}"):
        # As it is told first, so that nothing is hidden by what is put over.
        SeededGenerator(**arguments)
        return SeededGenerator(**{**arguments, **more})


@contextlib.contextmanager
def _named(what):
    """Says of errors where in the file they come from."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"{what}: {error}") from None
