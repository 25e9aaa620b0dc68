"""The selection that the options of `ganaug generate` ask for."""

import zipfile
from pathlib import Path

import keras

from ganaug.synthesis.filters import CopyFilter, TeacherFilter
from ganaug.synthesis.selection import Selection

# What Keras raises of files that are no models of its own.
UNREADABLE = (ValueError, TypeError, OSError, KeyError, zipfile.BadZipFile)


def make_selection(
    value_range,
    teacher=None,
    min_confidence=0.5,
    teacher_range=None,
    teacher_logits=False,
    real_images=None,
    max_draws=20,
):
    """Makes a selection out of what is given.

    Args:
        value_range: Pair of numbers. Value range of the generator's images.
        teacher: File of a Keras model that classifies images. Defaults to
            none.
        min_confidence: Float, as in `TeacherFilter`. Defaults to `0.5`.
        teacher_range: Pair of numbers. Value range of the images that the
            teacher takes. Defaults to `value_range`.
        teacher_logits: Boolean. Whether the teacher gives logits. Defaults to
            `False`.
        real_images: `LabeledImages` that no image may be a near-copy of.
            Defaults to none.
        max_draws: Number, as in `Selection`. Defaults to `20`.

    Returns:
        A `Selection`, or `None` where nothing is given that selects.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file holds no Keras model, or an argument is out of
            range.
    """
    filters = []
    if teacher is not None:
        filters.append(
            TeacherFilter(
                _load_model(teacher),
                value_range if teacher_range is None else teacher_range,
                min_confidence,
                teacher_logits,
            )
        )
    if real_images is not None:
        filters.append(CopyFilter(real_images))
    return Selection(filters, max_draws) if filters else None


def _load_model(path):
    if not Path(path).is_file():
        raise FileNotFoundError(
            "`teacher` must be the file of a Keras model, as `model.save` "
            f"writes it. Received: no such file {str(path)!r}"
        )
    try:
        return keras.saving.load_model(path, compile=False)
    except (
        ValueError,
        TypeError,
        OSError,
        KeyError,
        zipfile.BadZipFile,
    ) as error:
        raise ValueError(
            "`teacher` must be a `.keras` file that Keras can load without "
            f"code of yours. Received: {str(path)!r}, of which Keras says: "
            f"{error}"
        ) from error
