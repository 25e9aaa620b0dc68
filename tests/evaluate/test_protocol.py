"""evaluate_augmentation on data whose answer is known."""

import functools
import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganaug
from ganaug.data.splits import take_per_class
from ganaug.evaluate.arms import BASELINE, CLASSIC, Arm, default_controls
from ganaug.evaluate.pipeline import ArmPipeline
from ganaug.evaluate.training import ClassifierTrainer
from ganaug.evaluate.transforms import MixUp, Stack

CONTROLS = {BASELINE: Arm()}


def shuffle_labels(dataset):
    """An augmentation that does harm."""
    return dataset.map(
        lambda x, y: (x, tf.random.experimental.stateless_shuffle(y, (1, 2)))
    )


def values(model):
    return [variable.numpy() for variable in model.variables]


@pytest.fixture
def evaluate(evaluate_quickly):
    """A function that evaluates arms over three seeds, to the end."""
    return functools.partial(evaluate_quickly, seeds=3, steps=400)


def test_doing_nothing_gains_exactly_nothing(evaluate):
    """Arms are paired: same weights, same order, same scores."""
    report = evaluate({"nothing": lambda dataset: dataset})
    gain = report.gain("nothing", BASELINE)
    assert (gain.mean, gain.low, gain.high) == (0, 0, 0)
    assert report.verdicts == {"nothing": "no measurable gain"}
    assert report.arm(BASELINE).mean > 0.3
    assert len(set(report.arm(BASELINE).balanced_accuracy)) > 1


def test_ratio_0_gains_exactly_nothing(evaluate_quickly, small_gan):
    """On top of a control that draws: an arm differs by its images alone."""
    every = default_controls(10)
    strong = "classic + logit adjustment + MixUp"
    augmenter = ganaug.GANAugmenter(small_gan, ratio=0.0, seed=0)
    report = evaluate_quickly(
        {"ratio 0": Arm(augmenter, on_top_of=strong)},
        controls={name: every[name] for name in (BASELINE, strong)},
    )
    assert report.arm("ratio 0").log_loss == report.arm(strong).log_loss
    assert report.gain("ratio 0", strong).high == 0


def test_harm_is_called_harm(evaluate):
    """Wrong labels are found out."""
    report = evaluate({"harm": shuffle_labels})
    assert report.verdicts == {"harm": "do not use it"}
    assert "DO NOT USE IT" in str(report)


def test_help_is_called_help(evaluate):
    """Real images that only one arm gets are a gain over the others."""
    more = ganaug.load_data("digits").train

    def add_images(dataset):
        extra = tf.data.Dataset.from_tensor_slices((more.images, more.labels))
        return extra.shuffle(2000, seed=1).batch(64)

    # Six, since with three the spread of the seeds left p at .048.
    report = evaluate({"more data": add_images}, seeds=6)
    assert report.verdicts == {"more data": "use it"}
    assert report.gain("more data", BASELINE).low > 0


def test_an_evaluation_can_be_made_again(evaluate, small_gan):
    """Bit for bit, with some of the default controls and a GAN."""
    arms = {
        "GAN": ganaug.on_top_of_classic(ganaug.GANAugmenter(small_gan, seed=0))
    }
    controls = default_controls(10)
    controls = {
        name: controls[name]
        for name in (BASELINE, CLASSIC, "logit adjustment + CutMix")
    }
    reports = [
        evaluate(arms, controls=controls, seeds=[4, 9], steps=8)
        for _ in range(2)
    ]
    assert reports[0].arms == reports[1].arms


def test_scores_are_those_of_the_test_set(evaluate):
    """A classifier that always says 0 has the recalls 1, 0, 0 ..."""

    def constant(image_shape, num_classes, value_range):
        inputs = keras.Input(image_shape)
        features = keras.layers.Flatten()(inputs) * 0
        bias = keras.initializers.Constant(np.eye(num_classes)[0] * 1e6)
        return keras.Model(
            inputs,
            keras.layers.Dense(num_classes, bias_initializer=bias)(features),
        )

    report = evaluate(
        {"nothing": lambda ds: ds},
        classifier=constant,
        steps=1,
        seeds=1,
    )
    arm = report.arm(BASELINE)
    assert arm.recall[0] == (1.0, *[0.0] * 9)
    assert arm.balanced_accuracy == arm.accuracy == (pytest.approx(0.1),)
    assert arm.macro_f1 == (pytest.approx(2 * 0.1 / 1.1 / 10),)


def test_every_arm_trains_for_the_same_number_of_steps(digits, linear):
    """Also an arm whose dataset is far longer, or shorter, than an epoch."""
    classifier = linear((8, 8, 1), 10, (0, 255))
    trainer = ClassifierTrainer(classifier, steps=7)
    initial = values(linear((8, 8, 1), 10, (0, 255)))
    for transform in (None, lambda ds: ds.repeat(50), lambda ds: ds.take(1)):
        pipeline = ArmPipeline("arm", Arm(transform), digits.train, 32)
        trainer.train(initial, pipeline.batches(0), np.zeros(10))
        assert int(trainer.optimizer.iterations) == 7


def test_logit_adjustment_uses_the_shares_the_classifier_sees(digits):
    """Of the training data in one arm, of balanced batches in another."""
    arms = {
        "natural": Arm(logit_adjustment=1.0),
        "balanced": Arm(logit_adjustment=2.0, class_balanced=True),
        "none": Arm(),
    }
    shifts = {
        name: ArmPipeline(name, arm, digits.train, 64).logit_shift(0)
        for name, arm in arms.items()
    }
    share = digits.train.class_counts / len(digits.train)
    np.testing.assert_allclose(shifts["natural"], np.log(share), atol=0.1)
    np.testing.assert_allclose(shifts["balanced"], 2 * np.log(0.1), atol=0.2)
    assert not shifts["none"].any()


def test_weights_of_examples_count(evaluate):
    """With all weights zero, nothing is learnt."""

    def weigh(dataset):
        return dataset.map(lambda x, y: (x, y, tf.zeros(tf.shape(y))))

    report = evaluate({"zero": weigh}, controls={BASELINE: Arm(weigh)}, seeds=1)
    untrained = evaluate(
        {"zero": weigh},
        controls={BASELINE: Arm(weigh)},
        seeds=1,
        steps=1,
    )
    assert report.arm("zero") == untrained.arm("zero")


BAD_ARMS = {
    "yields single examples": lambda ds: ds.unbatch(),
    "yields images of shape (4, 8, 1)": lambda ds: ds.map(
        lambda x, y: (x[:, :4], y)
    ),
    "yields labels of 3 classes": lambda ds: ds.map(
        lambda x, y: (x, tf.one_hot(y, 3))
    ),
    "neither a pair": lambda ds: ds.map(lambda x, y: x),
}


@pytest.mark.parametrize("message", BAD_ARMS)
def test_arms_with_wrong_elements_are_refused(evaluate, message):
    """Before any training, with the arm's name."""
    calls = []
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        evaluate(
            {"mine": BAD_ARMS[message]},
            progress=lambda *args: calls.append(args),
        )
    assert "'mine'" in str(error.value)
    assert not calls


def test_an_arm_without_elements_is_refused(evaluate):
    """It does not count as trained."""
    with pytest.raises(ValueError, match="'empty' yields no batch"):
        evaluate({"empty": lambda ds: ds.take(0)})


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (lambda x, y: (x, y + 100), r"Labels must be in \[0, 10\)"),
        (lambda x, y: (x, y - 1), r"Labels must be in \[0, 10\)"),
        (lambda x, y: (tf.cast(x, "float32") / 255, y), "from 0 to 1"),
        (lambda x, y: (tf.cast(x, "float32") * 9, y), "from 0 to 2295"),
        (lambda x, y: (tf.math.log(tf.cast(x, "float32")), y), "from -inf"),
    ],
)
def test_arms_that_break_images_or_labels_are_refused(
    evaluate, transform, message
):
    """They would lose, and flatter the others."""
    with pytest.raises(ValueError, match=message) as error:
        evaluate({"mine": lambda ds: ds.map(transform)})
    assert "'mine'" in str(error.value)


def test_an_arm_that_diverges_is_named(evaluate):
    """Its score would be that of chance."""

    def weigh(dataset):
        return dataset.map(lambda x, y: (x, y, tf.cast(y, tf.float32) / 0.0))

    with pytest.raises(ValueError, match=r"'mine', seed 0: .* became NaN"):
        evaluate({"mine": weigh})


def test_other_batch_sizes_are_noted(evaluate):
    """Equal steps are not equal work then."""
    report = evaluate(
        {"large": lambda ds: ds.unbatch().repeat(3).batch(200)},
        seeds=1,
        steps=1,
    )
    assert "large trains on batches of 200 images, not of 64" in str(
        " ".join(str(report).split())
    )


def test_classifiers_that_share_weights_are_refused(evaluate):
    """The last arm would go on from where the others stopped."""
    shared = keras.layers.Dense(8)

    def classifier(image_shape, num_classes, value_range):
        inputs = keras.Input(image_shape)
        features = shared(keras.layers.Flatten()(inputs))
        return keras.Model(inputs, keras.layers.Dense(num_classes)(features))

    with pytest.raises(ValueError, match="share 2 trainable variables"):
        evaluate({"nothing": lambda ds: ds}, classifier=classifier)


class Generator:
    """An arm that knows its classes and value range."""

    training_fingerprints = np.empty(0, np.uint64)

    def __init__(self, class_names=None, value_range=None):
        self.class_names = class_names
        self.value_range = value_range

    def __call__(self, dataset):
        return dataset


@pytest.mark.parametrize(
    ("generator", "message"),
    [
        (Generator(tuple("9876543210")), "classes of the data, in their order"),
        (Generator(tuple("01234567")), "classes of the data, in their order"),
        (Generator(value_range=(0, 1)), r"Received: value_range=\(0, 1\)"),
    ],
)
def test_generators_of_other_data_are_refused(evaluate, generator, message):
    """Its cats would be labeled owls, or its white be black."""
    for arm in (generator, ganaug.on_top_of_classic(generator)):
        with pytest.raises(ValueError, match=message):
            evaluate({"GAN": arm})


def test_arms_that_hide_what_they_learnt_are_noted(evaluate, small_gan):
    """A lambda around an augmenter is not checked for leaks."""
    augmenter = ganaug.GANAugmenter(small_gan, seed=0)
    report = evaluate({"GAN": lambda ds: ds.apply(augmenter)}, seeds=1, steps=1)
    assert "GAN does not say what it was trained on" in report.notes[0]


def test_an_arm_may_name_a_control_that_is_not_there(evaluate):
    """The sentence about it is left out."""
    arm = Arm(lambda ds: ds, without="classic")
    report = evaluate({"x": arm}, seeds=1, steps=1)
    assert report.arm("x").without is None
    assert "Over classic" not in str(report)


def test_names_are_printed_as_they_are(evaluate):
    """Brackets are no markup, and one seed is said to have no interval."""
    names = ["GAN [red]", "GAN [/x]"]
    report = evaluate(dict.fromkeys(names, lambda ds: ds), seeds=1, steps=1)
    for name in names:
        assert name in str(report)
    assert "[no interval]" in str(report)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"arms": {}}, r"arms=\[\]"),
        ({"arms": {BASELINE: Arm()}}, "no name may come twice"),
        ({"controls": {"other": Arm()}}, "must hold 'real only'"),
        ({"seeds": 0}, "seeds=0"),
        ({"seeds": [1, 2, 1]}, r"seeds=\[1, 2, 1\]"),
        ({"seeds": [-1]}, r"seeds=\[-1\]"),
        ({"seeds": [0.5]}, r"seeds=\[0\.5\]"),
        ({"seeds": 2.5}, r"seeds=2\.5"),
        ({"steps": 0}, "steps=0"),
        ({"batch_size": 1.5}, "batch_size=1.5"),
        (
            {
                "classifier": lambda shape, num, _: keras.Sequential(
                    [
                        keras.Input(shape),
                        keras.layers.Flatten(),
                        keras.layers.Dense(num + 1),
                    ]
                )
            },
            r"output_shape=\(None, 11\)",
        ),
    ],
)
def test_bad_arguments_are_refused(evaluate, arguments, message):
    """The error shows what came."""
    arguments = {"arms": {"nothing": lambda ds: ds}, **arguments}
    with pytest.raises(ValueError, match=message):
        evaluate(**arguments)


def test_train_and_test_must_be_of_a_kind(digits, make_images):
    """Shape, classes and value range."""
    for test, message in (
        (make_images([2] * 10, (9, 8, 1)), r"\(9, 8, 1\)"),
        (make_images([2] * 10, class_names=list("abcdefghij")), "classes"),
        (
            ganaug.LabeledImages(digits.test.images / 255, digits.test.labels),
            "value range",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            ganaug.evaluate_augmentation(
                digits.train, test, {"nothing": lambda ds: ds}
            )


def test_a_class_that_is_tested_must_be_trained(digits, evaluate):
    """Its recall would be zero in every arm, whatever they do."""
    others = digits.train.subset(np.flatnonzero(digits.train.labels != 3))
    with pytest.raises(ValueError, match=r"no image of \['3'\]"):
        evaluate({"nothing": lambda ds: ds}, train=others)


def test_testing_on_training_images_is_refused(digits, small_gan, linear):
    """Those of the classifier, and those that the GAN learnt."""
    arms = {"GAN": ganaug.GANAugmenter(small_gan, seed=0)}
    with pytest.raises(
        ValueError, match="145 of 145 test images are also in the training data"
    ):
        ganaug.evaluate_augmentation(digits.train, digits.train, arms)
    # Another classifier's training data, but the GAN's own test data.
    with pytest.raises(ValueError, match="training data of arm 'GAN'"):
        ganaug.evaluate_augmentation(digits.test, digits.train, arms)
    report = ganaug.evaluate_augmentation(
        digits.test,
        digits.train,
        arms,
        controls=CONTROLS,
        classifier=linear,
        seeds=1,
        steps=1,
        allow_overlap=True,
    )
    assert "Overlap was allowed: 145 of 145" in str(report)
    assert "145 images that are not in the training data" in " ".join(
        report.notes
    )


def test_a_part_that_hides_what_it_learnt_hides_nothing_of_another(
    digits, small_gan, linear
):
    """Wherever in a stack they are."""
    augmenter = ganaug.GANAugmenter(small_gan, seed=0)
    stack = Stack((Stack((lambda dataset: dataset, augmenter)), MixUp(10)))
    with pytest.raises(ValueError, match="training data of arm 'GAN'"):
        ganaug.evaluate_augmentation(
            digits.test, digits.train, {"GAN": Arm(stack)}, classifier=linear
        )


def test_a_seed_has_the_same_images_each_time(digits, linear):
    """Or arms would be compared on different ones."""
    rng = np.random.default_rng(0)

    def draw(seed):
        return take_per_class(digits.train, [2] * 10, rng.integers(1000))

    with pytest.raises(ValueError, match=r"the same images whenever.*seed 0"):
        ganaug.evaluate_augmentation(
            draw,
            digits.test,
            {"GAN": lambda dataset: dataset},
            controls=CONTROLS,
            classifier=linear,
            seeds=2,
            steps=1,
        )


def test_progress_names_every_training(evaluate):
    """And says when all is done."""
    calls = []
    evaluate(
        {"nothing": lambda ds: ds},
        seeds=[5],
        steps=1,
        progress=lambda *args: calls.append(args),
    )
    assert calls == [
        (0, 2, BASELINE, 5),
        (1, 2, "nothing", 5),
        (2, 2, None, None),
    ]


def test_a_test_set_may_lack_a_class(digits, linear):
    """Its recall is unknown, and no mean counts it."""
    keep = np.flatnonzero(digits.test.labels != 3)
    report = ganaug.evaluate_augmentation(
        digits.train,
        digits.test.subset(keep),
        {"nothing": lambda ds: ds},
        controls=CONTROLS,
        classifier=linear,
        seeds=2,
        steps=400,
    )
    arm = report.arm(BASELINE)
    assert arm.mean_recall[3] is None
    assert "no image of 3: no score counts" in " ".join(report.notes)
    present = [recall for recall in arm.mean_recall if recall is not None]
    assert arm.mean == pytest.approx(np.mean(present))


def test_report_files(evaluate, tmp_path):
    """JSON that any reader parses, and one page that needs nothing else."""
    report = evaluate({"<b>mine</b>": lambda ds: ds}, seeds=1, steps=1).add(
        notes=["A note."], data="digits"
    )
    report.to_json(tmp_path / "report.json")
    record = json.loads(
        (tmp_path / "report.json").read_text("utf-8"),
        parse_constant=lambda name: pytest.fail(f"not JSON: {name}"),
    )
    assert record["verdicts"] == {"<b>mine</b>": "no measurable gain"}
    assert record["arms"][1]["gain_over_real_only"]["low"] is None
    assert record["about"] == {"data": "digits"}

    picture = tmp_path / "picture.png"
    keras.utils.save_img(picture, np.zeros((2, 2, 1)))
    report.to_html(tmp_path / "report.html", {"A picture": picture})
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "<b>mine" not in page
    assert "A note." in page
    assert "data:image/png;base64," in page
    for attribute in re.findall(r'(?:src|href)="(.*?)"', page):
        assert attribute.startswith("data:")
    assert not re.search(r"https?://|<script|@import", page)
