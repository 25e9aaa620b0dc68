"""FusedAdam: what Keras's Adam computes, in fewer operations."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganaug.gan import optimizers
from ganaug.gan.conditional_gan import ConditionalGAN
from ganaug.gan.conditional_vae import ConditionalVAE
from ganaug.gan.fused_adam import FusedAdam

SHAPES = (3, 4), (5,), ()
OPTIONS = {
    "plain": {},
    "without momentum": {"beta_1": 0.0, "beta_2": 0.99},
    "schedule": {
        "learning_rate": keras.optimizers.schedules.ExponentialDecay(
            0.1, 2, 0.5
        )
    },
    "decay and clipping": {"weight_decay": 0.1, "clipnorm": 0.5},
    "averaged": {"use_ema": True, "ema_overwrite_frequency": 3},
    "accumulated": {"gradient_accumulation_steps": 2},
    "amsgrad": {"amsgrad": True},
}


def train(optimizer, dtype="float32", in_graph=True, **compiled):
    """Takes seven steps with given gradients; returns all variables."""
    rng = np.random.default_rng(0)
    variables = [
        keras.Variable(rng.normal(size=shape), dtype=dtype, name=f"v{index}")
        for index, shape in enumerate(SHAPES)
    ]
    optimizer.build(variables)

    def step(*gradients):
        optimizer.apply(list(gradients), variables)

    if in_graph:
        step = tf.function(step, **compiled)
    for _ in range(7):
        step(*(tf.constant(rng.normal(size=s), dtype) for s in SHAPES))
    kept = [*variables, *optimizer.variables]
    return {
        f"{index} {variable.name}": keras.ops.convert_to_numpy(
            keras.ops.cast(variable, "float32")
        )
        for index, variable in enumerate(kept)
    }


def assert_same(first, second, tolerance=2e-6):
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_allclose(
            value, second[name], tolerance, tolerance, err_msg=name
        )


@pytest.mark.parametrize("name", OPTIONS)
def test_it_computes_what_the_adam_of_keras_does(name):
    options = {"learning_rate": 0.05, "name": "adam", **OPTIONS[name]}
    stock = train(keras.optimizers.Adam(**options))
    assert_same(train(FusedAdam(**options)), stock)


@pytest.mark.parametrize(
    "how", [{"in_graph": False}, {"jit_compile": True}], ids=str
)
def test_eagerly_and_compiled_too(how):
    options = {"learning_rate": 0.05, "name": "adam"}
    stock = train(keras.optimizers.Adam(**options))
    assert_same(train(FusedAdam(**options), **how), stock)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_other_dtypes_of_variables(dtype):
    options = {"learning_rate": 0.05, "beta_2": 0.99, "name": "adam"}
    stock = train(keras.optimizers.Adam(**options), dtype)
    tolerance = {"bfloat16": 0, "float16": 5e-3, "float64": 2e-6}[dtype]
    assert_same(train(FusedAdam(**options), dtype), stock, tolerance)


def test_one_optimizer_eagerly_and_in_several_graphs():
    def steps(optimizer):
        variable = keras.Variable([1.0, 2.0], name="v")
        optimizer.build([variable])

        def step(gradient):
            optimizer.apply([gradient], [variable])
            optimizer.apply([2 * gradient], [variable])

        for how in (step, tf.function(step), step, tf.function(step)):
            how(tf.constant([0.3, -0.2]))
        return keras.ops.convert_to_numpy(variable)

    np.testing.assert_allclose(
        steps(FusedAdam(0.05)), steps(keras.optimizers.Adam(0.05)), 1e-5
    )


def test_scaled_losses_skip_steps_with_overflow():
    def after(gradients, adam):
        variable = keras.Variable([1.0, 2.0])
        optimizer = keras.optimizers.LossScaleOptimizer(adam(0.1))
        optimizer.build([variable])
        step = tf.function(lambda given: optimizer.apply([given], [variable]))
        for gradient in gradients:
            step(tf.constant(gradient))
        return keras.ops.convert_to_numpy(variable)

    skipped, taken = [np.inf, 1.0], [4e4, -4e4]
    np.testing.assert_array_equal(after([skipped], FusedAdam), [1.0, 2.0])
    np.testing.assert_allclose(
        after([skipped, taken], FusedAdam),
        after([skipped, taken], keras.optimizers.Adam),
        1e-6,
    )


def test_embeddings():
    """Rows that are looked up once, several times, and not at all."""

    def after(adam):
        table = keras.Variable(np.ones((4, 2)), dtype="float32", name="table")
        optimizer = adam(0.1)
        optimizer.build([table])

        @tf.function
        def step(factors):
            with tf.GradientTape() as tape:
                rows = tf.gather(table.value, [1, 3, 1])
                loss = tf.reduce_sum(rows * factors)
            gradient = tape.gradient(loss, table.value)
            assert isinstance(gradient, tf.IndexedSlices)
            optimizer.apply([gradient], [table])

        for factors in ([[1.0], [2.0], [3.0]], [[2.0], [-1.0], [1.0]]):
            step(tf.constant(factors))
        return keras.ops.convert_to_numpy(table)

    np.testing.assert_allclose(
        after(FusedAdam), after(keras.optimizers.Adam), 1e-6
    )


@pytest.mark.parametrize("model", [ConditionalGAN, ConditionalVAE])
def test_models_learn_by_it_as_by_the_adam_of_keras(digits, model, monkeypatch):
    """One step, of all weights that have a gradient beyond rounding."""

    def after(adam):
        monkeypatch.setattr(optimizers, "FusedAdam", adam)
        trained = model((8, 8, 1), 10, depth=1, seed=0)
        trained.compile()
        trained.fit(digits.train, steps_per_epoch=1, verbose=0)
        assert all(type(one) is adam for one in trained.optimizers.values())
        return [
            (weight.path, weight.numpy())
            for network in trained.networks.values()
            for weight in network.trainable_weights
            if "bias" not in weight.path
        ]

    pairs = zip(after(FusedAdam), after(keras.optimizers.Adam), strict=True)
    for (path, fused), (_, stock) in pairs:
        assert (np.abs(fused - stock) > 1e-5).mean() < 0.01, path


def test_it_is_saved_with_a_model(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(FusedAdam(0.05, beta_1=0.5), "mse")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.optimizer, FusedAdam)
    assert loaded.optimizer.beta_1 == 0.5
    for a_model in (model, loaded):
        a_model.fit(x, y, shuffle=False, verbose=0)
    for before, after in zip(
        model.get_weights(), loaded.get_weights(), strict=True
    ):
        np.testing.assert_allclose(before, after, 1e-4)
