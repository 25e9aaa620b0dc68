"""What is trained in every arm: a Keras model or a scikit-learn estimator."""

import keras
import numpy as np
from sklearn.base import BaseEstimator

from ganaug.evaluate.description import describe
from ganaug.evaluate.estimator_learner import EstimatorLearner
from ganaug.evaluate.training import ClassifierTrainer
from ganaug.seeds import derive_seed, seeded_initializers

# Rows of which a classifier's outputs are looked at before it is trained.
PROBED = 64


def make_learner(classifier, train, steps, seed):
    """Makes what trains the classifier.

    Args:
        classifier: As in `evaluate_augmentation`.
        train: `LabeledImages`.
        steps: Integer. Steps, or batches, of each training.
        seed: Integer. One of those with which it will be trained.

    Returns:
        A `KerasLearner` or an `EstimatorLearner`.

    Raises:
        ValueError: It does not return one logit for each class.
        TypeError: It is neither.
    """
    if isinstance(classifier, BaseEstimator):
        return EstimatorLearner(classifier, train, steps)
    if isinstance(classifier, keras.Model) or not callable(classifier):
        raise TypeError(
            "`classifier` must be a function (image_shape, num_classes, "
            "value_range) -> keras.Model that builds a new model at each call, "
            "or a scikit-learn estimator. "
            f"Received: classifier={classifier!r}"
        )
    return KerasLearner(classifier, train, steps, seed)


class KerasLearner:
    """Trains a Keras model, without tracing it anew for each arm.

    Args:
        build: Callable `(image_shape, num_classes, value_range) ->
            keras.Model`.
        train: `LabeledImages`.
        steps: Integer. Optimizer steps of each training.
        seed: Integer. One of those with which it will be trained.
    """

    def __init__(self, build, train, steps, seed):
        self._build = build
        self._facts = train.image_shape, train.num_classes, train.value_range
        self._model = self._new(seed)
        _check_logits(self._model, train)
        self._trainer = ClassifierTrainer(self._model, steps)
        self._initial = None

    @property
    def description(self):
        """Dict for JSON: what is trained."""
        return {
            "classifier": describe(self._build),
            "classifier_parameters": self._model.count_params(),
            "classifier_dtype_policies": sorted(_policies(self._model)),
        }

    @property
    def name(self):
        """String for people."""
        return getattr(self._build, "__name__", repr(self._build))

    def check_arms(self, arms):
        """Checks that all arms can be trained; a network can be, in any.

        Args:
            arms: Dict from name to `Arm`.
        """

    def _new(self, seed):
        with seeded_initializers(derive_seed(seed, "weights")):
            return self._build(*self._facts)

    def train(self, seed, batches, logit_shift, focal_gamma):
        """Trains from the initial weights of a seed.

        Args:
            seed: Integer.
            batches: As in `ClassifierTrainer.train`.
            logit_shift: As there.
            focal_gamma: As there.

        Raises:
            ValueError: As there, or the models share variables.
        """
        if self._initial is None or self._initial[0] != seed:
            model = self._new(seed)
            _check_new(model, self._model)
            values = [variable.numpy() for variable in model.variables]
            self._initial = seed, values
        self._trainer.train(self._initial[1], batches, logit_shift, focal_gamma)

    def snapshot(self):
        """Copies the model as it was trained last.

        Returns:
            A `keras.Model` from images to logits.
        """
        copied = self._build(*self._facts)
        copied.set_weights(self._model.get_weights())
        return copied

    def probabilities(self, images):
        """Predicts with what was trained last.

        Args:
            images: Array `(num_images, height, width, channels)`.

        Returns:
            A NumPy array `(num_images, num_classes)`.
        """
        return self._trainer.predict(images)


def _policies(layer):
    """Names of the dtype policies of a layer and of those in it."""
    names = {layer.dtype_policy.name}
    for inner in getattr(layer, "layers", ()):
        names |= _policies(inner)
    return names


def _check_logits(model, train):
    if model.output_shape != (None, train.num_classes):
        raise ValueError(
            "`classifier` must return logits of shape (batch, num_classes). "
            f"Received: output_shape={model.output_shape} for "
            f"{train.num_classes} classes"
        )
    outputs = model(train.images[:PROBED].astype(np.float32), training=False)
    # Of half precision the sum of probabilities is less near to 1.
    slack = 1e-3 if outputs.dtype == "float32" else 3e-2
    outputs = keras.ops.convert_to_numpy(
        keras.ops.cast(outputs, "float32")
    ).astype(np.float64)
    activation = getattr(model.layers[-1], "activation", None)
    squashed = activation in (
        keras.activations.softmax,
        keras.activations.sigmoid,
    )
    sums_to_one = (outputs >= 0).all() and np.allclose(
        outputs.sum(-1), 1, atol=slack
    )
    if squashed or sums_to_one:
        raise ValueError(
            "`classifier` must return logits, and these are probabilities. "
            "Leave the softmax or sigmoid at its end out. Received: outputs "
            f"from {outputs.min():.3g} to {outputs.max():.3g}, rows that sum "
            f"to {outputs.sum(-1).mean():.3g}"
        )


def _check_new(model, trained):
    shared = {id(variable) for variable in model.trainable_variables} & {
        id(variable) for variable in trained.trainable_variables
    }
    if shared:
        raise ValueError(
            "`classifier` must build a new model at each call, or the training "
            "of one arm goes on in the next. Build every layer inside of it, "
            "or freeze what is shared. "
            f"Received: models that share {len(shared)} trainable variables"
        )
