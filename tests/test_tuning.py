"""GANAugmenter.tune: what helps is chosen, and ratio 0 where nothing does."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console
from sklearn.neighbors import KNeighborsClassifier

import ganaug
from ganaug.data.splits import take_per_class
from ganaug.evaluate.arms import (
    BASELINE,
    BEST_CONTROL,
    CLASSIC,
    Arm,
    default_controls,
)
from ganaug.tuning.candidates import count_trainings, draw_candidates
from ganaug.tuning.controls import count_control_trainings, resolve_controls


@pytest.fixture(scope="module")
def knowing():
    """A VAE that learnt far more digits than there are to train on."""
    pool = ganaug.load_data("digits")
    vae = ganaug.ConditionalVAE((8, 8, 1), 10, seed=0)
    vae.compile()
    vae.fit(pool.train, steps_per_epoch=700, verbose=0)
    few = take_per_class(pool.train, [3] * 10, seed=0)
    return vae, few, pool.test


def plain(transform):
    return Arm(transform, class_balanced=True)


def tune(augmenter, train, validation, linear, **kwargs):
    kwargs = {
        "num_trainings": 20,
        "on_top_of": plain,
        "classifier": linear,
        "steps": 150,
        **kwargs,
    }
    return augmenter.tune(train, validation, **kwargs)


def test_what_helps_is_chosen(knowing, linear):
    """Thirty real digits are few, and this generator has seen a thousand."""
    vae, train, validation = knowing
    calls = []
    tuned = tune(
        ganaug.GANAugmenter(vae, ratio=0.1, seed=5),
        train,
        validation,
        linear,
        steps=800,
        progress=lambda *args: calls.append(args),
    )
    assert tuned.tuning.helps
    assert tuned.ratio == tuned.tuning.settings["ratio"] > 0
    assert tuned.sampling_strategy == tuned.tuning.settings["sampling_strategy"]
    assert tuned.generators.truncation == tuned.tuning.settings["truncation"]
    assert tuned.tuning.gain > tuned.tuning.standard_error > 0
    assert tuned.seed == 5
    assert tuned.tuning.sentence().startswith("Chosen: ratio=")
    assert calls[-1] == (tuned.tuning.num_trainings,) * 2 + (None,)
    assert tuned.tuning.num_trainings <= 20
    assert len(calls) == tuned.tuning.num_trainings + 1


def test_where_nothing_helps_the_ratio_is_0(small_gan, digits, linear):
    """This GAN has seen a few steps and draws noise."""
    augmenter = ganaug.GANAugmenter(small_gan, seed=0)
    tuned = tune(augmenter, digits.train, digits.test, linear, steps=200)
    assert tuned.ratio == 0
    assert not tuned.tuning.helps
    assert tuned.tuning.candidate["ratio"] > 0
    assert "Chosen: ratio 0." in tuned.tuning.sentence()
    # It can be applied as it is.
    images, labels = digits.train.images[:40], digits.train.labels[:40]
    np.testing.assert_array_equal(
        tuned.augment_arrays(images, labels)[0], images
    )


def test_the_same_choice_again(knowing, linear):
    """And all that was tried can be read."""
    vae, train, validation = knowing
    augmenter = ganaug.GANAugmenter(vae, seed=5)
    search = {"ratio": (0.25, 0.75), "label_smoothing": (0.0, 0.2)}
    found = [
        tune(augmenter, train, validation, linear, search=search, steps=20)
        for _ in range(2)
    ]
    records = [one.tuning.to_dict() for one in found]
    assert records[0] == records[1]
    assert json.loads(json.dumps(records[0])) == records[0]
    assert [len(one) for one in records[0]["rounds"]] == [4, 2]
    console = Console(record=True, width=120)
    found[0].tuning.print(console)
    assert "label_smoothing=0.2" in console.export_text()
    # What was not searched is as it was.
    assert found[0].sampling_strategy == augmenter.sampling_strategy


def mislabeled(dataset):
    return dataset.map(lambda images, labels: (images, (labels + 1) % 10))


def test_the_best_control_is_found_first(knowing, linear):
    """On validation images, and settings then come on top of it."""
    vae, train, validation = knowing
    calls = []
    controls = {
        "wrong": mislabeled,
        "plain": Arm(class_balanced=True),
        "wrong, balanced": Arm(mislabeled, class_balanced=True),
    }
    found = tune(
        ganaug.GANAugmenter(vae, seed=5),
        train,
        validation,
        linear,
        search={"ratio": (0.5,)},
        steps=400,
        on_top_of=BEST_CONTROL,
        controls=controls,
        progress=lambda *args: calls.append(args),
    ).tuning
    assert found.on_top_of == "plain"
    assert ", on top of 'plain'" in found.sentence()
    assert [len(one) for one in found.control_rounds] == [3, 2]
    assert [one[0][0] for one in found.control_rounds] == ["plain"] * 2
    scores = dict(found.control_rounds[0])
    assert scores["plain"] > 0.3 > 0.11 > scores["wrong"]
    assert [call[2] for call in calls[:3]] == [
        {"control": name} for name in controls
    ]
    # All that was trained is told, of what there was to train.
    assert calls[-1] == (found.num_trainings,) * 2 + (None,)
    assert {call[1] for call in calls} == {found.num_trainings}
    record = found.to_dict()
    assert json.loads(json.dumps(record)) == record
    console = Console(record=True, width=120)
    found.print(console)
    assert "wrong, balanced" in console.export_text()


def test_a_control_that_is_named_is_taken(knowing, linear):
    """The choice is the one on top of the function that does the same."""
    vae, train, validation = knowing
    found = [
        tune(
            ganaug.GANAugmenter(vae, seed=5),
            train,
            validation,
            linear,
            search={"ratio": (0.25, 0.75)},
            steps=30,
            on_top_of=under,
        ).tuning
        for under in ("class-balanced", plain)
    ]
    assert [one.on_top_of for one in found] == ["class-balanced", None]
    assert found[0].control_rounds == found[1].control_rounds == ()
    assert found[0].rounds == found[1].rounds
    assert found[0].gain == found[1].gain


def test_where_nothing_is_said_it_is_the_best_default_control(
    small_gan, digits, linear
):
    """And all trainings are counted."""
    found = (
        ganaug.GANAugmenter(small_gan, seed=0)
        .tune(
            take_per_class(digits.train, [3] * 10, seed=0),
            digits.test,
            search={"ratio": (0.5,)},
            num_trainings=16,
            classifier=linear,
            steps=1,
        )
        .tuning
    )
    assert [len(one) for one in found.control_rounds] == [7, 4, 2]
    tried = {name for name, _ in found.control_rounds[0]}
    assert tried == set(default_controls(10, imbalanced=False))
    assert found.on_top_of == found.control_rounds[-1][0][0]
    assert found.num_trainings == 13 + count_trainings(1, 1)


def test_imbalanced_data_have_more_controls(digits):
    """Those with logit adjustment, as in an evaluation."""
    controls = resolve_controls(BEST_CONTROL, None, digits.train)
    assert list(controls) == list(default_controls(10))
    assert len(controls) == 13
    assert count_control_trainings(13) == 13 + 7 + 4 + 2


def test_filters_draw_into_a_bank(knowing, linear):
    """Of images that pass."""
    vae, train, validation = knowing
    selection = ganaug.Selection([ganaug.CopyFilter(train)])
    tuned = tune(
        ganaug.GANAugmenter(vae, seed=0, bank_size=100, source="bank"),
        train,
        validation,
        linear,
        search={"ratio": (0.5,), "selection": (selection,)},
        steps=60,
    )
    assert tuned.tuning.candidate == {"ratio": 0.5, "selection": selection}
    assert "selection=copies" in tuned.tuning.sentence()
    assert tuned.bank is not None


def test_a_generator_that_nothing_passes_of_is_ratio_0(
    small_gan, digits, linear
):
    """A filter that keeps no image of some class is no reason to stop."""
    selection = ganaug.Selection(
        [ganaug.CopyFilter(digits.train, quantile=1.0)], max_draws=1
    )
    selection.filters[0].max_distance = 1e9
    tuned = tune(
        ganaug.GANAugmenter(small_gan, seed=0),
        digits.train,
        digits.test,
        linear,
        search={"ratio": (0.5,), "selection": (selection,)},
        steps=5,
    )
    assert tuned.ratio == 0
    assert "without any image that passes" in tuned.tuning.sentence()
    assert tuned.tuning.to_dict()["gain"] is None


def test_what_is_wrong_beside_a_filter_is_an_error(small_gan, digits, linear):
    """And not taken for a filter that nothing passes."""
    augmenter = ganaug.GANAugmenter(small_gan, seed=0)
    small = digits.train.images[:, :4]
    for search, message in (
        ({"sampling_strategy": ("bogus",)}, "bogus"),
        ({"selection": (ganaug.Selection([ganaug.CopyFilter(small)]),)}, "4"),
    ):
        search = {"ratio": (0.5,), "selection": ("teacher",), **search}
        with pytest.raises(ValueError, match=message):
            tune(
                augmenter,
                digits.train,
                digits.test,
                linear,
                search=search,
                steps=2,
            )


def test_smoothed_labels_are_searched_for_one_hot_labels(
    small_gan, digits, linear
):
    """Others could not be smoothed where the augmenter is used."""
    augmenter = ganaug.GANAugmenter(small_gan, seed=0)
    one_hot = tf.data.Dataset.from_tensor_slices(
        (digits.train.images, np.eye(10, dtype="float32")[digits.train.labels])
    ).batch(32)
    for train, smooths in ((one_hot, True), (digits.train, False)):
        tuned = tune(augmenter, train, digits.test, linear, steps=2)
        assert ("label_smoothing" in tuned.tuning.candidate) == smooths
    # What was chosen can be used as an arm, with labels as they are there.
    smooth = augmenter.replace(label_smoothing=0.2)
    assert smooth.needs_one_hot_labels
    ganaug.evaluate_augmentation(
        digits.train,
        digits.test,
        {"smooth": ganaug.on_top_of_classic(smooth)},
        {name: default_controls(10)[name] for name in (BASELINE, CLASSIC)},
        classifier=linear,
        seeds=1,
        steps=1,
    )


@pytest.mark.filterwarnings("ignore:Too few synthetic images pass")
def test_a_teacher_keeps_what_it_recognizes(knowing, linear):
    """It is the first classifier of real images alone."""
    vae, train, validation = knowing
    tuned = tune(
        ganaug.GANAugmenter(vae, seed=0),
        train,
        validation,
        linear,
        search={"ratio": (0.5,), "selection": ("teacher",)},
        steps=800,
    )
    assert tuned.tuning.helps
    assert "selection=teacher" in tuned.tuning.sentence()
    record = tuned.bank.record["selection"]["filters"]["teacher"]
    assert record["min_confidence"] == 0.5


def test_trainings_stay_within_the_budget():
    """For any number of combinations."""
    values = list(itertools.product((2, 9, 40), (16, 17, 25, 60, 200)))
    for number, budget in values:
        candidates, rounds = draw_candidates(
            {"ratio": np.linspace(0.1, 0.9, number)}, budget, seed=0
        )
        assert count_trainings(len(candidates), rounds) <= budget
        # Halving that many rounds leaves one.
        assert len(candidates) <= 2**rounds
        assert len({one["ratio"] for one in candidates}) == len(candidates)


def test_validation_images_must_be_unseen(small_gan, digits, linear):
    """By the generator, and by classifiers."""
    augmenter = ganaug.GANAugmenter(small_gan, seed=0)
    with pytest.raises(ValueError, match="also in the training data"):
        tune(augmenter, digits.train, digits.train, linear)
    with pytest.raises(ValueError, match="in the generator's training data"):
        tune(augmenter, digits.test, digits.train, linear)


def darkened(dataset):
    return dataset.map(
        lambda images, labels: (tf.cast(images, "float32") - 1e4, labels)
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"search": {"ratio": ()}}, r"without values \['ratio'\]"),
        ({"search": {"truncation": (1.0,)}}, "`ratio` among them"),
        (
            {"search": {"ratio": (0.5,), "mode": ("append",)}},
            r"unknown names \['mode'\]",
        ),
        ({"search": {"ratio": (0.0,)}}, "ratio=0.0"),
        ({"search": {"ratio": 0.5}}, r"without values \['ratio'\]"),
        (
            {"search": {"ratio": (0.5,), "sampling_strategy": "uniform"}},
            r"without values \['sampling_strategy'\]",
        ),
        (
            {
                "search": {"ratio": (0.5,), "selection": ("teacher",)},
                "classifier": KNeighborsClassifier(),
            },
            "can have a teacher where `classifier` builds a Keras",
        ),
        (
            {"search": {"ratio": (0.5,), "selection": ("best",)}},
            "selection='best'",
        ),
        ({"num_trainings": 15}, "num_trainings=15"),
        (
            {"on_top_of": ganaug.on_top_of_best},
            "give its name as `on_top_of`.*on_top_of='best control'",
        ),
        (
            {"on_top_of": lambda transform: Arm(transform, fraction=0.5)},
            "fraction=0.5",
        ),
        ({"on_top_of": "Mixup"}, "on_top_of='Mixup', controls=.*'MixUp'"),
        ({"on_top_of": BEST_CONTROL, "controls": {}}, r"controls=\[\]"),
        (
            {"on_top_of": BEST_CONTROL, "controls": {BEST_CONTROL: Arm()}},
            "names that are strings, and not 'best control'",
        ),
        ({"on_top_of": None, "controls": {None: Arm()}}, r"controls=\[None\]"),
        ({"on_top_of": None}, "on_top_of=None"),
        (
            {"on_top_of": "dark", "controls": {"dark": darkened}},
            "Arm 'dark' must keep to the value range",
        ),
        (
            {
                "on_top_of": "focal",
                "controls": {"focal": Arm(focal_gamma=2.0)},
                "classifier": KNeighborsClassifier(),
            },
            "Arm 'focal': a scikit-learn estimator has its own loss",
        ),
        ({"controls": {BASELINE: Arm()}}, "where it is a function"),
        (
            {
                "on_top_of": BEST_CONTROL,
                "controls": {"half": Arm(fraction=0.5)},
            },
            "Control 'half' must say all that it does, with all images",
        ),
    ],
)
def test_bad_arguments_are_refused(
    small_gan, digits, linear, arguments, message
):
    """Before anything is trained."""
    augmenter = ganaug.GANAugmenter(small_gan, seed=0)
    with pytest.raises(ValueError, match=message):
        tune(augmenter, digits.train, digits.test, linear, **arguments)


def test_one_validation_image_of_each_class_is_not_enough(
    small_gan, digits, linear
):
    """Nor are images of another kind."""
    augmenter = ganaug.GANAugmenter(small_gan, seed=0)
    singles = take_per_class(digits.test, [1] * 10, seed=0)
    with pytest.raises(ValueError, match="a second image of some class"):
        tune(augmenter, digits.train, singles, linear)
    renamed = dataclasses.replace(
        digits.test, class_names=digits.test.class_names[::-1]
    )
    with pytest.raises(ValueError, match="`validation` must have the class na"):
        tune(augmenter, digits.train, renamed, linear)


def test_there_must_be_something_to_tune(small_gan, digits, linear):
    """A data set that grows has no ratio, and a finished bank no knobs."""
    for augmenter in (
        ganaug.GANAugmenter(small_gan, mode="extend", seed=0),
        ganaug.GANAugmenter(
            source=ganaug.GANAugmenter(
                small_gan, source="bank", bank_size=20, seed=0
            ).bank,
            seed=0,
        ),
    ):
        with pytest.raises(ValueError, match="generators to draw with and a"):
            tune(augmenter, digits.train, digits.test, linear)
    with pytest.raises(TypeError, match="must be a GANAugmenter"):
        ganaug.tuning.tune(lambda ds: ds, digits.train, digits.test)


@pytest.mark.parametrize(
    ("controls", "message"),
    [
        ([Arm()], "`controls` must be a dict from names"),
        ({"dark": 3}, "Control 'dark' must be an Arm or a callable"),
    ],
)
def test_controls_are_named_arms(small_gan, digits, linear, controls, message):
    """A list of arms has no names."""
    augmenter = ganaug.GANAugmenter(small_gan, seed=0)
    with pytest.raises(TypeError, match=message):
        tune(
            augmenter,
            digits.train,
            digits.test,
            linear,
            on_top_of=BEST_CONTROL,
            controls=controls,
        )


def test_a_control_may_not_know_validation_images(small_gan, digits, linear):
    """As the augmenter may not."""
    stranger = ganaug.load_data("digits").train
    known = take_per_class(digits.test, [5] * 10, seed=0)
    vae = ganaug.ConditionalVAE((8, 8, 1), 10, seed=0)
    vae.compile()
    vae.fit(known, steps_per_epoch=1, verbose=0)
    controls = {"VAE": Arm(ganaug.GANAugmenter(vae, seed=0))}
    with pytest.raises(ValueError, match="the training data of control 'VAE'"):
        tune(
            ganaug.GANAugmenter(small_gan, seed=0),
            stranger,
            digits.test,
            linear,
            on_top_of=BEST_CONTROL,
            controls=controls,
        )


def test_what_is_wrong_is_said_before_any_training(small_gan, digits, linear):
    """And not after those that find the control."""

    def refuse(done, total, settings):
        raise AssertionError(settings)

    for search, message in (
        ({"ratio": (0.5,), "sampling_strategy": ("bogus",)}, "bogus"),
        ({"ratio": (0.5,), "truncation": (-1.0,)}, "truncation"),
    ):
        with pytest.raises(ValueError, match=message):
            tune(
                ganaug.GANAugmenter(small_gan, seed=0),
                digits.train,
                digits.test,
                linear,
                search=search,
                on_top_of=BEST_CONTROL,
                progress=refuse,
            )
    large = ganaug.ConditionalVAE((12, 12, 1), 10, seed=0)
    large.compile()
    images = np.zeros((20, 12, 12, 1), "uint8")
    images[:, 3:9] = 200
    large.fit((images, np.arange(20) % 10), steps_per_epoch=1, verbose=0)
    with pytest.raises(ValueError, match="12, 12, 1"):
        tune(
            ganaug.GANAugmenter(large, seed=0),
            digits.train,
            digits.test,
            linear,
            search={"ratio": (0.5,)},
            on_top_of=BEST_CONTROL,
            progress=refuse,
        )
