"""Trainings with settings and without synthetic images, compared."""

import numpy as np

from ganaug.evaluate.arms import as_arm
from ganaug.synthesis.filters import TeacherFilter
from ganaug.synthesis.selection import Selection
from ganaug.tuning.candidates import TEACHER
from ganaug.tuning.controls import nothing


class Contest:
    """Trains classifiers with settings and compares them with ratio 0.

    Args:
        augmenter: `GANAugmenter`.
        trials: `Trials`.

    Attributes:
        on_top_of: Callable from a transformation to an `Arm`, to be set before
            gains are measured.
    """

    def __init__(self, augmenter, trials):
        self._augmenter = augmenter
        self._trials = trials
        self.on_top_of = None
        # Each may have drawn a bank.
        self._augmenters = {}
        self._right = {}
        self._first = None

    def check(self, candidates, seed):
        """Checks settings as far as can be before any training.

        Args:
            candidates: List of dicts.
            seed: Integer.

        Raises:
            ValueError: One cannot be drawn with, or not be trained on.
        """
        for settings in candidates:
            augmenter = self.augmenter_of(_unselected(settings))
        # What they have in common shows with any of them.
        pipeline = self._trials.pipeline(as_arm(augmenter), settings)
        pipeline.check_first_batch(seed)

    def augmenter_of(self, settings):
        """Makes the augmenter with some settings, once.

        Args:
            settings: Dict.

        Returns:
            A `GANAugmenter`.
        """
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
            return True
        # What is wrong with a selection is an error.
        if selection != TEACHER:
            train = self._trials.train
            selection.check(train.image_shape, train.class_names)
        try:
            self.augmenter_of(settings)
        except ValueError:
            return False
        return True

    def _teacher(self):
        return Selection(
            [
                TeacherFilter(
                    self._first,
                    self._trials.train.value_range,
                    from_logits=True,
                )
            ]
        )

    def gain(self, settings, seeds):
        """Measures the gain over ratio 0.

        Args:
            settings: Dict.
            seeds: List of integers.

        Returns:
            A pair of floats: the mean gain in balanced accuracy, minus
            infinity where some class has no image that passes the selection;
            and its standard error, which counts seeds and validation images.
        """
        if not self._can_draw(settings, seeds):
            return -np.inf, 0.0
        # First, since what they train may be a candidate's teacher.
        plain = [self._correct(None, seed) for seed in seeds]
        differences = np.array(
            [self._correct(settings, seed) for seed in seeds]
        ) - np.array(plain)
        by_seed = np.mean(
            [part.mean(1) for part in self._trials.of_classes(differences)], 0
        )
        variance = 0.0
        if len(seeds) > 1:
            variance += by_seed.var(ddof=1) / len(seeds)
        # Of the validation images: another draw of them had other means.
        pooled = np.concatenate(
            [
                part - part.mean()
                for part in self._trials.of_classes(differences.mean(0))
            ]
        )
        counts = self._trials.class_counts
        # A class with one image says nothing of its spread, so all share one.
        freedom = max(1, len(pooled) - len(counts))
        spread = (pooled**2).sum() / freedom
        variance += spread * (1 / counts).sum() / len(counts) ** 2
        return float(by_seed.mean()), float(np.sqrt(variance))

    def _correct(self, settings, seed):
        """Which validation images a classifier has right."""
        key = repr(settings), seed
        if key not in self._right:
            transform = None
            if settings is not None:
                transform = self.augmenter_of(settings)
            # Something that does nothing in its place, for functions that take
            # a transformation.
            arm = as_arm(self.on_top_of(transform or nothing))
            self._right[key] = self._trials.correct(
                arm, seed, settings or {"ratio": 0}
            )
            if self._first is None:
                self._first = self._trials.snapshot()
        return self._right[key]


def _unselected(settings):
    """Settings without their filter, if they have one."""
    if settings.get("selection") is None:
        return settings
    return {**settings, "selection": None}
