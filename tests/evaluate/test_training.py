"""The classifier's loss."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganaug.evaluate.training import ClassifierTrainer


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_focal_loss(gamma):
    """One step of its gradient, from the paper's formula."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    initial = [variable.numpy() for variable in model.variables]
    trainer = ClassifierTrainer(model, steps=1)
    trainer.optimizer = keras.optimizers.SGD(1.0)
    trainer.optimizer.build(model.trainable_variables)
    trainer._fresh = [v.numpy() for v in trainer.optimizer.variables]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 3)).astype(np.float32)
    y = np.eye(3, dtype=np.float32)[[0, 1, 2, 1, 0]]
    weights = np.array([1, 2, 1, 1, 0.5], np.float32)
    shift = np.array([0.3, -0.2, 0.1], np.float32)
    batches = tf.data.Dataset.from_tensors((x, y, weights))
    trainer.train(initial, batches, shift, gamma)
    kernel, bias = (tf.Variable(value) for value in initial)
    with tf.GradientTape() as tape:
        p = tf.reduce_sum(y * tf.nn.softmax(x @ kernel + bias + shift), -1)
        loss = tf.reduce_mean(-weights * (1 - p) ** gamma * tf.math.log(p))
    for variable, value, gradient in zip(
        model.variables,
        initial,
        tape.gradient(loss, [kernel, bias]),
        strict=True,
    ):
        np.testing.assert_allclose(variable, value - gradient, atol=1e-5)
