"""The real images of each seed: what is trained on, and what chooses."""

import numbers
from dataclasses import dataclass
from functools import cached_property

from ganaug.artifact_id import hash_arrays
from ganaug.data.labeled_images import LabeledImages, as_labeled_images
from ganaug.data.splits import holdout_split, take_per_class
from ganaug.seeds import derive_seed


@dataclass(frozen=True)
class SeedData:
    """Real images of one seed.

    Args:
        train: `LabeledImages` that arms train on.
        validation: `LabeledImages` for choices, or `None`.
    """

    train: LabeledImages
    validation: LabeledImages | None = None

    @cached_property
    def hash(self):
        """String that tells these images from others."""
        arrays = [self.train.images, self.train.labels]
        if self.validation is not None:
            arrays += [self.validation.images, self.validation.labels]
        return hash_arrays(arrays)

    def fraction(self, fraction, seed):
        """Keeps a share of each class's training images.

        Args:
            fraction: Float in `(0, 1]`.
            seed: Integer. Fixes which ones.

        Returns:
            A `LabeledImages`.
        """
        if fraction == 1:
            return self.train
        counts = self.train.class_counts
        kept = (counts * fraction).round().astype(int).clip(1, counts)
        return take_per_class(self.train, kept, derive_seed(seed, "fraction"))


class RealImages:
    """Where the real images of each seed come from.

    Args:
        train: As in `evaluate_augmentation`.
        validation: As there.
        class_names: As there.
        value_range: As there.
        first_seed: Integer. The seed whose images say what all are like.

    Raises:
        ValueError: The images are wrong, as `LabeledImages` says, or lack a
            class, or `validation` is no share.
        TypeError: `train` or `validation` is something else.
    """

    def __init__(self, train, validation, class_names, value_range, first_seed):
        self._declared = class_names, value_range
        self._draw = train if callable(train) else None
        self.held_out_share = None
        self._latest = None
        self._hashes = {}
        if isinstance(validation, numbers.Real):
            if isinstance(validation, bool) or not 0 < validation < 1:
                raise ValueError(
                    "`validation` must be a share between 0 and 1, both "
                    "excluded, or images. "
                    f"Received: validation={validation!r}"
                )
            self.held_out_share = float(validation)
            validation = None
        self._validation = validation
        self._fixed = None
        if self._draw is None:
            self._fixed = self._read(train, validation)
        self.first = self.of(first_seed)

    @property
    def vary(self):
        """Whether each seed has training images of its own."""
        return self._draw is not None

    def of(self, seed):
        """Gives the images of a seed.

        Args:
            seed: Integer.

        Returns:
            A `SeedData`.

        Raises:
            ValueError: They are of another kind than those of the first seed,
                or others than the last time.
        """
        if self._fixed is not None:
            return self._fixed
        if self._latest is None or self._latest[0] != seed:
            drawn = self._draw(seed)
            validation = self._validation
            if _is_pair_of_images(drawn):
                drawn, validation = drawn
            data = self._read(drawn, validation)
            if self._latest is not None:
                check_kind(data.train, self.first.train, f"seed {seed}")
                if (data.validation is None) != (self.first.validation is None):
                    raise ValueError(
                        "`train` must return validation images for every seed "
                        "or for none. Received: seed "
                        f"{seed} is another case than the first"
                    )
            if self._hashes.setdefault(seed, data.hash) != data.hash:
                raise ValueError(
                    "`train` must return the same images whenever it is "
                    "called with a seed: arms are compared on the same ones. "
                    "Draw them with a generator made of the seed, such as "
                    "`np.random.default_rng(seed)`. Received: other images of "
                    f"seed {seed} than the first time"
                )
            self._latest = seed, data
        return self._latest[1]

    def hash_of(self, seed):
        """Gives the hash of the images of a seed, drawn once to compute it.

        Args:
            seed: Integer.

        Returns:
            A string.
        """
        if seed not in self._hashes:
            self._hashes[seed] = self.of(seed).hash
        return self._hashes[seed]

    def choice_of(self, seed):
        """Gives the images by which controls are compared to choose one.

        Args:
            seed: Integer.

        Returns:
            A `SeedData` with validation images. Where a share is held out,
            these are a part of the training images, another one for each seed,
            and `train` is the rest.
        """
        data = self.of(seed)
        if self.held_out_share is None:
            return data
        if data.train.class_counts.max() < 2:
            raise ValueError(
                "No class has a second image that could be held out to choose "
                "a control. Give `validation` images, or name the control with "
                "`Arm(on_top_of=...)`. Received: class counts "
                f"{data.train.class_counts.tolist()}"
            )
        return SeedData(
            *holdout_split(
                data.train,
                self.held_out_share,
                derive_seed(seed, "validation"),
                keep_single=True,
            )
        )

    def _read(self, train, validation):
        train = as_labeled_images(train, *self._declared)
        train.check_trainable()
        if validation is not None:
            if not isinstance(validation, LabeledImages):
                validation = as_labeled_images(
                    validation, train.class_names, train.value_range
                )
            check_kind(validation, train, "`validation`")
        return SeedData(train, validation)


def _is_pair_of_images(drawn):
    return (
        isinstance(drawn, tuple)
        and len(drawn) == 2
        and all(isinstance(part, LabeledImages) for part in drawn)
    )


def check_kind(images, train, what):
    """Checks that images are of the same kind as the training images.

    Args:
        images: `LabeledImages`.
        train: `LabeledImages`.
        what: String that names `images`, for errors.

    Raises:
        ValueError: Shape, class names or value range differ.
    """
    for name in ("image_shape", "class_names", "value_range"):
        found, expected = getattr(images, name), getattr(train, name)
        if found != expected:
            raise ValueError(
                f"The images of {what} must have the {name.replace('_', ' ')} "
                f"of the training images. Received: {found} and {expected}"
            )
