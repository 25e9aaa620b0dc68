"""`ganaug evaluate`: what a pretrained GAN gains for a classifier."""

import functools
import io
import os
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from ganaug import artifact
from ganaug.artifact_id import artifact_id
from ganaug.augment.augmenter import GANAugmenter
from ganaug.commands.controls import choose_controls
from ganaug.data.findings import few
from ganaug.data.sources import load_data
from ganaug.data.splits import fingerprints
from ganaug.evaluate.arms import (
    BASELINE,
    BEST_CONTROL,
    CLASSIC,
    Arm,
)
from ganaug.evaluate.classifier_features import classifier_features
from ganaug.evaluate.classifiers import CLASSIFIERS
from ganaug.evaluate.leakage import note_overlap, refuse_overlap
from ganaug.evaluate.protocol import evaluate_augmentation
from ganaug.fidelity.inception import inception_features
from ganaug.fidelity.memorization import MIN_HELD_OUT
from ganaug.progress import trainings_shown
from ganaug.sample_quality import measure_samples
from ganaug.seeded_generator import SeededGenerator
from ganaug.synthesis.generators import Generators

REPORT_HTML = "report.html"
REPORT_JSON = "report.json"
REPORT_MARKDOWN = "report.md"
CANDIDATE = "classic + GAN"
BEST_CANDIDATE = "best control + GAN"
GAN_ALONE = "real + GAN"
SYNTHETIC_ONLY = "synthetic only"
# Where finished trainings are kept, beside the report.
CELLS = "trainings"
# And within it the generators of seeds.
GENERATORS = "generators"


@dataclass(frozen=True)
class EvaluationOptions:
    """What `ganaug evaluate` lets one choose.

    Args:
        ratio: Float. Share of synthetic images. Defaults to `0.25`.
        ratios: Tuple of floats: further shares, shown beside.
        learning_curve: Tuple of shares of the real images, as in
            `evaluate_augmentation`.
        seeds: Integer or list of integers. Defaults to `5`.
        steps: Integer. Optimizer steps of each training. Defaults to `800`.
        classifier: String. A key of `CLASSIFIERS`. Defaults to `"cnn"`.
        horizontal_flip: Boolean. Whether classic augmentation may mirror
            images. Defaults to `False`.
        allow_overlap: Boolean. Whether to go on where test images were
            trained on. Defaults to `False`.
        latents: String or dict, as in `Generators`. Where the latents of
            synthetic images come from. Defaults to `"prior"`.
        controls: String. `"default"` or `"all"`. Defaults to `"default"`.
        features: String. In what the synthetic images are measured:
            `"classifier"`, the features of the evaluation's, trained on the
            training images, or `"inception"`. Defaults to `"classifier"`.
        retrain: Boolean. Whether each seed trains a generator of its own, as
            the artifact was trained. Defaults to `False`: all use the
            artifact.
    """

    ratio: float = 0.25
    ratios: tuple = ()
    learning_curve: tuple = ()
    seeds: int = 5
    steps: int = 800
    classifier: str = "cnn"
    horizontal_flip: bool = False
    allow_overlap: bool = False
    latents: str | dict = "prior"
    controls: str = "default"
    features: str = "classifier"
    retrain: bool = False


def evaluate(
    run, data, console, options=EvaluationOptions(), run_dir=None, helps=False
):
    """Compares the GAN, on top of controls, with the controls.

    Args:
        run: Folder with an artifact.
        data: `ganaug.data.sources.RealData` with a test set.
        console: `rich.console.Console` for progress.
        options: `EvaluationOptions`.
        run_dir: Folder in which finished trainings are kept, and generators of
            seeds. Defaults to none.
        helps: Boolean. Whether this only trains, and another process reports.

    Returns:
        A pair of an `EvaluationReport` and a dict from captions to pictures,
        as bytes of a PNG.

    Raises:
        FileNotFoundError: There is no artifact in `run`.
        ValueError: The artifact is broken, does not fit the data, learnt test
            images, or an option is wrong.
    """
    pretrained = artifact.load(run)
    if data.test is None:
        raise ValueError(
            "Evaluation needs a test set. Leave out `--test-fraction 0`, or "
            f"add test images. Received: {data.name}"
        )
    _check_fits(pretrained, data.train, run)
    for note in data.notes:
        console.print(note, highlight=False)
    augmenter = GANAugmenter(
        Generators(pretrained, latents=options.latents),
        ratio=options.ratio,
        value_range=data.train.value_range,
        seed=0,
    )
    flip = options.horizontal_flip
    sweep = {
        ratio: f"{CANDIDATE}, ratio {ratio:g}"
        for ratio in sorted({*options.ratios} - {0, options.ratio})
    }
    notes = list(data.notes)
    generator = None
    if options.retrain:
        found = {}
        note_overlap(
            found,
            "test",
            fingerprints(data.test),
            "the training data of RUN",
            augmenter.training_fingerprints,
        )
        notes += refuse_overlap(found, options.allow_overlap)
        notes.append(
            "Each seed had a generator of its own, trained as that of RUN was. "
            "The synthetic images that are measured and shown are RUN's."
        )
        folder = None if run_dir is None else Path(run_dir) / GENERATORS
        generator = SeededGenerator.like(pretrained, folder)

    @functools.cache
    def part(ratio):
        # Arms with the very same part share their trainings.
        if generator is None:
            return {"transform": augmenter.replace(ratio=ratio)}
        learn = generator.augmenter(ratio=ratio, latents=options.latents)
        return {"learn": learn}

    def mixed(ratio, **place):
        return Arm(**part(ratio), **place)

    references = {
        name: mixed(ratio, on_top_of=CLASSIC) for ratio, name in sweep.items()
    }
    # Without anything that is free.
    references[GAN_ALONE] = mixed(options.ratio, without=BASELINE)
    references[SYNTHETIC_ONLY] = mixed(1.0)
    extractor = None
    if options.features == "inception":
        # Now, so that what is not there or does not fit is known at once.
        extractor = inception_features(data.train.value_range)
        extractor(data.train.images[:1])
    with trainings_shown(console) as progress:
        report = evaluate_augmentation(
            data.train,
            data.test,
            arms={
                CANDIDATE: mixed(options.ratio, on_top_of=CLASSIC),
                BEST_CANDIDATE: mixed(options.ratio, on_top_of=BEST_CONTROL),
            },
            controls=choose_controls(
                options.controls, data.train, flip, data.train.is_imbalanced
            ),
            references=references,
            classifier=CLASSIFIERS[options.classifier],
            seeds=options.seeds,
            steps=options.steps,
            learning_curve=options.learning_curve,
            allow_overlap=options.allow_overlap,
            progress=progress,
            run_dir=run_dir,
        )
    if helps:
        return report, {}
    console.print("measuring the synthetic images")
    if extractor is None and len(data.test) >= MIN_HELD_OUT:
        extractor = classifier_features(
            data.train,
            CLASSIFIERS[options.classifier],
            options.steps,
            options.horizontal_flip,
        )
    try:
        samples, pictures = measure_samples(
            augmenter.generators, data.train, data.test, extractor
        )
    except ValueError as error:
        # The trainings are done, and what they found is not lost for this.
        samples, pictures = None, {}
        notes = [*notes, f"The synthetic images could not be measured: {error}"]
    sweeps = {}
    if sweep:
        points = {**sweep, 0.0: CLASSIC, options.ratio: CANDIDATE}
        sweeps[CANDIDATE] = dict(sorted(points.items()))
    report = report.add(
        notes=notes,
        samples=samples,
        sweeps=sweeps,
        data=data.name,
        generator=os.fspath(run),
        generator_id=artifact_id(pretrained),
        ratio=options.ratio,
        latents=options.latents,
        features=options.features,
        controls=options.controls,
        horizontal_flip=flip,
        retrain=options.retrain,
        allow_overlap=options.allow_overlap,
    )
    return report, pictures


def help_evaluate(run, data_arguments, options, run_dir):
    """Does a part of the trainings, silently, and reports nothing.

    Args:
        run: As in `evaluate`.
        data_arguments: Tuple. Of `load_data`.
        options: `EvaluationOptions`.
        run_dir: As in `evaluate`.
    """
    evaluate(
        run,
        load_data(*data_arguments),
        Console(file=io.StringIO()),
        options,
        run_dir,
        helps=True,
    )


def _check_fits(pretrained, images, run):
    if pretrained.num_classes is None:
        raise ValueError(
            "Evaluation trains classifiers, and a model that was trained "
            "without classes draws images without labels. Train one with "
            "them: leave `--unconditional` out. Received: "
            f"{os.fspath(run)!r} with num_classes=None"
        )
    for what, learnt, given in (
        ("classes", pretrained.class_names, images.class_names),
        ("image shape", pretrained.image_shape, images.image_shape),
        (
            "dtype and value range",
            (pretrained.image_dtype, *pretrained.value_range),
            (images.images.dtype.name, *images.value_range),
        ),
    ):
        if learnt != given:
            raise ValueError(
                f"The run and the data set must have the same {what}. Name "
                "the data set that the run was trained on, with the same "
                f"options. Received: {few(learnt)} in the run, and "
                f"{few(given)} in the data"
            )


def write_report(report, out, pictures):
    """Writes `report.html`, `report.json` and `report.md`.

    Args:
        report: `EvaluationReport`.
        out: Folder that exists.
        pictures: Dict from caption to a PNG, its path or its bytes.

    Returns:
        A dict for JSON: the three files.
    """
    out = Path(out)
    report.to_html(out / REPORT_HTML, pictures)
    report.to_json(out / REPORT_JSON)
    (out / REPORT_MARKDOWN).write_text(report.to_markdown(), "utf-8")
    return {
        "report_html": str(out / REPORT_HTML),
        "report_json": str(out / REPORT_JSON),
        "report_markdown": str(out / REPORT_MARKDOWN),
    }
