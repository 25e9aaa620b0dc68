"""What can go wrong while a GAN trains, and how it is noticed."""

import math

import numpy as np

# A class is judged by so many images, where it has at least the fewest.
IMAGES_OF_A_CLASS = 32
FEWEST_IMAGES = 8
MAX_CLASSES = 20
# Mean distance to the nearest other image, as a share of the real images'.
COLLAPSED = 0.2
RISEN = 0.35
# Below this share of what guessing costs, the discriminator has won.
WON = 0.01
# Before, a class that never had any variety has had no time to get it.
WARM_UP = 1000
# Before, what variety there is may be the initial weights' noise.
SETTLED = 250
# For so many steps every look has to find it, and two looks at least.
PATIENCE = 100


def nearest_distance(images):
    """Measures how far images are from one another.

    Args:
        images: Array `(num_images, ...)`, at least two images.

    Returns:
        A float: the mean over images of the root mean square difference per
        pixel to the nearest other one.

    Example:

    >>> nearest_distance(np.array([[0.0], [1.0], [1.0], [3.0]]))
    0.75
    """
    flat = np.asarray(images, np.float64).reshape(len(images), -1)
    squares = (flat**2).sum(1)
    distances = squares[:, None] + squares[None, :] - 2 * flat @ flat.T
    np.fill_diagonal(distances, np.inf)
    nearest = np.maximum(distances.min(1), 0.0) / flat.shape[1]
    return float(np.sqrt(nearest).mean())


def classes_to_watch(labels):
    """Chooses the classes whose variety is watched.

    Args:
        labels: Integer array `(num_images,)`.

    Returns:
        An integer array: those with enough images, at most `MAX_CLASSES`.
    """
    classes = np.flatnonzero(np.bincount(labels) >= FEWEST_IMAGES)
    if len(classes) > MAX_CLASSES:
        places = np.linspace(0, len(classes) - 1, MAX_CLASSES)
        classes = classes[places.round().astype(int)]
    return classes


class DiversityReference:
    """Per-class diversity of real images, to compare generated ones with.

    Args:
        images: Float array `(num_images, height, width, channels)` in
            `[-1, 1]`.
        labels: Integer array `(num_images,)`.
        seed: Integer. Fixes which images stand for their class.
    """

    def __init__(self, images, labels, seed):
        rng = np.random.default_rng(seed)
        classes = classes_to_watch(labels)
        self.classes, self.sizes, self._real = [], [], []
        for label in classes:
            indices = rng.permutation(np.flatnonzero(labels == label))
            indices = indices[:IMAGES_OF_A_CLASS]
            distance = nearest_distance(images[indices])
            # Copies of one image have no variety to compare with.
            if distance > 0:
                self.classes.append(int(label))
                self.sizes.append(len(indices))
                self._real.append(distance)

    def labels(self):
        """Gives the labels to generate images for.

        Returns:
            An int32 array.
        """
        return np.repeat(self.classes, self.sizes).astype(np.int32)

    def ratios(self, images):
        """Compares generated images with the real ones.

        Args:
            images: Float array of one image for each of `labels()`.

        Returns:
            A dict from class numbers to diversity, 1 being the real images'.
        """
        ends = np.cumsum(self.sizes, dtype=int)
        parts = np.split(images, ends)[:-1]
        return {
            label: nearest_distance(part) / real
            for label, part, real in zip(
                self.classes, parts, self._real, strict=True
            )
        }


class Guard:
    """Decides at each look whether training goes well.

    Args:
        chance_level: Float. The discriminator's loss when it guesses, or
            `None` where the loss has none (Wasserstein) or there is no
            discriminator.
        class_names: Sequence of strings, to name a class that collapsed.

    Attributes:
        diversity: Dict from class numbers to diversity at the last look.
    """

    def __init__(self, chance_level, class_names):
        self._chance_level = chance_level
        self._class_names = class_names
        self.diversity = {}
        self.restore({})

    def state(self):
        """Gives what earlier looks have to say to later ones.

        Returns:
            A dict of plain data.
        """
        return {"risen": sorted(self._risen), "since": dict(self._since)}

    def restore(self, state):
        """Takes back what `state` gave.

        Args:
            state: Dict; empty for a training that begins.
        """
        self._risen = set(state.get("risen", ()))
        self._since = {
            "won": None,
            "collapsed": None,
            **state.get("since", {}),
        }

    def look(self, step, d_loss, diversity):
        """Judges the state of training.

        Args:
            step: Integer. Steps taken.
            d_loss: Float. Running mean of the discriminator's loss; ignored
                without a `chance_level`.
            diversity: Dict from class numbers to diversity.

        Returns:
            A string that says what is wrong, or `None`. A discriminator's win
            and a collapse are said when they have lasted, however often one
            looks: for 100 steps.
        """
        self.diversity = diversity
        won = (
            self._chance_level is not None and d_loss < WON * self._chance_level
        )
        collapsed = [
            label
            for label, ratio in diversity.items()
            if ratio < COLLAPSED and (step >= WARM_UP or label in self._risen)
        ]
        if step >= SETTLED:
            self._risen.update(
                label for label, ratio in diversity.items() if ratio > RISEN
            )
        has_won = self._lasts("won", won, step)
        has_collapsed = self._lasts("collapsed", bool(collapsed), step)
        if has_won:
            return (
                f"the discriminator wins: its loss is {d_loss:.2g}, where "
                f"guessing costs {self._chance_level:.2g}, so the generator "
                "learns nothing from it"
            )
        if has_collapsed:
            worst = min(collapsed, key=diversity.get)
            return (
                f"mode collapse: the images of {len(collapsed)} classes are "
                f"all alike; worst is {self._class_names[worst]!r} with "
                f"{diversity[worst]:.0%} of the real images' diversity"
            )
        return None

    def _lasts(self, what, is_found, step):
        since = self._since[what]
        if not is_found:
            self._since[what] = None
        elif since is None:
            self._since[what] = step
        return is_found and since is not None and step - since >= PATIENCE

    @property
    def is_suspicious(self):
        """Whether the last look found something, if not for long enough."""
        return any(since is not None for since in self._since.values())


def non_finite(losses):
    """Finds a loss that is NaN or infinite.

    Args:
        losses: Dict from names to numbers.

    Returns:
        A string that says which, or `None`.
    """
    for name, value in losses.items():
        if not math.isfinite(float(value)):
            return f"`{name}` is {float(value)}"
    return None
