"""Chunks: the unit of work of a bank, the same wherever it is done."""

import zlib
from dataclasses import dataclass

import numpy as np

from ganaug.data.images import to_unit
from ganaug.synthesis.columns import IMAGES, PROVENANCE, TARGETS, column_specs
from ganaug.synthesis.generators import CHUNK_SIZE
from ganaug.synthesis.selection import CALIBRATION_CHUNKS


@dataclass(frozen=True, eq=False)
class Chunk:
    """Candidates of one class that passed the selection.

    Args:
        label: Integer. The class.
        number: Integer. Its place among the chunks of the class.
        columns: Dict from names of columns to NumPy arrays
            `(num_images, ...)`.
        passed: Dict from names of filters to how many of the `CHUNK_SIZE`
            candidates passed each.
    """

    label: int
    number: int
    columns: dict
    passed: dict

    def __len__(self):
        return len(self.columns[IMAGES])

    def first(self, num_images):
        """Cuts the chunk off.

        Args:
            num_images: Integer. Images to keep at most.

        Returns:
            A `Chunk`.
        """
        columns = {
            name: array[:num_images] for name, array in self.columns.items()
        }
        return Chunk(self.label, self.number, columns, self.passed)


class ChunkMaker:
    """Draws the chunks of a bank, each from its label and number alone.

    So it does not matter which process makes which chunk, nor when. It can be
    pickled.

    Args:
        generators: `ganaug.synthesis.generators.Generators`.
        seed: Integer in `[0, 2**31)`.
        selection: `ganaug.synthesis.selection.Selection`, or `None` to keep
            every image.
        turn: Integer. Each turn has other images, for banks that are renewed.
            Defaults to `0`.

    Call arguments:
        label: Integer. Class of the chunk.
        number: Integer. Place among the chunks of the class.

    Call returns:
        A `Chunk`.

    Raises:
        ValueError: A filter of the selection does not fit the generators.
    """

    def __init__(self, generators, seed, selection=None, turn=0):
        if selection is not None:
            selection.check(generators.image_shape, generators.class_names)
        self.generators = generators
        self.seed = seed
        self.selection = selection
        self.turn = turn
        self._thresholds = {}

    @property
    def specs(self):
        """Dict of the columns of chunks, as `column_specs` gives it."""
        generators = self.generators
        return column_specs(
            generators.image_shape,
            generators.image_dtype,
            generators.num_classes if generators.class_interpolation else None,
        )

    def __call__(self, label, number):
        columns = self._candidates(label, "bank", number, self.turn)
        passed = {}
        if self.selection is not None:
            if label not in self._thresholds:
                self._thresholds[label] = self._find_thresholds(label)
            passes = self.selection.passes(
                self._unit(columns), label, self._thresholds[label]
            )
            kept = np.logical_and.reduce(list(passes.values()))
            columns = {name: array[kept] for name, array in columns.items()}
            passed = {name: int(mask.sum()) for name, mask in passes.items()}
        return Chunk(label, number, columns, passed)

    def _find_thresholds(self, label):
        images = None
        if self.selection.is_relative:
            images = np.concatenate(
                [
                    self._unit(
                        self._candidates(label, "calibration", number, 0)
                    )
                    for number in range(CALIBRATION_CHUNKS)
                ]
            )
        return self.selection.thresholds(images, label)

    def _unit(self, columns):
        # Judged as they are kept, so rounded to the pixels they will have.
        return to_unit(columns[IMAGES], self.generators.value_range).numpy()

    def _candidates(self, label, purpose, number, turn):
        generators = self.generators
        drawn = generators(
            np.full(CHUNK_SIZE, label, np.int32),
            chunk_seed(self.seed, purpose, turn, label, number),
            generators.value_range,
            generators.image_dtype,
        )
        columns = {
            IMAGES: drawn.images.numpy(),
            PROVENANCE: np.column_stack(
                [drawn.sources, drawn.seeds, drawn.indices]
            ).astype(np.int64),
        }
        if drawn.targets is not None:
            columns[TARGETS] = drawn.targets.numpy()
        return columns


def chunk_seed(seed, purpose, turn, label, number):
    """Derives the seed pair of a chunk.

    Args:
        seed: Integer.
        purpose: String.
        turn: Integer.
        label: Integer. Class of the chunk.
        number: Integer. Place among the chunks of the class.

    Returns:
        An int64 array `(2,)`, which is like no other one's: neighbours in
        number would be so in TensorFlow's streams of random numbers too.
    """
    entropy = [seed, zlib.crc32(purpose.encode()), turn, label, number]
    state = np.random.SeedSequence(entropy).generate_state(2, np.uint64)
    return (state >> np.uint64(1)).astype(np.int64)
