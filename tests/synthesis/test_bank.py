"""Banks: images drawn ahead, in memory and on disk."""

import itertools
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from ganaug.data.images import from_unit, to_unit
from ganaug.synthesis.bank import Bank
from ganaug.synthesis.bank_record import dump_record
from ganaug.synthesis.columns import MappedColumn
from ganaug.synthesis.generating import draw_bank, renew_bank, write_bank
from ganaug.synthesis.generators import Generators
from ganaug.synthesis.selection import Selection

COUNTS = (70, 3, 20)
LABELS = np.arange(60, dtype=np.int32) % 3


@pytest.fixture(scope="module")
def generators(make_artifact):
    """Two artifacts whose classes are blended, for all columns."""
    return Generators(
        [make_artifact(1), make_artifact(2)], class_interpolation=0.5
    )


@pytest.fixture(scope="module")
def folder(generators, tmp_path_factory):
    """A finished bank on disk."""
    path = tmp_path_factory.mktemp("banks") / "bank"
    write_bank(generators, COUNTS, path, seed=5)
    return path


@pytest.fixture(scope="module", params=["memory", "disk"])
def bank(request, generators, folder):
    """The same bank, in memory and on disk."""
    if request.param == "disk":
        return Bank.open(folder)
    return draw_bank(generators, COUNTS, seed=5)


def test_what_is_in_a_bank(bank, generators):
    """As many images of each class as wanted, and where they come from."""
    assert len(bank) == 93
    assert bank.class_counts == COUNTS
    np.testing.assert_array_equal(bank.labels, np.repeat([0, 1, 2], COUNTS))
    assert bank.images.shape == (93, 6, 5, 1)
    assert bank.images.dtype == np.uint8
    assert len(np.unique(bank.images, axis=0)) == 93
    assert bank.targets.shape == (93, 3)
    assert bank.targets[np.arange(93), bank.labels].min() >= 0.5
    assert bank.settings == generators.settings
    for name in (
        *("ids", "class_names", "num_classes", "image_shape", "image_dtype"),
        "value_range",
    ):
        assert getattr(bank, name) == getattr(generators, name)
    np.testing.assert_array_equal(bank.fingerprints, generators.fingerprints)
    sources, seeds, indices = np.split(bank.provenance, [1, 3], axis=1)
    assert set(sources.ravel()) == {0, 1}
    for row in (0, 69, 70, 92):
        np.testing.assert_array_equal(
            generators.remake(
                bank.labels[row], seeds[row], int(indices[row, 0])
            ),
            bank.images[row],
        )


def test_memory_and_disk_are_one(generators, folder):
    """The same seed gives the same bank and the same draws."""
    disk, memory = Bank.open(folder), draw_bank(generators, COUNTS, seed=5)
    for name in ("images", "targets", "provenance"):
        np.testing.assert_array_equal(
            getattr(disk, name), getattr(memory, name)
        )
    for a, b in zip(disk(LABELS, (1, 2)), memory(LABELS, (1, 2)), strict=True):
        np.testing.assert_array_equal(a, b)
    other = draw_bank(generators, COUNTS, seed=6)
    assert not np.array_equal(other.images, memory.images)


def test_draws_have_the_classes_asked_for(bank):
    """Every image of a class, equally often, with what belongs to it."""
    labels = np.repeat(np.arange(3, dtype=np.int32), 1400)
    drawn = bank(labels, (3, 4), bank.value_range, bank.image_dtype)
    assert drawn.images.dtype == tf.uint8
    provenance = np.column_stack([drawn.sources, drawn.seeds, drawn.indices])
    place = {row.tobytes(): i for i, row in enumerate(bank.provenance)}
    rows = np.array([place[row.tobytes()] for row in provenance.astype("i8")])
    np.testing.assert_array_equal(bank.labels[rows], labels)
    np.testing.assert_array_equal(bank.images[rows], drawn.images)
    np.testing.assert_array_equal(bank.targets[rows], drawn.targets)
    times = np.bincount(rows, minlength=93)
    assert times.min() > 0
    for label, count in enumerate(COUNTS):
        mean = 1400 / count
        own = times[bank.labels == label]
        assert np.abs(own - mean).max() < 5 * np.sqrt(mean)


def test_a_row_depends_on_its_label_and_place_alone(bank):
    """As with generators; in a graph too."""
    whole = bank(LABELS, (1, 2))
    few = tf.function(bank)(
        tf.constant(LABELS[:7]), tf.constant([1, 2], tf.int64)
    )
    for a, b in zip(few, whole, strict=True):
        np.testing.assert_array_equal(a, b[:7])
    others = LABELS.copy()
    others[::2] = (others[::2] + 1) % 3
    np.testing.assert_array_equal(
        bank(others, (1, 2)).images[1::2], whole.images[1::2]
    )
    assert np.abs(bank(LABELS, (1, 3)).images - whole.images).max() > 0
    assert bank(LABELS[:0], (1, 2)).images.shape == (0, 6, 5, 1)


def test_images_come_in_the_range_and_dtype_asked_for(bank):
    """Their own is what is stored."""
    stored = bank.gather(np.arange(93), (0, 255), tf.uint8).images
    np.testing.assert_array_equal(stored, bank.images)
    unit = to_unit(bank.images, (0, 255))
    np.testing.assert_array_equal(bank.gather(np.arange(93)).images, unit)
    np.testing.assert_allclose(
        bank.gather(np.arange(93), (0, 1), "float16").images,
        from_unit(unit, (0, 1), tf.float16),
    )
    np.testing.assert_array_equal(
        bank.gather(np.arange(93), (100, 200), "uint8").images,
        from_unit(unit, (100, 200), tf.uint8),
    )


@pytest.mark.parametrize("dtype", ["uint16", "float32", "int8", "float64"])
def test_any_dtype_is_kept(make_artifact, tmp_path, dtype):
    """On disk as in memory."""
    generators = Generators(
        make_artifact(1, image_dtype=dtype, value_range=(-100.0, 100.0))
        if dtype != "uint16"
        else make_artifact(1, image_dtype=dtype, value_range=(0.0, 60000.0))
    )
    memory = draw_bank(generators, 5, seed=0)
    disk = write_bank(generators, 5, tmp_path / "bank", seed=0)
    assert disk.images.dtype == memory.images.dtype == dtype
    np.testing.assert_array_equal(disk.images, memory.images)
    np.testing.assert_array_equal(
        disk([0, 1], (0, 0)).images, memory([0, 1], (0, 0)).images
    )
    assert disk([0, 1], (0, 0)).targets is None


def test_a_class_without_images_stops_the_stream(generators):
    """Another class's images are never given for it."""
    bank = draw_bank(generators, [4, 0, 4], seed=0)
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"class_counts=\[4, 0, 4\]"
    ):
        bank([0, 1], (0, 0))
    assert len(bank([0, 2], (0, 0)).images) == 2


def test_iterators_of_a_bank_can_be_checkpointed(bank, tmp_path):
    """It is no state of the stream."""
    dataset = tf.data.Dataset.range(6).map(
        lambda i: bank(LABELS, tf.stack([i, i]))
    )
    expected = [drawn.images for drawn in dataset]
    iterator = iter(dataset)
    next(iterator)
    checkpoint = tf.train.Checkpoint(iterator=iterator)
    path = checkpoint.save(tmp_path / "iterator")
    next(iterator)
    checkpoint.restore(path)
    np.testing.assert_array_equal(
        [drawn.images for drawn in iterator], expected[1:]
    )


def test_the_images_on_disk_are_not_in_the_graph(folder):
    """Only the name of their file, so memory need not hold them."""
    concrete = tf.function(Bank.open(folder)).get_concrete_function(
        tf.TensorSpec([None], tf.int32), tf.TensorSpec([2], tf.int64)
    )
    assert not concrete.captured_inputs
    graph = concrete.graph.as_graph_def()
    mapped = [n for n in graph.node if n.op == "ImmutableConst"]
    assert len(mapped) == 3
    name = mapped[0].attr["memory_region_name"].s.decode()
    assert name == str(folder / "images.bin")
    constants = [n.attr["value"].tensor for n in graph.node if n.op == "Const"]
    assert max(tensor.ByteSize() for tensor in constants) < 200


@pytest.mark.skipif(
    not os.path.exists("/proc/self/status"), reason="reads Linux's /proc"
)
def test_a_bank_need_not_fit_into_memory(tmp_path):
    """Of a file with holes, 512 MB long, hardly any memory is used."""
    path = tmp_path / "rows.bin"
    path.touch()
    os.truncate(path, 2**29)
    column = MappedColumn(path, "uint8", (2**19, 2**10))
    with open(path, "r+b") as file:
        file.seek(2**29 - 1)
        file.write(b"7")
    before = anonymous_megabytes()
    dataset = tf.data.Dataset.range(2**19 - 8, 2**19).batch(4)
    for _ in range(2):
        last = list(dataset.map(column.gather))[-1].numpy()
    assert last.shape == (4, 2**10)
    assert last[-1, -1] == ord("7")
    assert not last[:-1].any()
    assert anonymous_megabytes() - before < 200


def anonymous_megabytes():
    with open("/proc/self/status") as file:
        (line,) = [line for line in file if line.startswith("RssAnon")]
    return int(line.split()[1]) / 1000


def test_a_bank_is_read_without_keras(folder):
    """Whatever backend Keras has, and if it does not even import."""
    code = (
        "import sys, tensorflow as tf\n"
        "sys.modules['keras'] = None\n"
        "from ganaug.synthesis.bank import Bank\n"
        f"bank = Bank.open({str(folder)!r})\n"
        "dataset = tf.data.Dataset.range(2).map(\n"
        "    lambda i: bank([0, 1], tf.stack([i, i])).images)\n"
        "print(len(list(dataset)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert found.stdout == "2\n", found.stderr


def test_banks_of_other_artifacts_are_told(bank, generators, make_artifact):
    """By their ids, in any order."""
    bank.check_artifacts(reversed(generators.ids))
    with pytest.raises(ValueError, match="drawn by another artifact") as error:
        bank.check_artifacts(Generators(make_artifact(9)).ids)
    assert generators.ids[0] in str(error.value)


@pytest.fixture
def copied(folder, tmp_path):
    """A copy of the bank on disk, to be damaged."""
    return shutil.copytree(folder, tmp_path / "copied")


def cut(path):
    os.truncate(path, path.stat().st_size - 1)


def change(path):
    blob = bytearray(path.read_bytes())
    blob[len(blob) // 2] ^= 1
    path.write_bytes(blob)


@pytest.mark.parametrize(
    "name",
    [
        *("images.bin", "targets.bin", "provenance.bin"),
        *("fingerprints.bin", "bank.json"),
    ],
)
@pytest.mark.parametrize("damage", [cut, change, os.remove])
def test_damaged_banks_are_refused(copied, name, damage):
    """The error says which file, and what is wrong with it."""
    damage(copied / name)
    if (name, damage) == ("bank.json", os.remove):
        with pytest.raises(FileNotFoundError, match="has no"):
            Bank.open(copied)
        return
    what = {cut: "cut", change: "changed", os.remove: "has no"}[damage]
    with pytest.raises(ValueError, match=what) as error:
        Bank.open(copied)
    assert name in str(error.value)
    assert "not a whole bank" in str(error.value)


def test_a_record_that_was_edited_is_refused(copied):
    """It would tell another provenance."""
    text = (copied / "bank.json").read_text()
    (copied / "bank.json").write_text(text.replace('"seed": 5', '"seed": 6'))
    with pytest.raises(ValueError, match=r"`bank\.json` was changed"):
        Bank.open(copied)


def test_a_quick_look_compares_sizes_alone(copied):
    """For banks that are too large to be read at every start."""
    change(copied / "images.bin")
    assert len(Bank.open(copied, verify=False)) == 93
    cut(copied / "images.bin")
    with pytest.raises(ValueError, match="2789 of 2790 bytes"):
        Bank.open(copied, verify=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "not written by ganaug"),
        ({"format_version": 2}, "its format version is 2"),
        ({"class_counts": [70, 3, -20]}, "class counts"),
        ({"class_counts": [70, 3]}, "class counts"),
        ({"class_names": [1, 2, 3]}, "not text"),
        ({"num_classes": 2}, "number of classes"),
        ({"num_fingerprints": 1.5}, "fingerprints"),
        ({"images": {"shape": [6, 5]}}, "shape"),
        (
            {"images": {"shape": [6, 5, 1], "dtype": "object"}},
            "dtype is not that",
        ),
        ({"drawn_with": {}}, "wrong entry"),
        ({"sha256s": {"../../etc/passwd": ""}}, "its files are not"),
    ],
)
def test_records_made_to_do_harm_are_refused(copied, change, message):
    """Also with a SHA-256 that fits."""
    record = json.loads((copied / "bank.json").read_text())
    record.pop("sha256")
    (copied / "bank.json").write_bytes(dump_record({**record, **change}))
    with pytest.raises(ValueError, match=message):
        Bank.open(copied)


def test_a_bank_is_renewed_part_by_part(generators):
    """Each turn replaces the oldest images, class by class."""
    bank = draw_bank(generators, COUNTS, seed=5).renewable()
    dataset = tf.data.Dataset.from_tensors((LABELS, (1, 2))).map(
        lambda labels, seed: bank(labels, seed)
    )
    first = next(iter(dataset)).images
    states = [bank.images]
    for turn in range(1, 5):
        renew_bank(bank, generators, 0.3, turn)
        states.append(bank.images)
    counts = [
        np.bincount(bank.labels[(a != b).any((1, 2, 3))], minlength=3).tolist()
        for a, b in itertools.pairwise(states)
    ]
    assert counts == [[21, 1, 6]] * 4
    # After so many turns nothing is left of the first one.
    assert not (states[0] == states[4]).all((1, 2, 3)).any()
    assert len(np.unique(np.concatenate([states[0], states[4]]), axis=0)) == 186
    assert np.abs(next(iter(dataset)).images - first).max() > 0
    for row in (0, 70, 92):
        _, *seed, index = bank.provenance[row]
        np.testing.assert_array_equal(
            generators.remake(bank.labels[row], seed, int(index)),
            bank.images[row],
        )
    again = draw_bank(generators, COUNTS, seed=5).renewable()
    for turn in range(1, 5):
        renew_bank(again, generators, 0.3, turn)
    np.testing.assert_array_equal(again.images, bank.images)


class Bright:
    """Passes images by the brightness of their first pixel."""

    name = "bright"
    is_relative = False

    def __init__(self, least):
        self.least = least

    @property
    def settings(self):
        return {"name": self.name}

    def check(self, image_shape, class_names):
        pass

    def threshold(self, scores):
        return self.least

    def score(self, images, label):
        return np.asarray(images)[:, 0, 0, 0]


def test_old_images_stay_where_no_new_ones_pass(generators):
    """A training is not stopped by it, and is told."""
    bank = draw_bank(generators, 9, seed=0).renewable()
    old = bank.images
    selection = Selection([Bright(2.0)], max_draws=1)
    with pytest.warns(UserWarning, match="0 of 3.*Old ones stay"):
        renew_bank(bank, generators, 0.3, 1, selection)
    np.testing.assert_array_equal(bank.images, old)
    with pytest.raises(ValueError, match="No synthetic image"):
        draw_bank(generators, 9, seed=0, selection=selection)


@pytest.mark.parametrize("share", [0, 1.5])
def test_shares_to_renew_are_shares(generators, share):
    """And the generators must be the bank's."""
    bank = draw_bank(generators, 3, seed=0).renewable()
    with pytest.raises(ValueError, match=f"share={share}"):
        renew_bank(bank, generators, share, 1)


def test_other_generators_do_not_renew(generators, make_artifact):
    """The record would not be true any more."""
    bank = draw_bank(generators, 3, seed=0).renewable()
    with pytest.raises(ValueError, match="another artifact"):
        renew_bank(bank, Generators(make_artifact(8)), 0.5, 1)
