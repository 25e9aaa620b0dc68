"""GenerativeModel: what GANs and VAEs have in common when they train."""

import functools
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from ganaug.data.labeled_images import as_labeled_images
from ganaug.gan.drawing_model import NO_CLASSES, DrawingModel
from ganaug.gan.fit_arguments import FitArguments
from ganaug.gan.fitting import FitRun
from ganaug.gan.generation import draw_unit_images
from ganaug.gan.learning_rates import LearningRates
from ganaug.gan.noise import Noise
from ganaug.gan.optimizers import make_optimizer
from ganaug.gan.precision import precision_of
from ganaug.gan.weight_average import WeightAverage
from ganaug.seeds import derive_seed


def whole(compile):
    """Lets a `compile` that fails leave a model that is not compiled.

    Args:
        compile: Method.

    Returns:
        A method.
    """

    @functools.wraps(compile)
    def compile_or_not(self, *args, **kwargs):
        try:
            compile(self, *args, **kwargs)
        except BaseException:
            self.compiled = False
            raise

    return compile_or_not


class GenerativeModel(DrawingModel):
    """A model that learns images of given classes and draws new ones.

    It trains on batches that depend on seed and step alone, and can be stopped
    and resumed exactly. Subclasses say how the generator learns.

    Args:
        *args: As in `DrawingModel`.

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.step = self._counter("step")
        # A model that is compiled again begins a new course.
        self.compiled_at = self._counter("compiled_at")
        self.attempt = self._counter("attempt")
        self.gentleness = self._scalar("gentleness", "ones")
        self.learning_rates = None
        # Where `fit` is to end, for callbacks.
        self.target_step = None

    def _counter(self, name):
        return self._scalar(name, "zeros", "int64")

    def _scalar(self, name, initializer="zeros", dtype=None):
        return self.add_weight(
            shape=(),
            dtype=dtype,
            initializer=initializer,
            trainable=False,
            aggregation="only_first_replica",
            name=name,
        )

    @property
    def optimizers(self):
        """Dict from names to the optimizers; empty before `compile`."""
        if self.learning_rates is None:
            return {}
        return self.learning_rates.optimizers

    def _compile_shared(self, ema_half_life, decay_steps, **kwargs):
        super().compile(optimizer=None, loss=None, **kwargs)
        if ema_half_life is None:
            ema_half_life = self.recipe.ema_half_life
        self.weight_average = WeightAverage(
            self.ema_generator, self.generator, ema_half_life
        )
        # What is chosen now has not been made gentler by any rollback.
        self.gentleness.assign(1.0)
        self.compiled_at.assign(self.step)
        self.learning_rates = LearningRates(
            self.step, self.gentleness, decay_steps, self.compiled_at
        )

    def _add_optimizer(self, name, optimizer, network):
        """Checks one optimizer, or makes the recipe's, and builds it."""
        optimizer = make_optimizer(optimizer, self.recipe, network)
        self.learning_rates.adopt(name, optimizer)
        optimizer.build(network.trainable_variables)
        return optimizer

    def fit(
        self,
        x,
        y=None,
        batch_size=64,
        epochs=1,
        verbose="auto",
        callbacks=None,
        initial_epoch=0,
        steps_per_epoch=None,
        class_names=None,
        value_range=None,
        class_balanced=True,
        run_dir=None,
        checkpoint_every=250,
        keep_checkpoints=3,
        guards=True,
        max_rollbacks=3,
    ):
        """Trains on images of every class in equal shares.

        The data are read once, into memory, or a dataset of more than 64 MiB
        into a file of the folder for temporary files. Each batch draws its
        classes uniformly, so an epoch is a number of steps rather than a pass.

        Args:
            x: A finite `tf.data.Dataset`, batched or not, of `(image, label)`,
                `(image, label, weight)` or TFDS or Keras dicts; or an array of
                images; or a `ganaug.data.labeled_images.LabeledImages`.
                Weights are ignored.
            y: Array of integer labels `(num_images,)`, where `x` is an array.
                A model without classes needs none.
            batch_size: Integer. Images in a step of either network, on all
                replicas together. Defaults to `64`.
            epochs: Integer. The epoch to stop at. Defaults to `1`.
            verbose: As in `keras.Model.fit`.
            callbacks: List of `keras.callbacks.Callback`.
            initial_epoch: Integer. The epoch to start at. Defaults to `0`.
            steps_per_epoch: Integer. Defaults to the number of batches that
                all images make.
            class_names: Sequence of strings, one for each class. Defaults to
                numbers.
            value_range: Pair of numbers. The values of black and of full
                intensity. By default `[0, 255]` for `uint8`; for floats
                `[0, 1]` or `[-1, 1]`, whichever fits.
            class_balanced: Boolean. Whether every class is equally likely in
                a batch, rather than every image. Defaults to `True`.
            run_dir: Folder for the state of training. Where it holds an
                unfinished training with the same settings and data, this one
                goes on from it and ends with the very weights that it would
                have had without the stop. By default nothing is kept.
            checkpoint_every: Integer. Steps between looks of the guards, and
                between checkpoints in `run_dir`. Defaults to `250`.
            keep_checkpoints: Integer. How many of the last checkpoints stay
                in `run_dir`. Defaults to `3`.
            guards: Boolean. Whether a training that fails (NaN, a
                discriminator that wins, mode collapse) is rolled back to the
                last good state, and goes on more gently: with half the
                learning rates, and a GAN with twice the penalty, a VAE with
                half the KL weight. Defaults to `True`; without it, NaN alone
                stops training.
            max_rollbacks: Integer. How often, before training is given up.
                Defaults to `3`.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            ValueError: The model is not compiled, or the data do not fit it:
                shape, classes, value range, NaN, a class without images. All
                of it is checked before the first step. Or `run_dir` holds a
                training with other settings.
            RuntimeError: Training failed, and was rolled back too often. The
                weights are those of the last good state.
        """
        if not self.compiled:
            raise ValueError("Call `compile()` before `fit()`.")
        arguments = FitArguments(
            batch_size=batch_size,
            epochs=epochs,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            class_balanced=class_balanced and self.num_classes is not None,
            verbose=verbose,
            callbacks=tuple(callbacks or ()),
            run_dir=run_dir,
            checkpoint_every=checkpoint_every,
            keep_checkpoints=keep_checkpoints,
            guards=guards,
            max_rollbacks=max_rollbacks,
        )
        data = self._read_data(x, y, class_names, value_range)
        return FitRun(self, super().fit, data, arguments).run()

    def _read_data(self, x, y, class_names, value_range):
        if self.num_classes is None and y is None and hasattr(x, "shape"):
            y = np.zeros(len(x), np.int32)
        data = x if y is None else (x, y)
        data = as_labeled_images(data, class_names, value_range)
        if self.num_classes is None:
            data = replace(
                data, labels=np.zeros_like(data.labels), class_names=NO_CLASSES
            )
        data.check_fits(self.image_shape, self.num_classes or 1)
        if self.num_classes is not None:
            data.check_trainable()
        return data

    @property
    def precision(self):
        """String: the dtype policy that the networks compute in."""
        return precision_of(self.networks.values())

    @property
    def current_step(self):
        """Integer: training steps taken."""
        return int(keras.ops.convert_to_numpy(self.step))

    @property
    def gentleness_value(self):
        """Float: what learning rates are multiplied with by now."""
        return float(keras.ops.convert_to_numpy(self.gentleness))

    @property
    def state_variables(self):
        """List of the variables that training changes beside the networks."""
        return [self.step, self.attempt, self.gentleness, self.compiled_at]

    @property
    def gentler_settings(self):
        """String: what rollbacks have made of the settings by now."""
        rates = "the learning rate"
        if len(self.optimizers) > 1:
            rates = "learning rates"
        return f"{rates} times {self.gentleness_value:.3g}"

    @property
    def advice(self):
        """String: what to do where rollbacks were not enough."""
        return "Lower the learning rate"

    @property
    def batches_per_step(self):
        """Integer: batches of real images that one step takes."""
        return 1

    @property
    def chance_level(self):
        """Float: the discriminator's loss where it guesses, or `None`."""
        return None

    @property
    def d_loss_average_value(self):
        """Float: running mean of the discriminator's loss."""
        return float("nan")

    @property
    def can_collapse(self):
        """Whether images that are alike mean that training failed."""
        return True

    def draw_for_guard(self, labels):
        """Draws images from the generator as it is, not its average.

        Args:
            labels: int32 array `(num_images,)`.

        Returns:
            A float32 array of images in `[-1, 1]`.
        """
        return draw_unit_images(
            self.generator,
            labels if self.num_classes is not None else len(labels),
            derive_seed(self.seed, "guard"),
            self.latent_dim,
        )

    def _step_noise(self):
        return Noise(derive_seed(self.seed, "noise"), self.step, self.attempt)

    def soften(self):
        """Goes on more gently from now on.

        It halves the learning rates, and subclasses raise or lower what else
        is in `gentler_settings` by as much. The noise changes too, so that a
        step that is taken again is taken differently.
        """
        self.attempt.assign(self.attempt + 1)
        self.learning_rates.soften()

    def _end_step(self, batch_size):
        """Moves the averaged generator and counts the step."""
        replica = tf.distribute.get_replica_context()
        self.weight_average.follow(
            self.step, batch_size * replica.num_replicas_in_sync
        )
        self.step.assign(self.step + 1)

    def after_fit(self, data):
        """Takes from the training data what is needed after training.

        Args:
            data: `LabeledImages` that the model was trained on.
        """

    def training_settings(self):
        """Gives the settings of `compile` that are plain data.

        Returns:
            A dict for JSON.
        """
        return {
            "ema_half_life": self.weight_average.half_life,
            "decay_steps": self.learning_rates.decay_steps,
        }

    def optimizer_configs(self):
        """Describes the optimizers as they were when training began.

        Returns:
            A dict from names to what Keras makes an optimizer from.
        """
        return self.learning_rates.optimizer_configs()

    def get_compile_config(self):
        if not self.compiled:
            return None
        return {**self.training_settings(), **self.optimizer_configs()}

    def compile_from_config(self, config):
        config = keras.saving.deserialize_keras_object(config)
        self.compile(**config)
