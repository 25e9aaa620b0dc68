"""Single trainings of tuning's classifiers, judged on validation images."""

import numpy as np

from ganaug.evaluate.pipeline import ArmPipeline


class Trials:
    """Trains classifiers as arms say and asks validation images.

    Args:
        learner: `KerasLearner` or `EstimatorLearner`.
        train: `LabeledImages`.
        validation: `LabeledImages`.
        batch_size: Integer.
        progress: As in `tune`, or `None`.
        total: Integer. Trainings that there will be at most.

    Attributes:
        train: `LabeledImages`.
        done: Integer. Trainings so far.
    """

    def __init__(self, learner, train, validation, batch_size, progress, total):
        self._learner = learner
        self.train = train
        self._validation = validation
        self._batch_size = batch_size
        self._progress = progress
        self._total = total
        self._present = np.flatnonzero(validation.class_counts)
        self.done = 0

    def correct(self, arm, seed, settings):
        """Trains a classifier.

        Args:
            arm: `Arm` that names no control and learns nothing.
            seed: Integer.
            settings: Dict that tells the progress what is tried.

        Returns:
            A `float64` array with 1 for each validation image that the
            classifier has right, and 0 for the others.
        """
        if self._progress:
            self._progress(self.done, self._total, settings)
        pipeline = self.pipeline(arm, settings)
        self._learner.train(
            seed,
            pipeline.batches(seed),
            pipeline.logit_shift(seed),
            arm.focal_gamma,
        )
        predicted = self._learner.probabilities(self._validation.images)
        self.done += 1
        return (predicted.argmax(-1) == self._validation.labels).astype(
            np.float64
        )

    def pipeline(self, arm, settings):
        """Makes the batches that an arm trains on.

        Args:
            arm: `Arm`.
            settings: Dict, as in `correct`.

        Returns:
            An `ArmPipeline`.
        """
        name = settings.get("control", f"{settings}")
        return ArmPipeline(name, arm, self.train, self._batch_size)

    def snapshot(self):
        """Keeps the classifier that was trained last.

        Returns:
            A Keras model, or `None` where the classifier is none.
        """
        if not hasattr(self._learner, "snapshot"):
            return None
        return self._learner.snapshot()

    @property
    def class_counts(self):
        """Validation images of each class that has any."""
        return self._validation.class_counts[self._present]

    def of_classes(self, values):
        """Splits values of validation images by class.

        Args:
            values: Array whose last axis are the validation images.

        Returns:
            A list of arrays, one for each class that has images.
        """
        labels = self._validation.labels
        return [values[..., labels == label] for label in self._present]

    def end(self):
        """Tells the progress that all is done."""
        if self._progress:
            self._progress(self.done, self.done, None)
