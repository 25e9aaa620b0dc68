"""Synthetic images as a TFDS data set, drawn by an Apache Beam pipeline."""

import argparse
import contextlib
import io
import itertools
import logging
import pickle

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from ganaug.export.eight_bit import to_eight_bit
from ganaug.export.tfds_data_set import check_source, make_example, prepare
from ganaug.synthesis.chunks import ChunkMaker
from ganaug.synthesis.generating import bank_to_come
from ganaug.synthesis.generators import CHUNK_SIZE
from ganaug.synthesis.work import ClassState, fill_quotas


class Draw(beam.DoFn):
    """Draws images of a class, and gives their examples by row.

    Args:
        maker: `ganaug.synthesis.chunks.ChunkMaker`.
    """

    def __init__(self, maker):
        # As bytes, so that TensorFlow is not imported before it has to draw.
        self._bytes = pickle.dumps(maker)

    def setup(self):
        """Brings the generators to life, once in each worker."""
        self._maker = pickle.loads(self._bytes)

    def _examples(self, chunk, first):
        generators = self._maker.generators
        images = to_eight_bit(chunk.columns["images"], generators)
        targets = chunk.columns.get("targets")
        if targets is None:
            targets = itertools.repeat(None, len(images))
        rows = zip(images, chunk.columns["provenance"], targets, strict=True)
        for offset, (image, provenance, target) in enumerate(rows):
            yield (
                first + offset,
                make_example(
                    image, chunk.label, provenance, target, generators.ids
                ),
            )


class DrawChunk(Draw):
    """Draws a chunk, of which every image is kept."""

    def process(self, piece):
        """Draws.

        Args:
            piece: Tuple of the class, the number of its chunk, how many of the
                chunk's images are wanted, and the row of the first one.

        Yields:
            Pairs of row and example.
        """
        label, number, count, first = piece
        yield from self._examples(
            self._maker(label, number).first(count), first
        )


class DrawClass(Draw):
    """Draws a whole class, chunk by chunk, until enough images are kept."""

    def process(self, piece):
        """Draws.

        Args:
            piece: Tuple of the class, how many images are wanted, and the row
                of the first one.

        Yields:
            Pairs of row and example.

        Raises:
            ValueError: Too few pass the selection.
        """
        label, quota, first = piece
        names = self._maker.generators.class_names
        states = [ClassState(quota * (c == label)) for c in range(len(names))]
        for chunk in fill_quotas(self._maker, states):
            end = first + states[label].filled
            yield from self._examples(chunk, end - len(chunk))
        if states[label].filled < quota:
            raise ValueError(
                f"Of class {names[label]!r} only {states[label].filled} images "
                f"pass the selection, even out of "
                f"{self._maker.selection.max_draws} times as many as are "
                "wanted. Ask for fewer, or make it less strict. "
                f"Received: {quota} images wanted"
            )


def write_with_beam(
    generators, num_per_class, path, seed, pipeline_options, selection=None
):
    """Draws a TFDS data set with an Apache Beam pipeline.

    Image for image, it is what `ganaug generate --format tfds` writes from one
    process. A pipeline that ends early leaves nothing and is begun anew. With
    a selection each class is the work of one worker, and one of which too few
    images pass is an error, where one process would warn.

    Args:
        generators: `ganaug.synthesis.generators.Generators`.
        num_per_class: As in `ganaug.synthesis.generating.draw_bank`.
        path: Folder, new or empty, that all workers can write to.
        seed: Integer.
        pipeline_options: List of strings, options of Beam and its runner, such
            as `["--runner=DirectRunner", "--direct_num_workers=2"]`.
        selection: `ganaug.synthesis.selection.Selection`. By default every
            image is kept.

    Returns:
        A `ganaug.synthesis.bank.Bank` without images, which says what was
        drawn.

    Raises:
        FileExistsError: The folder holds something.
        ValueError: An argument is out of range, Beam does not know an option,
            or TFDS cannot hold such images.
    """
    check_source(generators)
    options = parse_options(pipeline_options)
    bank = bank_to_come(generators, num_per_class, seed, selection)
    maker = ChunkMaker(generators, seed, selection)
    pieces, draw = _chunks(bank.class_counts), DrawChunk
    if selection is not None:
        pieces, draw = _classes(bank.class_counts), DrawClass
    examples = beam.Create(list(pieces)) | beam.ParDo(draw(maker))
    prepare(bank, examples, path, beam_options=options)
    return bank


def parse_options(pipeline_options):
    """Makes Beam's options, and refuses what it would leave out.

    Args:
        pipeline_options: As in `write_with_beam`.

    Returns:
        A `PipelineOptions`.

    Raises:
        ValueError: Beam does not know an option, or not its value.
    """
    said = io.StringIO()
    # It parses when it is asked, ends the process where it fails, and warns
    # of what it does not know in a log.
    try:
        with (
            contextlib.redirect_stderr(said),
            contextlib.redirect_stdout(said),
            _silent(),
        ):
            options = PipelineOptions(pipeline_options)
            known = options.get_all_options(drop_default=True)
            given = options.get_all_options(
                drop_default=True, retain_unknown_options=True
            )
    except (SystemExit, argparse.ArgumentError):
        reason = said.getvalue().strip().rpartition("\n")[2]
        raise ValueError(
            f"Apache Beam does not take its options: {reason}. "
            f"Received: options={pipeline_options}"
        ) from None
    unknown = sorted(set(given) - set(known))
    # Words that belong to no option at all.
    words = [
        word
        for place, word in enumerate(pipeline_options)
        if not word.startswith("-")
        and (
            not place
            or "=" in pipeline_options[place - 1]
            or not pipeline_options[place - 1].startswith("-")
        )
    ]
    if unknown or words:
        raise ValueError(
            "Apache Beam must know each option; they are written as "
            f"--name=value. It does not know {unknown + words}. "
            f"Received: options={pipeline_options}"
        )
    return options


@contextlib.contextmanager
def _silent():
    logger = logging.getLogger("apache_beam")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _classes(counts):
    row = 0
    for label, count in enumerate(counts):
        if count:
            yield label, count, row
        row += count


def _chunks(counts):
    """The chunks of all classes, in the order of the bank's rows."""
    row = 0
    for label, count in enumerate(counts):
        for number, start in enumerate(range(0, count, CHUNK_SIZE)):
            size = min(CHUNK_SIZE, count - start)
            yield label, number, size, row + start
        row += count
