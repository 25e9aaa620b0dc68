"""Pictures of what a model draws, while it trains."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from ganaug.gan.fit_arguments import check_fit_arguments
from ganaug.gan.interval_callback import IntervalCallback
from ganaug.pictures import save_image_grid
from ganaug.seeds import derive_seed, resolve_seed

MAX_CLASSES_SHOWN = 20
# TensorBoard's own number for pictures.
DATA_CLASS_BLOB_SEQUENCE = 3


class SampleGrids(IntervalCallback):
    """Draws a picture of the averaged generator's images at an interval.

    All pictures of a training are drawn from the same latents, so that one
    sees what becomes of each image. They are named by the step, as in
    `step-000500.png`; the last one is that of the end of training.

    Args:
        folder: Folder for the pictures; made where there is none. Pictures of
            the same steps are overwritten.
        every: Integer. Training steps between pictures. Defaults to `500`.
        seed: Integer. Fixes the latents. Defaults to `0`.
        num_per_class: Integer. Images in the row of a class. At most 20
            classes are shown, evenly spaced among all. A model without
            classes gets as many rows as columns. Defaults to `8`.
        tensorboard_dir: Folder where TensorBoard looks, to show the pictures
            there too. Writing needs no TensorBoard. Defaults to none.

    Raises:
        ValueError: An argument is out of range.

    Example:

    ```python
    grids = SampleGrids("runs/digits-pictures", every=250)
    gan.fit(train, epochs=20, callbacks=[grids])
    ```
    """

    def __init__(
        self,
        folder,
        every=500,
        seed=0,
        num_per_class=8,
        tensorboard_dir=None,
    ):
        super().__init__(every)
        check_fit_arguments(num_per_class=num_per_class)
        self.folder = Path(folder)
        self.seed = resolve_seed(seed)
        self.num_per_class = int(num_per_class)
        self.tensorboard_dir = tensorboard_dir
        self._writer = None

    def check(self, model):
        super().check(model)
        # A folder that cannot be made is better known now than later.
        self.folder.mkdir(parents=True, exist_ok=True)

    def look(self, step):
        rows, names = self._rows()
        path = self.folder / f"step-{step:06d}.png"
        value_range = self.model.learnt.value_range
        save_image_grid(path, rows, names, value_range, f"step {step}")
        if self.tensorboard_dir is not None:
            self._write_summary(path.read_bytes(), step)

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _rows(self):
        names = self.model.learnt.class_names
        if self.model.num_classes is None:
            labels = self.num_per_class**2
            names = [""] * self.num_per_class
        else:
            num_rows = min(len(names), MAX_CLASSES_SHOWN)
            shown = np.linspace(0, len(names) - 1, num_rows).round().astype(int)
            labels = shown.repeat(self.num_per_class)
            names = [names[label] for label in shown]
        images = self.model.generate(
            labels, seed=derive_seed(self.seed, "sample grids")
        )
        return np.split(images, len(names)), names

    def _write_summary(self, png, step):
        if self._writer is None:
            self._writer = tf.summary.create_file_writer(
                str(self.tensorboard_dir)
            )
        height, width = tf.io.decode_png(png).shape[:2]
        # `tf.summary.image` needs the package tensorboard, and would encode
        # the picture once more.
        metadata = tf.compat.v1.SummaryMetadata(
            plugin_data=tf.compat.v1.SummaryMetadata.PluginData(
                plugin_name="images"
            ),
            data_class=DATA_CLASS_BLOB_SEQUENCE,
        )
        with self._writer.as_default():
            tf.summary.write(
                "samples",
                tf.constant([str(width), str(height), png]),
                step=step,
                metadata=metadata,
            )
        self._writer.flush()
