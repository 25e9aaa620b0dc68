"""Trainings with settings and without synthetic images, compared."""

import numpy as np

from ganaug.evaluate.arms import as_arm
from ganaug.evaluate.pipeline import ArmPipeline
from ganaug.synthesis.filters import TeacherFilter
from ganaug.synthesis.selection import Selection
from ganaug.tuning.candidates import TEACHER


class Contest:
    """Trains classifiers with settings and compares them with ratio 0.

    Args:
        augmenter: `GANAugmenter`.
        train: `LabeledImages`.
        validation: `LabeledImages` that are counted.
        on_top_of: Callable from a transformation to an `Arm`.
        learner: `KerasLearner` or `EstimatorLearner`.
        batch_size: Integer.
        progress: As in `tune`, or `None`.
        total: Integer. Trainings that there will be.
    """

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
            # Something that does nothing in its place, for functions that take
            # a transformation.
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
        """Tells the progress that all is done."""
        if self._progress:
            self._progress(self.done, self.done, None)


def check_on_top_of(on_top_of):
    """Checks that what it makes can be trained as it is.

    Args:
        on_top_of: Callable from a transformation to an `Arm`.

    Raises:
        ValueError: The arm names a control, learns for itself, or trains on a
            part of the images.
    """
    arm = as_arm(on_top_of(_nothing))
    if arm.on_top_of is None and arm.learn is None and arm.fraction == 1:
        return
    raise ValueError(
        "`on_top_of` must make arms that say all that they do. To come on top "
        "of a control, give `lambda transform: Arm(transform).on(control, "
        "name)`. Received: an Arm with "
        f"on_top_of={arm.on_top_of!r}, learn={arm.learn!r}, "
        f"fraction={arm.fraction}"
    )


def _nothing(dataset):
    return dataset
