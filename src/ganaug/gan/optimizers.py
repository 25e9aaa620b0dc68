"""Optimizers: the recipe's by default, and scaled losses for them."""

import keras
import tensorflow as tf

from ganaug.gan.fused_adam import FusedAdam


def make_optimizer(optimizer, recipe, network):
    """Gives the optimizer that a network is to be trained with.

    Args:
        optimizer: `keras.optimizers.Optimizer`, its name, or `None` for the
            recipe's.
        recipe: `ganaug.gan.presets.Recipe`.
        network: `keras.Model`.

    Returns:
        A `keras.optimizers.Optimizer`, not yet built. Where the network
        computes in float16, it is a `LossScaleOptimizer`.
    """
    if optimizer is None:
        optimizer = FusedAdam(
            recipe.learning_rate, beta_1=recipe.beta_1, beta_2=recipe.beta_2
        )
    optimizer = keras.optimizers.get(optimizer)
    # Keras scales the losses of the one optimizer that it knows of.
    if any(
        layer.compute_dtype == "float16" for layer in network.layers
    ) and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def scaled(optimizer, objective):
    """What to take gradients of: replicas sum them, small ones vanish.

    Args:
        optimizer: `keras.optimizers.Optimizer` that the gradients are for.
        objective: Scalar tensor. The mean over the replica's batch.

    Returns:
        A scalar tensor.
    """
    replica = tf.distribute.get_replica_context()
    objective = objective / replica.num_replicas_in_sync
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        objective = optimizer.scale_loss(objective)
    return objective
