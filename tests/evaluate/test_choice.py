"""What is chosen on validation data, and what is learnt for each seed."""

import numpy as np
import pytest
import tensorflow as tf

import ganaug
from ganaug.data.splits import fingerprints, take_per_class
from ganaug.evaluate.arms import BASELINE, BEST_CONTROL, Arm
from ganaug.evaluate.training import ClassifierTrainer
from ganaug.evaluate.transforms import CutMix, MixUp


def spoil(dataset):
    """A control that does harm."""
    return dataset.map(
        lambda x, y: (x, tf.random.experimental.stateless_shuffle(y, (1, 2)))
    )


def flip(dataset):
    return dataset.map(lambda x, y: (x[:, :, ::-1], y))


CONTROLS = {
    "spoilt": Arm(spoil),
    BASELINE: Arm(),
    "spoilt too": Arm(spoil, class_balanced=True),
}


@pytest.fixture
def trainings(monkeypatch):
    """A list that grows with each training."""
    train, done = ClassifierTrainer.train, []

    def counted(self, *args):
        done.append(1)
        return train(self, *args)

    monkeypatch.setattr(ClassifierTrainer, "train", counted)
    return done


def test_arms_come_on_top_of_the_best_control(evaluate_quickly, trainings):
    """It is chosen by trainings of its own, on parts of the real images."""
    report = evaluate_quickly(
        {"flip": ganaug.on_top_of_best(flip)}, controls=CONTROLS, steps=400
    )
    assert report.chosen_control == BASELINE
    arm = report.arm("flip")
    assert (arm.without, arm.on_top_of) == (BASELINE, BASELINE)
    # Each control to choose and to be tested, and the arm, with two seeds.
    assert len(trainings) == 2 * (3 + 3 + 1)
    assert report.arm("spoilt").mean_validation < 0.25
    assert report.arm(BASELINE).mean_validation > 0.3
    assert arm.validation is None
    assert "chosen on validation data" in str(report).replace("\n", " ")
    assert "20% of each class's" in report.settings["validation"]


def test_what_is_tested_trains_on_all_real_images(evaluate_quickly):
    """The choice costs the arms nothing."""
    arms = {"flip": Arm(flip)}
    plain = evaluate_quickly(arms, steps=20)
    chosen = evaluate_quickly(
        {**arms, "best": ganaug.on_top_of_best(flip)}, steps=20
    )
    assert plain.arm(BASELINE).recall == chosen.arm(BASELINE).recall
    assert plain.arm("flip").recall == chosen.arm("flip").recall
    # With one control, to be on top of the best is to be on top of it.
    assert chosen.arm("best").recall == chosen.arm("flip").recall


def test_validation_images_of_ones_own(evaluate_quickly, digits, trainings):
    """Then nothing more is trained to choose, and no test image has a say."""
    validation = digits.test.subset(range(0, len(digits.test), 2))
    test = digits.test.subset(range(1, len(digits.test), 2))
    report = evaluate_quickly(
        {"flip": ganaug.on_top_of_best(flip)},
        controls=CONTROLS,
        steps=400,
        test=test,
        validation=validation,
    )
    assert report.chosen_control == BASELINE
    assert len(trainings) == 2 * (3 + 1)
    assert report.arm("flip").mean_validation is not None
    # Labels of the test set that say the opposite change no choice.
    wrong = ganaug.LabeledImages(
        test.images, (test.labels + 1) % 10, test.class_names
    )
    report = evaluate_quickly(
        {"flip": ganaug.on_top_of_best(flip)},
        controls=CONTROLS,
        steps=400,
        test=wrong,
        validation=validation,
    )
    assert report.chosen_control == BASELINE


def test_arms_come_on_top_of_a_named_control(evaluate_quickly):
    """With all that it does."""
    report = evaluate_quickly(
        {"flip": Arm(flip, on_top_of="weights")},
        controls={BASELINE: Arm(), "weights": Arm(class_weights=True)},
        references={"same": Arm(flip, class_weights=True)},
        steps=20,
    )
    assert report.arm("flip").recall == report.arm("same").recall
    assert report.arm("flip").without == "weights"
    assert report.chosen_control is None


def test_references_are_not_judged(evaluate_quickly):
    """They are neither candidates nor controls."""
    report = evaluate_quickly(
        {"flip": flip},
        controls={BASELINE: Arm(spoil)},
        references={"real": Arm()},
        steps=400,
        seeds=3,
    )
    assert report.arm("real").mean > report.arm(BASELINE).mean + 0.1
    assert report.best_control.name == BASELINE
    assert list(report.verdicts) == ["flip"]
    assert "real" not in report.corrected_p_values[BASELINE]
    assert "real" in str(report)


class Learner:
    """Notes what it is called with, and learns nothing."""

    def __init__(self):
        self.calls = []
        self.description = {"learner": 1}

    def __call__(self, train, validation, seed):
        self.calls.append((train, validation, seed))
        return flip


def sample(digits, seed):
    """Another training set for each seed, and the rest for choices."""
    train = take_per_class(digits.train, [3] * 10, seed)
    known = np.isin(fingerprints(digits.train), fingerprints(train))
    return train, digits.train.subset(np.flatnonzero(~known))


def test_generators_are_learnt_for_each_seed(evaluate_quickly, digits):
    """Once, for all arms that use them, on what these train on."""
    learner = Learner()
    report = evaluate_quickly(
        {
            "on best": ganaug.on_top_of_best(learn=learner),
            "plain": Arm(learn=learner),
        },
        references={"alone": Arm(learn=learner, fraction=0.5)},
        train=lambda seed: sample(digits, seed),
        seeds=[4, 7],
    )
    assert sorted({seed for _, _, seed in learner.calls}) == [4, 7]
    for train, validation, seed in learner.calls:
        expected = sample(digits, seed)
        assert len(train) in (30, 20)
        np.testing.assert_array_equal(validation.images, expected[1].images)
    full = next(train for train, *_ in learner.calls if len(train) == 30)
    np.testing.assert_array_equal(full.images, sample(digits, 4)[0].images)
    assert "each has training images and a generator of its own" in str(
        " ".join(report.notes)
    )


def test_other_images_for_a_kept_seed_are_refused(
    evaluate_quickly, digits, tmp_path
):
    """Scores of both would be mixed."""
    shift = []

    def train(seed):
        return sample(digits, seed + len(shift))[0]

    evaluate_quickly({"flip": flip}, train=train, run_dir=tmp_path / "run")
    shift.append(1)
    with pytest.raises(ValueError, match="seed 0 had other training images"):
        evaluate_quickly({"flip": flip}, train=train, run_dir=tmp_path / "run")


def test_what_learns_test_images_is_refused(evaluate_quickly, digits):
    """When it has learnt them."""

    class Leak:
        training_fingerprints = fingerprints(digits.test)

        def __call__(self, dataset):
            return dataset

    with pytest.raises(ValueError, match="test images are also in what arm"):
        evaluate_quickly({"leak": Arm(learn=lambda *_: Leak())})


def test_what_is_noticed_later_is_in_every_report(
    evaluate_quickly, digits, tmp_path
):
    """In that of a process that trained nothing, too."""

    class Learnt:
        training_fingerprints = fingerprints(digits.test)

        def __call__(self, dataset):
            return dataset.unbatch().batch(100)

    arms = {
        "known": Arm(learn=lambda *_: Learnt()),
        "hidden": Arm(learn=lambda *_: flip),
        "late": ganaug.on_top_of_best(Learnt()),
    }
    reports = [
        evaluate_quickly(arms, allow_overlap=True, run_dir=tmp_path / "run")
        for _ in range(2)
    ]
    assert reports[0] == reports[1]
    notes = " ".join(reports[0].notes)
    assert "test images are also in what arm 'known' learnt" in notes
    assert "hidden does not say what it was trained on" in notes
    assert "late trains on batches of 100 images, not of 64" in notes


def test_controls_learn_nothing(evaluate_quickly, digits):
    """Neither for a seed, nor of the images by which they are chosen."""
    with pytest.raises(ValueError, match="'gen' must not learn for each seed"):
        evaluate_quickly(
            {"flip": flip},
            controls={BASELINE: Arm(), "gen": Arm(learn=lambda *_: flip)},
        )

    class Knows:
        training_fingerprints = fingerprints(digits.train)

        def __call__(self, dataset):
            return dataset

    controls = {BASELINE: Arm(), "knows": Arm(Knows())}
    with pytest.raises(ValueError, match="training data of control 'knows'"):
        evaluate_quickly(
            {"flip": ganaug.on_top_of_best(flip)}, controls=controls
        )
    # Where nothing is chosen, it may know them.
    evaluate_quickly({"flip": flip}, controls=controls, seeds=1)


def test_weights_pass_through_mixing_controls(evaluate_quickly):
    """Weights of synthetic examples on top of MixUp and CutMix."""

    def weigh(dataset):
        return dataset.map(lambda x, y: (x, y, tf.cast(y < 5, tf.float32)))

    arms = {name: Arm(weigh, on_top_of=name) for name in ("MixUp", "CutMix")}
    evaluate_quickly(
        {f"weighed {name}": arm for name, arm in arms.items()},
        controls={
            BASELINE: Arm(),
            "MixUp": Arm(MixUp(10)),
            "CutMix": Arm(CutMix(10)),
        },
        seeds=1,
    )
    images = tf.random.stateless_uniform((6, 4, 4, 1), (0, 1))
    dataset = tf.data.Dataset.from_tensors((images, tf.range(6)))
    for mix in (MixUp(10), CutMix(10)):
        plain = next(iter(dataset.apply(mix)))
        _, labels, weights = next(iter(dataset.apply(weigh).apply(mix)))
        # What is left of class 5, which has no weight, is none.
        np.testing.assert_allclose(weights, 1 - plain[1][:, 5], atol=1e-6)
        np.testing.assert_allclose(
            labels * weights[:, None],
            plain[1] * (np.arange(10) != 5),
            atol=1e-6,
        )


def test_what_is_learnt_must_be_a_transformation(evaluate_quickly):
    """The arm is named."""
    with pytest.raises(TypeError, match="must be an Arm or a callable"):
        evaluate_quickly({"none": Arm(learn=lambda *_: None)})


def test_the_same_arm_is_trained_once(evaluate_quickly, trainings):
    """Of two that turn out to be the same on top of the best control."""
    report = evaluate_quickly(
        {
            "best": Arm(flip, on_top_of=BEST_CONTROL),
            "named": Arm(flip, on_top_of=BASELINE),
        }
    )
    assert report.arm("best").recall == report.arm("named").recall
    # A control, to choose and to be tested, and one of the arms.
    assert len(trainings) == 2 * 3


def test_curves_are_of_controls_alone(evaluate_quickly):
    """Other shares are no points, and what is no control has no curve."""
    report = evaluate_quickly(
        {
            "flip": ganaug.on_top_of_best(flip),
            "plain": Arm(flip, on_top_of=BASELINE),
            "other": Arm(flip, without="nothing"),
        },
        references={"few": Arm(flip, on_top_of=BASELINE, fraction=0.25)},
        learning_curve=(0.5, 0.125),
        steps=20,
    )
    curves = [arm.name for arm in report.arms if arm.role == "curve"]
    assert "real only, 12.5% of the images" in curves
    assert len(curves) == 4
    # Both bases are the same control, and each point counts once.
    assert len(report.worth("flip").num_images) == 3
    assert report.worth("flip") == report.worth("plain")
    assert report.worth("other") is None


def test_shares_of_the_real_images_make_a_learning_curve(evaluate_quickly):
    """Of what each candidate is compared with."""
    report = evaluate_quickly(
        {"flip": ganaug.on_top_of_best(flip)},
        learning_curve=(0.5, 0.25),
        steps=100,
    )
    names = [arm.name for arm in report.references]
    assert names == [
        "best control, 25% of the images",
        "best control, 50% of the images",
    ]
    worth = report.worth("flip")
    counts = np.array(report.settings["train_images_per_class"])
    assert worth.num_images[-1] == counts.sum()
    # At least one image of each class.
    assert worth.num_images[0] == np.maximum(1, np.round(counts / 4)).sum()
    assert worth.scores[-1] == report.arm(BASELINE).balanced_accuracy
    assert worth.candidate_scores == report.arm("flip").balanced_accuracy
    assert "flip" in report.to_dict()["worth"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"validation": 0.0}, "validation=0.0"),
        ({"validation": 1.5}, "validation=1.5"),
        ({"learning_curve": (0.5, 0.5)}, "learning_curve="),
        ({"learning_curve": (1.0,)}, "learning_curve="),
        ({"arms": {"x": Arm(on_top_of="nothing")}}, "on_top_of='nothing'"),
        (
            {"controls": {BASELINE: Arm(), "x": Arm(on_top_of=BASELINE)}},
            "and not be one",
        ),
        ({"references": {"flip": Arm()}}, "no name may come twice"),
    ],
)
def test_bad_arguments_are_refused(evaluate_quickly, arguments, message):
    """The error shows what came."""
    arguments = {"arms": {"flip": flip}, **arguments}
    with pytest.raises(ValueError, match=message):
        evaluate_quickly(arguments.pop("arms"), **arguments)


def test_bad_arms_are_refused():
    """When they are made."""
    with pytest.raises(ValueError, match=r"fraction=0"):
        Arm(fraction=0)
    with pytest.raises(ValueError, match="Leave out class_weights, focal_g"):
        Arm(on_top_of=BEST_CONTROL, class_weights=True, focal_gamma=1.0)


def test_validation_images_of_the_training_set_are_refused(
    evaluate_quickly, digits
):
    """A choice by them would be one by what was learnt."""
    with pytest.raises(ValueError, match="validation images are also in the"):
        evaluate_quickly(
            {"flip": ganaug.on_top_of_best(flip)}, validation=digits.train
        )
    with pytest.raises(ValueError, match="also in the validation data"):
        evaluate_quickly(
            {"flip": ganaug.on_top_of_best(flip)}, validation=digits.test
        )


def test_validation_images_are_there_for_all_seeds(evaluate_quickly, digits):
    """Or for none."""

    def train(seed):
        images, validation = sample(digits, seed)
        return (images, validation) if seed == 0 else images

    with pytest.raises(ValueError, match="for every seed or for none"):
        evaluate_quickly({"flip": flip}, train=train)


def test_nothing_can_be_held_out_of_single_images(make_images, linear):
    """And the error says what to do."""
    with pytest.raises(ValueError, match="No class has a second image"):
        ganaug.evaluate_augmentation(
            make_images([1, 1, 1]),
            make_images([5, 5, 5], seed=1),
            {"flip": ganaug.on_top_of_best(flip)},
            controls={BASELINE: Arm()},
            classifier=linear,
            seeds=1,
            steps=2,
        )


def test_rare_classes_may_have_one_image(make_images, linear):
    """It stays in training, and no validation image is of this class."""
    report = ganaug.evaluate_augmentation(
        make_images([20, 10, 1]),
        make_images([5, 5, 5], seed=1),
        {"flip": ganaug.on_top_of_best(flip)},
        controls={BASELINE: Arm()},
        classifier=linear,
        seeds=1,
        steps=2,
    )
    assert report.chosen_control == BASELINE


def test_reports_say_what_was_tuned(evaluate_quickly):
    """Of each seed, whatever `learn` calls its tuning."""

    class Tuning:
        def __init__(self, seed):
            self.seed = seed

        def sentence(self):
            return f"Chosen: ratio 0.{self.seed}."

    class Tuned:
        def __init__(self, seed):
            self.tuning = Tuning(seed)

        def __call__(self, dataset):
            return dataset

    report = evaluate_quickly(
        {"tuned": Arm(learn=lambda train, validation, seed: Tuned(seed))}
    )
    assert [note for note in report.notes if "Chosen" in note] == [
        "Arm 'tuned', seed 0: Chosen: ratio 0.0.",
        "Arm 'tuned', seed 1: Chosen: ratio 0.1.",
    ]
