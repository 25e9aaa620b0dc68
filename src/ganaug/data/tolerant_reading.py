"""Reading what can be read of a data set that training would refuse."""

from pathlib import Path

import numpy as np

from ganaug.data.findings import ERROR, NOTE, Finding, few
from ganaug.data.image_files import ENDINGS
from ganaug.data.image_folder import list_other_files
from ganaug.data.sources import check_test_fraction, divide, read_source


def read_tolerantly(
    source,
    data_dir=None,
    image_size=None,
    class_counts=None,
    test_fraction=0.2,
):
    """Reads what can be read of a data set, and tells what cannot.

    Where `ganaug.load_data` accepts the data, these are its images. Where it
    refuses a folder or an .npz file for some of them, those are left out and
    reported, and the rest is given.

    Args:
        source: As for `ganaug.load_data`, like all the arguments.
        data_dir: Folder of TFDS.
        image_size: Pair of integers `(height, width)`.
        class_counts: Sequence of integers.
        test_fraction: Float in `[0, 1)`. Defaults to `0.2`.

    Returns:
        A pair of a `RealData`, and a tuple of `Finding`: what could not be
        read, and what training refuses.

    Raises:
        FileNotFoundError: The data set is not there.
        ValueError: Nothing of it can be read, or an argument is wrong.

    Example:

    >>> data, findings = read_tolerantly("digits")
    >>> len(data.train), str(data.train.image_names[0]), findings
    (1097, 'train[0]', ())
    """
    check_test_fraction(test_fraction)
    findings = []
    real = read_source(source, data_dir, image_size, findings)
    counts = real.train.class_counts
    if real.test is None and test_fraction and counts.min() < 2:
        single = np.flatnonzero(counts == 1)
        # Classes without any image are found by `inspect_images`.
        if len(single):
            names = few(real.train.class_names[label] for label in single)
            text = (
                "No test set can be held out, since that takes two images of "
                f"each class and there is one of {names}. Add images or a "
                "test set, or hold none out (--test-fraction 0)."
            )
            findings.append(Finding(ERROR, "no test set", text, len(single)))
        test_fraction = 0
    real = divide(real, class_counts, test_fraction)
    if Path(source).is_dir():
        files = list_other_files(source)
        if files:
            text = (
                f"Files that are passed over: {len(files)}. Their names do "
                f"not end in {', '.join(ENDINGS)}."
            )
            findings.append(Finding.about(NOTE, "other files", text, files))
    return real, tuple(findings)
