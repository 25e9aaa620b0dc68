"""The averaged generator follows the one that is trained."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganaug
from ganaug.gan.weight_average import WeightAverage


def network(value):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.set_weights([np.full((1, 1), value), np.full(1, 2 * value)])
    return model


def weights(model):
    return [float(weight.numpy().ravel()[0]) for weight in model.weights]


def test_half_is_left_after_the_half_life():
    """In images, whatever the batches."""
    for batch_size in (10, 50):
        average, trained = network(1.0), network(0.0)
        follower = WeightAverage(average, trained, 100)
        # So late that the ramp is long over.
        for step in range(10**6, 10**6 + 100 // batch_size):
            follower.follow(
                tf.constant(step, tf.int64), tf.constant(batch_size)
            )
        assert weights(average) == pytest.approx([0.5, 1.0], rel=1e-5)
        assert weights(trained) == [0.0, 0.0]


def test_early_it_looks_back_over_little():
    """5 % of what was seen: the initial weights are soon forgotten."""
    average = network(1.0)
    follower = WeightAverage(average, network(0.0), 10**6)
    follower.follow(tf.constant(0, tf.int64), tf.constant(8))
    # Eight images are twenty half-lives of 0.4.
    assert weights(average)[0] == pytest.approx(0.5**20)


def test_without_a_half_life_it_is_the_network():
    """To the last bit."""
    average, trained = network(1.0), network(0.3)
    follower = WeightAverage(average, trained, 0)
    follower.follow(tf.constant(0, tf.int64), tf.constant(8))
    assert weights(average) == weights(trained)


def test_the_models_average_is_between(make_images):
    """Not the initial generator, nor the one of the last step."""
    gan = ganaug.ConditionalGAN((8, 8, 1), 3, "dcgan", width=4, latent_dim=4)
    gan.compile(ema_half_life=100)
    initial = gan.generator.get_weights()
    gan.fit(make_images(), batch_size=8, steps_per_epoch=6, verbose=0)
    moved = [
        max(
            np.abs(ours - theirs).max()
            for ours, theirs in zip(
                gan.ema_generator.get_weights(), others, strict=True
            )
        )
        for others in (initial, gan.generator.get_weights())
    ]
    assert min(moved) > 1e-5


@pytest.mark.parametrize("half_life", [-1, float("nan"), float("inf")])
def test_half_lives_that_make_no_sense(half_life):
    """Are named."""
    with pytest.raises(ValueError, match=f"ema_half_life={float(half_life)}"):
        WeightAverage(network(0.0), network(0.0), half_life)
