"""The augmenter of each seed of an evaluation."""

from dataclasses import dataclass, field
from typing import Any

from ganaug.augment.augmenter import GANAugmenter
from ganaug.seeds import derive_seed
from ganaug.synthesis.generators import Generators, check_number


@dataclass(frozen=True)
class SeededAugmenter:
    """Makes the augmenter of each seed.

    Args:
        generator: `ganaug.seeded_generator.SeededGenerator`, or what has its
            `train`.
        latents: String or dict. As in `Generators`.
        truncation: Float. As there.
        class_interpolation: Float. As there.
        tune: Dict, or `None`. As in `SeededGenerator.augmenter`.
        arguments: Dict. Of `GANAugmenter`.

    Call arguments:
        train: `LabeledImages` to train the generator on.
        validation: `LabeledImages` to tune with, or `None`.
        seed: Integer.

    Call returns:
        A `GANAugmenter`.

    Raises:
        ValueError: A number is negative or not finite.
    """

    generator: Any
    latents: str | dict
    truncation: float
    class_interpolation: float
    tune: dict | None
    arguments: dict = field(default_factory=dict)

    def __post_init__(self):
        # Before hours of training, and not after.
        for name in ("truncation", "class_interpolation"):
            check_number(name, getattr(self, name))

    def __call__(self, train, validation, seed):
        learnt = Generators(
            self.generator.train(train, seed),
            latents=self.latents,
            truncation=self.truncation,
            class_interpolation=self.class_interpolation,
        )
        augmenter = GANAugmenter(
            learnt,
            value_range=train.value_range,
            seed=derive_seed(seed, "augmenter"),
            **self.arguments,
        )
        if self.tune is None:
            return augmenter
        if validation is None:
            raise ValueError(
                "To tune the augmenter of each seed, each needs validation "
                "images. Give `validation` images, or a function `train` that "
                "returns both. Received: validation=None"
            )
        return augmenter.tune(
            train, validation, seed=derive_seed(seed, "tuning"), **self.tune
        )
