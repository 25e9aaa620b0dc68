"""Several processes, as `tf.distribute.MultiWorkerMirroredStrategy` joins."""

import json
import os
import socket
import subprocess
import sys

import numpy as np

# Keras's `fit` cannot do it, so this is a loop of one's own. A worker is told
# of the others by TF_CONFIG, and the process without it is alone.
SCRIPT = """
import os, sys
import keras, numpy as np, tensorflow as tf

strategy = tf.distribute.get_strategy()
if "TF_CONFIG" in os.environ:
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
import ganaug
from ganaug.gan.training_state import snapshot

rng = np.random.default_rng(1)
images = rng.uniform(-1, 1, (48, 8, 8, 1)).astype(np.float32)
labels = np.arange(48, dtype=np.int32) % 3
options = tf.data.Options()
options.experimental_distribute.auto_shard_policy = (
    tf.data.experimental.AutoShardPolicy.DATA
)
batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(16)
batches = batches.with_options(options)
with strategy.scope():
    gan = ganaug.ConditionalGAN(
        (8, 8, 1), 3, "dcgan", width=4, latent_dim=4, seed=0
    )
    gan.compile(*[keras.optimizers.SGD(0.05) for _ in range(2)])
step = tf.function(lambda batch: strategy.run(gan.train_step, [batch]))
for batch in strategy.experimental_distribute_dataset(batches):
    step(batch)
np.savez(sys.argv[1], replicas=strategy.num_replicas_in_sync, **snapshot(gan))
"""
# A worker whose partner died may wait for ever.
SECONDS = 300


def free_addresses(number):
    """Addresses on this machine that nothing listens at."""
    sockets = [socket.socket() for _ in range(number)]
    for bound in sockets:
        bound.bind(("localhost", 0))
    ports = [bound.getsockname()[1] for bound in sockets]
    for bound in sockets:
        bound.close()
    return [f"localhost:{port}" for port in ports]


def start(out, addresses=(), index=0):
    """Starts a worker, or a process that trains alone."""
    environment = dict(os.environ)
    if addresses:
        environment["TF_CONFIG"] = json.dumps(
            {
                "cluster": {"worker": addresses},
                "task": {"type": "worker", "index": index},
            }
        )
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(out)], env=environment
    )


def read(out):
    with np.load(out) as results:
        return dict(results)


def test_two_workers_learn_as_one_with_the_joined_batch(tmp_path):
    """Both end with the same weights, to the bit, also with batch statistics.

    Those of a process that trains alone are equal but for rounding.
    """
    outs = [tmp_path / f"{name}.npz" for name in ("first", "second", "alone")]
    addresses = free_addresses(2)
    processes = [start(outs[index], addresses, index) for index in range(2)]
    processes.append(start(outs[2]))
    try:
        for process in processes:
            assert process.wait(SECONDS) == 0
    finally:
        for process in processes:
            process.kill()
            process.wait()
    first, second, alone = map(read, outs)
    assert [w.pop("replicas") for w in (first, second, alone)] == [2, 2, 1]
    assert set(alone) == set(first) == set(second)
    assert alone["state/0000"] == 3
    for key, value in alone.items():
        np.testing.assert_array_equal(first[key], second[key], err_msg=key)
        np.testing.assert_allclose(first[key], value, atol=1e-5, err_msg=key)
