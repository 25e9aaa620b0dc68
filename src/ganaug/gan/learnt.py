"""What a GAN knows of its training images, beside its weights."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from ganaug.data.splits import fingerprints


@dataclass(eq=False)
class Learnt:
    """Classes, pixels, training and fingerprints of what a GAN was trained on.

    Args:
        class_names: Tuple of strings.
        value_range: Pair of floats. Value range of the images. Defaults to
            `(-1.0, 1.0)`.
        image_dtype: String. Their dtype. Defaults to `"float32"`.
        training: Dict of numbers and strings about the training; empty before
            it.
        fingerprints: NumPy array of `uint64`, one for each image of any
            training, sorted.
    """

    class_names: tuple
    value_range: tuple = (-1.0, 1.0)
    image_dtype: str = "float32"
    training: dict = field(default_factory=dict)
    fingerprints: np.ndarray = field(
        default_factory=lambda: np.empty(0, np.uint64)
    )

    def add(self, data):
        """Takes over classes and pixels of more images, and remembers them.

        Args:
            data: `LabeledImages`.
        """
        self.class_names = data.class_names
        self.value_range = data.value_range
        self.image_dtype = data.images.dtype.name
        # Of every training: what was learnt once is not forgotten.
        self.fingerprints = np.union1d(self.fingerprints, fingerprints(data))

    def get_config(self):
        """Gives all of it as plain data.

        Returns:
            A dict for JSON.
        """
        return {
            **dataclasses.asdict(self),
            "fingerprints": [f"{number:016x}" for number in self.fingerprints],
        }

    @classmethod
    def from_config(cls, config):
        """Makes it again from what `get_config` gave.

        Args:
            config: Dict.

        Returns:
            A `Learnt`.
        """
        numbers = [int(number, 16) for number in config["fingerprints"]]
        return cls(
            class_names=tuple(config["class_names"]),
            value_range=tuple(config["value_range"]),
            image_dtype=config["image_dtype"],
            training=dict(config["training"]),
            fingerprints=np.array(numbers, np.uint64),
        )
