"""GANAugmenter: a transformation Dataset -> Dataset."""

import copy
import os

import numpy as np
import tensorflow as tf

import ganaug
from ganaug import artifact
from ganaug.artifact_id import hash_arrays
from ganaug.augment.arrays import AugmentedArrays, augment_arrays
from ganaug.augment.class_counts import resolve_class_counts
from ganaug.augment.dataset_fit import check_class_names
from ganaug.augment.details import check_detail_arguments
from ganaug.augment.epochs import EpochCallback, epoch_variable
from ganaug.augment.extending import check_growth_strategy
from ganaug.augment.image_source import ImageSource
from ganaug.augment.labels import check_label_arguments
from ganaug.augment.modes import EXPECTED, EXTEND, MODES, REPLACE, SHARES
from ganaug.augment.preview import preview
from ganaug.augment.ratio import resolve_ratio
from ganaug.augment.sampling_strategy import UNIFORM, resolve_class_weights
from ganaug.augment.transforming import transform
from ganaug.data.images import check_value_range
from ganaug.seeds import derive_seed, resolve_seed
from ganaug.synthesis.generators import Generators

STEP, EPOCH = SCHEDULES = ("step", "epoch")
DEFAULT_GROWTH = "auto"
ARRAY_BATCH_SIZE = 64


class GANAugmenter:
    """Mixes class-conditioned synthetic images into a dataset.

    Real examples pass through as they are, and synthetic ones of a pretrained
    GAN with their labels come among them: in the place of a share of each
    batch, in addition to it, or until the data set has grown to what a
    sampling strategy says. Structure, shapes and dtypes stay as they are, and
    a cardinality that is known stays known. Apply it to training data only,
    before classic augmentation, which should see both kinds of images.

    The stream is the same for the same seed, whatever the number of threads,
    and other in every epoch. It holds no state: iterators can be checkpointed,
    and `tf.data.experimental.service` can process it. There, each worker counts
    for itself what is exact, so extend a dataset after `distribute`; and what a
    worker had in hand when it died is lost, unless the service writes the epoch
    with `tf.data.experimental.distributed_save`.

    Without tf.data, `py_dataset` makes batches of arrays for `model.fit` on any
    Keras backend, and `augment_arrays` mixes into whole arrays.

    Args:
        pretrained: What draws the images: `ganaug.artifact.Artifact`, a
            trained model such as `ganaug.ConditionalGAN`, a list of them, or
            `ganaug.synthesis.generators.Generators`, which also say how often
            each draws, from what latents, and whether between classes.
            `None` if `source` is a finished bank.
        ratio: Float in `[0, 1]`, the share of synthetic examples in what comes
            out; 1 only where it replaces. Or a schedule: a callable from an
            int64 tensor, how many batches (or single examples) came before in
            this iteration of the dataset, to a float, such as
            `keras.optimizers.schedules.LearningRateSchedule`. `model.fit`
            begins a new iteration in each epoch, unless it is given
            `steps_per_epoch`: apply the augmenter after `repeat()`, and give
            it, for a schedule over a whole training. Single examples are mixed
            64 at a time, and the schedule is called as often. Defaults to
            `0.25`; with `mode="extend"` it must be left out.
        sampling_strategy: Which classes synthetic images have. Where batches
            are mixed: `"uniform"`, every class equally often, which lifts rare
            classes; `"match"`, those of real examples, which keeps the class
            shares; `"inverse_frequency"`, the rarer the likelier; a dict from
            class name or index to a weight, or one weight for each class.
            With `mode="extend"` what imbalanced-learn's oversamplers take,
            with their meaning: `"auto"`, `"minority"`, `"not minority"`,
            `"not majority"`, `"all"`, a dict from classes to numbers of
            examples afterwards, a callable that returns one, or a float.
            Defaults to `"uniform"`, and to `"auto"` where it extends.
        mode: String. `"replace"`: synthetic examples take the places of real
            ones. `"append"`: each batch grows. `"extend"`: the data set grows;
            batches keep their size and there are more of them, with synthetic
            examples spread at random. Defaults to `"replace"`.
        share: String. `"expected"`: the number for each batch is rounded up or
            down at random. `"exact"`: after any number of batches it is what
            the share is so far, rounded down, so that it can be known before.
            Appending to single examples always is exact. Defaults to
            `"expected"`.
        schedule_by: String. What a schedule is called with: `"step"`, or
            `"epoch"`, as `epoch_callback` tells it. Defaults to `"step"`.
        class_counts: Dict from class name or index to its number of real
            examples, or one number for each class. Where it is needed, it is
            counted by default, in one pass over the dataset. Where it is
            known, classes without a real example that are not asked for by
            name are warned of.
        class_names: Sequence of strings. The dataset's classes in the order of
            its labels, such as `info.features["label"].names` of TFDS, to have
            them compared with the GAN's: integer labels alone tell neither how
            many classes there are nor which. Defaults to no comparison.
        source: Where images come from: `"live"`, drawn when they are needed;
            `"bank"`, drawn into memory now; or a finished bank, as
            `ganaug.synthesis.bank.Bank` or its folder. Defaults to `"live"`.
        bank_size: Integer. Images of a bank in memory, equally many of each
            class. Defaults to 256 of each.
        refresh: Float in `[0, 1]`. Share of a bank in memory that
            `epoch_callback` renews each epoch. Defaults to `0.0`.
        selection: `ganaug.synthesis.selection.Selection`: which images come
            into a bank in memory. Defaults to all.
        label_smoothing: Float in `[0, 1)`. Share of synthetic labels that is
            spread over all classes; needs one-hot labels. Defaults to `0.0`.
        teacher: `keras.Model` from images as the dataset has them, cast to
            float32, to probabilities: soft labels for synthetic images; needs
            one-hot labels. Its weights are copied. Defaults to `None`.
        sample_weight: Float. Weight of synthetic examples; real ones keep
            theirs, or get 1. By default synthetic ones get 1 where the dataset
            has weights, and the dataset gets none where it has none.
        fill: Dict from further keys of dict elements to what synthetic
            examples have there. Defaults to 0, `""` and `False`.
        is_synthetic: Boolean. Whether elements get the key `"is_synthetic"`;
            tuples get a dict as their last part, which has to be dropped
            before `model.fit`. Defaults to `False`.
        provenance: Boolean. Whether elements get, in the same way,
            `"artifact"`, the id of what drew it, `"drawn_class"`, the class
            that it was asked for, `"seed"` and `"index"`, from which
            `Generators.remake` makes the image again. Real examples have `""`,
            -1, 0 and -1. Defaults to `False`.
        rerandomize_each_iteration: Boolean. Whether each epoch has other
            noise. If not, it depends on the first real images of a batch
            alone (8 KB of them, at least one), so the same batches are always
            mixed with the same images, and batches that begin with the same
            images alike. Defaults to `True`.
        value_range: Pair of numbers. The values of black and of full
            intensity in the dataset. Floating-point images need it, since
            nothing else tells `[0, 1]` from `[-1, 1]`. Integers have by
            default the range that the GAN was trained on, where the dtype is
            the same, and otherwise `[0, 255]` if they are `uint8`.
        seed: Integer. Fixes places, labels and images. Drawn at random by
            default; the attribute `seed` tells it. Augmenters that are applied
            one after the other need seeds of their own: with the same one, the
            second takes the very places that the first has filled.

    Call arguments:
        dataset: `tf.data.Dataset`, batched or not, of `(image, label)`,
            `(image, label, weight)`, or TFDS or Keras dicts; integer, one-hot
            or soft labels.

    Raises:
        ValueError: An argument is out of range or contradicts another; when
            applied, the dataset's structure is not known or its images or
            classes do not fit the GAN.
        TypeError: `pretrained`, `teacher` or the dataset is something else.
        tf.errors.InvalidArgumentError: While iterated, an image leaves the
            value range, or a label is not a class of the GAN.

    Example:

    ```python
    augmenter = ganaug.GANAugmenter.from_pretrained("runs/fashion", ratio=0.25)
    model.fit(train_ds.batch(64).apply(augmenter), epochs=10)
    ```
    """

    def __init__(
        self,
        pretrained=None,
        ratio=None,
        sampling_strategy=None,
        *,
        mode=REPLACE,
        share=EXPECTED,
        schedule_by=STEP,
        class_counts=None,
        class_names=None,
        source="live",
        bank_size=None,
        refresh=0.0,
        selection=None,
        label_smoothing=0.0,
        teacher=None,
        sample_weight=None,
        fill=None,
        is_synthetic=False,
        provenance=False,
        rerandomize_each_iteration=True,
        value_range=None,
        seed=None,
    ):
        # What `tune` chose by, on what it returns.
        self.tuning = None
        self._choice_fingerprints = np.empty(0, np.uint64)
        self._arguments = {
            name: value
            for name, value in locals().items()
            if name not in ("self", "pretrained")
        }
        _check_one_of("mode", mode, MODES)
        _check_one_of("share", share, SHARES)
        _check_one_of("schedule_by", schedule_by, SCHEDULES)
        check_detail_arguments(sample_weight, fill)
        if sampling_strategy is None:
            sampling_strategy = DEFAULT_GROWTH if mode == EXTEND else UNIFORM
        if value_range is not None:
            value_range = check_value_range(value_range)
        self.sampling_strategy = sampling_strategy
        self.mode = mode
        self.share = share
        self.schedule_by = schedule_by
        self.label_smoothing = label_smoothing
        self.teacher = teacher
        self.sample_weight = sample_weight
        self.fill = fill
        self.is_synthetic = is_synthetic
        self.provenance = provenance
        self.rerandomize_each_iteration = rerandomize_each_iteration
        self.value_range = value_range
        self.seed = resolve_seed(seed)
        self._epoch = epoch_variable() if schedule_by == EPOCH else None
        self._ratio = resolve_ratio(ratio, mode, self._epoch)
        self.ratio = None if self._ratio is None else self._ratio.ratio
        self._source = ImageSource(
            pretrained,
            source,
            bank_size,
            selection,
            refresh,
            derive_seed(self.seed, "bank"),
        )
        check_label_arguments(
            label_smoothing, teacher, self._source.is_interpolated
        )
        if class_names is not None:
            check_class_names(class_names, self.class_names)
        self.class_counts = class_counts
        if class_counts is not None:
            self.class_counts = resolve_class_counts(
                class_counts, self.class_names
            )
        if mode == EXTEND:
            check_growth_strategy(sampling_strategy, self.class_names)
        else:
            resolve_class_weights(sampling_strategy, self.class_names)

    @classmethod
    def from_pretrained(
        cls,
        path,
        *args,
        weights=None,
        latents="prior",
        truncation=1.0,
        class_interpolation=0.0,
        **kwargs,
    ):
        """Reads the artifact in a folder, or those in several.

        Args:
            path: Folder written by `ConditionalGAN.save_pretrained` or
                `ganaug train`, or a list of them.
            *args: Arguments of `GANAugmenter` after the first.
            weights: As in `ganaug.synthesis.generators.Generators`: how often
                each artifact draws. Defaults to equally often.
            latents: As in `Generators`: where latents come from, or shares of
                several such places. Defaults to `"prior"`.
            truncation: As in `Generators`: what the latents' spread is
                multiplied with. Defaults to `1.0`.
            class_interpolation: As in `Generators`: how images are drawn
                between classes. Defaults to `0.0`, for not at all.
            **kwargs: Arguments of `GANAugmenter`.

        Returns:
            A `GANAugmenter`.

        Raises:
            FileNotFoundError: There is no artifact.
            ValueError: It is cut, changed or not ganaug's, or an argument is
                out of range.
        """
        paths = [path] if isinstance(path, (str, os.PathLike)) else list(path)
        generators = Generators(
            [artifact.load(path) for path in paths],
            weights,
            latents,
            truncation,
            class_interpolation,
        )
        return cls(generators, *args, **kwargs)

    @property
    def generators(self):
        """The `Generators`, or `None` for a finished bank."""
        return self._source.generators

    @property
    def bank(self):
        """The `Bank`, or `None` where images are drawn live."""
        return self._source.bank

    @property
    def training_fingerprints(self):
        """Fingerprints of the images that the generators learnt."""
        return self._source.draws.fingerprints

    @property
    def choice_fingerprints(self):
        """Fingerprints of the validation images that `tune` chose with."""
        return self._choice_fingerprints

    @property
    def counts_batches(self):
        """Whether what is mixed in depends on how many batches came before."""
        ratio = self._ratio
        return ratio is not None and ratio.is_schedule and not ratio.by_epoch

    @property
    def follows_epochs(self):
        """Whether it depends on epochs, as `epoch_callback` tells them."""
        return self._epoch is not None or self._source.is_renewed

    @property
    def class_names(self):
        """Tuple of the names of the GAN's classes."""
        return self._source.draws.class_names

    @property
    def needs_one_hot_labels(self):
        """Whether synthetic labels are soft, so that real ones are one-hot."""
        return bool(
            self.label_smoothing
            or self.teacher is not None
            or self._source.is_interpolated
        )

    @property
    def description(self):
        """Dict of all that tells the augmenter from others.

        Schedules and callable strategies are in it as they are.
        """
        facts = {
            name: getattr(self, name)
            for name in (
                *("ratio", "sampling_strategy", "mode", "share"),
                *("schedule_by", "label_smoothing", "sample_weight"),
                *("rerandomize_each_iteration", "value_range", "seed"),
                "class_counts",
            )
        }
        facts["teacher"] = None
        if self.teacher is not None:
            facts["teacher"] = hash_arrays(self.teacher.get_weights())
        draws = self._source.draws
        facts["drawn_with"] = draws.settings
        facts["bank"] = None
        if self.bank is not None:
            facts["bank"] = {
                name: self.bank.record[name]
                for name in ("seed", "class_counts", "selection")
            }
        return facts

    def with_seed(self, seed):
        """Copies the augmenter with another seed.

        A bank stays the same: what is drawn from it is other.

        Args:
            seed: Integer.

        Returns:
            A `GANAugmenter`.
        """
        copied = copy.copy(self)
        copied.seed = resolve_seed(seed)
        return copied

    def replace(self, **changes):
        """Copies the augmenter with other arguments.

        Args:
            **changes: Arguments of the constructor.

        Returns:
            A `GANAugmenter` that draws with the same generators, unless others
            are among the arguments.

        Raises:
            ValueError: As the constructor raises it.

        Example:

        ```python
        bolder = augmenter.replace(ratio=0.5, sampling_strategy="match")
        ```
        """
        given = {
            "pretrained": self.generators,
            **self._arguments,
            "seed": self.seed,
            **changes,
        }
        changed = GANAugmenter(**given)
        changed._choice_fingerprints = self._choice_fingerprints
        return changed

    def tuned_by(self, tuning, fingerprints):
        """Copies the augmenter with what `tune` found.

        Args:
            tuning: `ganaug.tuning.result.Tuning`.
            fingerprints: Array of `uint64`: the validation images of the
                choice, which then must not be test images.

        Returns:
            A `GANAugmenter`.
        """
        copied = copy.copy(self)
        copied.tuning = tuning
        copied._choice_fingerprints = fingerprints
        return copied

    def tune(self, train, validation, **arguments):
        """Chooses how to use the generators, on validation images.

        Ratio, classes, truncation and labels are chosen by successive halving
        over paired trainings of a classifier, on top of the strongest control;
        where nothing helps, the ratio is 0.

        Args:
            train: Real training images: a finite `tf.data.Dataset`, a pair of
                arrays or a `LabeledImages`.
            validation: Real images in the same forms, of which neither the
                generators nor classifiers learn. Not the test set.
            **arguments: Further arguments of `ganaug.tuning.tune`: `search`,
                `num_trainings`, `on_top_of`, `controls`, `classifier`, `steps`
                and more.

        Returns:
            A `GANAugmenter`. Its attribute `tuning` tells what was tried.

        Raises:
            ValueError: As in `ganaug.tuning.tune`.

        Example:

        ```python
        tuned = augmenter.tune(train_ds, validation_ds, num_trainings=40)
        print(tuned.tuning.sentence())
        ```
        """
        # It measures, and so stands above this module.
        return ganaug.tuning.tune(self, train, validation, **arguments)

    def epoch_callback(self):
        """Makes the callback that tells the augmenter of epochs.

        It gives a schedule by epoch its epoch, and renews a share of the bank.
        Both are variables, which tf.data's iterator checkpoints refuse unless
        they are symbolic, and its service copies once. A pipeline reads them
        when it makes a batch, some batches ahead of the training. So where one
        iterator goes on over epochs (`repeat()` with `steps_per_epoch`), the
        first batches of an epoch, it depends on the timing how many, were made
        before it began.

        Returns:
            A `keras.callbacks.Callback` for `model.fit`.

        Raises:
            ValueError: Nothing depends on epochs.
        """
        if not self.follows_epochs:
            raise ValueError(
                "Nothing of this augmenter depends on epochs. Give it "
                "`refresh` or `schedule_by='epoch'`, or leave out the "
                "callback. Received: refresh=0.0, schedule_by='step'"
            )

        def begin_epoch(epoch):
            if self._epoch is not None:
                self._epoch.assign(epoch)
            self._source.begin_epoch(epoch)

        return EpochCallback(begin_epoch)

    def py_dataset(
        self,
        images,
        labels,
        sample_weight=None,
        batch_size=32,
        shuffle=True,
        initial_epoch=0,
        **kwargs,
    ):
        """Makes batches of arrays, with synthetic examples among them.

        They are those of a `keras.utils.PyDataset`, NumPy arrays that
        `model.fit` takes on any backend. A batch depends on the arrays, the
        seed, the epoch and its index alone, whatever the number of threads,
        unless a `refresh` renews the bank meanwhile.
        What `is_synthetic` and `provenance` add has to be dropped before
        `model.fit`, as it has to from tuples of tensors.

        Args:
            images: Array `(num_examples, height, width, channels)`.
            labels: Array `(num_examples,)` of integers, or
                `(num_examples, num_classes)`.
            sample_weight: Array `(num_examples,)`. Defaults to none.
            batch_size: Integer. Examples of a batch; real ones, where batches
                grow. Where the data set grows, batches have about so many, but
                at least one real example and those that come with it. Defaults
                to `32`.
            shuffle: Boolean. Whether real examples come in another order in
                each epoch. Defaults to `True`.
            initial_epoch: Integer. As in `model.fit`: it counts its epochs
                itself, from this one on. Defaults to `0`.
            **kwargs: Of `keras.utils.PyDataset`: `workers` (threads) and
                `max_queue_size`.

        Returns:
            A `keras.utils.PyDataset`.

        Raises:
            ValueError: The arrays do not fit one another or the generators,
                or an argument is out of range.

        Example:

        ```python
        model.fit(augmenter.py_dataset(images, labels), epochs=10)
        ```
        """
        return AugmentedArrays(
            self,
            self._source,
            self._ratio,
            (images, labels, sample_weight),
            batch_size,
            shuffle,
            initial_epoch,
            **kwargs,
        )

    def augment_arrays(self, images, labels, sample_weight=None):
        """Mixes synthetic examples into arrays, once.

        Args:
            images: As in `py_dataset`.
            labels: As in `py_dataset`.
            sample_weight: As in `py_dataset`. Defaults to none.

        Returns:
            A tuple of NumPy arrays: images, labels, weights if there are any,
            and a dict of arrays where `is_synthetic` or `provenance` add some.

        Raises:
            ValueError: As in `py_dataset`.

        Example:

        ```python
        images, labels = augmenter.augment_arrays(images, labels)
        ```
        """
        return augment_arrays(
            self.py_dataset(
                images,
                labels,
                sample_weight,
                ARRAY_BATCH_SIZE,
                shuffle=False,
            )
        )

    def preview(self, dataset, num_per_class=4):
        """Draws real and synthetic images of each class side by side.

        Args:
            dataset: `tf.data.Dataset` of real examples, as `apply` takes it.
            num_per_class: Integer. Images of each kind. Defaults to `4`.

        Returns:
            A `PIL.Image.Image`, which notebooks show and `save` writes. The
            first real images of each class are on the left; a class of which
            none is among the first 20,000 has none.

        Raises:
            TypeError: It is no dataset.
            ValueError: The dataset is empty, is not understood, or does not
                fit the generators or its value range.

        Example:

        ```python
        augmenter.preview(train_ds).save("preview.png")
        ```
        """
        _check_dataset(dataset, "augmenter.preview(dataset)")
        return preview(dataset, self, self._source.draws, num_per_class)

    def __call__(self, dataset):
        if not tf.executing_eagerly():
            raise ValueError(
                "GANAugmenter cannot be applied inside of `interleave`, "
                "`flat_map` or a tf.function, where every part would have the "
                "same noise. Apply it to the dataset that comes out of it. "
                f"Received: {dataset}"
            )
        _check_dataset(dataset, "dataset.apply(augmenter)")
        return transform(dataset, self, self._source, self._ratio)


def _check_one_of(name, value, known):
    if value not in known:
        raise ValueError(
            f"`{name}` must be one of {known}. Received: {name}={value!r}"
        )


def _check_dataset(dataset, use):
    if not isinstance(dataset, tf.data.Dataset):
        raise TypeError(
            f"GANAugmenter takes a tf.data.Dataset, as in `{use}`. "
            f"Received: {type(dataset).__name__}"
        )
