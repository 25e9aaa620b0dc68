"""Filters: scores that say which synthetic images are good enough.

Each has a `name`, `settings` for the record, `check` that is called once
before the work, `score` for images, and `threshold`, which an image's score
must reach. `is_relative` says whether the threshold depends on the scores of
other candidates of the class.
"""

import numbers

import numpy as np
import tensorflow as tf
from sklearn.neighbors import NearestNeighbors

from ganaug.artifact_id import hash_arrays
from ganaug.data.images import check_value_range, from_unit, to_unit
from ganaug.data.labeled_images import LabeledImages

# Real images whose nearest neighbours say what is near.
MAX_QUERIES = 2048


class TeacherFilter:
    """Keeps images that a classifier takes for what they are to be.

    Args:
        teacher: `keras.Model` from images to one number for each class.
        value_range: Pair of numbers. Value range of the images that the
            teacher takes, as float32.
        min_confidence: Float in `[0, 1]`. The least probability of the class
            that was asked for. Defaults to `0.5`.
        from_logits: Boolean. Whether the teacher gives logits and not
            probabilities. Defaults to `False`.

    Raises:
        ValueError: An argument is out of range; when used, the teacher gives
            no probabilities for the generators' classes.
    """

    name = "teacher"
    is_relative = False

    def __init__(
        self, teacher, value_range, min_confidence=0.5, from_logits=False
    ):
        self.teacher = teacher
        self.value_range = check_value_range(value_range)
        self.min_confidence = _check_share("min_confidence", min_confidence)
        self.from_logits = bool(from_logits)

    @property
    def settings(self):
        """Dict for JSON: all that the choice depends on."""
        return {
            "teacher": hash_arrays(self.teacher.get_weights()),
            "value_range": list(self.value_range),
            "min_confidence": self.min_confidence,
            "from_logits": self.from_logits,
        }

    def check(self, image_shape, class_names):
        """Checks that the teacher knows the classes, by calling it once.

        Args:
            image_shape: Tuple `(height, width, channels)`.
            class_names: Tuple of strings.

        Raises:
            ValueError: It gives something else than their probabilities.
        """
        given = self._probabilities(np.zeros((1, *image_shape), np.float32))
        if given.shape != (1, len(class_names)):
            raise ValueError(
                "`teacher` must give one number for each of the classes "
                f"{list(class_names)}. Received: output of shape "
                f"{given.shape} for one image"
            )

    def score(self, images, label):
        """Gives the probabilities of the class that was asked for.

        Args:
            images: float32 array `(num_images, height, width, channels)` in
                `[-1, 1]`.
            label: Integer. Their class.

        Returns:
            A float array `(num_images,)`.
        """
        return self._probabilities(images)[:, label]

    def threshold(self, scores):
        """Gives the least score.

        Args:
            scores: Not looked at.

        Returns:
            A float.
        """
        return self.min_confidence

    def _probabilities(self, images):
        inputs = from_unit(images, self.value_range, tf.float32)
        given = np.asarray(self.teacher(inputs, training=False))
        if self.from_logits:
            return tf.nn.softmax(given).numpy()
        if not (given >= -1e-3).all() or (abs(given.sum(-1) - 1) > 1e-2).any():
            raise ValueError(
                "`teacher` must give probabilities that add up to 1, or say "
                "that they are logits with `from_logits=True`. Received: "
                f"output {given[0].tolist()}"
            )
        return given


class DiscriminatorFilter:
    """Keeps the share of each class that a discriminator takes most for real.

    Args:
        discriminator: `keras.Model` such as `ConditionalGAN.discriminator`,
            called as `discriminator([images, labels])`, or as
            `discriminator(images)` if it has one input, with images in
            `[-1, 1]`. It returns one score for each image, or a list whose
            first part these are; higher is more real.
        share: Float in `(0, 1]`. The share that is kept. Defaults to `0.5`.

    Raises:
        ValueError: `share` is out of range; when used, the discriminator gives
            something else than scores.

    Reference:
        - [Discriminator rejection sampling, Azadi et al.,
          2019](https://arxiv.org/abs/1810.06758)
    """

    name = "discriminator"
    is_relative = True

    def __init__(self, discriminator, share=0.5):
        self.discriminator = discriminator
        self.share = _check_share("share", share)
        if not share:
            raise ValueError(
                "`share` must be above 0, or nothing is kept. "
                f"Received: share={share}"
            )

    @property
    def settings(self):
        """Dict for JSON: all that the choice depends on."""
        return {
            "discriminator": hash_arrays(self.discriminator.get_weights()),
            "share": self.share,
        }

    def check(self, image_shape, class_names):
        """Checks that the discriminator gives scores, by calling it once.

        Args:
            image_shape: Tuple `(height, width, channels)`.
            class_names: Tuple of strings; not looked at.

        Raises:
            ValueError: It gives something else.
        """
        self.score(np.zeros((1, *image_shape), np.float32), 0)

    def score(self, images, label):
        """Gives how real images look.

        Args:
            images: float32 array `(num_images, height, width, channels)` in
                `[-1, 1]`.
            label: Integer. Their class.

        Returns:
            A float array `(num_images,)`.
        """
        inputs = tf.constant(images)
        if len(getattr(self.discriminator, "inputs", (0, 1))) == 2:
            inputs = [inputs, tf.fill([len(images)], label)]
        scores = self.discriminator(inputs, training=False)
        if isinstance(scores, (list, tuple)):
            scores = scores[0]
        scores = np.asarray(scores)
        if scores.size != len(images):
            raise ValueError(
                "`discriminator` must give one score for each image. "
                f"Received: output of shape {scores.shape} for {len(images)} "
                "images"
            )
        return scores.reshape(-1)

    def threshold(self, scores):
        """Gives the score that the wished share of candidates reaches.

        Args:
            scores: Float array of the scores of candidates of the class.

        Returns:
            A float.
        """
        return float(np.quantile(scores, 1 - self.share, method="lower"))


class CopyFilter:
    """Keeps images that are no copies or near-copies of training images.

    An image is a near-copy if a training image is nearer to it, pixel by
    pixel, than training images are to one another but for a small quantile.
    Blurred and pale images are nearer to everything, and are left out sooner.

    Args:
        images: `LabeledImages`, or an array
            `(num_images, height, width, channels)`: the training images.
        quantile: Float in `[0, 1]`, out of the distances of training images to
            the nearest other one. 0 for the smallest distance. Defaults to
            `0.01`.
        value_range: Pair of numbers. Value range of an array, as
            `LabeledImages` takes it.

    Raises:
        ValueError: An argument is out of range, or there are fewer than two
            images; when used, the images have another shape.
    """

    name = "copies"
    is_relative = False

    def __init__(self, images, quantile=0.01, value_range=None):
        self.quantile = _check_share("quantile", quantile)
        if not isinstance(images, LabeledImages):
            images = LabeledImages(
                images, np.zeros(len(images), int), value_range=value_range
            )
        if len(images) < 2:
            raise ValueError(
                "`images` must be at least two images, to tell what is near. "
                f"Received: {len(images)} image"
            )
        self._image_shape = images.image_shape
        pictures = _pictures(to_unit(images.images, images.value_range))
        self._neighbours = NearestNeighbors(n_neighbors=2).fit(pictures)
        queries = pictures
        if len(pictures) > MAX_QUERIES:
            queries = np.random.default_rng(0).choice(
                pictures, MAX_QUERIES, replace=False
            )
        # The nearest one is the image itself.
        distances = self._neighbours.kneighbors(queries)[0][:, 1]
        self.max_distance = float(np.quantile(distances, self.quantile))
        self._hash = hash_arrays([pictures])

    @property
    def settings(self):
        """Dict for JSON: all that the choice depends on."""
        return {
            "images": self._hash,
            "quantile": self.quantile,
            "max_distance": self.max_distance,
        }

    def check(self, image_shape, class_names):
        """Checks that images can be compared.

        Args:
            image_shape: Tuple `(height, width, channels)`.
            class_names: Tuple of strings; not looked at.

        Raises:
            ValueError: The training images have another shape.
        """
        if tuple(image_shape) != tuple(self._image_shape):
            raise ValueError(
                "The training images to compare with must have the shape of "
                f"the synthetic ones, {tuple(image_shape)}. Received: images "
                f"of shape {tuple(self._image_shape)}"
            )

    def score(self, images, label):
        """Gives the distance from the nearest training image of any class.

        Args:
            images: float32 array `(num_images, height, width, channels)` in
                `[-1, 1]`.
            label: Integer; not looked at.

        Returns:
            A float array `(num_images,)`.
        """
        return self._neighbours.kneighbors(_pictures(images), 1)[0][:, 0]

    def threshold(self, scores):
        """Gives the smallest distance that is not near.

        Args:
            scores: Not looked at.

        Returns:
            A float.
        """
        # More than the distance of a near-copy; so a copy is one also where
        # the training images have copies among them.
        return float(np.nextafter(self.max_distance, np.inf))


def _pictures(images):
    # Whole numbers, so that the distance of equal images is exactly 0.
    pixels = tf.round(from_unit(images, (0, 255), tf.float32))
    return tf.reshape(pixels, (len(pixels), -1)).numpy()


def _check_share(name, share):
    if not isinstance(share, numbers.Real) or not 0 <= share <= 1:
        raise ValueError(
            f"`{name}` must be a number from 0 to 1. Received: {name}={share!r}"
        )
    return float(share)
