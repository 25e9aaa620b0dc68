"""Choosing how to use a generator, on validation images, ratio 0 included."""

import itertools
import numbers
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from rich.markup import escape
from rich.table import Table
from sklearn.base import BaseEstimator

from ganaug.augment.augmenter import GANAugmenter
from ganaug.data.elements import parse_elements
from ganaug.data.labeled_images import LabeledImages, as_labeled_images
from ganaug.data.splits import fingerprints
from ganaug.evaluate.arms import as_arm, on_top_of_classic
from ganaug.evaluate.classifiers import build_classifier
from ganaug.evaluate.compatibility import check_generator
from ganaug.evaluate.leakage import note_overlap, refuse_overlap
from ganaug.evaluate.learners import make_learner
from ganaug.evaluate.pipeline import ArmPipeline
from ganaug.seeds import derive_seed, resolve_seed
from ganaug.synthesis.filters import TeacherFilter
from ganaug.synthesis.selection import Selection

# Stands for images that the first classifier of real images alone takes for
# what they are to be.
TEACHER = "teacher"
# What is tried where nothing is said. Latents and truncation are settings of
# the generators, all else of the augmenter.
SEARCH = {
    "ratio": (0.125, 0.25, 0.5),
    "sampling_strategy": ("uniform", "match", "inverse_frequency"),
    "truncation": (1.0, 0.8),
    "label_smoothing": (0.0, 0.1),
    "selection": (None, TEACHER),
}
TUNED = (*SEARCH, "latents")
# Of the contest between what was found and ratio 0.
FINAL_SEEDS = 4
MIN_TRAININGS = 16
RULE = (
    "The settings that are best after successive halving meet ratio 0 with "
    f"{FINAL_SEEDS} seeds that chose nothing, on the same validation images. "
    "They are taken if their mean gain in balanced accuracy is more than its "
    "standard error, which counts both the seeds and the validation images. "
    "Otherwise the ratio is 0."
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
        num_trainings: Integer. Classifiers that were trained.
    """

    settings: dict
    gain: float
    standard_error: float
    candidate: dict
    rounds: tuple
    num_trainings: int

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
        if not np.isfinite(self.gain):
            return (
                f"Chosen: ratio 0. Of the best settings, {found}, there is a "
                "class without any image that passes."
            )
        if self.helps:
            return f"Chosen: {found}: {gain} over ratio 0."
        return (
            f"Chosen: ratio 0. The best settings, {found}, gave {gain} over "
            "it, which is not more than the standard error."
        )

    def print(self, console):
        """Prints the rounds and the choice.

        Args:
            console: `rich.console.Console`.
        """
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
            "rounds": [
                [
                    {"settings": _plain(one), "gain": _finite(gain)}
                    for one, gain in found
                ]
                for found in self.rounds
            ],
        }


def tune(
    augmenter,
    train,
    validation,
    search=None,
    num_trainings=40,
    on_top_of=on_top_of_classic,
    classifier=build_classifier,
    steps=800,
    batch_size=64,
    allow_overlap=False,
    seed=0,
    progress=None,
):
    """Chooses ratio, classes, truncation and labels on validation images.

    Settings are drawn from a grid and compared with ratio 0, pairwise over
    seeds, by successive halving: all with one seed, the better half with one
    more, until one is left. With seeds that chose nothing it then has to beat
    ratio 0. See `ganaug.tuning.RULE`.

    Args:
        augmenter: `GANAugmenter` that replaces or appends, with generators.
        train: Real training images, as `evaluate_augmentation` takes them.
        validation: Real images that neither the classifiers nor the generator
            are trained on, in the same forms. Not the test set.
        search: Dict from names to the values to try: `ratio`,
            `sampling_strategy`, `truncation`, `label_smoothing`, `latents`,
            and `selection`, by which images are drawn into a bank ahead:
            `None`, a `Selection`, or `"teacher"` for those that the first
            classifier of ratio 0 recognizes. Defaults to three ratios, three
            strategies, two truncations, all images or those that are
            recognized, and, if `train` is a dataset with one-hot labels, hard
            or smoothed labels. What is not searched keeps the augmenter's
            values.
        num_trainings: Integer of at least 16. Classifiers that are trained at
            most. Defaults to `40`.
        on_top_of: Callable from a transformation to an `Arm`: what else the
            classifier is trained with, such as
            `ganaug.evaluate.arms.on_top_of_classic`. Defaults to this.
        classifier: As in `evaluate_augmentation`.
        steps: As there. Defaults to `800`.
        batch_size: As there. Defaults to `64`.
        allow_overlap: Boolean. Whether to go on where the generator learnt
            validation images, which flatters it. Defaults to `False`.
        seed: Integer. Defaults to `0`.
        progress: Callable `(done, total, settings)`, called before each
            training and once at the end with `settings=None`.

    Returns:
        A `GANAugmenter` with the attribute `tuning`, a `Tuning`. Its ratio is
        0 where nothing helped.

    Raises:
        ValueError: An argument is out of range, the images do not fit, or
            validation images were trained on.
        TypeError: `augmenter` is no `GANAugmenter`.

    Reference:
        - [Successive halving, Jamieson and Talwalkar,
          2016](https://arxiv.org/abs/1502.07943)
    """
    if search is None:
        search = dict(SEARCH)
        if isinstance(classifier, BaseEstimator):
            # Filters take Keras models.
            del search["selection"]
        if not _has_one_hot_labels(train):
            # What is returned could not be applied to them.
            del search["label_smoothing"]
    _check_arguments(augmenter, search, num_trainings, classifier)
    seed = resolve_seed(seed)
    train = as_labeled_images(train)
    train.check_trainable()
    if not isinstance(validation, LabeledImages):
        validation = as_labeled_images(
            validation, train.class_names, train.value_range
        )
    validation.check_fits(train.image_shape, train.num_classes)
    check_generator("augmenter", augmenter, train)
    _check_overlap(augmenter, train, validation, allow_overlap)
    candidates, num_rounds = _draw_candidates(search, num_trainings, seed)
    contest = _Contest(
        augmenter,
        train,
        validation,
        on_top_of,
        make_learner(classifier, train, steps, derive_seed(seed, "round 0")),
        batch_size,
        progress,
        _count_trainings(len(candidates), num_rounds),
    )
    rounds, seeds = [], []
    for place in range(num_rounds):
        seeds.append(derive_seed(seed, f"round {place}"))
        ranked = sorted(
            ((one, contest.gain(one, seeds)[0]) for one in candidates),
            key=lambda pair: -pair[1],
        )
        rounds.append(tuple(ranked))
        kept = 1 if place == num_rounds - 1 else -(-len(ranked) // 2)
        candidates = [one for one, _ in ranked[:kept]]
    (best,) = candidates
    gain, error = contest.gain(
        best,
        [derive_seed(seed, f"final {place}") for place in range(FINAL_SEEDS)],
    )
    settings = best
    if not gain > error:
        # Of what is not drawn, no other setting matters.
        settings = {
            name: value
            for name, value in best.items()
            if name not in ("selection", "label_smoothing")
        }
        settings["ratio"] = 0.0
    contest.end()
    tuned = contest.augmenter_of(settings)
    tuned.tuning = Tuning(
        settings, gain, error, best, tuple(rounds), contest.done
    )
    return tuned


class _Contest:
    """Trains classifiers with settings and compares them with ratio 0."""

    def __init__(
        self,
        augmenter,
        train,
        validation,
        on_top_of,
        learner,
        batch_size,
        progress,
        total,
    ):
        self._augmenter = augmenter
        self._train = train
        self._validation = validation
        self._on_top_of = on_top_of
        self._learner = learner
        self._batch_size = batch_size
        self._progress = progress
        self._total = total
        # Each may have drawn a bank.
        self._augmenters = {}
        self._right = {}
        self._first = None
        self.done = 0

    def augmenter_of(self, settings):
        key = repr(settings)
        if key not in self._augmenters:
            self._augmenters[key] = self._make_augmenter(settings)
        return self._augmenters[key]

    def _make_augmenter(self, settings):
        changes = dict(settings)
        drawn = {
            name: changes.pop(name)
            for name in ("latents", "truncation")
            if name in changes
        }
        generators = self._augmenter.generators
        if drawn:
            generators = generators.replace(**drawn)
        if changes.get("selection") is not None:
            changes["source"] = "bank"
            if changes["selection"] == TEACHER:
                changes["selection"] = self._teacher()
        return self._augmenter.replace(pretrained=generators, **changes)

    def _can_draw(self, settings, seeds):
        """Whether there are images of every class that pass a selection."""
        self._correct(None, seeds[0])
        selection = settings.get("selection")
        if selection is None:
            self.augmenter_of(settings)
            return True
        # What else may be wrong with settings or selection is an error.
        self.augmenter_of({**settings, "selection": None})
        if selection != TEACHER:
            selection.check(self._train.image_shape, self._train.class_names)
        try:
            self.augmenter_of(settings)
        except ValueError:
            return False
        return True

    def _teacher(self):
        return Selection(
            [
                TeacherFilter(
                    self._first, self._train.value_range, from_logits=True
                )
            ]
        )

    def gain(self, settings, seeds):
        """Mean gain over ratio 0 and its standard error."""
        if not self._can_draw(settings, seeds):
            return -np.inf, 0.0
        # First, since what they train may be a candidate's teacher.
        plain = [self._correct(None, seed) for seed in seeds]
        differences = np.array(
            [self._correct(settings, seed) for seed in seeds]
        ) - np.array(plain)
        labels = self._validation.labels
        present = np.flatnonzero(self._validation.class_counts)
        by_class = np.stack(
            [differences[:, labels == label].mean(1) for label in present], 1
        )
        by_seed = by_class.mean(1)
        variance = 0.0
        if len(seeds) > 1:
            variance += by_seed.var(ddof=1) / len(seeds)
        # Of the validation images: another draw of them had other means.
        by_image = differences.mean(0)
        counts = self._validation.class_counts[present]
        pooled = np.concatenate(
            [
                by_image[labels == label] - by_image[labels == label].mean()
                for label in present
            ]
        )
        # A class with one image says nothing of its spread, so all share one.
        freedom = max(1, len(pooled) - len(present))
        spread = (pooled**2).sum() / freedom
        variance += spread * (1 / counts).sum() / len(present) ** 2
        return float(by_seed.mean()), float(np.sqrt(variance))

    def _correct(self, settings, seed):
        """Which validation images a classifier has right."""
        key = repr(settings), seed
        if key not in self._right:
            if self._progress:
                self._progress(self.done, self._total, settings or {"ratio": 0})
            transform = None
            if settings is not None:
                transform = self.augmenter_of(settings)
            # Something that does nothing, so that all else has the same seeds.
            arm = as_arm(self._on_top_of(transform or _nothing))
            pipeline = ArmPipeline(
                f"{settings}", arm, self._train, self._batch_size
            )
            self._learner.train(
                seed,
                pipeline.batches(seed),
                pipeline.logit_shift(seed),
                arm.focal_gamma,
            )
            if self._first is None and hasattr(self._learner, "snapshot"):
                self._first = self._learner.snapshot()
            predicted = self._learner.probabilities(self._validation.images)
            self._right[key] = (
                predicted.argmax(-1) == self._validation.labels
            ).astype(np.float64)
            self.done += 1
        return self._right[key]

    def end(self):
        if self._progress:
            self._progress(self.done, self.done, None)


def _nothing(dataset):
    return dataset


def _count_trainings(num_candidates, num_rounds):
    """Trainings of rounds of halving and of the contest with ratio 0."""
    total, kept = 0, num_candidates
    for _ in range(num_rounds):
        total += kept + 1
        kept = -(-kept // 2)
    return total + 2 * FINAL_SEEDS


def _draw_candidates(search, num_trainings, seed):
    """As many settings as the trainings allow, out of all combinations."""
    names = list(search)
    combinations = [
        dict(zip(names, values, strict=True))
        for values in itertools.product(*search.values())
    ]
    order = np.random.default_rng(derive_seed(seed, "candidates")).permutation(
        len(combinations)
    )
    number = 1
    while number < len(combinations) and (
        _count_trainings(number + 1, _num_rounds(number + 1)) <= num_trainings
    ):
        number += 1
    chosen = [combinations[place] for place in order[:number]]
    return chosen, _num_rounds(number)


def _num_rounds(num_candidates):
    return max(1, int(np.ceil(np.log2(num_candidates))))


def _has_one_hot_labels(data):
    if not isinstance(data, tf.data.Dataset):
        return False
    return parse_elements(data.element_spec).num_classes is not None


def _check_arguments(augmenter, search, num_trainings, classifier):
    if not isinstance(augmenter, GANAugmenter):
        raise TypeError(
            f"`augmenter` must be a GANAugmenter. Received: {augmenter!r}"
        )
    if augmenter.generators is None or augmenter.ratio is None:
        raise ValueError(
            "`augmenter` must have generators to draw with and a ratio to "
            "choose: give it `pretrained` rather than a finished bank, and "
            'mode="replace" or "append". '
            f"Received: mode={augmenter.mode!r}, bank={augmenter.bank!r}"
        )
    unknown = sorted(set(search) - set(TUNED))
    empty = sorted(
        name
        for name, values in search.items()
        if not isinstance(values, (tuple, list, np.ndarray)) or not len(values)
    )
    if unknown or empty or "ratio" not in search:
        raise ValueError(
            "`search` must be a dict from names to tuples of values to try, "
            f"`ratio` among them, out of {TUNED}. Received: unknown names "
            f"{unknown}, without values {empty}, names {sorted(search)}"
        )
    if TEACHER in search.get("selection", ()) and isinstance(
        classifier, BaseEstimator
    ):
        raise ValueError(
            "`search` can have a teacher where `classifier` builds a Keras "
            f"model. Received: selection={search['selection']}, "
            f"classifier={classifier!r}"
        )
    for selection in search.get("selection", ()):
        if selection not in (None, TEACHER) and not isinstance(
            selection, Selection
        ):
            raise ValueError(
                "`search` must have selections that are None, a Selection or "
                f"{TEACHER!r}. Received: selection={selection!r}"
            )
    for ratio in search["ratio"]:
        if not isinstance(ratio, numbers.Real) or not 0 < ratio <= 1:
            raise ValueError(
                "`search` must have ratios above 0 and at most 1; ratio 0 is "
                f"tried anyway. Received: ratio={ratio!r}"
            )
    if not isinstance(num_trainings, numbers.Integral) or (
        num_trainings < MIN_TRAININGS
    ):
        raise ValueError(
            f"`num_trainings` must be an integer of at least {MIN_TRAININGS}. "
            f"Received: num_trainings={num_trainings!r}"
        )


def _check_overlap(augmenter, train, validation, allow_overlap):
    found, asked = {}, fingerprints(validation)
    for where, known in (
        ("the training data", fingerprints(train)),
        ("the generator's training data", augmenter.training_fingerprints),
    ):
        note_overlap(found, "validation", asked, where, known)
    refuse_overlap(found, allow_overlap)


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
