"""evaluate_augmentation: arms x paired seeds on one protocol."""

import numpy as np

from ganaug.data.labeled_images import LabeledImages, as_labeled_images
from ganaug.evaluate.argument_checks import (
    check_arms,
    check_dicts,
    check_seeds,
)
from ganaug.evaluate.arms import BEST_CONTROL, default_controls
from ganaug.evaluate.cells import Cells
from ganaug.evaluate.classifiers import build_classifier
from ganaug.evaluate.compatibility import check_generator, check_test
from ganaug.evaluate.description import describe, versions
from ganaug.evaluate.leakage import check_overlap
from ganaug.evaluate.learners import make_learner
from ganaug.evaluate.learning_curve import curve_arms
from ganaug.evaluate.pipeline import ArmPipeline
from ganaug.evaluate.report import EvaluationReport
from ganaug.evaluate.results import (
    CANDIDATE,
    CONTROL,
    CURVE,
    REFERENCE,
    ArmResult,
)
from ganaug.evaluate.seed_data import RealImages, SeedData
from ganaug.evaluate.trainings import Trainings

# Held out of each class for choices, where nothing else is said.
VALIDATION_SHARE = 0.2


def evaluate_augmentation(
    train,
    test,
    arms,
    controls=None,
    references=None,
    classifier=build_classifier,
    seeds=5,
    steps=800,
    batch_size=64,
    validation=None,
    learning_curve=(),
    class_names=None,
    value_range=None,
    allow_overlap=False,
    progress=None,
    run_dir=None,
):
    """Measures what an augmentation gains for a classifier, seed by seed.

    Every arm trains the same classifier on the same real images for the same
    number of optimizer steps. A seed fixes the classifier's initial weights,
    the batch order, the augmentation's noise, the generator where one is
    learnt anew, and the split by which a control is chosen; each arm runs with
    every seed, and arms are compared pairwise within a seed. The test set is
    used once for each trained classifier and decides nothing.

    Args:
        train: Real training data: a finite `tf.data.Dataset`, a pair of
            arrays `(images, labels)` or a `LabeledImages`. Or a callable from
            a seed to one of these, or to a pair of `LabeledImages`, training
            and validation: then each seed has a sample of its own, and the
            intervals hold the variance of the data too.
        test: Test data, in the same forms. The images share no picture with
            those of `train`, nor with those that an arm's generator learnt.
        arms: Dict from name to what is under test: a callable
            `Dataset -> Dataset` on batches, such as a `GANAugmenter`, or an
            `Arm`.
        controls: Dict from name to `Arm` or callable, `"real only"` among
            them. By default those of
            `ganaug.evaluate.arms.default_controls`: real only, class-balanced,
            logit adjustment, classic augmentation, MixUp and CutMix, each with
            each; `all_controls` there has rotations, class weights,
            over-sampling, SMOTE, focal loss and RandAugment too.
        references: Dict like `arms` of what is shown beside, neither judged
            nor a control: synthetic images alone, another ratio. Defaults to
            none.
        classifier: Callable `(image_shape, num_classes, value_range) ->
            keras.Model`, uncompiled, from images as they are, cast to
            float32, to logits, such as
            `ganaug.evaluate.classifiers.build_residual_classifier`; or a
            scikit-learn classifier, which is fitted to the flattened images of
            `steps` batches. Defaults to a small convolutional network.
        seeds: Integer, the number of seeds, or a list of different integers.
            Defaults to `5`.
        steps: Integer. Optimizer steps of each training. Defaults to `800`.
        batch_size: Integer. Real images in a batch. Defaults to `64`.
        validation: By what the best control is chosen, for arms on top of it:
            images like `train`, of which no arm trains; or a share, which is
            held out of each class of `train`, another one for each seed, in
            trainings that only choose. All arms that are tested train on all
            of `train`. Defaults to a fifth, where there is such an arm.
        learning_curve: Sequence of shares of the real images, such as
            `(0.25, 0.5)`, at which what an arm is compared with, the same
            without synthetic images, is trained too. The report then tells
            how many more real images the gain is worth. Defaults to none.
        class_names: Sequence of strings. Defaults to numbers.
        value_range: Pair of numbers. The values of black and of full
            intensity. By default `[0, 255]` for `uint8`; for floats `[0, 1]`
            or `[-1, 1]`, whichever fits.
        allow_overlap: Boolean. Whether to go on where test images were
            trained on; the report then says so. Defaults to `False`.
        progress: Callable `(done, total, arm, seed)`, called before each
            training and once at the end with `arm=None`.
        run_dir: Folder in which every finished training is kept. Where it
            holds some of the same configuration, these are not made again: an
            evaluation that was killed goes on, and one with more seeds or arms
            adds what is missing. Several processes that run the same evaluation
            in one folder share the work, and each returns the whole report.
            Other versions of the libraries are another configuration. Arms
            are told apart by their settings, objects by their public
            attributes, and functions by their name alone. By default nothing
            is kept.

    Returns:
        An `EvaluationReport`.

    Raises:
        FileExistsError: `run_dir` holds something else.
        ValueError: Data, arms or numbers are wrong, the classifier returns
            probabilities, `run_dir` holds an evaluation with another
            configuration, or test images were trained on, which is checked
            before the first training; or later, an arm's data end or its loss
            is not finite.
        TypeError: An arm is neither `Arm` nor callable, `classifier` is
            nothing to train, or `arms`, `controls` or `references` is not a
            dict.

    Example:

    ```python
    report = ganaug.evaluate_augmentation(
        train_ds,
        test_ds,
        arms={"GAN": ganaug.on_top_of_best(augmenter)},
        seeds=5,
    )
    print(report)
    report.to_html("report.html")
    ```
    """
    seeds = check_seeds(seeds)
    for name, number in (("steps", steps), ("batch_size", batch_size)):
        if not isinstance(number, (int, np.integer)) or number < 1:
            raise ValueError(
                f"`{name}` must be a positive integer. "
                f"Received: {name}={number}"
            )
    references = {} if references is None else references
    check_dicts(arms=arms, controls=controls, references=references)
    chooses = any(
        getattr(arm, "on_top_of", None) == BEST_CONTROL
        for arm in (*arms.values(), *references.values())
    )
    if validation is None and chooses and not callable(train):
        validation = VALIDATION_SHARE
    real = RealImages(train, validation, class_names, value_range, seeds[0])
    images = real.first.train
    if not isinstance(test, LabeledImages):
        test = as_labeled_images(test, images.class_names, images.value_range)
    check_test(images, test)
    if controls is None:
        controls = default_controls(
            images.num_classes, imbalanced=images.is_imbalanced
        )
    all_arms = check_arms(arms, controls, references)
    curves = curve_arms(all_arms, arms, controls, learning_curve)
    all_arms |= curves
    if chooses and real.held_out_share is None and not real.first.validation:
        real.held_out_share = VALIDATION_SHARE
    notes = check_overlap(
        real,
        seeds,
        test,
        all_arms,
        tuple(controls) if chooses else (),
        allow_overlap,
    )
    for name, arm in all_arms.items():
        check_generator(name, arm.transform, images)
        if arm.learn is None and arm.on_top_of is None:
            notes += ArmPipeline(
                name, arm, real.first.fraction(arm.fraction, 0), batch_size
            ).check_first_batch(seeds[0])
    notes += _notes_on_test(test)
    learner = make_learner(classifier, images, steps, seeds[0])
    learner.check_arms(all_arms)
    described = {name: describe(arm) for name, arm in all_arms.items()}
    cells = Cells(
        run_dir,
        {
            "train": describe(train) if real.vary else _describe_images(images),
            "validation": real.held_out_share
            or _describe_images(real.first.validation),
            "test": _describe_images(test),
            "arms": described,
            **learner.description,
            "steps": int(steps),
            "batch_size": int(batch_size),
            "versions": versions(),
        },
    )
    trainings = Trainings(
        all_arms,
        tuple(controls),
        seeds,
        real,
        test,
        learner,
        batch_size,
        cells,
        allow_overlap,
        progress,
    )
    trainings.run()
    roles = {
        **dict.fromkeys(curves, CURVE),
        **dict.fromkeys(controls, CONTROL),
        **dict.fromkeys(arms, CANDIDATE),
    }
    return EvaluationReport(
        arms=tuple(
            ArmResult.of(
                name,
                roles.get(name, REFERENCE),
                trainings.scores(name),
                trainings.validation_scores(name),
                without=_without(arm, all_arms, trainings.best_control),
                on_top_of=trainings.under(name),
                fraction=arm.fraction,
            )
            for name, arm in all_arms.items()
        ),
        seeds=tuple(seeds),
        class_names=images.class_names,
        settings={
            "classifier": learner.name,
            **{
                name: value
                for name, value in learner.description.items()
                if name != "classifier"
            },
            "steps": int(steps),
            "batch_size": int(batch_size),
            "train_images_per_class": images.class_counts.tolist(),
            "test_images_per_class": test.class_counts.tolist(),
            "image_shape": list(images.image_shape),
            "own_images_per_seed": real.vary,
            "train_images_hash": real.first.hash,
            "test_images_hash": SeedData(test).hash,
            "validation": _tell_validation(real, chooses),
            "seconds": round(cells.seconds, 1),
            "arms": described,
        },
        notes=(*notes, *trainings.notes(), *_notes_on_left_out(cells)),
        chosen_control=trainings.best_control,
    )


def _without(arm, all_arms, best_control):
    name = arm.without or arm.on_top_of
    if name == BEST_CONTROL:
        name = best_control
    return name if name in all_arms else None


def _describe_images(images):
    if images is None:
        return None
    return describe(
        {
            "images": images.images,
            "labels": images.labels,
            "class_names": images.class_names,
            "value_range": images.value_range,
        }
    )


def _tell_validation(real, chooses):
    if not chooses:
        return "none: nothing was chosen"
    if real.held_out_share is not None:
        return (
            f"{real.held_out_share:.0%} of each class's training images, "
            "another part for each seed, in trainings that only choose the "
            "control"
        )
    counts = real.first.validation.class_counts
    return f"images of their own, per class {counts.tolist()}"


def _notes_on_left_out(cells):
    if not cells.left_out:
        return []
    names = ", ".join(map(repr, cells.left_out[:10]))
    more = len(cells.left_out) - 10
    return [
        "Arms of the same evaluation that this report leaves out: "
        f"{names}{f' and {more} more' if more > 0 else ''}. Who shows the "
        "arms that won alone shows chance."
    ]


def _notes_on_test(test):
    absent = [
        name
        for name, count in zip(test.class_names, test.class_counts, strict=True)
        if count == 0
    ]
    if not absent:
        return []
    return [
        f"The test set has no image of {', '.join(absent[:10])}"
        + (f" and {len(absent) - 10} more" if len(absent) > 10 else "")
        + ": no score counts these classes."
    ]
