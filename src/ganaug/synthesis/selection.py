"""Selection: which of the candidates are kept, and how many are drawn."""

import numbers

# Candidates of a class that relative thresholds are found with.
CALIBRATION_CHUNKS = 4


class Selection:
    """Filters that every image must pass, and the patience with each class.

    Each class keeps its quota: more candidates are drawn in the place of those
    that do not pass, up to a limit. So a filter that is hard on one class does
    not make it rare.

    Args:
        filters: List of filters, such as `TeacherFilter`,
            `DiscriminatorFilter` and `CopyFilter`, each kind once.
        max_draws: Number of at least 1. How many candidates are drawn at most
            for each image that is wanted. Defaults to `20`.

    Raises:
        ValueError: There is no filter, one comes twice, or `max_draws` is out
            of range.

    Example:

    ```python
    selection = Selection(
        [TeacherFilter(classifier, (0, 1), 0.7), CopyFilter(train)]
    )
    ```
    """

    def __init__(self, filters, max_draws=20):
        filters = list(filters)
        names = [one.name for one in filters]
        if not filters or len(set(names)) < len(names):
            raise ValueError(
                "`filters` must be at least one filter, and each kind once. "
                f"Received: filters={names}"
            )
        if not isinstance(max_draws, numbers.Real) or not (
            1 <= max_draws < float("inf")
        ):
            raise ValueError(
                "`max_draws` must be a number of at least 1: how many "
                "candidates are drawn for each image. "
                f"Received: max_draws={max_draws!r}"
            )
        self.filters = filters
        self.max_draws = max_draws

    @property
    def settings(self):
        """Dict for JSON: all that the choice depends on."""
        return {
            "filters": {one.name: one.settings for one in self.filters},
            "max_draws": self.max_draws,
        }

    @property
    def is_relative(self):
        """Whether a threshold depends on the scores of other candidates."""
        return any(one.is_relative for one in self.filters)

    def check(self, image_shape, class_names):
        """Checks that every filter can judge such images.

        Args:
            image_shape: Tuple `(height, width, channels)`.
            class_names: Tuple of strings.

        Raises:
            ValueError: One cannot.
        """
        for one in self.filters:
            one.check(image_shape, class_names)

    def thresholds(self, images, label):
        """Finds the score that images of a class must reach in each filter.

        Args:
            images: float32 array of candidates of the class, in `[-1, 1]`;
                `None` will do if nothing is relative.
            label: Integer. The class.

        Returns:
            A dict from the filters' names to floats.
        """
        return {
            one.name: one.threshold(
                one.score(images, label) if one.is_relative else None
            )
            for one in self.filters
        }

    def passes(self, images, label, thresholds):
        """Says which images pass which filter.

        Args:
            images: float32 array `(num_images, height, width, channels)` in
                `[-1, 1]`.
            label: Integer. Their class.
            thresholds: Dict that `thresholds` gave.

        Returns:
            A dict from the filters' names to boolean arrays `(num_images,)`.
        """
        return {
            one.name: one.score(images, label) >= thresholds[one.name]
            for one in self.filters
        }
