"""Beyond one iterator: tf.data's service, replicas, saved data sets."""

import socket
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

import ganaug
from ganaug.synthesis.generating import write_bank
from ganaug.synthesis.generators import Generators

# Of a process: address of the dispatcher, port.
WORKER = """
import sys
import tensorflow as tf

service = tf.data.experimental.service
worker = service.WorkerServer(
    service.WorkerConfig(
        dispatcher_address=sys.argv[1],
        port=int(sys.argv[2]),
        heartbeat_interval_ms=100,
    )
)
print("ready", flush=True)
worker.join()
"""
KINDS = {
    "replace": {"ratio": 0.5},
    "append": {"ratio": 0.3, "mode": "append"},
    "exact": {"ratio": 0.3, "share": "exact"},
    "extend": {"mode": "extend"},
}


class Cluster:
    """A dispatcher in this process, and workers in others.

    Args:
        folder: Folder for what the dispatcher must remember.
        num_workers: Integer.
    """

    def __init__(self, folder, num_workers=2):
        service = tf.data.experimental.service
        self._dispatcher = service.DispatchServer(
            service.DispatcherConfig(
                work_dir=str(folder),
                fault_tolerant_mode=True,
                worker_max_concurrent_snapshots=1,
            )
        )
        self.address = self._dispatcher.target.split("://")[1]
        self._ports = [self._free_port() for _ in range(num_workers)]
        self._workers = [self._start(port) for port in self._ports]
        for worker in self._workers:
            assert worker.stdout.readline() == "ready\n"

    @staticmethod
    def _free_port():
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            return probe.getsockname()[1]

    def _start(self, port):
        return subprocess.Popen(
            [sys.executable, "-c", WORKER, self.address, str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def restart(self, index):
        """Kills a worker and starts another one in its place."""
        self._workers[index].kill()
        self._workers[index].communicate()
        self._workers[index] = self._start(self._ports[index])

    def close(self):
        """Ends all workers."""
        for worker in self._workers:
            worker.kill()
            worker.communicate()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("dispatcher"))
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def sources(talking, talking_bank, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bank") / "bank"
    write_bank(Generators(talking), 64, folder, seed=0)
    return {"live": "live", "memory": talking_bank, "disk": folder}


def batches_of(dataset, size=4):
    """Batches that the service does not cut: it hands out slices."""
    return tf.data.Dataset.from_tensor_slices(
        next(iter(dataset.batch(1000).map(lambda *e: fold(e, size))))
    )


def fold(element, size):
    return tuple(
        tf.reshape(tensor, (-1, size, *tensor.shape[1:])) for tensor in element
    )


def elements(dataset):
    """What a dataset holds, whatever the order."""
    return Counter(
        tuple(tensor.numpy().tobytes() for tensor in tf.nest.flatten(element))
        for element in dataset
    )


def distribute(cluster):
    service = tf.data.experimental.service
    return service.distribute(service.ShardingPolicy.DYNAMIC, cluster.address)


@pytest.mark.parametrize(
    ("source", "kind"),
    [("memory", "replace"), ("disk", "append"), ("live", "replace")],
)
def test_two_workers_give_the_same_elements(
    cluster, sources, talking, real, source, kind
):
    """Each once, with dynamic sharding."""
    augmenter = ganaug.GANAugmenter(
        talking,
        source=sources[source],
        rerandomize_each_iteration=False,
        seed=0,
        **KINDS[kind],
    )
    dataset = batches_of(real(200)).apply(augmenter)
    distributed = dataset.apply(distribute(cluster))
    assert distributed.element_spec == dataset.element_spec
    expected = elements(dataset)
    assert len(expected) == sum(expected.values()) == 50
    assert elements(distributed) == expected


@pytest.mark.parametrize("share", ["expected", "exact"])
def test_workers_may_form_the_batches(
    cluster, sources, real, read, told, share
):
    """Nobody knows which examples share one, but each real one comes once."""
    augmenter = ganaug.GANAugmenter(
        source=sources["memory"],
        ratio=0.25,
        mode="append",
        share=share,
        seed=0,
    )
    dataset = real(200).batch(4).apply(augmenter).apply(distribute(cluster))
    images, labels = read(dataset)
    stream = told(images)
    made = ~stream.real
    assert sorted(stream.number[stream.real]) == list(range(200))
    np.testing.assert_array_equal(labels[made], stream.label[made])
    # 200 real ones are three quarters; two workers round, or draw.
    slack = 2 if share == "exact" else 4 * np.sqrt(50 * 0.25)
    assert abs(made.sum() - 200 / 3) <= slack


def test_a_dataset_is_extended_after_it_was_distributed(
    cluster, sources, real, read, told
):
    """What counts over the whole data set is for one process."""
    augmenter = ganaug.GANAugmenter(
        source=sources["memory"],
        mode="extend",
        class_counts=[101, 66, 33, 0, 0],
        sampling_strategy={"bee": 100, "cat": 100},
        seed=0,
    )
    dataset = real(200).batch(4).apply(distribute(cluster)).apply(augmenter)
    images, labels = read(dataset)
    stream = told(images)
    assert sorted(stream.number[stream.real]) == list(range(200))
    assert np.bincount(labels).tolist() == [101, 100, 100]


def test_a_worker_that_is_killed_loses_nothing_that_is_saved(
    sources, talking, real, tmp_path
):
    """With `distributed_save`: `distribute` alone promises at most once."""
    augmenter = ganaug.GANAugmenter(
        talking, ratio=0.5, rerandomize_each_iteration=False, seed=0
    )

    def slowly(images, labels):
        large = tf.random.stateless_normal((400, 400), (0, labels[0]))
        for _ in range(8):
            large = large @ large / 400
        return images, labels + tf.cast(0 * large[0, 0], labels.dtype)

    dataset = batches_of(real(240), 1).apply(augmenter).map(slowly)
    expected = elements(dataset)
    folder = tmp_path / "saved"
    cluster = Cluster(tmp_path / "dispatcher")
    try:
        tf.data.experimental.distributed_save(
            dataset, str(folder), cluster.address
        )
        started = time.monotonic()
        while not any(
            path.is_file() for path in folder.glob("streams/*/*/*chunk*")
        ):
            assert time.monotonic() < started + 60
            time.sleep(0.05)
        assert not (folder / "DONE").exists()
        cluster.restart(0)
        assert (
            elements(tf.data.Dataset.load(str(folder), wait=True)) == expected
        )
    finally:
        cluster.close()


@pytest.mark.parametrize("source", ["live", "memory", "disk"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_saved_is_one_epoch(
    sources, talking, real, tmp_path, source, kind
):
    """And it is read again as it was, in its order."""
    augmenter = ganaug.GANAugmenter(
        talking,
        source=sources[source],
        rerandomize_each_iteration=False,
        seed=0,
        **KINDS[kind],
    )
    dataset = real(40).batch(8).apply(augmenter)
    dataset.save(str(tmp_path / "saved"))
    loaded = tf.data.Dataset.load(str(tmp_path / "saved"))
    assert loaded.element_spec == dataset.element_spec
    assert loaded.cardinality() == dataset.cardinality()
    for found, expected in zip(loaded, dataset, strict=True):
        tf.nest.map_structure(np.testing.assert_array_equal, found, expected)


@pytest.mark.parametrize("source", ["live", "memory", "disk"])
def test_a_snapshot_keeps_the_first_epoch(
    sources, talking, real, tmp_path, source
):
    """The epochs of the augmenter itself would be others."""
    augmenter = ganaug.GANAugmenter(
        talking, 0.5, source=sources[source], seed=0
    )

    def make():
        return (
            real(40).batch(8).apply(augmenter).snapshot(str(tmp_path / "kept"))
        )

    first = elements(make())
    assert sum(first.values()) == 5
    assert elements(make()) == first


# Logical devices can only be made before TensorFlow is used.
REPLICAS = """
import sys
import numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 2,
)
import ganaug

images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8)
batches = tf.data.Dataset.from_tensor_slices((images, np.arange(40) % 10))
batches = batches.batch(8, drop_remainder=True)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for mode, source in (
    ("replace", "live"),
    ("replace", "bank"),
    ("replace", sys.argv[2]),
    ("append", "live"),
    ("append", "bank"),
    ("extend", "bank"),
    ("extend", sys.argv[2]),
):
    augmenter = ganaug.GANAugmenter.from_pretrained(
        sys.argv[1],
        None if mode == "extend" else 0.5,
        mode=mode,
        share="exact",
        source=source,
        # Of each class 4 examples more, and so whole batches.
        sampling_strategy=(
            dict.fromkeys(range(10), 8) if mode == "extend" else "uniform"
        ),
        rerandomize_each_iteration=False,
        seed=0,
    )
    dataset = batches.apply(augmenter)
    distributed = strategy.experimental_distribute_dataset(dataset)
    for whole, parts in zip(dataset, distributed, strict=True):
        for tensor, part in zip(whole, parts, strict=True):
            local = strategy.experimental_local_results(part)
            assert [one.device[-1] for one in local] == ["0", "1"]
            size = 8 if mode == "append" else 4
            assert [len(one) for one in local] == [size, size]
            np.testing.assert_array_equal(np.concatenate(local), tensor)
    print(mode, source)
"""


@pytest.fixture
def run_and_bank(small_gan, run, tmp_path):
    """Folders of an artifact and of a bank that it drew."""
    write_bank(Generators(small_gan), 32, tmp_path / "bank", seed=0)
    return [run, tmp_path / "bank"]


def in_process(script, *arguments):
    """Runs a script and returns the lines that it prints."""
    process = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines()


def test_replicas_share_the_stream(run_and_bank):
    """A batch is cut in two, and is otherwise that of one replica."""
    lines = in_process(REPLICAS, *run_and_bank)
    disk = run_and_bank[1]
    assert lines == [
        *("replace live", "replace bank", f"replace {disk}"),
        *("append live", "append bank", "extend bank", f"extend {disk}"),
    ]


RESTORE = """
import hashlib, sys
import numpy as np, tensorflow as tf
import ganaug

artifact, bank, checkpoint = sys.argv[1:]
images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8)
examples = tf.data.Dataset.from_tensor_slices((images, np.arange(40) % 10))
examples = examples.shuffle(40, seed=0).repeat(2)
iterators = {
    f"{mode} {source[:4]}": iter(
        examples.batch(8).apply(
            ganaug.GANAugmenter.from_pretrained(
                artifact, mode=mode, source=source, seed=0
            )
        )
    )
    for mode, source in (
        ("replace", "live"),
        ("replace", bank),
        ("append", "bank"),
        ("extend", "bank"),
        ("extend", bank),
    )
}
saved = tf.train.Checkpoint(
    **{name.replace(" ", "_"): it for name, it in iterators.items()}
)
if tf.io.gfile.exists(checkpoint + ".index"):
    saved.read(checkpoint).assert_consumed()
else:
    for iterator in iterators.values():
        for _ in range(3):
            next(iterator)
    saved.write(checkpoint)
for name, iterator in iterators.items():
    digest, count = hashlib.sha256(), 0
    for images, labels in iterator:
        digest.update(images.numpy().tobytes() + labels.numpy().tobytes())
        count += 1
    print(name, count, digest.hexdigest())
"""


def test_an_iterator_goes_on_in_another_process(run_and_bank, tmp_path):
    """From the place where it was saved, with the same noise."""
    outputs = [
        in_process(RESTORE, *run_and_bank, tmp_path / "checkpoint")
        for _ in range(2)
    ]
    assert outputs[0] == outputs[1]
    assert len({line.split()[-1] for line in outputs[0]}) == 5
