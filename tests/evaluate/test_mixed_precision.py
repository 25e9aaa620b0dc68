"""Evaluations where Keras's networks compute in half precision."""

import json

import keras
import numpy as np
import pytest

from ganaug.evaluate.arms import Arm, all_controls
from ganaug.evaluate.classifiers import (
    build_classifier,
    build_residual_classifier,
)
from ganaug.evaluate.learners import KerasLearner
from ganaug.evaluate.pipeline import ArmPipeline
from ganaug.seeded_generator import SeededGenerator

POLICIES = ("float32", "mixed_bfloat16")


@pytest.fixture(autouse=True)
def single_precision_afterwards():
    """Puts Keras's policy back."""
    yield
    keras.config.set_dtype_policy("float32")


def under_each_policy(make):
    """Calls it under both policies."""
    made = []
    for policy in POLICIES:
        keras.config.set_dtype_policy(policy)
        made.append(make())
    return made


@pytest.mark.parametrize(
    "name",
    ["classic + MixUp", "CutMix", "classic with rotations", "RandAugment"],
)
def test_controls_augment_as_exactly(name, make_images):
    images = make_images()

    def first_batch():
        arm = all_controls(3, (0, 255), True)[name]
        return next(iter(ArmPipeline(name, arm, images, 8).batches(0)))

    single, half = under_each_policy(first_batch)
    for expected, given in zip(single, half, strict=True):
        assert given.dtype == expected.dtype
        np.testing.assert_array_equal(given, expected)


@pytest.mark.parametrize("build", [build_classifier, build_residual_classifier])
def test_logits_are_of_single_precision(build):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = build((8, 8, 1), 10, (0, 255))
    assert model.compute_dtype != "float32"
    assert model.output.dtype == "float32"


def test_evaluations_of_two_policies_are_not_mixed(evaluate_quickly, tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    evaluate_quickly({"again": Arm()}, run_dir=tmp_path)
    keras.config.set_dtype_policy("float32")
    with pytest.raises(ValueError, match=r"another configuration.*polic"):
        evaluate_quickly({"again": Arm()}, run_dir=tmp_path)


def test_descriptions_name_the_policy(make_images):
    learners = under_each_policy(
        lambda: KerasLearner(build_classifier, make_images(), 1, 0).description
    )
    assert [learner["classifier_dtype_policies"] for learner in learners] == [
        ["float32"],
        ["float32", "mixed_bfloat16"],
    ]
    single, half = under_each_policy(lambda: SeededGenerator("vae").description)
    assert single != half
    assert json.loads(json.dumps(half)) == half


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_classifiers_learn_in_half_precision(policy, digits):
    def build(image_shape, num_classes, value_range):
        inputs = keras.Input(image_shape)
        x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 64)(inputs))
        x = keras.layers.Dense(32, activation="relu")(x)
        return keras.Model(inputs, keras.layers.Dense(num_classes)(x))

    keras.config.set_dtype_policy(policy)
    learner = KerasLearner(build, digits.train, 200, 0)
    pipeline = ArmPipeline("plain", Arm(class_balanced=True), digits.train, 64)
    learner.train(0, pipeline.batches(0), pipeline.logit_shift(0), 0.0)
    found = learner.probabilities(digits.test.images).argmax(-1)
    # A tenth is chance.
    assert (found == digits.test.labels).mean() > 0.5


def test_probabilities_of_half_precision_are_no_logits(make_images):
    def probabilities(image_shape, num_classes, value_range):
        inputs = keras.Input(image_shape)
        x = keras.layers.Rescaling(1 / 255)(inputs)
        x = keras.layers.Dense(num_classes)(keras.layers.Flatten()(x))
        return keras.Model(inputs, keras.layers.Softmax()(x))

    keras.config.set_dtype_policy("mixed_bfloat16")
    with pytest.raises(ValueError, match="must return logits"):
        KerasLearner(probabilities, make_images(), 1, 0)
