"""Several replicas, as `tf.distribute.MirroredStrategy` makes them."""

import json
import subprocess
import sys

import numpy as np
import pytest

# What takes long is done once for all tests here.
pytestmark = pytest.mark.xdist_group("distribution")
# Logical devices can only be made before TensorFlow is used, so this runs in a
# process of its own. It makes one strategy for all cases: TensorFlow mixes up
# the collectives of synchronized batch normalization with those of a strategy
# that the process had before.
SCRIPT = """
import json, sys
import keras, numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 2,
)
import ganaug
from ganaug.gan.training_state import snapshot

STRATEGIES = (
    tf.distribute.get_strategy(),
    tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]),
)
OPTIMIZERS = {
    "ConditionalGAN": ("d_optimizer", "g_optimizer"),
    "ConditionalVAE": ("optimizer",),
    "ConditionalVAEGAN": ("d_optimizer", "g_optimizer", "e_optimizer"),
}
rng = np.random.default_rng(0)
images = rng.integers(0, 256, (30, 8, 8, 1), np.uint8)
data = ganaug.LabeledImages(images, np.arange(30) % 3)


def make_optimizer(recipe, name, epsilon):
    if name == "SGD":
        return keras.optimizers.SGD(0.05)
    return keras.optimizers.Adam(
        recipe.learning_rate,
        beta_1=recipe.beta_1,
        beta_2=recipe.beta_2,
        epsilon=epsilon,
    )


def make(architecture, optimizer=None, epsilon=1e-4, model="ConditionalGAN",
         how="fit", **choices):
    model_class = getattr(ganaug, model)
    gan = model_class(
        (8, 8, 1), 3, architecture, width=4, depth=1, latent_dim=4, seed=0
    )
    if optimizer is not None:
        for name in OPTIMIZERS[model]:
            choices[name] = make_optimizer(gan.recipe, optimizer, epsilon)
    gan.compile(**choices)
    return gan


def train_in_a_loop(gan, strategy, in_graph):
    # What a loop of one's own does with the step.
    rng = np.random.default_rng(1)
    size = 16 * gan.batches_per_step
    images = rng.uniform(-1, 1, (3 * size, 8, 8, 1)).astype(np.float32)
    labels = np.arange(3 * size, dtype=np.int32) % 3
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(size)
    step = lambda batch: strategy.run(gan.train_step, [batch])
    if in_graph:
        step = tf.function(step)
    for batch in strategy.experimental_distribute_dataset(batches):
        step(batch)


def gradient_sizes(gan):
    # By weight, the root of Adam's mean of squared gradients.
    sizes = {}
    for name, optimizer in zip(
        ("discriminator", "generator"), (gan.d_optimizer, gan.g_optimizer)
    ):
        network = gan.networks[name]
        velocities = (
            v for v in optimizer.variables if v.path.endswith("_velocity")
        )
        for index, weight in enumerate(network.variables):
            key = f"{name}/{index:04d}"
            sizes[f"paths/{key}"] = np.array(weight.path)
            if weight.trainable:
                sizes[f"sizes/{key}"] = np.sqrt(next(velocities).numpy())
    return sizes


results = {}
for name, case in json.loads(sys.argv[1]).items():
    for replicas, strategy in enumerate(STRATEGIES, 1):
        with strategy.scope():
            gan = make(**case)
        how = case.get("how", "fit")
        if how == "fit":
            gan.fit(data, batch_size=16, steps_per_epoch=4, verbose=0)
        else:
            train_in_a_loop(gan, strategy, how == "graph")
        state = snapshot(gan)
        if "optimizer" not in case:
            state.update(gradient_sizes(gan))
        for key, value in state.items():
            results[f"{name}/{replicas}/{key}"] = value
np.savez(sys.argv[2], **results)
"""
# By name. Where there is no optimizer, it is the recipe's own.
CASES = {
    "r3gan in fit": {
        "architecture": "r3gan",
        "optimizer": "SGD",
        "augment_probability": "adaptive",
        "penalty_interval": 2,
        "decay_steps": 6,
    },
    "dcgan in fit": {
        "architecture": "dcgan",
        "optimizer": "SGD",
        "discriminator_steps": 2,
        # So short that it counts images before training ends.
        "ema_half_life": 4,
    },
    **{
        architecture: {
            "architecture": architecture,
            "optimizer": "Adam",
            "how": how,
        }
        # A graph of the other takes long to make.
        for architecture, how in (("resnet", "eager"), ("mlp", "graph"))
    },
    "VAE": {
        "model": "ConditionalVAE",
        "architecture": "r3gan",
        "optimizer": "Adam",
        "how": "eager",
    },
    "VAE-GAN": {
        "model": "ConditionalVAEGAN",
        "architecture": "dcgan",
        "optimizer": "Adam",
        "how": "eager",
    },
    "DRAGAN": {
        "architecture": "mlp",
        "optimizer": "SGD",
        "how": "eager",
        "penalty": "dragan",
    },
    "unrolled": {
        "architecture": "mlp",
        "optimizer": "SGD",
        "how": "eager",
        "unrolled_steps": 2,
    },
    **{
        f"{architecture} as by default": {
            "architecture": architecture,
            "how": "eager",
        }
        # With batch normalization and without.
        for architecture in ("r3gan", "dcgan")
    },
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """All that training changes, by case, number of replicas and key."""
    out = tmp_path_factory.mktemp("replicas") / "weights.npz"
    subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(CASES), str(out)], check=True
    )
    trained = {name: ({}, {}) for name in CASES}
    with np.load(out) as results:
        for full_key, value in results.items():
            name, replicas, key = full_key.split("/", 2)
            trained[name][int(replicas) - 1][key] = value
    return trained


@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if "optimizer" in case]
)
def test_two_replicas_learn_as_one_with_the_joined_batch(trained, name):
    """Losses are means over the joined batch, and so is the noise.

    Nothing but rounding is different: replicas add up in another order. SGD
    leaves it as small as it is. So does Adam here, whose `epsilon` is 1e-4
    instead of Keras's 1e-7, and whose other settings are the recipe's.
    """
    one, two = trained[name]
    assert set(one) == set(two)
    for key, value in one.items():
        np.testing.assert_allclose(value, two[key], atol=1e-5, err_msg=key)
    assert int(one["state/0000"]) in (3, 4)


@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if "optimizer" not in case]
)
def test_with_the_default_adam_rounding_alone_is_enlarged(trained, name):
    """Gradients are equal, and so is every weight that has a gradient.

    Some biases have none: the discriminator's last one with a paired loss,
    where it cancels, and those before batch normalization, which subtracts
    them again. What is left of their gradients is rounding, 1e-8 or so. Adam
    divides it by its own size plus 1e-7 and makes steps of it, others for two
    replicas than for one. In training no output depends on these biases;
    moving means follow them.
    """
    one, two = trained[name]
    assert set(one) == set(two)
    largest = max(one[key].max() for key in one if key.startswith("sizes/"))
    for key, value in one.items():
        if key.startswith("paths/"):
            continue
        apart = np.abs(value - two[key]) > 1e-5
        if not apart.any():
            continue
        weight = key.removeprefix("ema_")
        path = str(one.get(f"paths/{weight}"))
        assert path.endswith(("/bias", "/moving_mean")), (key, path)
        if path.endswith("/bias"):
            assert one[f"sizes/{weight}"][apart].max() < 1e-6 * largest, path


def test_each_replica_has_noise_of_its_own():
    """The parts are different rows of the joined draw."""
    script = """
import numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 2,
)
from ganaug.gan.noise import Noise
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
noise = Noise(5, tf.constant(7), tf.constant(0))
draw = lambda size: noise.normal("a", size, 3)
parts = strategy.experimental_local_results(strategy.run(draw, [2]))
joined = draw(4).numpy()
assert (np.concatenate([part.numpy() for part in parts]) == joined).all()
assert not (joined[:2] == joined[2:]).any()
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_what_keras_cannot_distribute_is_refused():
    """In words, rather than from deep inside."""
    script = """
import numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 2,
)
import ganaug
data = np.arange(6 * 64, dtype=np.uint8).reshape(6, 8, 8, 1)
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    gan = ganaug.ConditionalGAN((8, 8, 1), 2, width=4, latent_dim=4)
    for arguments, size in (({"steps_per_execution": 2}, 16), ({}, 15)):
        gan.compile(**arguments)
        try:
            gan.fit(data, np.arange(6) % 2, batch_size=size, verbose=0)
        except ValueError as error:
            assert "Received: " in str(error), error
        else:
            raise SystemExit("not refused")
"""
    subprocess.run([sys.executable, "-c", script], check=True)
