"""GANOverSampler: an over-sampler with the interface of imbalanced-learn."""

import math
import numbers
import operator
import os

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.utils import check_target_type
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from ganaug import artifact
from ganaug.data.labeled_images import LabeledImages
from ganaug.gan.generative_model import GenerativeModel
from ganaug.gan.latent_kinds import PRIOR, needs_encoder
from ganaug.gan.training_by_name import MODELS, train_by_name
from ganaug.pixel_scale import PixelScale
from ganaug.seeds import MAX_SEED, derive_seed
from ganaug.synthesis.generating import draw_bank
from ganaug.synthesis.generators import Generators
from ganaug.synthesis.selection import Selection

# The least that the networks take.
MIN_SIDE = 4


class GANOverSampler(BaseOverSampler):
    """Over-samples images of rare classes with synthetic ones.

    It is a sampler of imbalanced-learn, for its `Pipeline` and for
    cross-validation: `fit_resample` trains a generator on the examples that it
    is given, so one that is called on the training part of a fold has never
    seen the rest. Real examples come first and as they were; synthetic ones
    follow, class by class.

    Args:
        sampling_strategy: As in imbalanced-learn's over-samplers: `"auto"`,
            `"minority"`, `"not minority"`, `"not majority"`, `"all"`, a dict
            from classes to numbers of examples afterwards, a callable that
            returns one, or a float for two classes. Defaults to `"auto"`.
        pretrained: What draws instead of a generator that is trained each
            time: an artifact's folder, `ganaug.artifact.Artifact`, a trained
            model, a list of these, or `Generators`. Whoever passes one answers
            for what it has seen: in cross-validation it must not know the
            folds. Its class names must be the classes of `y`, as text.
            Defaults to `None`.
        model: String, `"gan"`, `"vae"` or `"vae-gan"`; or a callable
            `model(image_shape, num_classes, seed)` that returns a compiled
            model of these kinds. Defaults to `"gan"`.
        architecture: String. Defaults to that of the model.
        steps: Integer. Training steps. Defaults to the recipe's for the image
            size, which takes minutes.
        batch_size: Integer. Images in a step. Defaults to `64`.
        image_shape: Tuple `(height, width)` or `(height, width, channels)` of
            the images in the rows of a table. By default they are gray and
            square: a row fills the smallest square of at least 4 x 4 pixels,
            and what it leaves is black. Arrays of images tell their shape.
        value_range: Pair of numbers. The values of black and of full
            intensity. By default `[0, 255]` for `uint8`; for floats `[0, 1]`
            or `[-1, 1]` if they are within; otherwise, from the smallest value
            of `X` to the largest.
        latents: String, or dict from strings to shares, as in `Generators`.
            Where the latents come from. Defaults to `"prior"`; `Generators`
            bring their own.
        truncation: Float. What their spread is multiplied with. Defaults to
            `1.0`; `Generators` bring their own.
        selection: `ganaug.Selection`: which images are kept. Defaults to all.
        random_state: Integer, `numpy.random.RandomState`, or `None`. Fixes
            training and images. Defaults to `None`.
        verbose: As in `keras.Model.fit`. Defaults to `0`.

    Attributes:
        sampling_strategy_: Dict from classes to numbers of synthetic examples.
        generators_: The `Generators` that drew; `None` if nothing was drawn.

    Raises:
        ValueError: When called: the examples are no images of the shape, a
            class has too few, or `pretrained` does not fit.
        FileNotFoundError: When called: there is no artifact in a folder.
        TypeError: When called: `pretrained` is nothing to draw with.

    Example:

    ```python
    pipeline = imblearn.pipeline.make_pipeline(
        GANOverSampler(image_shape=(8, 8), random_state=0), LogisticRegression()
    )
    cross_val_score(pipeline, X, y, scoring="balanced_accuracy")
    ```

    Reference:
        - [imbalanced-learn](https://imbalanced-learn.org)
    """

    def __init__(
        self,
        *,
        sampling_strategy="auto",
        pretrained=None,
        model="gan",
        architecture=None,
        steps=None,
        batch_size=64,
        image_shape=None,
        value_range=None,
        latents="prior",
        truncation=1.0,
        selection=None,
        random_state=None,
        verbose=0,
    ):
        super().__init__(sampling_strategy=sampling_strategy)
        self.pretrained = pretrained
        self.model = model
        self.architecture = architecture
        self.steps = steps
        self.batch_size = batch_size
        self.image_shape = image_shape
        self.value_range = value_range
        self.latents = latents
        self.truncation = truncation
        self.selection = selection
        self.random_state = random_state
        self.verbose = verbose

    @property
    def training_fingerprints(self):
        """Fingerprints of what `pretrained` learnt; none without it."""
        if self.pretrained is None:
            return np.empty(0, np.uint64)
        return self._read_pretrained().fingerprints

    def _check_X_y(self, X, y):
        dtypes = {str(dtype) for dtype in getattr(X, "dtypes", ())}
        if len(dtypes) > 1:
            raise ValueError(
                "The columns of `X` are pixels and must have one dtype. "
                f"Received: columns of {sorted(dtypes)}"
            )
        y, binarize_y = check_target_type(y, indicate_one_vs_all=True)
        X, y = validate_data(
            self, X=X, y=y, reset=True, accept_sparse=["csr"], allow_nd=True
        )
        return X, y, binarize_y

    def _fit_resample(self, X, y):
        self._check_arguments()
        self.generators_ = None
        growth = {
            label: number
            for label, number in self.sampling_strategy_.items()
            if number
        }
        if not growth:
            return X.copy(), y.copy()
        seed = int(check_random_state(self.random_state).randint(MAX_SEED))
        table = X.toarray() if sparse.issparse(X) else X
        classes, labels = np.unique(y, return_inverse=True)
        names = [str(label) for label in classes.tolist()]
        scale = PixelScale(table, self.value_range, self.pretrained is None)
        images = LabeledImages(
            self._unfold(scale.to_images(table), scale.image_range[0]),
            labels,
            names,
            scale.image_range,
        )
        if self.selection is not None:
            self.selection.check(images.image_shape, images.class_names)
        if self.pretrained is None:
            model = self._train(images, seed)
            self.generators_ = Generators(
                model, latents=self.latents, truncation=self.truncation
            )
        else:
            self.generators_ = self._read_pretrained()
        places = _places(self.generators_, images, names)
        wanted = np.zeros(len(self.generators_.class_names), int)
        for label, number in growth.items():
            wanted[places[classes.tolist().index(label)]] = number
        bank = draw_bank(
            self.generators_,
            wanted,
            derive_seed(seed, "over-sampling"),
            self.selection,
        )
        drawn = bank.images.reshape(len(bank), -1)[:, : table[0].size]
        drawn = scale.from_images(drawn.reshape(-1, *table.shape[1:]))
        by_place = np.argsort(places)
        drawn_labels = classes[
            by_place[np.searchsorted(places[by_place], bank.labels)]
        ].astype(y.dtype)
        if sparse.issparse(X):
            X = sparse.vstack([X, sparse.csr_matrix(drawn)], format="csr")
        else:
            X = np.concatenate([X, drawn])
        return X, np.concatenate([y, drawn_labels])

    def _check_arguments(self):
        named = isinstance(self.model, str) and self.model in MODELS
        if not named and (
            not callable(self.model) or self.model in MODELS.values()
        ):
            raise ValueError(
                f"`model` must be one of {tuple(MODELS)}, or a callable. "
                f"Received: model={self.model!r}"
            )
        # What would else be noticed after minutes of training.
        needs_encoder(self.latents)
        if not isinstance(self.truncation, numbers.Real) or not (
            0 <= self.truncation < math.inf
        ):
            raise ValueError(
                "`truncation` must be a finite number of at least 0. "
                f"Received: truncation={self.truncation!r}"
            )
        for name in ("steps", "batch_size"):
            number = getattr(self, name)
            if name == "steps" and number is None:
                continue
            if (
                isinstance(number, bool)
                or not isinstance(number, numbers.Integral)
                or number < 1
            ):
                raise ValueError(
                    f"`{name}` must be a positive integer. "
                    f"Received: {name}={number!r}"
                )
        if self.selection is not None and not isinstance(
            self.selection, Selection
        ):
            raise ValueError(
                "`selection` must be a ganaug.Selection. "
                f"Received: selection={self.selection!r}"
            )

    def _unfold(self, images, black):
        """Gives rows of a table the shape of images."""
        shape = _check_image_shape(self.image_shape)
        if images.ndim > 2:
            if images.ndim == 3:
                images = images[..., None]
            if shape not in (None, images.shape[1:]):
                raise ValueError(
                    "`image_shape` must be that of the images in `X`, or be "
                    f"left out. Received: image_shape={self.image_shape!r} "
                    f"for `X` with images of shape {images.shape[1:]}"
                )
            return images
        num_features = images.shape[1]
        if shape is None:
            side = max(MIN_SIDE, math.ceil(math.sqrt(num_features)))
            square = np.full((len(images), side * side), black, images.dtype)
            square[:, :num_features] = images
            return square.reshape(len(images), side, side, 1)
        if math.prod(shape) != num_features:
            raise ValueError(
                "`image_shape` must have as many values as a row of `X`. "
                f"Received: image_shape={self.image_shape!r} for "
                f"{num_features} features"
            )
        return images.reshape(len(images), *shape)

    def _train(self, images, seed):
        images.check_trainable()
        if not callable(self.model):
            if needs_encoder(self.latents) and not hasattr(
                MODELS[self.model], "encode"
            ):
                raise self._no_encoder()
            return train_by_name(
                images,
                self.model,
                seed,
                self.architecture,
                self.steps,
                self.batch_size,
                self.verbose,
            )
        model = self.model(images.image_shape, images.num_classes, seed)
        if not isinstance(model, GenerativeModel) or not model.compiled:
            raise ValueError(
                "`model` must return a compiled model of ganaug, such as "
                f"ConditionalGAN. Received: {model!r}"
            )
        if needs_encoder(self.latents) and not hasattr(model, "encode"):
            raise self._no_encoder()
        model.fit(
            images,
            batch_size=self.batch_size,
            steps_per_epoch=self.steps or model.recipe.steps,
            verbose=self.verbose,
        )
        return model

    def _no_encoder(self):
        return ValueError(
            "Latents of real images come from an encoder. Use model='vae' or "
            "'vae-gan', or latents='prior'. "
            f"Received: model={self.model!r}, latents={self.latents!r}"
        )

    def _read_pretrained(self):
        pretrained = self.pretrained
        if isinstance(pretrained, Generators):
            if self.latents != PRIOR or self.truncation != 1:
                raise ValueError(
                    "`Generators` bring their own `latents` and `truncation`. "
                    "Give them there, or a folder or an artifact as "
                    f"`pretrained`. Received: latents={self.latents!r}, "
                    f"truncation={self.truncation!r}"
                )
            if pretrained.class_interpolation:
                raise ValueError(
                    "Images between classes have soft labels, and a sampler "
                    "gives each image one class. Received: `pretrained` with "
                    f"class_interpolation={pretrained.class_interpolation}"
                )
            return pretrained
        several = isinstance(pretrained, (list, tuple))
        return Generators(
            [
                artifact.load(one)
                if isinstance(one, (str, os.PathLike))
                else one
                for one in (pretrained if several else [pretrained])
            ],
            latents=self.latents,
            truncation=self.truncation,
        )


def _check_image_shape(image_shape):
    if image_shape is None:
        return None
    try:
        shape = tuple(operator.index(side) for side in image_shape)
    except TypeError:
        shape = ()
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise ValueError(
            "`image_shape` must be (height, width) or (height, width, "
            f"channels). Received: image_shape={image_shape!r}"
        )
    return shape if len(shape) == 3 else (*shape, 1)


def _places(generators, images, names):
    """Where the classes of the examples are among those of the generators."""
    problem = None
    if images.image_shape != tuple(generators.image_shape):
        problem = (
            f"it draws images of shape {generators.image_shape}, and those of "
            f"`X` have {images.image_shape}"
        )
    elif (str(images.images.dtype), images.value_range) != (
        generators.image_dtype,
        tuple(generators.value_range),
    ):
        problem = (
            f"it draws {generators.image_dtype} in "
            f"{list(generators.value_range)}, and `X` has "
            f"{images.images.dtype} in {list(images.value_range)}"
        )
    elif not set(names) <= set(generators.class_names):
        problem = (
            f"its classes are {list(generators.class_names)}, and those of "
            f"`y` {names}"
        )
    if problem:
        raise ValueError(
            f"`pretrained` must draw what `X` and `y` hold: {problem}. Convert "
            "`X` or `y`, say `image_shape` and `value_range`, or train on "
            "them with pretrained=None. Received: pretrained of artifacts "
            f"{list(generators.ids)}"
        )
    return np.array([generators.class_names.index(name) for name in names])
