"""Training and validation images that are drawn anew for each seed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ganaug.data.labeled_images import LabeledImages
from ganaug.data.splits import fingerprints, take_per_class
from ganaug.seeds import derive_seed


@dataclass(frozen=True)
class SeedSamples:
    """Draws the real images of each seed out of a pool.

    Give it to `evaluate_augmentation` as `train`: then the intervals hold the
    variance of the training images too.

    Args:
        pool: `LabeledImages` to draw from, none of which is a test image.
        train_per_class: Sequence of integers. Training images of each class.
        validation_per_class: Integer. Images of each class to choose by, that
            are unlike all training images of the seed. Defaults to none.

    Call arguments:
        seed: Integer.

    Call returns:
        A `LabeledImages`, or a pair of them, training and validation.

    Raises:
        ValueError: A class of the pool has too few images.

    Example:

    ```python
    train = SeedSamples(data.train, [100, 50, 10], validation_per_class=8)
    report = ganaug.evaluate_augmentation(train, data.test, arms)
    ```
    """

    pool: LabeledImages
    train_per_class: tuple
    validation_per_class: int | None = None

    def __post_init__(self):
        number = self.validation_per_class
        if number is not None and (type(number) is not int or number < 1):
            raise ValueError(
                "`validation_per_class` must be a positive integer. "
                f"Received: validation_per_class={number!r}"
            )

    @cached_property
    def _fingerprints(self):
        return fingerprints(self.pool)

    def __call__(self, seed):
        train = take_per_class(
            self.pool,
            self.train_per_class,
            derive_seed(seed, "train"),
            "train_per_class",
        )
        if self.validation_per_class is None:
            return train
        # By content: a pool may hold the same picture twice.
        rest = np.flatnonzero(~np.isin(self._fingerprints, fingerprints(train)))
        validation = take_per_class(
            self.pool.subset(rest),
            [self.validation_per_class] * self.pool.num_classes,
            derive_seed(seed, "validation"),
            "validation_per_class",
        )
        return train, validation
