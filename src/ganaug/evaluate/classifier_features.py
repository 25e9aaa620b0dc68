"""The features that the classifier of an evaluation sees."""

import keras

from ganaug.evaluate.arms import Arm
from ganaug.evaluate.classifiers import build_classifier
from ganaug.evaluate.learners import KerasLearner
from ganaug.evaluate.pipeline import ArmPipeline
from ganaug.evaluate.transforms import Classic
from ganaug.fidelity.features import standardized_features
from ganaug.seeds import derive_seed

BATCH_SIZE = 64


def classifier_features(
    train,
    classifier=build_classifier,
    steps=800,
    horizontal_flip=False,
    seed=0,
):
    """Trains the classifier of an evaluation on real images, for its features.

    It is trained as in an evaluation, with classic augmentation and with every
    class equally often; its features are what its last layer is given. So the
    synthetic images are measured by what matters for the gain.

    Args:
        train: `LabeledImages` of real training images.
        classifier: Callable `(image_shape, num_classes, value_range) ->
            keras.Model`, as in `evaluate_augmentation`, whose last layer takes
            one row of numbers for each image. Defaults to the small network of
            evaluations.
        steps: Integer. Optimizer steps of 64 images. Defaults to `800`.
        horizontal_flip: Boolean. Whether classic augmentation may mirror
            images. Defaults to `False`.
        seed: Integer. Defaults to `0`.

    Returns:
        A `ganaug.fidelity.features.FeatureExtractor`.

    Raises:
        ValueError: A class has no image, the classifier's last layer cannot
            be cut off, or it does not return one logit for each class.

    Example:

    ```python
    extractor = classifier_features(train, build_residual_classifier)
    scores = score_images(held_out, synthetic, extractor)
    ```
    """
    train.check_trainable()
    seed = derive_seed(seed, "features")
    learner = KerasLearner(classifier, train, steps, seed)
    arm = Arm(Classic(horizontal_flip), class_balanced=True)
    pipeline = ArmPipeline("features", arm, train, BATCH_SIZE)
    learner.train(seed, pipeline.batches(seed), pipeline.logit_shift(seed), 0.0)
    low, high = train.value_range
    trained = learner.snapshot()
    # Extractors are given images in [-1, 1].
    inputs = keras.Input(train.image_shape)
    rescaled = keras.layers.Rescaling((high - low) / 2, (high + low) / 2)
    outputs = _with_features(trained)(rescaled(inputs))
    return standardized_features(keras.Model(inputs, outputs), train)


def _with_features(model):
    last = model.layers[-1]
    features = getattr(last, "input", None)
    if not isinstance(features, keras.KerasTensor) or features.ndim != 2:
        raise ValueError(
            "The features of `classifier` are what its last layer is given, "
            "which must be one tensor of the shape (batch, dim). Use a "
            "functional or sequential model that ends in such a layer, or "
            "give an `extractor` of your own. "
            f"Received: last layer {last.name!r} with input {features}"
        )
    return keras.Model(model.inputs, [features, model.outputs[0]])
