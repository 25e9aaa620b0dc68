"""Random numbers of a training step."""

import types

import numpy as np
import pytest
import tensorflow as tf

from ganaug.gan.noise import Noise


def noise(seed=1, step=5, attempt=0):
    return Noise(seed, tf.constant(step, tf.int64), tf.constant(attempt))


def test_noise_is_a_function_of_seed_step_attempt_and_purpose():
    """The same four give the same numbers, any other one others."""
    numbers = noise().normal("g", 4, 3)
    np.testing.assert_array_equal(numbers, noise().normal("g", 4, 3))
    others = [
        noise(seed=2).normal("g", 4, 3),
        noise(step=6).normal("g", 4, 3),
        noise(attempt=1).normal("g", 4, 3),
        noise(seed=2**31 - 1, step=2**40 - 1, attempt=9).normal("g", 4, 3),
        noise().normal("d0", 4, 3),
        noise().uniform("g", 4, 3),
    ]
    kinds = {tensor.numpy().tobytes() for tensor in (numbers, *others)}
    assert len(kinds) == 7


def test_noise_is_the_same_in_a_compiled_step():
    """With the step and the batch's size as tensors."""

    @tf.function
    def draw(step, attempt, batch_size):
        return Noise(1, step, attempt).normal("g", batch_size, 3)

    variables = tf.Variable(5, dtype=tf.int64), tf.Variable(0, dtype=tf.int64)
    np.testing.assert_array_equal(
        draw(*variables, tf.constant(4)), noise().normal("g", 4, 3)
    )


def test_distributions_are_as_named():
    """Mean and spread of many draws, and the range of uniform ones."""
    normal = noise().normal("g", 100, 200).numpy()
    uniform = noise().uniform("g", 100, 200).numpy()
    assert normal.dtype == uniform.dtype == np.float32
    assert normal.shape == uniform.shape == (100, 200)
    assert noise().uniform("g", 7).shape == (7,)
    assert abs(normal.mean()) < 0.03
    assert normal.std() == pytest.approx(1, abs=0.03)
    assert 0 <= uniform.min() < 0.01
    assert 0.99 < uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=0.01)


def test_neighbouring_steps_are_unrelated():
    """As far as a correlation can tell, and attempts and seeds too."""
    draws = [
        drawn.normal("g", 2000).numpy()
        for drawn in (
            noise(),
            noise(step=6),
            noise(attempt=1),
            noise(seed=2),
        )
    ]
    correlations = np.corrcoef(draws)[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < 4 / np.sqrt(2000)


def test_replicas_share_what_one_would_draw(monkeypatch):
    """Put together, their parts are the draw for the joined batch."""
    whole = noise().normal("g", 6, 2)
    parts = []
    for index in range(3):
        replica = types.SimpleNamespace(
            num_replicas_in_sync=3, replica_id_in_sync_group=index
        )
        with monkeypatch.context() as patch:
            patch.setattr(
                tf.distribute, "get_replica_context", lambda at=replica: at
            )
            parts.append(noise().normal("g", 2, 2))
    np.testing.assert_array_equal(np.concatenate(parts), whole)
