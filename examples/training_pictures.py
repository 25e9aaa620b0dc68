"""What truncation, interpolation and kinds of latents do, in pictures.

    python examples/training_pictures.py --out docs/images

Trains a VAE-GAN on long-tailed digits (some minutes on 2 CPU cores) and writes
`truncation.png`, `interpolation.png` and `latents.png`.
"""

import argparse
from pathlib import Path

import numpy as np

import ganaug
from ganaug.pictures import save_image_grid

LONG_TAIL = (100, 66, 44, 29, 19, 13, 8, 6, 4, 3)
RARE = 9


def main():
    """Trains once and draws."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=800)
    arguments = parser.parse_args()
    data = ganaug.load_data("digits", class_counts=LONG_TAIL).train
    model = ganaug.ConditionalVAEGAN(data.image_shape, 10, seed=0)
    model.compile(decay_steps=arguments.steps)
    model.fit(data, steps_per_epoch=arguments.steps)
    save_image_grid(
        arguments.out / "truncation.png",
        [
            model.generate([5] * 12, seed=1, truncation=truncation)
            for truncation in (0.25, 0.5, 1.0, 1.5)
        ],
        ["0.25", "0.5", "1", "1.5"],
        data.value_range,
    )
    save_image_grid(
        arguments.out / "interpolation.png",
        [
            model.interpolate([first, last], num=12, seed=seed)
            for first, last, seed in ((3, 3, 1), (3, 8, 2), (1, 7, 3))
        ],
        ["3 to 3", "3 to 8", "1 to 7"],
        data.value_range,
    )
    rows = {
        "real": data.images[data.labels == RARE],
        **{
            latents: model.generate([RARE] * 12, seed=1, latents=latents)
            for latents in ("prior", "around", "interpolated", "transferred")
        },
    }
    save_image_grid(
        arguments.out / "latents.png",
        list(rows.values()),
        list(rows),
        data.value_range,
    )
    print(f"{arguments.out}: {np.sum(data.labels == RARE)} real images of 9")


if __name__ == "__main__":
    main()
