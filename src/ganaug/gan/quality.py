"""A callback that measures a model's images, and keeps the best generator."""

import logging
import math

from ganaug.fidelity.scores import MEASURES
from ganaug.gan.best_weights import BestWeights
from ganaug.gan.held_out_scores import HeldOutScores
from ganaug.gan.interval_callback import IntervalCallback

logger = logging.getLogger("ganaug")

LABEL_FIDELITY = "label_fidelity"


class QualityMonitor(IntervalCallback):
    """Measures images against held-out real ones while a model trains.

    At every look it draws images from the averaged generator, always from the
    same latents and with the held-out images' share of each class, and scores
    them as `ganaug.fidelity.scores.score_images` does. Looks are at the
    multiples of `every` steps, at the end of the first epoch if none came
    before, and at the end of training.

    At the end of each epoch the newest scores enter Keras's logs as
    `quality_kernel_distance` and so on. `EarlyStopping`, `CSVLogger` and
    `TensorBoard` see them there, if they come later in the list of callbacks.
    An epoch without a look repeats the scores of the last one, so let the
    `patience` of `EarlyStopping` span a look at least.

    The averaged generator of the best look is kept, and training goes on from
    where it is; `restore_best` puts it in the model when you want it there.
    The images that the best was chosen by say too little of how good it is:
    measure it on others.

    Each `fit` begins a history and a best of its own. But with `run_dir` they
    belong to the checkpoint, and a resumed training goes on with them; give
    `folder` then, or the best weights are lost with the process.

    Args:
        train: `LabeledImages` that the model is trained on. Their classes
            teach the feature extractor, at the first look.
        held_out: `LabeledImages` of the same shape and classes, at least 6,
            that are in no training. Time grows with the product of their
            number and `num_images`.
        every: Integer. Training steps between looks. Defaults to `500`.
        measure: String. What the best is chosen by: `"kernel_distance"`,
            `"frechet_distance"`, `"precision"`, `"recall"`, `"density"`,
            `"coverage"` or `"label_fidelity"`. Take the first or coverage:
            the others can be deceived by few good images. Defaults to
            `"kernel_distance"`.
        extractor: A `ganaug.fidelity.features.FeatureExtractor`, or a function
            from images `(num_images, height, width, channels)`, as they are
            in `held_out`, to features `(num_images, dim)`. With a function no
            label fidelity is measured. By default a small classifier is
            trained on `train`, for some seconds to a minute.
        num_images: Integer of at least 6. Images drawn at each look. Defaults
            to `1000`.
        seed: Integer. Fixes the latents and the feature extractor. Defaults
            to `0`.
        folder: Folder for the best weights, `best.safetensors`. Defaults to
            none: they are kept in memory alone.

    Attributes:
        history: Dict with the list `"step"` and one list for each measure;
            NaN where the generator gave NaN, `None` for label fidelity that
            cannot be measured.

    Raises:
        ValueError: An argument is out of range, the two sets share images or
            do not fit each other. When training begins: they do not fit the
            model, or it has been trained on held-out images.
        TypeError: `extractor` is no function.

    Example:

    ```python
    quality = QualityMonitor(train, validation, folder="runs/digits-quality")
    stop = keras.callbacks.EarlyStopping(
        "quality_coverage", mode="max", patience=5
    )
    gan.fit(train, epochs=100, callbacks=[quality, stop])
    quality.restore_best(gan)
    gan.save_pretrained("runs/digits")
    ```
    """

    def __init__(
        self,
        train,
        held_out,
        every=500,
        measure="kernel_distance",
        extractor=None,
        num_images=1000,
        seed=0,
        folder=None,
    ):
        super().__init__(every)
        if measure not in MEASURES:
            raise ValueError(
                f"`measure` must be one of {list(MEASURES)}. "
                f"Received: measure={measure!r}"
            )
        self._scores = HeldOutScores(
            train, held_out, extractor, num_images, seed
        )
        if measure == LABEL_FIDELITY and not self._scores.recognizes_labels:
            raise ValueError(
                "Label fidelity needs a classifier. Leave out `extractor`, "
                "give a FeatureExtractor, or choose another measure. "
                f"Received: measure={measure!r} with a function"
            )
        self._settings = {"measure": measure, **self._scores.settings}
        self.train = train
        self.measure = measure
        self._best = BestWeights(folder)
        self._begin_anew()

    def _begin_anew(self):
        self.history = {"step": [], **{name: [] for name in MEASURES}}
        self._best.forget()

    @property
    def best_step(self):
        """Integer: the step of the best look, or `None`."""
        return None if self._best.best is None else self._best.best.step

    @property
    def best_value(self):
        """Float: what was measured at the best look, or `None`."""
        return None if self._best.best is None else self._best.best.value

    def restore_best(self, model):
        """Puts the best weights into a model's averaged generator.

        An encoder gets those it had then too, and encodes `train` anew; nothing
        else of the model changes. To go on training as if nothing had
        happened, do it after the last `fit`.

        Args:
            model: The model that was trained, or one made with the same
                arguments.

        Raises:
            ValueError: There is no best yet, or the model is another one.
        """
        self._best.restore(model.drawing_networks)
        model.after_fit(self.train)

    def training_notes(self):
        return {
            **super().training_notes(),
            "settings": self._settings,
            "history": {
                name: list(values) for name, values in self.history.items()
            },
            "best": self._best.notes(),
        }

    def restore_training_notes(self, notes):
        if notes is not None and notes.get("settings") != self._settings:
            logger.warning(
                "Quality was measured in another way before the stop, or not "
                "at all. Its history begins anew."
            )
            notes = None
        super().restore_training_notes(notes)
        if notes is None:
            self._begin_anew()
            return
        self.history = {
            name: list(values) for name, values in notes["history"].items()
        }
        self._best.recall(notes["best"])

    def check(self, model):
        super().check(model)
        if model.num_classes is None and self.measure == LABEL_FIDELITY:
            raise ValueError(
                "A model without classes has no label fidelity. Choose "
                "another measure. "
                f"Received: measure={self.measure!r}"
            )
        self._scores.check(model)

    def on_epoch_end(self, epoch, logs=None):
        # Of the last epoch too, and of the first, for those that read logs
        # and expect the same names each time.
        if self._is_last() or not self.history["step"]:
            self._look_unless_just_done()
        for name in MEASURES:
            if self.history[name][-1] is not None:
                logs[f"quality_{name}"] = self.history[name][-1]

    def look(self, step):
        scores = self._scores.score(self.model)
        self.history["step"].append(step)
        for name in MEASURES:
            self.history[name].append(scores[name])
        value = scores[self.measure]
        if self._is_best(value):
            self._best.keep(self.model.drawing_networks, step, value)

    def _is_best(self, value):
        if math.isnan(value) or self.best_value is None:
            return not math.isnan(value)
        if MEASURES[self.measure]:
            return value > self.best_value
        return value < self.best_value
