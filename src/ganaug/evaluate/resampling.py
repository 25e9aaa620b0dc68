"""Samplers of imbalanced-learn on images."""

import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.over_sampling.base import BaseOverSampler
from sklearn.base import clone

from ganaug.data.labeled_images import LabeledImages


class Smote(BaseOverSampler):
    """imbalanced-learn's SMOTE with as many neighbours as rare classes have.

    Args:
        sampling_strategy: As in SMOTE. Defaults to `"auto"`.
        k_neighbors: Integer. Neighbours at most; a class of three images has
            two, and one of a single image stays as it is. Defaults to `5`.
        random_state: As in SMOTE. Defaults to `None`.

    Reference:
        - [Chawla et al., 2002](https://arxiv.org/abs/1106.1813)
    """

    def __init__(
        self, *, sampling_strategy="auto", k_neighbors=5, random_state=None
    ):
        super().__init__(sampling_strategy=sampling_strategy)
        self.k_neighbors = k_neighbors
        self.random_state = random_state

    def _fit_resample(self, X, y):
        counts = {
            label: int((y == label).sum()) for label in self.sampling_strategy_
        }
        grown = {
            label: counts[label] + number
            for label, number in self.sampling_strategy_.items()
            if number and counts[label] > 1
        }
        if not grown:
            return X.copy(), y.copy()
        fewest = min(counts[label] for label in grown)
        smote = SMOTE(
            sampling_strategy=grown,
            k_neighbors=min(self.k_neighbors, fewest - 1),
            random_state=self.random_state,
        )
        return smote.fit_resample(X, y)


def resample(images, sampler, seed):
    """Resamples images.

    Args:
        images: `LabeledImages`.
        sampler: Sampler of imbalanced-learn, or what has its `fit_resample`.
            One with `pretrained`, as `GANOverSampler` has it, gets pixels as
            they are, and as labels the names of classes that have some.
        seed: Integer. Becomes its `random_state`, where it has one.

    Returns:
        A `LabeledImages` of the same dtype; integers are rounded.

    Raises:
        ValueError: As the sampler raises it.
    """
    if hasattr(sampler, "get_params"):
        sampler = clone(sampler)
        if "random_state" in sampler.get_params():
            sampler.set_params(random_state=seed)
    dtype = images.images.dtype
    table = images.images.reshape(len(images), -1)
    if getattr(sampler, "pretrained", None) is not None:
        # Its generator draws the pixels and the classes that it learnt.
        names = images.class_names
        if names == tuple(map(str, range(len(names)))):
            names = range(len(names))
        rows, given = sampler.fit_resample(
            table, np.asarray(names)[images.labels]
        )
        place = {name: label for label, name in enumerate(names)}
        labels = np.array([place[name] for name in given.tolist()])
    else:
        # In small integers the differences that SMOTE takes would wrap around.
        whole = dtype.kind in "ui"
        rows, labels = sampler.fit_resample(
            table.astype(np.float32) if whole else table, images.labels
        )
        rows = np.rint(rows) if whole else rows
    return LabeledImages(
        rows.astype(dtype).reshape(-1, *images.image_shape),
        labels,
        images.class_names,
        images.value_range,
    )
