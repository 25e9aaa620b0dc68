"""Augmenters that change as training goes on, and tuned ones, as arms."""

import numpy as np
import pytest
import tensorflow as tf

import ganaug
from ganaug.data.splits import fingerprints
from ganaug.evaluate.arms import Arm
from ganaug.evaluate.pipeline import ArmPipeline
from ganaug.evaluate.transforms import Classic, Stack


def test_a_schedule_by_step_is_over_the_training(digits, small_gan):
    """And not over the five batches that the real images are."""
    augmenter = ganaug.GANAugmenter(
        small_gan, ratio=lambda step: tf.where(step < 12, 0.0, 1.0), seed=0
    )
    train = digits.train
    known = {image.tobytes() for image in train.images.astype("float32")}
    pipeline = ArmPipeline("late", Arm(augmenter), train, 29)
    synthetic = [
        sum(image.tobytes() not in known for image in images.numpy())
        for images, _, _ in pipeline.batches(0).take(18)
    ]
    assert synthetic == [0] * 12 + [29] * 6


@pytest.mark.parametrize(
    "arguments",
    [
        {"ratio": lambda epoch: 0.5, "schedule_by": "epoch"},
        {"source": "bank", "refresh": 0.5, "bank_size": 20},
    ],
)
def test_epochs_are_refused(evaluate_quickly, small_gan, arguments):
    """There are none: a schedule would stand still without a word."""
    augmenter = ganaug.GANAugmenter(small_gan, **arguments)
    for transform in (augmenter, Stack((augmenter, Classic()))):
        with pytest.raises(ValueError, match="Arm 'GAN' follows epochs"):
            evaluate_quickly({"GAN": Arm(transform)})


def test_what_was_tuned_on_test_images_is_refused(
    digits, evaluate_quickly, small_gan
):
    """Also where it was changed since, or is a part of something."""
    tuned = ganaug.GANAugmenter(small_gan, seed=0).tuned_by(
        None, fingerprints(digits.test)[:30]
    )
    for transform in (
        tuned,
        tuned.replace(ratio=0.5),
        tuned.with_seed(1),
        Stack((tuned, Classic())),
    ):
        with pytest.raises(ValueError, match="30 of 700 test images are also"):
            evaluate_quickly({"GAN": Arm(transform)})
    with pytest.raises(ValueError, match="what arm 'GAN' was tuned with"):
        evaluate_quickly({"GAN": Arm(learn=lambda *_: tuned)})
    report = evaluate_quickly({"GAN": Arm(tuned)}, allow_overlap=True, seeds=1)
    assert "was tuned with" in " ".join(report.notes)


def test_tuning_remembers_its_images(digits, small_gan, linear):
    """What is returned knows them, whatever was chosen."""
    validation = digits.test.subset(range(0, 700, 10))
    tuned = ganaug.GANAugmenter(small_gan, seed=0).tune(
        digits.train,
        validation,
        search={"ratio": (0.25, 0.5)},
        num_trainings=20,
        on_top_of="class-balanced",
        classifier=linear,
        steps=2,
        seed=0,
    )
    np.testing.assert_array_equal(
        tuned.choice_fingerprints, fingerprints(validation)
    )
