"""Several replicas, as `tf.distribute.MirroredStrategy` makes them."""

import json
import subprocess
import sys

import numpy as np
import pytest

# Logical devices can only be made before TensorFlow is used, so this runs in
# processes of its own. One for each architecture: TensorFlow mixes up the
# collectives of synchronized batch normalization with those of a strategy that
# the process had before.
SCRIPT = """
import json, sys
import keras, numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 2,
)
import ganaug
from ganaug.gan.training_state import snapshot

architecture, cases, out = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
rng = np.random.default_rng(0)
images = rng.integers(0, 256, (30, 8, 8, 1), np.uint8)
data = ganaug.LabeledImages(images, np.arange(30) % 3)


def make(case):
    gan = ganaug.ConditionalGAN(
        (8, 8, 1), 3, architecture, width=4, latent_dim=4, seed=0
    )
    sgd = [keras.optimizers.SGD(0.05) for _ in range(2)]
    gan.compile(*sgd, **case)
    return gan


def train_in_a_loop(gan, strategy):
    # What a loop of one's own does with the step.
    rng = np.random.default_rng(1)
    images = rng.uniform(-1, 1, (48, 8, 8, 1)).astype(np.float32)
    labels = np.arange(48, dtype=np.int32) % 3
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(16)
    step = tf.function(lambda batch: strategy.run(gan.train_step, [batch]))
    for batch in strategy.experimental_distribute_dataset(batches):
        step(batch)


results = {}
for number, case in enumerate(cases):
    in_a_loop = case.pop("loop", False)
    for replicas in (1, 2):
        strategy = tf.distribute.get_strategy()
        if replicas == 2:
            strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with strategy.scope():
            gan = make(case)
        if in_a_loop:
            train_in_a_loop(gan, strategy)
        else:
            gan.fit(data, batch_size=16, steps_per_epoch=4, verbose=0)
        for key, value in snapshot(gan).items():
            results[f"{number}/{replicas}/{key}"] = value
np.savez(out, **results)
"""
CASES = {
    "r3gan": [
        {
            "augment_probability": "adaptive",
            "penalty_interval": 2,
            "decay_steps": 6,
        },
        {"loop": True},
    ],
    "dcgan": [{"discriminator_steps": 2}],
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """All that training changes, by case, number of replicas and key."""
    folder, weights = tmp_path_factory.mktemp("replicas"), {}
    for architecture, cases in CASES.items():
        out = folder / f"{architecture}.npz"
        subprocess.run(
            [
                *(sys.executable, "-c", SCRIPT),
                *(architecture, json.dumps(cases), str(out)),
            ],
            check=True,
        )
        with np.load(out) as results:
            weights.update(
                {f"{architecture}/{key}": results[key] for key in results}
            )
    return weights


@pytest.mark.parametrize("case", ["r3gan/0", "r3gan/1", "dcgan/0"])
def test_two_replicas_learn_as_one_with_the_joined_batch(weights, case):
    """Losses are means over the joined batch, and so is the noise."""
    one, two = (
        {
            key.split("/", 3)[3]: value
            for key, value in weights.items()
            if key.startswith(f"{case}/{replicas}/")
        }
        for replicas in (1, 2)
    )
    assert set(one) == set(two)
    for key, value in one.items():
        np.testing.assert_allclose(value, two[key], atol=1e-5, err_msg=key)
    assert int(one["state/0000"]) in (3, 4)


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


def test_what_keras_cannot_distribute_is_refused(make_images):
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
