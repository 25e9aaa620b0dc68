"""The synthetic images of an evaluation: their quality, and pictures."""

import io

import numpy as np

from ganaug.data.labeled_images import LabeledImages
from ganaug.data.splits import fingerprints
from ganaug.evaluate.classifier_features import classifier_features
from ganaug.fidelity.memorization import MIN_HELD_OUT
from ganaug.fidelity.sample_report import report_samples
from ganaug.pictures import save_image_grid
from ganaug.seeds import derive_seed
from ganaug.synthesis.generating import draw_bank

# Images that are drawn to be measured, at most.
MAX_IMAGES = 5000
# Rows and columns of pictures.
MAX_CLASSES = 30
COLUMNS = 8


def measure_samples(generators, train, held_out, extractor=None, seed=0):
    """Draws images and measures them against real ones, for a report.

    As many of each class are drawn as are held out, at most 5,000.

    Args:
        generators: `Generators`.
        train: `LabeledImages`. Copies are looked for among those of them that
            the generators learnt.
        held_out: `LabeledImages`.
        extractor: `FeatureExtractor`, or a function from images to features
            `(num_images, dim)`, as in `score_images`. Defaults to the
            features of the small network of evaluations, as
            `classifier_features` trains it on `train`.
        seed: Integer. Defaults to `0`.

    Returns:
        A pair: plain data as `SampleReport.to_dict` gives them, `None` if too
        few images are held out; and a dict from captions to PNGs, as bytes.

    Raises:
        ValueError: The images do not fit one another.

    Example:

    ```python
    samples, pictures = ganaug.measure_samples(
        augmenter.generators, train, test
    )
    report.add(samples=samples).to_html("report.html", pictures)
    ```
    """
    for name, images in (("train", train), ("held_out", held_out)):
        images.check_fits(generators.image_shape, generators.num_classes)
        for what, learnt, given in (
            ("class names", generators.class_names, images.class_names),
            ("value range", generators.value_range, images.value_range),
        ):
            if tuple(learnt) != tuple(given):
                raise ValueError(
                    f"`{name}` must have the {what} of the images that the "
                    f"generator learnt, {learnt}. Received: {given}"
                )
    share = min(1.0, MAX_IMAGES / len(held_out))
    counts = np.ceil(held_out.class_counts * share).astype(int)
    bank = draw_bank(
        generators,
        np.maximum(counts, COLUMNS),
        derive_seed(seed, "measured samples"),
    )
    drawn = LabeledImages(
        bank.images, bank.labels, train.class_names, train.value_range
    )
    pictures = {
        "Real training images of each class (left) and synthetic ones": (
            _side_by_side(train, drawn)
        )
    }
    # As many of each class as are held out, so that shares do not differ.
    order = np.argsort(drawn.labels, kind="stable")
    starts = np.cumsum(drawn.class_counts) - drawn.class_counts
    drawn = drawn.subset(
        np.concatenate(
            [
                order[start : start + count]
                for start, count in zip(starts, counts, strict=True)
            ]
        )
    )
    if len(held_out) < MIN_HELD_OUT:
        return None, pictures
    if extractor is None:
        extractor = classifier_features(train, seed=seed)
    report = report_samples(
        drawn, train, held_out, extractor, seed, generators.fingerprints
    )
    if report.memorization is not None:
        # A part of what there is to train on may have been held out.
        known = np.isin(fingerprints(train), generators.fingerprints)
        pictures[
            "The synthetic images nearest to a training image (left), and that "
            "training image"
        ] = _nearest_pairs(
            drawn,
            train.subset(np.flatnonzero(known)),
            report.memorization.nearest_pairs,
        )
    return report.to_dict(), pictures


def _side_by_side(real, synthetic):
    """The rarest classes, if there are too many."""
    order = np.argsort(-real.class_counts, kind="stable")[-MAX_CLASSES:]

    def first(images, label):
        return images.images[images.labels == label][:COLUMNS]

    return _grid(
        [(first(real, label), first(synthetic, label)) for label in order],
        [f"{real.class_names[label]}" for label in order],
        real.value_range,
        ("real", "synthetic"),
    )


def _nearest_pairs(synthetic, train, pairs):
    return _grid(
        [
            (synthetic.images[index][None], train.images[nearest][None])
            for index, nearest, _ in pairs
        ],
        [
            f"{synthetic.class_names[synthetic.labels[index]]}, "
            f"distance {distance:.3f}"
            for index, _, distance in pairs
        ],
        train.value_range,
        ("synthetic", "training"),
    )


def _grid(rows, names, value_range, halves):
    stream = io.BytesIO()
    save_image_grid(stream, rows, names, value_range, halves=halves)
    return stream.getvalue()
