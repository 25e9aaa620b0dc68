"""Training of one classifier, many times over without tracing anew."""

import keras
import numpy as np
import tensorflow as tf

LEARNING_RATE = 1e-3
TEST_BATCH_SIZE = 512


class ClassifierTrainer:
    """Trains copies of a classifier for a fixed number of steps each.

    Each training starts from given weights with a fresh Adam, whose learning
    rate falls from 1e-3 to zero along a cosine. The loss is cross-entropy on
    logits.

    Args:
        classifier: `keras.Model` from images `(batch, height, width,
            channels)` to logits `(batch, num_classes)`. It is trained in
            place.
        steps: Integer. Optimizer steps of each training.
    """

    def __init__(self, classifier, steps):
        self._model = classifier
        self._steps = steps
        self.optimizer = keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
        )
        # float16 cannot hold the gradients of small losses as they are.
        if any(layer.compute_dtype == "float16" for layer in classifier.layers):
            self.optimizer = keras.optimizers.LossScaleOptimizer(self.optimizer)
        self.optimizer.build(classifier.trainable_variables)
        self._fresh = [
            variable.numpy() for variable in self.optimizer.variables
        ]
        # One graph whatever the numbers of images: graphs for one number are
        # optimized in another way, and predictions would depend, in their last
        # bits, on what was predicted before.
        self._predict = tf.function(
            self._probabilities,
            input_signature=[
                tf.TensorSpec((None, *classifier.input_shape[1:]), tf.float32)
            ],
        )
        self._logit_shift = tf.Variable(
            tf.zeros(classifier.output_shape[-1]), trainable=False
        )

    def train(self, initial, batches, logit_shift, focal_gamma=0.0):
        """Trains from given weights.

        Args:
            initial: List of arrays, the values of all the model's variables,
                its seeds among them.
            batches: Endless `tf.data.Dataset` of float32 `(images, label
                distribution, weights)`.
            logit_shift: Array `(num_classes,)` added to the logits in
                training alone.
            focal_gamma: Float. Exponent of the focal loss. Defaults to `0.0`,
                for cross-entropy.

        Raises:
            ValueError: There were fewer batches than steps, or a loss was not
                finite.
        """
        for variable, value in zip(self._model.variables, initial, strict=True):
            variable.assign(value)
        for variable, value in zip(
            self.optimizer.variables, self._fresh, strict=True
        ):
            variable.assign(value)
        self._logit_shift.assign(logit_shift)
        steps, total_loss = self._run(
            iter(batches.take(self._steps)), float(focal_gamma)
        )
        if steps < self._steps:
            raise ValueError(
                f"The arm's dataset ended after {steps} batches. Expected "
                f"batches for {self._steps} steps: a dataset that is not empty"
            )
        if not np.isfinite(total_loss):
            raise ValueError(
                "The classifier's loss became NaN or infinite. Expected finite "
                "images and weights, and a classifier that trains with Adam"
            )

    @tf.function(reduce_retracing=True)
    def _run(self, batches, focal_gamma):
        losses_of = tf.nn.softmax_cross_entropy_with_logits
        if focal_gamma:
            # Without weights of its own for classes.
            losses_of = keras.losses.CategoricalFocalCrossentropy(
                alpha=1.0, gamma=focal_gamma, from_logits=True, reduction=None
            )
        steps, total_loss = 0, 0.0
        for images, labels, weights in batches:
            with tf.GradientTape() as tape:
                logits = tf.cast(self._model(images, training=True), tf.float32)
                losses = losses_of(labels, logits + self._logit_shift)
                loss = tf.reduce_mean(losses * weights)
                objective = loss
                if isinstance(
                    self.optimizer, keras.optimizers.LossScaleOptimizer
                ):
                    objective = self.optimizer.scale_loss(loss)
            variables = self._model.trainable_variables
            self.optimizer.apply(tape.gradient(objective, variables), variables)
            steps += 1
            total_loss += loss
        return steps, total_loss

    def predict(self, images):
        """Computes probabilities.

        Args:
            images: Array `(num_images, height, width, channels)`.

        Returns:
            A NumPy array `(num_images, num_classes)`.
        """
        return tf.concat(
            [
                self._predict(
                    tf.cast(images[start : start + TEST_BATCH_SIZE], tf.float32)
                )
                for start in range(0, len(images), TEST_BATCH_SIZE)
            ],
            axis=0,
        ).numpy()

    def _probabilities(self, images):
        logits = self._model(images, training=False)
        return tf.nn.softmax(tf.cast(logits, tf.float32))
