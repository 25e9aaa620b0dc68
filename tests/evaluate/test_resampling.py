"""Samplers of imbalanced-learn as arms."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler

import ganaug
from ganaug.evaluate.arms import Arm, all_controls
from ganaug.evaluate.leakage import check_overlap
from ganaug.evaluate.pipeline import ArmPipeline
from ganaug.evaluate.resampling import Smote, resample
from ganaug.evaluate.seed_data import RealImages


def test_random_over_sampling_repeats_images(digits):
    """Every class becomes as large as the largest; the seed is used."""
    train = digits.train
    grown = resample(train, RandomOverSampler(), seed=1)
    assert grown.class_counts.tolist() == [40] * 10
    assert grown.images.dtype == train.images.dtype
    known = {image.tobytes() for image in train.images}
    assert {image.tobytes() for image in grown.images} == known
    again = resample(train, RandomOverSampler(), seed=1)
    np.testing.assert_array_equal(grown.images, again.images)
    other = resample(train, RandomOverSampler(), seed=2)
    assert (grown.images != other.images).any()


def test_smote_is_imbalanced_learns(digits):
    """With as many neighbours as the smallest class has, in whole pixels."""
    train = digits.train
    grown = resample(train, Smote(), seed=1)
    table = train.images.reshape(len(train), -1).astype(np.float32)
    expected, labels = SMOTE(k_neighbors=2, random_state=1).fit_resample(
        table, train.labels
    )
    # The seed goes through; pixels are rounded and not cut off.
    np.testing.assert_array_equal(
        grown.images.reshape(len(grown), -1), np.rint(expected)
    )
    np.testing.assert_array_equal(grown.labels, labels)
    assert (grown.images.reshape(len(grown), -1) != expected).any()


def test_smote_leaves_single_images(make_images):
    """They have no neighbours; the other classes grow."""
    data = make_images((6, 1, 3))
    grown = resample(data, Smote(), seed=0)
    assert grown.class_counts.tolist() == [6, 1, 6]
    data = make_images((6, 1))
    assert resample(data, Smote(), seed=0).class_counts.tolist() == [6, 1]
    grown = resample(data, Smote(sampling_strategy={0: 8}), seed=0)
    assert grown.class_counts.tolist() == [8, 1]


def test_a_gan_can_be_trained_again_for_each_seed(digits):
    """As a sampler, which an arm calls on the training images it has."""
    arm = Arm(
        sampler=ganaug.GANOverSampler(
            model="vae", steps=2, image_shape=(8, 8), sampling_strategy="all"
        )
    )
    pipeline = ArmPipeline("VAE", arm, digits.train, 32)
    first = [next(iter(pipeline.batches(seed)))[0] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(first[0], first[1])
    assert (first[0].numpy() != first[2].numpy()).any()


def test_a_pretrained_generator_gets_pixels_and_classes_as_it_knows_them(
    make_images,
):
    """Eight-bit pixels, and classes that have names."""
    data = make_images((9, 4, 2), class_names=["cow", "ant", "bee"])
    vae = ganaug.ConditionalVAE((8, 8, 1), 3, width=8, latent_dim=4, seed=0)
    vae.compile()
    vae.fit(data, steps_per_epoch=1, verbose=0)
    sampler = ganaug.GANOverSampler(pretrained=vae, image_shape=(8, 8))
    grown = resample(data, sampler, seed=1)
    assert grown.images.dtype == np.uint8
    assert grown.class_names == ("cow", "ant", "bee")
    assert grown.class_counts.tolist() == [9, 9, 9]
    np.testing.assert_array_equal(grown.images[:15], data.images)
    np.testing.assert_array_equal(grown.labels[:15], data.labels)


def test_what_a_sampler_learnt_before_is_checked(digits, small_gan):
    """A pretrained one is told, one that trains itself is not."""
    arms = {
        name: Arm(sampler=ganaug.GANOverSampler(pretrained=pretrained))
        for name, pretrained in (("own", None), ("old", small_gan))
    }
    learnt = small_gan.to_artifact().fingerprints
    assert len(arms["own"].sampler.training_fingerprints) == 0
    np.testing.assert_array_equal(
        arms["old"].sampler.training_fingerprints, learnt
    )
    fine = {"own": arms["own"], "SMOTE": Arm(sampler=Smote())}
    real = RealImages(digits.train, None, None, None, 0)
    assert len(check_overlap(real, [0], digits.test, fine, (), False)) == 1
    other = RealImages(digits.test, None, None, None, 0)
    with pytest.raises(ValueError, match="training data of arm 'old'"):
        check_overlap(other, [0], digits.train, {"old": arms["old"]}, (), False)


def test_class_weights_make_up_for_counts(digits):
    """Over an epoch, every class weighs the same."""
    pipeline = ArmPipeline("W", Arm(class_weights=True), digits.train, 29)
    mass = np.zeros(10)
    for _, labels, weights in pipeline.batches(0).take(5):
        mass += (labels.numpy() * weights.numpy()[:, None]).sum(0)
    # 145 images are five batches of 29.
    np.testing.assert_allclose(mass, 14.5, rtol=1e-5)


def test_every_control_runs(digits, linear):
    """All of them, on the data they are made for."""
    report = ganaug.evaluate_augmentation(
        digits.train,
        digits.test,
        {"nothing": lambda dataset: dataset},
        controls=all_controls(10, (0, 255)),
        classifier=linear,
        seeds=1,
        steps=4,
    )
    assert len(report.arms) == 33
    scores = {arm.log_loss for arm in report.arms if arm.name != "nothing"}
    # No two of them are the same training.
    assert len(scores) == 32
