"""Discriminator steps ahead that the generator's gradient passes through."""

import keras
import tensorflow as tf

from ganaug.gan.fused_adam import FusedAdam

# Arguments of an optimizer that make its steps other than plain ones.
EXTRAS = (
    "amsgrad",
    "momentum",
    "weight_decay",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "loss_scale_factor",
    "gradient_accumulation_steps",
)


def check_unrollable(optimizer):
    """Checks that the steps of an optimizer can be written as functions.

    Args:
        optimizer: `keras.optimizers.Optimizer`.

    Raises:
        ValueError: It is neither plain Adam nor plain SGD, both without
            anything in `EXTRAS`.
    """
    extras = [name for name in EXTRAS if getattr(optimizer, name, None)]
    kinds = FusedAdam, keras.optimizers.Adam, keras.optimizers.SGD
    if type(optimizer) not in kinds or extras:
        raise ValueError(
            "`unrolled_steps` needs a discriminator that is trained in float32 "
            "by plain Adam or SGD, without momentum of SGD, `amsgrad`, "
            "clipping, weight decay, scaled losses or accumulated gradients. "
            f"Received: d_optimizer={type(optimizer).__name__}"
            + (f" with {', '.join(extras)}" if extras else "")
        )


def unroll(network, optimizer, num_steps, loss_of):
    """Takes steps with a copy of a network's weights.

    The copies are functions of whatever the losses depend on, so a gradient
    taken of something computed with them passes through all the steps. The
    network and its optimizer stay as they are. Spectral normalization is
    differentiated too, where Keras's training takes it for constant, so with
    it the steps are only nearly those of training.

    Args:
        network: `keras.Model`.
        optimizer: Its optimizer, that `check_unrollable` let pass. Its
            learning rate and, for Adam, its moments are what the steps begin
            with.
        num_steps: Integer. Number of steps.
        loss_of: Function that is given a function to call in the network's
            place, and returns the scalar that a step lowers.

    Returns:
        A function to call in the network's place, with the weights after the
        last step.

    Reference:
        - [Unrolled GAN, Metz et al., 2016](https://arxiv.org/abs/1611.02163)
    """
    weights = [tf.convert_to_tensor(v) for v in network.trainable_variables]
    others = [tf.convert_to_tensor(v) for v in network.non_trainable_variables]

    def with_weights(weights):
        def call(inputs):
            return network.stateless_call(
                weights, others, inputs, training=True
            )[0]

        return call

    step = _adam(optimizer) if _is_adam(optimizer) else _sgd(optimizer)
    for _ in range(num_steps):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = loss_of(with_weights(weights))
        gradients = tape.gradient(loss, weights, unconnected_gradients="zero")
        gradients = _joined(list(map(_dense, gradients, weights)))
        weights = step(weights, gradients)
        weights = list(map(_constrained, weights, network.trainable_variables))
    return with_weights(weights)


def _joined(gradients):
    """Means over replicas, which each have a part of the batch."""
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync == 1:
        return gradients
    return replica.all_reduce(tf.distribute.ReduceOp.MEAN, gradients)


def _dense(gradient, weight):
    """Sums up what an embedding's gradient has for each row."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    return tf.math.unsorted_segment_sum(
        gradient.values, gradient.indices, weight.shape[0]
    )


def _constrained(weight, variable):
    constraint = variable.constraint
    return weight if constraint is None else constraint(weight)


def _is_adam(optimizer):
    return isinstance(optimizer, keras.optimizers.Adam)


def _sgd(optimizer):
    learning_rate = tf.convert_to_tensor(optimizer.learning_rate)

    def step(weights, gradients):
        return [
            weight - learning_rate * gradient
            for weight, gradient in zip(weights, gradients, strict=True)
        ]

    return step


def _adam(optimizer):
    learning_rate = tf.convert_to_tensor(optimizer.learning_rate)
    beta_1, beta_2 = optimizer.beta_1, optimizer.beta_2
    moments = {
        suffix: [
            tf.convert_to_tensor(variable)
            for variable in optimizer.variables
            if variable.path.endswith(f"_{suffix}")
        ]
        for suffix in ("momentum", "velocity")
    }
    state = {"count": tf.cast(optimizer.iterations, tf.float32), **moments}

    def step(weights, gradients):
        state["count"] += 1.0
        state["momentum"] = [
            beta_1 * moment + (1 - beta_1) * gradient
            for moment, gradient in zip(
                state["momentum"], gradients, strict=True
            )
        ]
        state["velocity"] = [
            beta_2 * moment + (1 - beta_2) * tf.square(gradient)
            for moment, gradient in zip(
                state["velocity"], gradients, strict=True
            )
        ]
        rate = (
            learning_rate
            * tf.sqrt(1 - tf.pow(beta_2, state["count"]))
            / (1 - tf.pow(beta_1, state["count"]))
        )
        return [
            # The root of zero has no derivative; the shift is far below
            # Adam's own epsilon.
            weight
            - rate * momentum / (tf.sqrt(velocity + 1e-20) + optimizer.epsilon)
            for weight, momentum, velocity in zip(
                weights, state["momentum"], state["velocity"], strict=True
            )
        ]

    return step
