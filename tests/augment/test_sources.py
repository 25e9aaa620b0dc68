"""Where images come from: live, banks in memory and on disk, ensembles."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

import ganaug
from ganaug import artifact
from ganaug.gan.conditional_vae import ConditionalVAE
from ganaug.gan.latent_kinds import LATENTS
from ganaug.synthesis.bank import Bank
from ganaug.synthesis.filters import CopyFilter, TeacherFilter
from ganaug.synthesis.generating import draw_bank, write_bank
from ganaug.synthesis.generators import Generators
from ganaug.synthesis.selection import Selection


def other_artifact(talking, **changes):
    """One like it, with other weights."""
    generator = keras.models.clone_model(talking.generator)
    generator.set_weights(
        [weight + 0.01 for weight in talking.generator.get_weights()]
    )
    fields = {
        name: getattr(talking, name)
        for name in (
            "arguments",
            "class_names",
            "value_range",
            "image_dtype",
            "training",
        )
    }
    return artifact.Artifact(generator=generator, **fields | changes)


@pytest.fixture(scope="module")
def bank_folder(talking, tmp_path_factory):
    """A bank on disk."""
    path = tmp_path_factory.mktemp("banks") / "talking"
    write_bank(Generators(talking), 16, path, seed=0)
    return path


def kept_in(bank, images):
    rows = {row.tobytes() for row in bank.images}
    return [image.tobytes() in rows for image in images]


def test_a_bank_in_memory_is_drawn_once(talking, real, read, told):
    """Every synthetic image is one of its, in every epoch."""
    augmenter = ganaug.GANAugmenter(
        talking, 0.5, source="bank", bank_size=23, seed=0
    )
    assert augmenter.bank.class_counts == (5, 5, 5, 4, 4)
    dataset = real().batch(8).apply(augmenter)
    for _ in range(2):
        images, _ = read(dataset)
        made = ~told(images).real
        assert all(kept_in(augmenter.bank, images[made]))
    same = ganaug.GANAugmenter(talking, source="bank", bank_size=23, seed=0)
    np.testing.assert_array_equal(same.bank.images, augmenter.bank.images)
    other = ganaug.GANAugmenter(talking, source="bank", bank_size=23, seed=1)
    assert (other.bank.images != augmenter.bank.images).any()
    # With another seed, other images out of the same bank.
    assert augmenter.with_seed(1).bank is augmenter.bank
    default = ganaug.GANAugmenter(talking, source="bank")
    assert default.bank.class_counts == (256,) * 5


def test_class_and_image_are_independent(talking, real, read):
    """No class prefers a part of its images, from the same random numbers."""
    augmenter = ganaug.GANAugmenter(
        talking, 1.0, source="bank", bank_size=20, seed=0
    )
    images, _ = read(real(240).repeat(10).batch(8).apply(augmenter))
    rows = {row.tobytes(): i for i, row in enumerate(augmenter.bank.images)}
    counts = np.bincount([rows[image.tobytes()] for image in images])
    assert len(counts) == 20
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("kind", [str, lambda path: path, Bank.open])
def test_a_bank_on_disk_needs_no_generator(
    bank_folder, talking, real, read, told, kind
):
    """Nor does it need Keras; with one, it must be the one that drew it."""
    for pretrained in (None, talking, [talking], Generators(talking)):
        augmenter = ganaug.GANAugmenter(
            pretrained, 0.5, source=kind(bank_folder), seed=0
        )
        assert augmenter.generators is None
        assert augmenter.class_names == talking.class_names
    images, labels = read(real().batch(8).apply(augmenter))
    stream = told(images)
    made = ~stream.real
    assert all(kept_in(augmenter.bank, images[made]))
    np.testing.assert_array_equal(labels[made], stream.label[made])


def test_foreign_banks_are_refused(bank_folder, talking):
    """Of another artifact, or drawn otherwise."""
    with pytest.raises(ValueError, match="drawn by another artifact"):
        ganaug.GANAugmenter(other_artifact(talking), source=bank_folder)
    with pytest.raises(ValueError, match=r"truncation=0\.5 for a bank of 1\.0"):
        ganaug.GANAugmenter(
            Generators(talking, truncation=0.5), source=bank_folder
        )


def test_banks_that_are_cut_or_no_banks_are_refused(bank_folder, tmp_path):
    """When the augmenter is made."""
    copy = tmp_path / "cut"
    copy.mkdir()
    for file in bank_folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    (copy / "images.bin").write_bytes(b"1234")
    with pytest.raises(ValueError, match=r"images\.bin"):
        ganaug.GANAugmenter(source=copy)
    with pytest.raises(FileNotFoundError, match="ganaug generate"):
        ganaug.GANAugmenter(source=tmp_path)


def test_a_class_that_a_bank_lacks_is_not_asked_for(talking, real):
    """It is named when the augmenter is applied, and may be left out."""
    bank = draw_bank(Generators(talking), [4, 0, 4, 4, 0], seed=0)
    for kwargs in (
        {},
        {"sampling_strategy": "match"},
        {"mode": "extend", "sampling_strategy": {"bee": 20}},
    ):
        with pytest.raises(ValueError, match=r"no image of \['bee'"):
            real().apply(ganaug.GANAugmenter(source=bank, **kwargs))
    for kwargs in (
        {"sampling_strategy": {"ant": 1, "dog": 1}},
        {"mode": "extend", "sampling_strategy": {"cat": 20}},
    ):
        list(real().apply(ganaug.GANAugmenter(source=bank, **kwargs)))


def test_selection_fills_a_bank_in_memory(talking, real):
    """Of what passes, as many images as are wanted."""
    images = np.concatenate([images[None] for images, _ in real()])
    selection = Selection([CopyFilter(images, value_range=(0, 255))])
    augmenter = ganaug.GANAugmenter(
        talking, source="bank", bank_size=20, selection=selection, seed=0
    )
    assert augmenter.bank.record["selection"] == selection.settings
    assert augmenter.bank.class_counts == (4,) * 5


def test_a_class_of_which_nothing_passes_is_an_error(talking):
    """It is not left out in silence."""
    inputs = keras.Input((4, 4, 1))
    ants = keras.layers.Dense(
        5,
        "softmax",
        kernel_initializer="zeros",
        bias_initializer=keras.initializers.Constant(
            np.array([9.0, 0, 0, 0, 0])
        ),
    )(keras.layers.Flatten()(inputs))
    selection = Selection(
        [TeacherFilter(keras.Model(inputs, ants), (0, 1))], max_draws=2
    )
    with pytest.raises(ValueError, match="bee"):
        ganaug.GANAugmenter(
            talking, source="bank", bank_size=20, selection=selection
        )


def test_several_generators_feed_one_stream(talking, real, read, told):
    """As often as their weights say; provenance tells which."""
    pair = [talking, other_artifact(talking)]
    for source in ("live", "bank"):
        augmenter = ganaug.GANAugmenter(
            Generators(pair, weights=[1, 3]),
            1.0,
            source=source,
            bank_size=None if source == "live" else 1000,
            provenance=True,
            seed=0,
        )
        _, _, origin = read(real().repeat(25).batch(40).apply(augmenter))
        ids, counts = np.unique(origin["artifact"], return_counts=True)
        shares = dict(zip(ids.tolist(), counts / 1000, strict=True))
        first, second = (one.encode() for one in augmenter.generators.ids)
        assert abs(shares[first] - 0.25) < 0.06
        assert abs(shares[second] - 0.75) < 0.06


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class_names": ("a", "b", "c", "d", "e")}, "same `class_names`"),
        ({"value_range": (0.0, 1.0)}, "same `value_range`"),
        ({"image_dtype": "float32"}, "same `image_dtype`"),
    ],
)
def test_generators_must_fit_together(talking, changes, message):
    """The error says in what they differ."""
    with pytest.raises(ValueError, match=message):
        ganaug.GANAugmenter([talking, other_artifact(talking, **changes)])


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"selection": True}, "`selection` must be a .*Selection"),
        ({"bank_size": 10}, "cannot wait for more.*bank_size=10"),
        ({"refresh": 0.5}, "cannot wait for more.*refresh=0.5"),
        ({"source": "bank", "refresh": 1.5}, "refresh=1.5"),
        ({"source": "bank", "bank_size": 0}, "bank_size=0"),
        ({"source": "bank", "bank_size": 4}, "an image for each of the 5"),
        ({"source": 3}, "source=3"),
        ({"source": "bank", "pretrained": None}, "must say what draws"),
        ({"pretrained": None}, "must say what draws"),
    ],
)
def test_bad_sources_are_refused(talking, kwargs, message):
    """At construction."""
    with pytest.raises(ValueError, match=message):
        ganaug.GANAugmenter(**{"pretrained": talking} | kwargs)


def test_selection_is_for_banks_in_memory(talking, bank_folder, make_images):
    """What is drawn live cannot wait, and a finished bank was selected."""
    selection = Selection([CopyFilter(make_images())])
    with pytest.raises(ValueError, match=r"source='bank'.*cannot wait"):
        ganaug.GANAugmenter(talking, selection=selection)
    for kwargs in (
        {"selection": selection},
        {"refresh": 0.5},
        {"bank_size": 9},
    ):
        with pytest.raises(ValueError, match="finished bank stays as it is"):
            ganaug.GANAugmenter(source=bank_folder, **kwargs)


def refreshed(talking, **kwargs):
    return ganaug.GANAugmenter(
        talking,
        0.5,
        source="bank",
        bank_size=40,
        refresh=0.25,
        seed=0,
        **kwargs,
    )


def begin(augmenter, *epochs):
    """Has epochs begin, as `model.fit` does; gives the bank after each."""
    callback = augmenter.epoch_callback()
    banks = []
    for epoch in epochs:
        callback.on_epoch_begin(epoch)
        banks.append(augmenter.bank.images)
    return banks


def test_refresh_renews_a_share_each_epoch(talking, real, read, told):
    """Of every class, until all of it is new; the stream sees it."""
    augmenter = refreshed(talking)
    dataset = real().batch(8).apply(augmenter)
    first = augmenter.bank.images
    banks = begin(augmenter, *range(5))
    np.testing.assert_array_equal(banks[0], first)
    for old, new in itertools.pairwise(banks):
        changed = (old != new).any((1, 2, 3)).reshape(5, 8).sum(1)
        assert changed.tolist() == [2] * 5
    assert (banks[0] != banks[4]).any((1, 2, 3)).all()
    images, labels = read(dataset)
    stream = told(images)
    made = ~stream.real
    assert all(kept_in(augmenter.bank, images[made]))
    np.testing.assert_array_equal(labels[made], stream.label[made])


def test_training_that_goes_on_finds_the_bank_it_had(talking):
    """Whether all epochs are in one process, or a part, or one at a time."""
    whole = begin(refreshed(talking), *range(12))
    resumed = begin(refreshed(talking), 10, 11)
    np.testing.assert_array_equal(whole[10], resumed[0])
    np.testing.assert_array_equal(whole[11], resumed[1])
    # A second training goes on with the bank, and does not stand still.
    again = begin(refreshed(talking), 0, 1, 0, 1)
    np.testing.assert_array_equal(again[2], whole[2])
    np.testing.assert_array_equal(again[3], whole[3])


def small_classifier():
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(5),
        ]
    )
    model.compile(
        "adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    return model


def test_fit_renews_the_bank(talking, real):
    """Each of its epochs trains on the bank that it began with."""
    augmenter = refreshed(talking)
    seen, banks = [], []

    def note(images, labels):
        seen.append(images[images[:, 0, 0, 0] < 255])
        return images, labels

    dataset = real(40).batch(8).apply(augmenter)
    dataset = dataset.map(
        lambda x, y: tf.numpy_function(note, [x, y], [tf.uint8, tf.int64])
    ).map(
        lambda x, y: (tf.ensure_shape(x, (8, 4, 4, 1)), tf.ensure_shape(y, (8)))
    )

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            banks.append(augmenter.bank.images)

    small_classifier().fit(
        dataset,
        epochs=4,
        shuffle=False,
        verbose=0,
        callbacks=[augmenter.epoch_callback(), Watch()],
    )
    per_epoch = np.split(np.concatenate(seen), 4)
    for images, bank in zip(per_epoch, banks, strict=True):
        known = {image.tobytes() for image in bank}
        assert {image.tobytes() for image in images} <= known
    old = {image.tobytes() for image in banks[0]}
    assert not {image.tobytes() for image in per_epoch[3]} <= old


def test_a_schedule_by_epoch_follows_fit(talking_bank, real, told):
    """Through the callback."""
    augmenter = ganaug.GANAugmenter(
        source=talking_bank,
        ratio=lambda epoch: tf.cast(epoch, tf.float32) / 4,
        schedule_by="epoch",
        is_synthetic=True,
        seed=0,
    )
    counts = []

    def count(x, y, origin):
        made = tf.reduce_sum(tf.cast(origin["is_synthetic"], tf.int32))
        return x, y, tf.cast(tf.fill(tf.shape(y), made), tf.float32)

    dataset = real(40).batch(8).apply(augmenter).map(count)
    model = small_classifier()

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            counts.append({int(weights[0]) for _, _, weights in dataset})

    model.fit(
        dataset,
        epochs=4,
        shuffle=False,
        verbose=0,
        callbacks=[augmenter.epoch_callback(), Watch()],
    )
    assert counts == [{0}, {2}, {4}, {6}]
    appended = ganaug.GANAugmenter(
        source=talking_bank,
        ratio=lambda epoch: 0.25,
        schedule_by="epoch",
        mode="append",
    )
    # How many there will be depends on the epoch.
    assert real(40).apply(appended).cardinality() == tf.data.UNKNOWN_CARDINALITY
    assert real(40).batch(8).apply(appended).cardinality() == 5


def test_a_schedule_by_step_goes_on_after_repeat(talking_bank, real):
    """Where `fit` is told how long an epoch is; else each begins anew."""
    augmenter = ganaug.GANAugmenter(
        source=talking_bank,
        ratio=lambda step: tf.cast(step, tf.float32) / 20,
        is_synthetic=True,
        share="exact",
    )
    seen = []

    def note(x, y, origin):
        made = tf.reduce_sum(tf.cast(origin["is_synthetic"], tf.int32))
        tf.py_function(lambda n: seen.append(int(n)), [made], [])
        return x, y

    batches = real(80).batch(16)
    small_classifier().fit(
        batches.repeat().apply(augmenter).map(note),
        epochs=3,
        steps_per_epoch=5,
        shuffle=False,
        verbose=0,
    )
    # Of 16, one twentieth more in each step; some are prefetched.
    assert seen[:15] == sorted(seen[:15])
    assert seen[14] == pytest.approx(16 * 14 / 20, abs=1)
    seen.clear()
    small_classifier().fit(
        batches.apply(augmenter).map(note), epochs=3, shuffle=False, verbose=0
    )
    assert max(seen) <= 4


def test_symbolic_checkpoints_take_variables(talking, real, tmp_path):
    """And not the bank, which has to be renewed to the same place again."""
    options = tf.data.Options()
    options.experimental_symbolic_checkpoint = True

    def make():
        dataset = real().batch(8).apply(refreshed(talking))
        return iter(dataset.with_options(options))

    saving, restoring = make(), make()
    next(saving)
    path = tf.train.Checkpoint(iterator=saving).write(str(tmp_path / "ck"))
    tf.train.Checkpoint(iterator=restoring).read(path)
    for found, wanted in zip(restoring, saving, strict=True):
        np.testing.assert_array_equal(found[0], wanted[0])


def test_variables_are_refused_by_default_checkpoints(talking, real, tmp_path):
    """As it is documented; without them, iterators can be checkpointed."""
    iterator = iter(real().batch(8).apply(refreshed(talking)))
    next(iterator)
    with pytest.raises(tf.errors.FailedPreconditionError, match="stateful"):
        tf.train.Checkpoint(iterator=iterator).save(tmp_path / "ck")


def test_the_callback_is_for_what_depends_on_epochs(talking_bank):
    """Else it would do nothing."""
    with pytest.raises(ValueError, match="Nothing of this augmenter depends"):
        ganaug.GANAugmenter(source=talking_bank).epoch_callback()
    with pytest.raises(ValueError, match=r"needs a schedule.*ratio=0\.5"):
        ganaug.GANAugmenter(source=talking_bank, ratio=0.5, schedule_by="epoch")


@pytest.fixture(scope="module")
def vae(digits):
    """A VAE that has learnt a little, so that its images differ."""
    vae = ConditionalVAE((8, 8, 1), 10, width=16, latent_dim=4, seed=3)
    vae.compile(steps_per_execution=10)
    vae.fit(digits.train, steps_per_epoch=20, verbose=0)
    return vae


@pytest.mark.parametrize("source", ["live", "bank", "disk"])
def test_a_gan_and_a_vae_feed_one_augmenter(
    small_gan, vae, digits, read, tmp_path, source
):
    """As often as their weights say, and each image says which drew it."""
    both = Generators([small_gan, vae], weights=[1, 3])
    if source == "disk":
        write_bank(both, 64, tmp_path / "bank", seed=0)
        source = tmp_path / "bank"
    size = {"bank_size": 640} if source == "bank" else {}
    augmenter = ganaug.GANAugmenter(
        both, 0.5, source=source, provenance=True, seed=0, **size
    )
    dataset = tf.data.Dataset.from_tensor_slices(
        (digits.train.images, digits.train.labels)
    )
    _, _, origin = read(dataset.repeat(4).batch(8).apply(augmenter))
    drawn = [name for name in origin["artifact"].tolist() if name]
    ids = [name.encode() for name in both.ids]
    assert set(drawn) == set(ids)
    # About 290 images; a bank of 640 was itself drawn by chance.
    assert abs(drawn.count(ids[1]) / len(drawn) - 0.75) < 0.12


def test_latents_of_real_images_can_be_mixed_in(vae, digits, read, tmp_path):
    """Every kind has a stream of its own, and a folder is read with it."""
    vae.save_pretrained(tmp_path / "run")
    dataset = tf.data.Dataset.from_tensor_slices(
        (digits.train.images[:32], digits.train.labels[:32])
    ).batch(8)
    streams = set()
    for latents in LATENTS:
        augmenters = [
            ganaug.GANAugmenter(Generators(vae, latents=latents), 0.5, seed=1),
            ganaug.GANAugmenter.from_pretrained(
                tmp_path / "run", 0.5, latents=latents, seed=1
            ),
        ]
        first, second = (
            read(dataset.apply(augmenter))[0] for augmenter in augmenters
        )
        np.testing.assert_array_equal(first, second)
        streams.add(first.tobytes())
    assert len(streams) == len(LATENTS)
    with pytest.raises(ValueError, match="`latents` must be one of"):
        ganaug.GANAugmenter.from_pretrained(tmp_path / "run", latents="near")
