"""Features of the Inception network that was trained on ImageNet."""

import os
from pathlib import Path

import keras
import numpy as np

FILE = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
SIZE = 299
BATCH_SIZE = 32


def inception_features(value_range, weights=None):
    """Makes the feature extractor that Fréchet distances usually are of.

    Keras's InceptionV3 up to the mean over places, on images resized to
    299 x 299. It is not the network of the first paper's code to the bit, so
    values are near to published ones and no more. On images that are little
    like photographs, features of a classifier trained on them tell more.

    Args:
        value_range: Pair of numbers. Value range of the images.
        weights: File with the weights. Defaults to the one that Keras has
            fetched; nothing is fetched here.

    Returns:
        A function from images `(num_images, height, width, channels)` of 1 or
        3 channels to a NumPy array `(num_images, 2048)`, as `score_images`
        takes it.

    Raises:
        FileNotFoundError: There are no weights.

    Reference:
        - [Szegedy et al., 2015](https://arxiv.org/abs/1512.00567)
        - [Heusel et al., 2017](https://arxiv.org/abs/1706.08500)
    """
    if weights is None:
        home = os.environ.get("KERAS_HOME", Path.home() / ".keras")
        weights = Path(home) / "models" / FILE
    if not Path(weights).is_file():
        raise FileNotFoundError(
            "The weights of InceptionV3 are not on this machine. Run "
            "`keras.applications.InceptionV3(include_top=False)` once with a "
            f"network, or name the file as `weights`. Received: {weights}"
        )
    network = keras.applications.InceptionV3(
        include_top=False,
        weights=os.fspath(weights),
        input_shape=(SIZE, SIZE, 3),
        pooling="avg",
    )
    low, high = value_range
    resize = keras.layers.Resizing(SIZE, SIZE)

    def features(images):
        images = np.asarray(images)
        if images.shape[-1] not in (1, 3):
            raise ValueError(
                "Inception sees images of 1 or 3 channels. "
                f"Received: images.shape={images.shape}"
            )
        found = []
        for start in range(0, len(images), BATCH_SIZE):
            batch = images[start : start + BATCH_SIZE].astype(np.float32)
            batch = np.broadcast_to(
                2 * (batch - low) / (high - low) - 1, (*batch.shape[:3], 3)
            )
            found.append(
                keras.ops.convert_to_numpy(
                    network(resize(batch), training=False)
                )
            )
        return np.concatenate(found)

    return features
