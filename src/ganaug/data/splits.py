"""Splits, long-tail subsets and fingerprints."""

import hashlib

import numpy as np


def stratified_split(labeled_images, test_per_class, seed):
    """Splits off a balanced test set.

    Args:
        labeled_images: `LabeledImages`.
        test_per_class: Integer. Test images of each class.
        seed: Integer. Fixes which images are taken.

    Returns:
        A pair of `LabeledImages`: the rest, and the test set.

    Raises:
        ValueError: A class has no image left over.
    """
    _check_counts(
        labeled_images,
        np.full(labeled_images.num_classes, test_per_class + 1),
        "test_per_class",
    )
    test = _draw(
        labeled_images,
        np.full(labeled_images.num_classes, test_per_class),
        seed,
    )
    return _split_off(labeled_images, test)


def take_per_class(labeled_images, class_counts, seed, name="class_counts"):
    """Draws a subset with given numbers of images, such as a long tail.

    Args:
        labeled_images: `LabeledImages`.
        class_counts: Sequence of integers, at least one image for each class.
        seed: Integer. Fixes which images are taken.
        name: String. What the numbers are called in errors. Defaults to
            `"class_counts"`.

    Returns:
        A `LabeledImages` in random order.

    Raises:
        ValueError: The numbers do not fit the classes or their images.

    Example:

    >>> from ganaug.data.labeled_images import LabeledImages
    >>> data = LabeledImages(np.zeros((6, 4, 4)), [0, 0, 0, 1, 1, 1])
    >>> take_per_class(data, [3, 1], seed=0).class_counts.tolist()
    [3, 1]
    """
    class_counts = np.asarray(class_counts)
    if class_counts.shape != (labeled_images.num_classes,):
        raise ValueError(
            f"`{name}` must name one number for each of the "
            f"{labeled_images.num_classes} classes. "
            f"Received: {name}={class_counts.tolist()}"
        )
    _check_counts(labeled_images, class_counts, name)
    return labeled_images.subset(_draw(labeled_images, class_counts, seed))


def holdout_split(labeled_images, fraction, seed, keep_single=False):
    """Splits off a share of each class as a test set.

    Args:
        labeled_images: `LabeledImages`, at least two images of each class.
        fraction: Float in `(0, 1)`. Share of each class that is held out,
            rounded, but at least one image and never all.
        seed: Integer. Fixes which images are taken.
        keep_single: Boolean. Whether the image of a class that has but one is
            kept, rather than an error. Defaults to `False`.

    Returns:
        A pair of `LabeledImages`: the rest, and the test set.

    Raises:
        ValueError: `fraction` is no share, or a class is too small to be
            split.
    """
    if not 0 < fraction < 1:
        raise ValueError(
            "`fraction` must be between 0 and 1, both excluded. "
            f"Received: fraction={fraction}"
        )
    counts = labeled_images.class_counts
    if counts.min() < 2 and not (keep_single and counts.max() > 1):
        small = [
            name
            for name, count in zip(
                labeled_images.class_names, counts, strict=True
            )
            if count < 2
        ]
        raise ValueError(
            "A class needs two images to have one of them held out. Add "
            "images, or hold none out (--test-fraction 0, "
            f"--validation-fraction 0). Received: fraction={fraction} and "
            f"fewer than 2 of {small[:10]}"
        )
    # scikit-learn's stratified split leaves small classes out of the test set.
    wanted = np.maximum(np.rint(fraction * counts).astype(int), 1)
    held_out = np.minimum(wanted, np.maximum(counts - 1, 0))
    return _split_off(labeled_images, _draw(labeled_images, held_out, seed))


def _split_off(labeled_images, test):
    rest = np.setdiff1d(np.arange(len(labeled_images)), test)
    return labeled_images.subset(rest), labeled_images.subset(test)


def _check_counts(labeled_images, class_counts, argument):
    too_few = [
        f"{name}: {have}"
        for name, have, want in zip(
            labeled_images.class_names,
            labeled_images.class_counts,
            class_counts,
            strict=True,
        )
        if have < want or want < 1
    ]
    if too_few:
        raise ValueError(
            f"`{argument}` asks for more images than there are, or for none, "
            f"in these classes: {', '.join(too_few)}. "
            f"Received: {argument}={class_counts.tolist()}"
        )


def _draw(labeled_images, class_counts, seed):
    rng = np.random.default_rng(seed)
    indices = [
        rng.choice(
            np.flatnonzero(labeled_images.labels == label),
            size=count,
            replace=False,
        )
        for label, count in enumerate(class_counts)
    ]
    return rng.permutation(np.concatenate(indices))


def fingerprints(labeled_images):
    """Computes a number for each image that says whether two are equal.

    Images are compared as 8-bit pictures of their size, so that it does not
    matter whether one data set holds `uint8` and another floats of the same.

    Args:
        labeled_images: `LabeledImages`.

    Returns:
        A NumPy array `(num_images,)` of `uint64`: the first 8 bytes of each
        picture's BLAKE2b hash.
    """
    low, high = labeled_images.value_range
    shape = repr(labeled_images.image_shape).encode()
    numbers = np.empty(len(labeled_images), np.uint64)
    for index, image in enumerate(labeled_images.images):
        # 8-bit pixels are what they are, whatever range is declared for them.
        picture = image
        if image.dtype != np.uint8:
            picture = np.rint((image - np.float64(low)) * 255 / (high - low))
        digest = hashlib.blake2b(
            shape + picture.astype(np.uint8).tobytes(), digest_size=8
        )
        numbers[index] = int.from_bytes(digest.digest(), "little")
    return numbers
