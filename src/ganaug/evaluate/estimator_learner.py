"""scikit-learn's estimators on flattened images."""

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from ganaug.evaluate.description import describe
from ganaug.seeds import derive_seed


class EstimatorLearner:
    """Fits a scikit-learn estimator to flattened images.

    It is fitted to all images of as many batches as a Keras model would have
    steps. Where labels are soft, a class is drawn for each image. Logit
    adjustment is made after training: what would have been added to the logits
    is subtracted from the logarithms of the probabilities.

    Args:
        estimator: Classifier of scikit-learn with `predict_proba` or
            `decision_function`.
        train: `LabeledImages`.
        steps: Integer. Batches of each training.

    Reference:
        - [Menon et al., 2021](https://arxiv.org/abs/2007.07314), section 4.1
    """

    def __init__(self, estimator, train, steps):
        if not any(
            hasattr(estimator, name)
            for name in ("predict_proba", "decision_function")
        ):
            raise ValueError(
                "`classifier` must have `predict_proba` or "
                "`decision_function`. Choose another one, or wrap it in "
                "scikit-learn's CalibratedClassifierCV. "
                f"Received: classifier={estimator!r}"
            )
        self._estimator = estimator
        self._num_classes = train.num_classes
        self._steps = steps

    @property
    def description(self):
        """Dict for JSON: what is trained."""
        return {"classifier": describe(self._estimator)}

    @property
    def name(self):
        """String for people."""
        return repr(self._estimator)

    def check_arms(self, arms):
        """Checks that all arms can be trained.

        Args:
            arms: Dict from name to `Arm`.

        Raises:
            ValueError: An arm has a focal loss, or weights that the estimator
                does not take.
        """
        for name, arm in arms.items():
            if arm.focal_gamma:
                raise ValueError(
                    f"Arm {name!r}: a scikit-learn estimator has its own loss. "
                    "Leave arms with a focal loss out. "
                    f"Received: focal_gamma={arm.focal_gamma}"
                )
            if arm.class_weights and not self._takes_weights:
                raise ValueError(
                    f"Arm {name!r}: {self.name} takes no weights. Leave arms "
                    "with class weights out. Received: class_weights=True"
                )

    @property
    def _takes_weights(self):
        return has_fit_parameter(self._estimator, "sample_weight")

    def train(self, seed, batches, logit_shift, focal_gamma):
        """Fits a copy with a seed.

        Args:
            seed: Integer. Becomes its `random_state`, where it has one.
            batches: As in `ClassifierTrainer.train`.
            logit_shift: As there.
            focal_gamma: As there. It is 0, see `check_arms`.

        Raises:
            ValueError: There are too few batches, or weights that the
                estimator does not take, or as it raises it.
        """
        rng = np.random.default_rng(derive_seed(seed, "labels"))
        taken = list(batches.take(self._steps).as_numpy_iterator())
        if len(taken) < self._steps:
            raise ValueError(
                f"The arm's dataset ended after {len(taken)} batches. Expected "
                f"{self._steps}: a dataset that is not empty"
            )
        images, labels, weights = map(np.concatenate, zip(*taken, strict=True))
        rows = images.reshape(len(images), -1)
        shares = np.cumsum(labels, -1)
        drawn = (
            rng.uniform(size=(len(labels), 1)) * shares[:, -1:] >= shares
        ).sum(-1)
        drawn = np.minimum(drawn, self._num_classes - 1)
        self._fitted = clone(self._estimator)
        # Those of the steps of a pipeline too.
        names = [
            name
            for name in self._fitted.get_params()
            if name.split("__")[-1] == "random_state"
        ]
        self._fitted.set_params(
            **dict.fromkeys(names, derive_seed(seed, "weights"))
        )
        if np.ptp(weights):
            if not self._takes_weights:
                raise ValueError(
                    f"{self.name} takes no weights, and the arm's differ. "
                    "Leave `sample_weight` out, or choose another classifier. "
                    f"Received: weights from {weights.min():g} to "
                    f"{weights.max():g}"
                )
            self._fitted.fit(rows, drawn, sample_weight=weights)
        else:
            self._fitted.fit(rows, drawn)
        self._logit_shift = np.asarray(logit_shift, np.float64)

    def probabilities(self, images):
        """Predicts with what was fitted last.

        Args:
            images: Array `(num_images, height, width, channels)`.

        Returns:
            A NumPy array `(num_images, num_classes)`.
        """
        rows = images.reshape(len(images), -1).astype(np.float32)
        logits = np.full((len(rows), self._num_classes), -np.inf)
        seen = self._fitted.classes_
        if hasattr(self._fitted, "predict_proba"):
            # The least positive number keeps a probability of 0 finite.
            found = np.maximum(
                self._fitted.predict_proba(rows), np.finfo(np.float64).tiny
            )
            logits[:, seen] = np.log(found)
        else:
            decisions = self._fitted.decision_function(rows)
            if decisions.ndim == 1:
                decisions = np.stack([-decisions, decisions], -1) / 2
            logits[:, seen] = decisions
        logits -= self._logit_shift
        odds = np.exp(logits - logits.max(-1, keepdims=True))
        return odds / odds.sum(-1, keepdims=True)
