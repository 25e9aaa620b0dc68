"""tune: successive halving, and a last contest with ratio 0."""

import tensorflow as tf
from sklearn.base import BaseEstimator

from ganaug.data.elements import parse_elements
from ganaug.data.labeled_images import LabeledImages, as_labeled_images
from ganaug.data.splits import fingerprints
from ganaug.evaluate.arms import BEST_CONTROL, as_arm
from ganaug.evaluate.classifiers import build_classifier
from ganaug.evaluate.compatibility import check_generator
from ganaug.evaluate.leakage import learnt_by, note_overlap, refuse_overlap
from ganaug.evaluate.learners import make_learner
from ganaug.evaluate.seed_data import check_kind
from ganaug.seeds import derive_seed, resolve_seed
from ganaug.tuning.candidates import (
    SEARCH,
    check_search,
    count_trainings,
    draw_candidates,
)
from ganaug.tuning.contest import Contest
from ganaug.tuning.controls import (
    choose_control,
    count_control_trainings,
    nothing,
    put_on,
    resolve_controls,
)
from ganaug.tuning.result import FINAL_SEEDS, Tuning
from ganaug.tuning.trials import Trials


def tune(
    augmenter,
    train,
    validation,
    search=None,
    num_trainings=40,
    on_top_of=BEST_CONTROL,
    controls=None,
    classifier=build_classifier,
    steps=800,
    batch_size=64,
    allow_overlap=False,
    seed=0,
    progress=None,
):
    """Chooses ratio, classes, truncation and labels on validation images.

    Settings are drawn from a grid and compared with ratio 0, pairwise over
    seeds, by successive halving: all with one seed, the better half with one
    more, until one is left. With seeds that chose nothing it then has to beat
    ratio 0. See `ganaug.tuning.RULE`. All of this is on top of the strongest
    control, which is found first, in the same way: over a weaker one, synthetic
    images may gain what shifts or MixUp give for nothing.

    Args:
        augmenter: `GANAugmenter` that replaces or appends, with generators.
        train: Real training images, as `evaluate_augmentation` takes them.
        validation: Real images that neither the classifiers nor the generator
            are trained on, in the same forms. Not the test set.
        search: Dict from names to the values to try: `ratio`,
            `sampling_strategy`, `truncation`, `label_smoothing`, `latents`
            (kinds, or dicts of shares), and `selection`, by which images are
            drawn into a bank ahead: `None`, a `Selection`, or `"teacher"` for
            those that the first classifier of ratio 0 recognizes. Defaults to
            three ratios, three strategies, two truncations, all images or those
            that are recognized, and, if `train` is a dataset with one-hot
            labels, hard or smoothed labels. What is not searched keeps the
            augmenter's values.
        num_trainings: Integer of at least 16. Classifiers that are trained at
            most with settings and ratio 0. To find the best control takes
            further ones: 13 for the 7 default controls of balanced data, 26
            for the 13 of imbalanced ones. Defaults to `40`.
        on_top_of: String, the name of one of `controls`: what else the
            classifier is trained with; or `"best control"` for the one that is
            best on the validation images. Or a callable from a transformation
            to an `Arm`. Defaults to `"best control"`.
        controls: Dict from name to `Arm` or callable, as in
            `evaluate_augmentation`. Defaults to
            `ganaug.evaluate.arms.default_controls`, which can also mirror
            images. None may learn, name another, or take a part of the images.
        classifier: As in `evaluate_augmentation`.
        steps: As there. Defaults to `800`.
        batch_size: As there. Defaults to `64`.
        allow_overlap: Boolean. Whether to go on where the generator learnt
            validation images, which flatters it. Defaults to `False`.
        seed: Integer. Defaults to `0`.
        progress: Callable `(done, total, settings)`, called before each
            training, with `{"control": name}` as settings where controls are
            compared, and once at the end with `settings=None`.

    Returns:
        A `GANAugmenter` with the attribute `tuning`, a `Tuning`, which also
        names the control. Its ratio is 0 where nothing helped.

    Raises:
        ValueError: An argument is out of range, the images do not fit, or
            validation images were trained on.
        TypeError: `augmenter` is no `GANAugmenter`, or `controls` are no dict
            of arms.

    Reference:
        - [Successive halving, Jamieson and Talwalkar,
          2016](https://arxiv.org/abs/1502.07943)
    """
    if search is None:
        search = dict(SEARCH)
        if isinstance(classifier, BaseEstimator):
            # Filters take Keras models.
            del search["selection"]
        if not _has_one_hot_labels(train):
            # What is returned could not be applied to them.
            del search["label_smoothing"]
    check_search(augmenter, search, num_trainings, classifier)
    seed = resolve_seed(seed)
    train = as_labeled_images(train)
    train.check_trainable()
    if not isinstance(validation, LabeledImages):
        validation = as_labeled_images(
            validation, train.class_names, train.value_range
        )
    check_kind(validation, train, "`validation`")
    _check_several(validation)
    controls = resolve_controls(on_top_of, controls, train)
    under = controls or {"on_top_of": as_arm(on_top_of(nothing))}
    check_generator("augmenter", augmenter, train)
    _check_overlap(augmenter, under, train, validation, allow_overlap)
    candidates, num_rounds = draw_candidates(search, num_trainings, seed)
    first_seed = derive_seed(seed, "round 0")
    learner = make_learner(classifier, train, steps, first_seed)
    learner.check_arms(under)
    trials = Trials(
        learner,
        train,
        validation,
        batch_size,
        progress,
        count_control_trainings(len(controls))
        + count_trainings(len(candidates), num_rounds),
    )
    for name, arm in under.items():
        check_generator(name, arm.transform, train)
        trials.pipeline(arm, {"control": name}).check_first_batch(first_seed)
    contest = Contest(augmenter, trials)
    contest.check(candidates, first_seed)
    control_rounds = ()
    if controls:
        control, control_rounds = choose_control(controls, trials, seed)
        on_top_of = put_on(controls[control], control)
    contest.on_top_of = on_top_of
    rounds, seeds = [], []
    for place in range(num_rounds):
        seeds.append(derive_seed(seed, f"round {place}"))
        ranked = sorted(
            ((one, contest.gain(one, seeds)[0]) for one in candidates),
            key=lambda pair: -pair[1],
        )
        rounds.append(tuple(ranked))
        kept = 1 if place == num_rounds - 1 else -(-len(ranked) // 2)
        candidates = [one for one, _ in ranked[:kept]]
    (best,) = candidates
    gain, error = contest.gain(
        best,
        [derive_seed(seed, f"final {place}") for place in range(FINAL_SEEDS)],
    )
    settings = best
    if not gain > error:
        # Of what is not drawn, no other setting matters.
        settings = {
            name: value
            for name, value in best.items()
            if name not in ("selection", "label_smoothing")
        }
        settings["ratio"] = 0.0
    trials.end()
    return contest.augmenter_of(settings).tuned_by(
        Tuning(
            settings=settings,
            gain=gain,
            standard_error=error,
            candidate=best,
            rounds=tuple(rounds),
            num_trainings=trials.done,
            on_top_of=as_arm(on_top_of(nothing)).without,
            control_rounds=control_rounds,
        ),
        fingerprints(validation),
    )


def _has_one_hot_labels(data):
    if not isinstance(data, tf.data.Dataset):
        return False
    return parse_elements(data.element_spec).num_classes is not None


def _check_several(validation):
    if validation.class_counts.max() < 2:
        raise ValueError(
            "`validation` must have a second image of some class: of one of "
            "each nobody can tell how much of a gain is chance. "
            f"Received: class counts {validation.class_counts.tolist()}"
        )


def _check_overlap(augmenter, arms, train, validation, allow_overlap):
    found, asked = {}, fingerprints(validation)
    for where, known in (
        ("the training data", fingerprints(train)),
        ("the generator's training data", augmenter.training_fingerprints),
        *(
            (f"the training data of control {name!r}", learnt_by(arm)[0])
            for name, arm in arms.items()
        ),
    ):
        note_overlap(found, "validation", asked, where, known)
    refuse_overlap(found, allow_overlap)
