"""A training step beside PyTorch's and a Keras tutorial's, in turns.

    python -m benchmarks.training_step [--rounds 7] [--only NAME ...]

The same networks, losses, penalties, augmentations and optimizers. Networks,
losses and penalties are checked first: with ganaug's weights, PyTorch's give
its losses, and gradients of its size. Each contestant is a process of its own.
In bfloat16 they run too where ganaug would choose it. A row that fails is told
of, and does not stop the others. An hour or more on 2 CPU cores. Needs
the extra `bench`.
"""

import argparse
import contextlib
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.tables import make_table, show
from benchmarks.turns import Contestant, take_turns

BATCH_SIZE = 64
NUM_CLASSES = 10
SHAPES = ((8, 8, 1), (28, 28, 1), (32, 32, 3), (64, 64, 3))
# Name, architecture, and whether it has its own penalty.
CASES = (
    ("r3gan, R1 + R2", "r3gan", True),
    ("r3gan, no penalty", "r3gan", False),
    ("dcgan", "dcgan", False),
    ("mlp", "mlp", False),
)
TENSORFLOW, PYTORCH, TUTORIAL = "ganaug", "PyTorch", "Keras tutorial"
HALF = {False: "", True: ", bfloat16"}
# Who is compared with whom: the best of each side.
GROUPS = {
    "float32": ([TENSORFLOW], [PYTORCH, f"{PYTORCH} compiled"]),
    "bfloat16": (
        [TENSORFLOW + HALF[True]],
        [PYTORCH + HALF[True], f"{PYTORCH} compiled{HALF[True]}"],
    ),
    "tutorial": ([TENSORFLOW], [TUTORIAL]),
}


def make_gan(architecture, image_shape, penalized, bfloat16, num_classes):
    """Makes and compiles a GAN as it is by default, with or without penalty.

    Args:
        architecture: String.
        image_shape: Sequence of three integers.
        penalized: Boolean. Whether with R1 and R2.
        bfloat16: Boolean. Whether under the policy `mixed_bfloat16`.
        num_classes: Integer.

    Returns:
        A `ganaug.ConditionalGAN`.
    """
    import keras

    import ganaug

    keras.config.set_dtype_policy("mixed_bfloat16" if bfloat16 else "float32")
    gan = ganaug.ConditionalGAN(
        tuple(image_shape), num_classes, architecture, seed=0
    )
    gan.compile(penalty="r1+r2" if penalized else "none")
    return gan


def make_batch(image_shape, num_classes, batch_size):
    """Makes a random batch.

    Args:
        image_shape: Sequence of three integers.
        num_classes: Integer.
        batch_size: Integer.

    Returns:
        A pair of tensors: float32 images in `[-1, 1]` and int32 labels.
    """
    import tensorflow as tf

    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (batch_size, *image_shape))
    labels = rng.integers(0, num_classes, batch_size)
    return tf.constant(images, tf.float32), tf.constant(labels, tf.int32)


def make_ganaug_step(
    architecture,
    image_shape,
    penalized,
    bfloat16=False,
    num_classes=NUM_CLASSES,
    batch_size=BATCH_SIZE,
):
    """Makes ganaug's step, as `fit` runs it, on one random batch.

    Args:
        architecture: As in `make_gan`, and so the others.
        image_shape: Sequence of three integers.
        penalized: Boolean.
        bfloat16: Boolean.
        num_classes: Integer.
        batch_size: Integer.

    Returns:
        A function without arguments, and facts for the table.
    """
    import tensorflow as tf

    gan = make_gan(architecture, image_shape, penalized, bfloat16, num_classes)
    batch = make_batch(image_shape, num_classes, batch_size)
    train = tf.function(gan.train_step, jit_compile=False)

    def step():
        train(batch)["d_loss"].numpy()

    return step, {
        "version": tf.__version__,
        "parameters": [
            _count(gan.generator.trainable_weights),
            _count(gan.discriminator.trainable_weights),
        ],
    }


def make_tutorial_step(architecture, image_shape, penalized):
    """Makes the tutorial's step, with ganaug's networks and settings.

    Args:
        architecture: As in `make_gan`, and so the others.
        image_shape: Sequence of three integers.
        penalized: Boolean.

    Returns:
        A function without arguments.
    """
    import keras
    import tensorflow as tf

    from benchmarks.peers.keras_tutorial import TutorialGAN

    gan = make_gan(architecture, image_shape, penalized, False, NUM_CLASSES)
    settings = settings_of(gan, architecture, image_shape)
    tutorial = TutorialGAN(
        gan.generator,
        gan.discriminator,
        gan.latent_dim,
        settings["loss"] == "relativistic",
        settings["gamma"],
        gan.game.diff_augment,
    )
    rate, (beta_1, beta_2) = settings["learning_rate"], settings["betas"]
    tutorial.compile(
        *(keras.optimizers.Adam(rate, beta_1, beta_2) for _ in range(2))
    )
    batch = make_batch(image_shape, NUM_CLASSES, BATCH_SIZE)
    train = tf.function(tutorial.train_step)

    def step():
        train(batch)["d_loss"].numpy()

    return step


def settings_of(gan, architecture, image_shape):
    """Gives what PyTorch's `Training` needs to do the same.

    Args:
        gan: Compiled `ConditionalGAN`.
        architecture: String.
        image_shape: Sequence of three integers.

    Returns:
        A dict of plain data.
    """
    recipe, game = gan.recipe, gan.game
    return {
        "architecture": architecture,
        "image_shape": list(image_shape),
        "num_classes": gan.num_classes,
        "latent_dim": gan.latent_dim,
        "width": recipe.width,
        "loss": game.loss,
        "gamma": game.gamma if game.penalty != "none" else 0.0,
        "learning_rate": recipe.learning_rate,
        "betas": [recipe.beta_1, recipe.beta_2],
        "augmented": bool(game.diff_augment),
        "average": recipe.ema_half_life > 0,
    }


def check_same(gan, settings):
    """Checks that PyTorch's networks and losses are ganaug's.

    Args:
        gan: Compiled `ConditionalGAN`.
        settings: What `settings_of` returned.

    Raises:
        AssertionError: A loss or the size of its gradient differs.
    """
    import tensorflow as tf
    import torch

    from benchmarks.peers.torch_training import Training
    from ganaug.gan.objectives import Objectives

    rng = np.random.default_rng(1)
    for network in (gan.generator, gan.discriminator):
        for weight in network.trainable_weights:
            # Weights that begin at zero would hide what they belong to.
            weight.assign_add(0.02 * rng.normal(size=weight.shape))
    twin = Training(**{**settings, "augmented": False})
    twin.load(gan.generator.get_weights(), gan.discriminator.get_weights())
    images, labels = make_batch(settings["image_shape"], gan.num_classes, 16)
    latents = tf.constant(rng.normal(size=(16, gan.latent_dim)), tf.float32)
    plain = Objectives(
        gan.objectives.loss,
        gan.objectives.penalty,
        joined=gan.objectives.joined,
    )
    judge = gan.adversarial_step.discriminator.judge
    weights = gan.discriminator.trainable_weights
    with tf.GradientTape() as tape:
        fake = gan.generator([latents, labels], training=True)
        d_objective = plain.discriminator(
            judge,
            (images, labels),
            (tf.stop_gradient(fake), labels),
            None,
            "",
            settings["gamma"],
        )[1]
    ours = [float(d_objective), _norm(tape.gradient(d_objective, weights))]
    with tf.GradientTape() as tape:
        fake = gan.generator([latents, labels], training=True)
        g_objective = plain.generator(
            judge, (images, labels), (fake, labels), None, ""
        )[1]
    weights = gan.generator.trainable_weights
    ours += [float(g_objective), _norm(tape.gradient(g_objective, weights))]

    real = torch.tensor(images.numpy()).permute(0, 3, 1, 2)
    classes = torch.tensor(labels.numpy()).long()
    fake = twin.generator(torch.tensor(latents.numpy()), classes)
    d_objective = twin.discriminator_objective(real, fake.detach(), classes)
    d_objective.backward()
    theirs = [d_objective.item(), _torch_norm(twin.discriminator)]
    g_objective = twin.generator_objective(real, fake, classes)
    g_objective.backward()
    theirs += [g_objective.item(), _torch_norm(twin.generator)]
    np.testing.assert_allclose(theirs, ours, rtol=2e-3)


def _norm(gradients):
    import tensorflow as tf

    # Those of embeddings come as slices.
    dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
    squares = [np.square(gradient.numpy()).sum() for gradient in dense]
    return float(np.sqrt(np.sum(squares)))


def _torch_norm(network):
    squares = [w.grad.square().sum().item() for w in network.parameters()]
    return float(np.sqrt(np.sum(squares)))


def _count(weights):
    return int(sum(np.prod(weight.shape) for weight in weights))


def make_contestants(stack, architecture, image_shape, penalized):
    """Starts all processes of a row.

    Args:
        stack: `contextlib.ExitStack` that ends them.
        architecture: As in `make_gan`, and so the others.
        image_shape: Sequence of three integers.
        penalized: Boolean.

    Returns:
        A pair of dicts: from names to `Contestant`; and to sentences for what
        does not work.
    """
    gan = make_gan(architecture, image_shape, penalized, False, NUM_CLASSES)
    settings = settings_of(gan, architecture, image_shape)
    check_same(gan, settings)
    ours = {
        "architecture": architecture,
        "image_shape": list(image_shape),
        "penalized": penalized,
    }
    here, theirs = "benchmarks.training_step", "benchmarks.peers.torch_training"
    wanted = {TUTORIAL: (f"{here}:make_tutorial_step", ours)}
    for bfloat16 in halves():
        half = HALF[bfloat16]
        wanted[TENSORFLOW + half] = (
            f"{here}:make_ganaug_step",
            {**ours, "bfloat16": bfloat16},
        )
        for compiled in (False, True):
            wanted[PYTORCH + " compiled" * compiled + half] = (
                f"{theirs}:make_step",
                {
                    **settings,
                    "batch_size": BATCH_SIZE,
                    "bfloat16": bfloat16,
                    "compiled": compiled,
                },
            )
    contestants, failed = {}, {}
    for name, (maker, arguments) in wanted.items():
        try:
            contestants[name] = stack.enter_context(
                Contestant(maker, arguments)
            )
            contestants[name].run(1)
        except RuntimeError as error:
            contestants.pop(name, None)
            failed[name] = str(error)[:200]
    return contestants, failed


def halves():
    """Gives the precisions that are worth a trial here.

    Returns:
        A tuple of booleans, whether it is bfloat16: only where ganaug would
        choose it, since most other machines have to emulate it.
    """
    from ganaug.gan.precision import AUTO, BRAIN, resolve_precision

    return (False, True) if resolve_precision(AUTO) == BRAIN else (False,)


def verdict(times, ours, theirs):
    """Says how many times as fast the first is, round by round.

    Args:
        times: Dict, as `take_turns` returns it.
        ours: Sequence of names, of which the best one counts.
        theirs: As `ours`.

    Returns:
        A string, the median and the quartiles; empty where one side was not
        measured.
    """

    def best(names):
        known = [times[name][:, 0] for name in names if name in times]
        return min(known, key=np.median, default=None)

    one, other = best(ours), best(theirs)
    if one is None or other is None:
        return ""
    return "{:.2f} ({:.2f} to {:.2f})".format(
        *np.percentile(other / one, [50, 25, 75])
    )


def measure(name, architecture, penalized, image_shape, rounds):
    """Measures one row.

    Args:
        name: String.
        architecture: As in `make_gan`, and so the others.
        penalized: Boolean.
        image_shape: Tuple of three integers.
        rounds: Integer.

    Returns:
        A dict from the contestants' names to their times, as `take_turns`
        returns it.

    Raises:
        AssertionError: PyTorch's networks or losses are not ganaug's.
        RuntimeError: A contestant ended.
    """
    with contextlib.ExitStack() as stack:
        contestants, failed = make_contestants(
            stack, architecture, image_shape, penalized
        )
        show(f"{name}, {image_shape}: failed: {failed or 'none'}", stderr=True)
        sizes = {
            who: contestant.facts["parameters"]
            for who, contestant in contestants.items()
            if "parameters" in contestant.facts
        }
        if len(set(map(tuple, sizes.values()))) > 1:
            raise AssertionError(f"Different networks: {sizes}")
        second = next(iter(contestants.values())).run(2)[0]
        steps = int(np.clip(0.8 / second, 2, 100))
        return take_turns(contestants, steps, rounds)


def main():
    """Measures and prints the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--only", nargs="+", choices=[name for name, *_ in CASES]
    )
    arguments = parser.parse_args()
    table = make_table(
        "training", "images", "with", "images/s", "quartiles", "processor"
    )
    verdicts = make_table("training", "images", *GROUPS)
    failed = []
    try:
        for name, architecture, penalized in CASES:
            if name not in (arguments.only or name):
                continue
            for image_shape in SHAPES:
                row = name, " x ".join(map(str, image_shape))
                try:
                    times = measure(
                        name,
                        architecture,
                        penalized,
                        image_shape,
                        arguments.rounds,
                    )
                except Exception as error:
                    failed.append(f"{', '.join(row)}: {error}")
                    show(failed[-1], stderr=True)
                    continue
                for who, of_it in times.items():
                    speeds = BATCH_SIZE / of_it[:, 0]
                    low, median, high = np.percentile(speeds, [25, 50, 75])
                    table.add_row(
                        *(*row, who, f"{median:,.0f}"),
                        f"{low:,.0f} to {high:,.0f}",
                        f"{1000 * np.median(of_it[:, 1]) / BATCH_SIZE:.2f} ms",
                    )
                verdicts.add_row(
                    *row, *(verdict(times, *names) for names in GROUPS.values())
                )
    finally:
        show(table, "", verdicts, *failed)
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
