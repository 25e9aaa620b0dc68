"""evaluate_augmentation: arms x paired seeds on one protocol."""

import time
from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf

from ganaug.data.labeled_images import LabeledImages, as_labeled_images
from ganaug.evaluate.arms import BASELINE, as_arm, default_controls
from ganaug.evaluate.cells import Cells, describe
from ganaug.evaluate.classifiers import build_classifier
from ganaug.evaluate.leakage import check_overlap
from ganaug.evaluate.pipeline import ArmPipeline
from ganaug.evaluate.report import ArmResult, EvaluationReport, versions
from ganaug.evaluate.scores import classification_scores
from ganaug.evaluate.training import ClassifierTrainer
from ganaug.seeds import derive_seed, seeded_initializers


def evaluate_augmentation(
    train,
    test,
    arms,
    controls=None,
    classifier=build_classifier,
    seeds=5,
    steps=800,
    batch_size=64,
    class_names=None,
    value_range=None,
    allow_overlap=False,
    progress=None,
    run_dir=None,
):
    """Measures what an augmentation gains for a classifier, seed by seed.

    Every arm trains the same classifier on the same real images for the same
    number of optimizer steps. A seed fixes the classifier's initial weights,
    the batch order and the augmentation's noise; each arm runs with every
    seed, and arms are compared pairwise within a seed. The test set is used
    once for each trained classifier and decides nothing.

    Args:
        train: Real training data: a finite `tf.data.Dataset`, a pair of
            arrays `(images, labels)` or a `LabeledImages`.
        test: Test data, in the same forms. The images share no picture with
            those of `train`, nor with those that an arm's generator learnt.
        arms: Dict from name to what is under test: a callable
            `Dataset -> Dataset` on batches, such as a `GANAugmenter`, or an
            `Arm`.
        controls: Dict from name to `Arm` or callable, `"real only"` among
            them. By default those of
            `ganaug.evaluate.arms.default_controls`: real only, class-balanced,
            classic, MixUp, CutMix, logit adjustment and a stack of them;
            `all_controls` there has class weights, over-sampling, SMOTE, focal
            loss and RandAugment too.
        classifier: Callable `(image_shape, num_classes, value_range) ->
            keras.Model`, uncompiled, from images as they are, cast to
            float32, to logits. Defaults to a small convolutional network.
        seeds: Integer, the number of seeds, or a list of different integers.
            Defaults to `5`.
        steps: Integer. Optimizer steps of each training. Defaults to `800`.
        batch_size: Integer. Real images in a batch. Defaults to `64`.
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
            evaluation that was killed goes on, and one with more seeds adds
            what is missing. Other versions of the libraries are another
            configuration. Arms are told apart by their settings, and
            functions by their name alone. By default nothing is kept.

    Returns:
        An `EvaluationReport`.

    Raises:
        FileExistsError: `run_dir` holds something else.
        ValueError: Data, arms or numbers are wrong, `run_dir` holds an
            evaluation with another configuration, or test images were
            trained on, which is checked before the first training; or later,
            an arm's data end or its loss is not finite.
        TypeError: An arm is neither `Arm` nor callable, or `arms` or
            `controls` is not a dict.

    Example:

    ```python
    report = ganaug.evaluate_augmentation(
        train_ds, test_ds, arms={"GAN": augmenter}, seeds=5
    )
    print(report)
    report.to_html("report.html")
    ```
    """
    started = time.perf_counter()
    train = as_labeled_images(train, class_names, value_range)
    train.check_trainable()
    if not isinstance(test, LabeledImages):
        test = as_labeled_images(test, train.class_names, value_range)
    _check_test(train, test)
    seeds = _check_seeds(seeds)
    for name, number in (("steps", steps), ("batch_size", batch_size)):
        if not isinstance(number, (int, np.integer)) or number < 1:
            raise ValueError(
                f"`{name}` must be a positive integer. "
                f"Received: {name}={number}"
            )
    if controls is None:
        controls = default_controls(train.num_classes)
    all_arms = _check_arms(arms, controls)
    notes = check_overlap(train, test, all_arms, allow_overlap)
    pipelines = {
        name: ArmPipeline(name, arm, train, batch_size)
        for name, arm in all_arms.items()
    }
    for name, arm in all_arms.items():
        _check_generator(name, arm, train)
        notes += pipelines[name].check_first_batch(seeds[0])
    notes += _notes_on_test(test)

    def new_classifier(seed):
        with seeded_initializers(derive_seed(seed, "weights")):
            return classifier(
                train.image_shape, train.num_classes, train.value_range
            )

    trained = new_classifier(seeds[0])
    if trained.output_shape != (None, train.num_classes):
        raise ValueError(
            "`classifier` must return logits of shape (batch, num_classes). "
            f"Received: output_shape={trained.output_shape} for "
            f"{train.num_classes} classes"
        )
    trainer = ClassifierTrainer(trained, steps)
    cells = Cells(
        run_dir,
        {
            "train": _describe_data(train),
            "test": _describe_data(test),
            "arms": {name: describe(arm) for name, arm in all_arms.items()},
            "classifier": describe(classifier),
            "classifier_parameters": trained.count_params(),
            "steps": int(steps),
            "batch_size": int(batch_size),
            "versions": versions(),
        },
    )
    total = len(seeds) * len(all_arms)
    done = 0
    for seed in seeds:
        if all(cells.get(name, seed) for name in all_arms):
            done += len(all_arms)
            continue
        model = new_classifier(seed)
        _check_new(model, trained)
        initial = [variable.numpy() for variable in model.variables]
        for name, pipeline in pipelines.items():
            done += 1
            if cells.get(name, seed):
                continue
            if progress:
                progress(done - 1, total, name, seed)
            try:
                trainer.train(
                    initial,
                    pipeline.batches(seed),
                    pipeline.logit_shift(seed),
                    all_arms[name].focal_gamma,
                )
            except (ValueError, tf.errors.InvalidArgumentError) as error:
                raise ValueError(
                    f"Arm {name!r}, seed {seed}: {error}"
                ) from error
            cells.put(
                name,
                seed,
                classification_scores(test, trainer.predict(test.images)),
            )
    if progress:
        progress(total, total, None, None)
    return EvaluationReport(
        arms=tuple(
            ArmResult(
                name=name,
                is_candidate=name in arms,
                without=arm.without if arm.without in all_arms else None,
                **_by_metric([cells.get(name, seed) for seed in seeds]),
            )
            for name, arm in all_arms.items()
        ),
        seeds=tuple(seeds),
        class_names=train.class_names,
        settings={
            "classifier": getattr(classifier, "__name__", repr(classifier)),
            "classifier_parameters": trained.count_params(),
            "steps": steps,
            "batch_size": batch_size,
            "train_images_per_class": train.class_counts.tolist(),
            "test_images_per_class": test.class_counts.tolist(),
            "image_shape": list(train.image_shape),
            "seconds": round(time.perf_counter() - started, 1),
        },
        notes=tuple(notes),
    )


def _by_metric(scores):
    return {
        metric: tuple(cell[metric] for cell in scores) for metric in scores[0]
    }


def _describe_data(images):
    return describe(
        {
            "images": images.images,
            "labels": images.labels,
            "class_names": images.class_names,
            "value_range": images.value_range,
        }
    )


def _check_test(train, test):
    if test.image_shape != train.image_shape:
        raise ValueError(
            "`train` and `test` must have images of one shape. Received: "
            f"{train.image_shape} and {test.image_shape}"
        )
    if test.class_names != train.class_names:
        raise ValueError(
            "`train` and `test` must have the same classes. Received: "
            f"{train.class_names} and {test.class_names}"
        )
    if test.value_range != train.value_range:
        raise ValueError(
            "`train` and `test` must have one value range. Declare it with "
            f"`value_range`. Received: {train.value_range} and "
            f"{test.value_range}"
        )


def _check_seeds(seeds):
    given = seeds
    if isinstance(seeds, (int, np.integer)):
        seeds = range(seeds)
    seeds = list(seeds) if isinstance(seeds, Iterable) else []
    if (
        not seeds
        or not all(isinstance(seed, (int, np.integer)) for seed in seeds)
        or len(set(seeds)) != len(seeds)
        or min(seeds) < 0
    ):
        raise ValueError(
            "`seeds` must be a positive integer, or a list of different "
            f"integers from 0 on. Received: seeds={given}"
        )
    return [int(seed) for seed in seeds]


def _check_arms(arms, controls):
    for name, value in (("arms", arms), ("controls", controls)):
        if not isinstance(value, Mapping):
            raise TypeError(
                f"`{name}` must be a dict from names to arms. "
                f"Received: {name}={value!r}"
            )
    repeated = sorted(set(arms) & set(controls))
    if not arms or repeated or BASELINE not in controls:
        raise ValueError(
            "`arms` must name at least one arm, `controls` must hold "
            f"{BASELINE!r}, and no name may be in both. Received: "
            f"arms={sorted(arms)}, controls={sorted(controls)}"
        )
    return {name: as_arm(arm) for name, arm in {**controls, **arms}.items()}


def _check_generator(name, arm, train):
    """Checks that a generator knows the data's classes and value range."""
    value_range = getattr(arm.transform, "value_range", None)
    if value_range is not None and tuple(value_range) != train.value_range:
        raise ValueError(
            f"Arm {name!r} must have the value range of the data, "
            f"{train.value_range}. Received: value_range={value_range}"
        )
    names = getattr(arm.transform, "class_names", None)
    if names is None or tuple(names) == train.class_names:
        return
    numbers = tuple(str(label) for label in range(len(names)))
    # Where classes are only numbered on one side, their number must do.
    only_numbered = numbers in (tuple(names), train.class_names)
    another_order = sorted(names) == sorted(train.class_names)
    if len(names) != train.num_classes or another_order or not only_numbered:
        raise ValueError(
            f"Arm {name!r} must have the classes of the data, in their order, "
            f"{list(train.class_names)}. Received: {list(names)}"
        )


def _check_new(model, trained):
    shared = {id(variable) for variable in model.trainable_variables} & {
        id(variable) for variable in trained.trainable_variables
    }
    if shared:
        raise ValueError(
            "`classifier` must build a new model at each call, or the training "
            "of one arm goes on in the next. Build every layer inside of it, "
            "or freeze what is shared. "
            f"Received: models that share {len(shared)} trainable variables"
        )


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
