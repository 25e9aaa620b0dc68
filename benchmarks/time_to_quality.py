"""How long a generator trains until a classifier can learn from its images.

    python -m benchmarks.time_to_quality --data-dir DIR [--seeds 3]
        [--limit 600] [--only NAME ...] [--keep FILE]

Each trains on 5,000 images of Fashion-MNIST, 500 of each class, alone on the
machine. Now and then, after a quarter more time each, its clock is stopped and
it draws as many images, on which a small classifier is trained for 800 steps;
its accuracy on the 10,000 test images is the classification accuracy score
(CAS). The clock counts building, tracing and every step, and not the imports,
which are told of beside. In bfloat16 contestants run where ganaug would choose
it, or where they are named. One that fails is told of, and does not stop the
others. With `--keep` each is written to a file when it has ended, and the same
command goes on from there later, on the same machine.

ganaug's is its default GAN, with learning rates that stay as they are, since
nobody knows when it will end; its other generators are shown beside. Real
images as they are show what the score can be.

Fashion-MNIST is read from where `examples/prepare_fashion_mnist.py` put it.
Needs the extra `bench`; many hours on 2 CPU cores, mostly of those that do not
reach it.

Reference:
    - [Ravuri and Vinyals, 2019](https://arxiv.org/abs/1905.10887)
"""

import argparse
import json
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import time
from pathlib import Path

import numpy as np

from benchmarks.quality_courses import (
    GOALS,
    REAL,
    Course,
    Courses,
    make_tables,
)
from benchmarks.tables import show
from benchmarks.turns import Contestant

PER_CLASS = 500
NUM_CLASSES = 10
# Seconds of training at the first look, and how much later the next one is.
FIRST_LOOK, LATER = 4.0, 1.25
CONTESTANTS = {
    "ganaug, VAE": ("vae", "float32"),
    "ganaug, VAE, bfloat16": ("vae", "mixed_bfloat16"),
    "ganaug, GAN": ("gan", "float32"),
    "ganaug, GAN, bfloat16": ("gan", "mixed_bfloat16"),
    "ganaug, VAE-GAN": ("vae-gan", "float32"),
    "ganaug, VAE-GAN, bfloat16": ("vae-gan", "mixed_bfloat16"),
    "PyTorch, DCGAN": ("dcgan", "float32"),
    "PyTorch, DCGAN, bfloat16": ("dcgan", "mixed_bfloat16"),
    "PyTorch, WGAN-GP": ("wgan_gp", "float32"),
    "PyTorch, WGAN-GP, bfloat16": ("wgan_gp", "mixed_bfloat16"),
    "PyTorch, SNGAN": ("sngan", "float32"),
    "PyTorch, SNGAN, bfloat16": ("sngan", "mixed_bfloat16"),
}


def policies():
    """Gives the dtype policies that are worth a trial here.

    Returns:
        A set of strings, of which there are contestants.
    """
    from ganaug.gan.precision import AUTO, SINGLE, resolve_precision

    return {SINGLE, resolve_precision(AUTO)}


def looks(limit):
    """Gives the seconds of training at which to look.

    Args:
        limit: Float. Seconds, the last look.

    Returns:
        A list of floats.
    """
    times = [FIRST_LOOK]
    while times[-1] * LATER < limit:
        times.append(times[-1] * LATER)
    return [*(seconds for seconds in times if seconds < limit), float(limit)]


class Ours:
    """A model of ganaug that trains for a time and draws.

    Args:
        kind: String. A key of `ganaug.gan.training_by_name.MODELS`.
        policy: String. Keras's dtype policy.
        images: `LabeledImages`.
        seed: Integer.
    """

    def __init__(self, kind, policy, images, seed):
        import keras

        from ganaug.gan.training_by_name import MODELS

        keras.config.set_dtype_policy(policy)
        self.images = images
        self.model = MODELS[kind](images.image_shape, NUM_CLASSES, seed=seed)
        self.model.compile()

    def train(self, seconds):
        """Trains for a time, as `fit` does.

        Args:
            seconds: Float.

        Returns:
            A float, the seconds that it took, with the last step.
        """
        import keras

        started = time.perf_counter()

        def stop_in_time(batch, logs):
            if time.perf_counter() - started >= seconds:
                self.model.stop_training = True

        self.model.fit(
            self.images,
            steps_per_epoch=10**7,
            verbose=0,
            callbacks=[
                keras.callbacks.LambdaCallback(on_train_batch_end=stop_in_time)
            ],
        )
        return time.perf_counter() - started

    def generate(self, labels):
        """Draws images.

        Args:
            labels: Integer array `(num_images,)`.

        Returns:
            A uint8 array `(num_images, 28, 28, 1)`.
        """
        return self.model.generate(labels, seed=0)


def read(data_dir, seed):
    """Draws the training images of a seed.

    Args:
        data_dir: Folder.
        seed: Integer.

    Returns:
        A pair of `LabeledImages`: training and test images.
    """
    import ganaug
    from ganaug.data.splits import take_per_class
    from ganaug.seeds import derive_seed

    data = ganaug.load_data("tfds:fashion_mnist", data_dir=data_dir)
    train = take_per_class(
        data.train, [PER_CLASS] * NUM_CLASSES, derive_seed(seed, "quality")
    )
    return train, data.test


def make_training(kind, policy, data, seed, limit, out):
    """Makes what trains until the next look, and draws images into a file.

    Args:
        kind: String: a model of ganaug's, or a key of the peers' `SETTINGS`.
        policy: String. Keras's dtype policy, or what is the same in PyTorch.
        data: File with `images` and `labels`.
        seed: Integer.
        limit: Float. Seconds of training after which there are no more looks.
        out: File. Images are written to it; beside it the clock.

    Returns:
        A function without arguments, and the seconds of the imports.
    """
    with np.load(data) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    wanted = np.repeat(np.arange(NUM_CLASSES), PER_CLASS)
    to_come = iter(looks(limit))
    began = time.perf_counter()
    if kind in ("vae", "gan", "vae-gan"):
        import ganaug
        from ganaug.gan import training_by_name  # noqa: F401

        started = time.perf_counter()
        training = Ours(
            kind, policy, ganaug.LabeledImages(images, labels), seed
        )
    else:
        from benchmarks.peers.torch_peers import Peer

        started = time.perf_counter()
        training = Peer(kind, images, labels, seed, policy != "float32")
    clock = time.perf_counter() - started

    def step():
        nonlocal clock
        # The first step, with its tracing, may take longer than to a look.
        until = next((look for look in to_come if look > clock), None)
        if until is not None:
            clock += training.train(max(until - clock, 1e-3))
            np.savez(out, images=training.generate(wanted), labels=wanted)
        Path(f"{out}.json").write_text(
            json.dumps({"seconds": clock, "ended": until is None})
        )

    return step, {"imports": started - began}


class Judge:
    """Gives the classification accuracy score, always in the same way.

    Args:
        train: `LabeledImages`, of which the form is looked at.
        test: `LabeledImages`.
    """

    def __init__(self, train, test):
        from ganaug.evaluate.classifiers import build_classifier
        from ganaug.evaluate.learners import KerasLearner

        self._learner = KerasLearner(build_classifier, train, 800, 0)
        self._test = test

    def score(self, images, labels, seed):
        """Trains a classifier on images, and tests it on real ones.

        Args:
            images: uint8 array.
            labels: Integer array.
            seed: Integer.

        Returns:
            A float, accuracy.
        """
        import ganaug
        from ganaug.evaluate.arms import Arm
        from ganaug.evaluate.pipeline import ArmPipeline

        # An image may be all black.
        synthetic = ganaug.LabeledImages(
            images, labels, value_range=self._test.value_range
        )
        pipeline = ArmPipeline("synthetic", Arm(), synthetic, 64)
        self._learner.train(
            seed, pipeline.batches(seed), pipeline.logit_shift(seed), 0.0
        )
        given = self._learner.probabilities(self._test.images).argmax(1)
        return float((given == self._test.labels).mean())


def times_to_goals(name, arguments, judge, course):
    """Trains one contestant until it reaches all goals, or the limit.

    Args:
        name: String.
        arguments: Dict. Of `make_training`, without `out`.
        judge: `Judge`.
        course: `Course`, which is filled in.

    Raises:
        RuntimeError: The contestant ended.
    """
    seed = arguments["seed"]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "drawn.npz"
        with Contestant(
            "benchmarks.time_to_quality:make_training",
            {**arguments, "out": str(out)},
        ) as contestant:
            course.imports = contestant.facts["imports"]
            while len(course.reached) < len(GOALS):
                contestant.run(1)
                state = json.loads(Path(f"{out}.json").read_text())
                if state["ended"]:
                    break
                with np.load(out) as drawn:
                    score = judge.score(drawn["images"], drawn["labels"], seed)
                course.looks.append((state["seconds"], score))
                show(
                    f"{name}, seed {seed}: {state['seconds']:.1f} s, "
                    f"CAS {score:.3f}",
                    stderr=True,
                )


def main():
    """Measures and prints the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=600)
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    wanted = policies()
    names = arguments.only or [
        name for name, (_, policy) in CONTESTANTS.items() if policy in wanted
    ]
    courses = Courses(arguments.keep, arguments.limit)
    judge = Judge(*read(arguments.data_dir, 0))
    failed = []
    try:
        for seed in range(arguments.seeds):
            images, _ = read(arguments.data_dir, seed)
            if courses.lacks(REAL, seed):
                score = judge.score(images.images, images.labels, seed)
                courses.add(REAL, seed, Course(looks=[(0.0, score)]))
            with tempfile.NamedTemporaryFile(suffix=".npz") as data:
                np.savez(data, images=images.images, labels=images.labels)
                data.flush()
                for name in names:
                    if not courses.lacks(name, seed):
                        continue
                    kind, policy = CONTESTANTS[name]
                    given = {
                        "kind": kind,
                        "policy": policy,
                        "data": data.name,
                        "seed": seed,
                        "limit": arguments.limit,
                    }
                    course = Course()
                    try:
                        times_to_goals(name, given, judge, course)
                    except RuntimeError as error:
                        course.failed = True
                        failed.append(f"{name}, seed {seed}: {error}")
                        show(failed[-1], stderr=True)
                    courses.add(name, seed, course)
            show(*make_tables(courses.by_name(names)), stderr=True)
    finally:
        show(*make_tables(courses.by_name(names)), *failed)
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
