"""What one arm feeds to the classifier."""

import numpy as np
import tensorflow as tf
from sklearn.utils.class_weight import compute_class_weight

from ganaug.data.batches import epoch_batches
from ganaug.data.elements import parse_elements
from ganaug.evaluate.resampling import resample
from ganaug.seeds import derive_seed

# Batches from which the labels that an arm shows are counted.
PRIOR_BATCHES = 200


class ArmPipeline:
    """From real images to what the classifier of one arm is fed.

    Args:
        name: String. Name of the arm, for errors.
        arm: `Arm`.
        train: `LabeledImages`.
        batch_size: Integer. Real images in a batch.
    """

    def __init__(self, name, arm, train, batch_size):
        self._name = name
        self._arm = arm
        self._train = train
        self._batch_size = batch_size
        self._bad_labels = (
            f"Labels must be in [0, {train.num_classes}), the classes of the "
            "training data."
        )

    def batches(self, seed):
        """Makes the arm's batches.

        Args:
            seed: Integer. Fixes order and noise.

        Returns:
            An endless `tf.data.Dataset` of float32 images, label distributions
            `(batch, num_classes)` and weights `(batch,)`.

        Raises:
            ValueError: The arm does not yield batches of labeled images of
                the right shape.
        """
        train = self._resampled(seed)
        dataset = epoch_batches(
            train,
            self._batch_size,
            derive_seed(seed, "batches"),
            self._arm.class_balanced,
        )
        transform = self._arm.transform
        if transform is not None:
            if getattr(transform, "follows_epochs", False):
                raise ValueError(
                    f"Arm {self._name!r} follows epochs, of which an "
                    "evaluation has none: it trains for a number of steps. "
                    "Use a schedule by step, and a bank without `refresh`. "
                    "Received: schedule_by='epoch' or refresh above 0"
                )
            if getattr(transform, "needs_one_hot_labels", False):
                num_classes = self._train.num_classes
                dataset = dataset.map(
                    lambda images, labels: (
                        images,
                        tf.one_hot(labels, num_classes),
                    )
                )
            if hasattr(transform, "with_seed"):
                transform = transform.with_seed(derive_seed(seed, "transform"))
            if getattr(transform, "counts_batches", False):
                # Its schedule is over the training, not over an epoch.
                dataset = dataset.repeat()
            dataset = dataset.apply(transform)
        elements = self._check(dataset)
        num_classes = self._train.num_classes
        class_weights = None
        if self._arm.class_weights:
            class_weights = tf.constant(self._class_weights(), tf.float32)

        def normalize(element):
            images, labels = elements.image(element), elements.label(element)
            if elements.num_classes is None:
                # `one_hot` makes a label out of range a row of zeros.
                labels = tf.cast(labels, tf.int64)
                tf.debugging.assert_non_negative(labels, self._bad_labels)
                tf.debugging.assert_less(
                    labels, tf.constant(num_classes, tf.int64), self._bad_labels
                )
                labels = tf.one_hot(labels, num_classes)
            weights = tf.ones(tf.shape(labels)[:1])
            if elements.weight_key is not None:
                weights = tf.cast(element[elements.weight_key], tf.float32)
            if class_weights is not None:
                weights *= tf.linalg.matvec(
                    tf.cast(labels, tf.float32), class_weights
                )
            return (
                tf.ensure_shape(
                    tf.cast(images, tf.float32),
                    (None, *self._train.image_shape),
                ),
                tf.ensure_shape(
                    tf.cast(labels, tf.float32), (None, num_classes)
                ),
                weights,
            )

        # `map` unpacks a tuple, so that what is within it comes whole.
        normalized = tf.data.Dataset.zip((dataset,)).map(normalize)
        return normalized.repeat().prefetch(tf.data.AUTOTUNE)

    def _resampled(self, seed):
        if self._arm.sampler is None:
            return self._train
        try:
            return resample(
                self._train, self._arm.sampler, derive_seed(seed, "sampler")
            )
        except ValueError as error:
            raise ValueError(f"Arm {self._name!r}: {error}") from error

    def _class_weights(self):
        labels = self._train.labels
        present = np.unique(labels)
        weights = np.ones(self._train.num_classes)
        weights[present] = compute_class_weight(
            "balanced", classes=present, y=labels
        )
        return weights

    def _check(self, dataset):
        try:
            elements = parse_elements(dataset.element_spec)
        except ValueError as error:
            raise ValueError(f"Arm {self._name!r}: {error}") from None
        problem = None
        if not elements.batched:
            problem = "yields single examples"
        elif elements.image_shape != self._train.image_shape:
            problem = f"yields images of shape {elements.image_shape}"
        elif elements.num_classes not in (None, self._train.num_classes):
            problem = f"yields labels of {elements.num_classes} classes"
        if problem:
            raise ValueError(
                f"Arm {self._name!r} {problem}. Expected batches of images of "
                f"shape {self._train.image_shape} with labels of "
                f"{self._train.num_classes} classes. "
                f"Received: element_spec={dataset.element_spec}"
            )
        return elements

    def check_first_batch(self, seed):
        """Draws one batch and checks what its elements' types do not tell.

        Args:
            seed: Integer. As in `batches`.

        Returns:
            A list of sentences for the report.

        Raises:
            ValueError: There is no batch, a label is out of range, or the
                images do not use the value range of the training data.
        """
        try:
            batch = next(iter(self.batches(seed)), None)
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(f"Arm {self._name!r}: {error.message}") from error
        if batch is None:
            raise ValueError(
                f"Arm {self._name!r} yields no batch. Expected a dataset that "
                "is not empty"
            )
        images = batch[0].numpy()
        low, high = self._train.value_range
        span = high - low
        found = float(images.min()), float(images.max())
        real = self._train.images
        if (
            not np.isfinite(images).all()
            or found[0] < low - 0.5 * span
            or found[1] > high + 0.5 * span
            or np.ptp(found) < 0.01 * (float(real.max()) - float(real.min()))
        ):
            raise ValueError(
                f"Arm {self._name!r} must keep to the value range of the "
                f"images, [{low:g}, {high:g}]. Received: values from "
                f"{found[0]:g} to {found[1]:g}"
            )
        expected = min(self._batch_size, len(self._train))
        if self._arm.class_balanced:
            expected = self._batch_size
        if len(images) != expected:
            return [
                f"{self._name} trains on batches of {len(images)} images, not "
                f"of {expected}: its steps are not those of the other arms."
            ]
        return []

    def logit_shift(self, seed):
        """Computes what logit adjustment adds to the logits in training.

        Args:
            seed: Integer. As in `batches`.

        Returns:
            A NumPy array `(num_classes,)`: tau times the logarithm of the
            class shares of the labels that the classifier sees in this arm,
            counted over some batches; zeros without logit adjustment.
        """
        num_classes = self._train.num_classes
        if not self._arm.logit_adjustment:
            return np.zeros(num_classes, np.float32)
        mass = np.zeros(num_classes)
        for _, labels, weights in self.batches(seed).take(PRIOR_BATCHES):
            mass += (labels * weights[:, None]).numpy().sum(0)
        # Half an image for a class that did not show up keeps it finite.
        share = np.maximum(mass, 0.5) / mass.sum()
        return self._arm.logit_adjustment * np.log(share)
