"""Data sets of synthetic images are read back as they were drawn."""

from unittest import mock

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from ganaug.data.sources import read_source
from ganaug.export import image_folder, npz, tfds_data_set
from ganaug.export.whole_folder import whole_folder

WRITERS = (image_folder, npz, tfds_data_set)


def read(writer, path):
    source = {
        image_folder: path,
        npz: path / "images.npz",
        tfds_data_set: "tfds:synthetic_images",
    }[writer]
    # `load_data` refuses to train on a class without images.
    return read_source(source, path).train


def by_name(images):
    return [images.class_names[label] for label in images.labels]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("num_channels", [1, 3])
def test_what_is_written_is_read(tmp_path, make_bank, writer, num_channels):
    """Images, labels and class names, also of a class without images."""
    bank = make_bank((5, 4, num_channels))
    done = []
    writer.write(bank, tmp_path / "out", lambda *args: done.append(args))
    found = read(writer, tmp_path / "out")
    assert sorted(found.class_names) == sorted(bank.class_names)
    if writer is image_folder:
        # The alphabet's: b|ear, cat, fox.
        assert found.class_names == ("b|ear", "cat", "fox")
    else:
        assert found.class_names == bank.class_names
    assert by_name(found) == ["b|ear"] * 300 + ["cat"] * 2
    np.testing.assert_array_equal(found.images, bank.images)
    assert found.value_range == (0, 255)
    assert done[-1] == (302, 302)
    assert done == sorted(done)
    # Nothing else is left, and nothing of the work.
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert (
        names - {"README.md"}
        == {
            image_folder: {*bank.class_names, "provenance.npz"},
            npz: {"images.npz", "provenance.npz"},
            tfds_data_set: {"synthetic_images"},
        }[writer]
    )


@pytest.mark.parametrize("writer", [image_folder, tfds_data_set])
def test_four_channels(tmp_path, make_bank, writer):
    """RGBA images keep their transparency in the files."""
    bank = make_bank((5, 4, 4), (3, 2, 1))
    writer.write(bank, tmp_path / "out")
    if writer is image_folder:
        file = tmp_path / "out" / "fox" / "000003.png"
        image = np.asarray(Image.open(file))
    else:
        image = read(writer, tmp_path / "out").images[3]
    np.testing.assert_array_equal(image, bank.images[3])


@pytest.mark.parametrize("writer", [image_folder, tfds_data_set])
def test_floats_become_bytes(tmp_path, make_bank, writer):
    """The value range is mapped to [0, 255], and the card says so."""
    bank = make_bank(dtype="float32", value_range=(-1.0, 3.0))
    expected = make_bank()
    writer.write(bank, tmp_path / "out")
    np.testing.assert_array_equal(
        read(writer, tmp_path / "out").images, expected.images
    )
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "draws float32 from -1 to 3; they were mapped to 8 bits" in card


def test_npz_keeps_dtype_and_range(tmp_path, make_bank):
    """Any number of channels too, and soft labels beside it."""
    bank = make_bank(
        (5, 4, 2), dtype="float32", value_range=(-1.0, 3.0), targets=True
    )
    npz.write(bank, tmp_path / "out")
    found = read(npz, tmp_path / "out")
    assert (found.images.dtype, found.value_range) == ("float32", (-1, 3))
    np.testing.assert_array_equal(found.images, bank.images)
    with np.load(tmp_path / "out" / "provenance.npz") as provenance:
        np.testing.assert_array_equal(provenance["targets"], bank.targets)
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "float32 from -1 to 3" in card
    assert "mapped" not in card
    assert "class_interpolation=0.25" in card


@pytest.mark.parametrize("writer", [image_folder, npz])
def test_provenance_file(tmp_path, make_bank, writer):
    """One row for each image, in the order of the bank."""
    bank = make_bank()
    writer.write(bank, tmp_path / "out")
    with np.load(tmp_path / "out" / "provenance.npz") as arrays:
        assert arrays["artifacts"].tolist() == ["0123", "4567"]
        assert arrays["class_names"].tolist() == list(bank.class_names)
        np.testing.assert_array_equal(arrays["labels"], bank.labels)
        rows = np.column_stack(
            [arrays["sources"], arrays["seeds"], arrays["indices"]]
        )
    np.testing.assert_array_equal(rows, bank.provenance)


def test_tfds(tmp_path, make_bank):
    """TFDS alone reads it, in the bank's order, with the provenance."""
    bank = make_bank()
    tfds_data_set.write(bank, tmp_path)
    dataset, info = tfds.load(
        "synthetic_images",
        data_dir=tmp_path,
        split="train",
        as_supervised=True,
        with_info=True,
    )
    assert info.features["label"].names == list(bank.class_names)
    images, labels = zip(*dataset.as_numpy_iterator(), strict=True)
    np.testing.assert_array_equal(images, bank.images)
    np.testing.assert_array_equal(labels, bank.labels)
    builder = tfds.builder_from_directory(
        tmp_path / "synthetic_images" / "1.0.0"
    )
    examples = builder.as_dataset(split="train").as_numpy_iterator()
    rows = [
        [bank.ids.index(one["artifact"].decode()), *one["seed"], one["index"]]
        for one in examples
    ]
    np.testing.assert_array_equal(rows, bank.provenance)


def test_tfds_keeps_what_images_are_a_mixture_of(tmp_path, make_bank):
    """Images between classes come with the shares of all classes."""
    bank = make_bank(targets=True)
    tfds_data_set.write(bank, tmp_path)
    examples = tfds.load(
        "synthetic_images", data_dir=tmp_path, split="train"
    ).as_numpy_iterator()
    np.testing.assert_array_equal(
        [one["target"] for one in examples], bank.targets
    )


def test_card(tmp_path, make_bank):
    """It says what there is; a class name cannot break its table."""
    image_folder.write(make_bank(), tmp_path)
    card = (tmp_path / "README.md").read_text("utf-8")
    assert "302 images, 5 x 4 x 1 (height, width, channels), uint8" in card
    assert "| b\\|ear | 300 |\n| fox | 0 |\n| cat | 2 |\n" in card
    assert "| artifacts | 0123, 4567 |\n| seed | 7 |\n" in card
    assert "truncation=0.5,\n)" in card


def test_a_card_says_how_latents_were_mixed(tmp_path, make_bank):
    """In the table, and in the lines that make an image again."""
    bank = make_bank()
    bank.record["drawn_with"]["latents"] = {"prior": 0.75, "around": 0.25}
    image_folder.write(bank, tmp_path)
    card = (tmp_path / "README.md").read_text("utf-8")
    call = card.partition("generators = ")[2].partition("\nimage =")[0]
    made = eval(
        call,
        {"artifact": mock.MagicMock(), "Generators": lambda _, **told: told},
    )
    assert made["latents"] == {"prior": 0.75, "around": 0.25}


@pytest.mark.parametrize(
    ("writer", "kwargs", "message"),
    [
        (image_folder, {"shape": (5, 4, 2)}, r"Received: .*\(5, 4, 2\)"),
        (tfds_data_set, {"shape": (5, 4, 2)}, r"Received: .*\(5, 4, 2\)"),
        *(
            (image_folder, {"class_names": ("a", name, "c")}, "class_names=")
            for name in ("", ".b", "a/b", "..", "train", "x" * 256)
        ),
        *(
            (tfds_data_set, {"class_names": ("a", name, "c")}, "class_names=")
            for name in ("", " b", "a\nb")
        ),
    ],
)
def test_what_a_format_cannot_hold(
    tmp_path, make_bank, writer, kwargs, message
):
    """It is refused before anything is written."""
    with pytest.raises(ValueError, match=message):
        writer.write(make_bank(**kwargs), tmp_path / "out")
    assert not any(tmp_path.iterdir())


class Stop(Exception):
    """What stops the work in these tests."""


@pytest.mark.parametrize("writer", WRITERS)
def test_a_failure_leaves_nothing(tmp_path, make_bank, writer, monkeypatch):
    """Wherever it comes, the last step included."""

    def stop(*args, **kwargs):
        raise Stop

    monkeypatch.setattr(writer, "write_card", stop)
    with pytest.raises(Stop):
        writer.write(make_bank(), tmp_path / "out")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("writer", WRITERS)
def test_nothing_is_overwritten(tmp_path, make_bank, writer):
    """What somebody put there stays."""
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="something else"):
        writer.write(make_bank(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_only_what_a_killed_process_left_is_removed(tmp_path):
    """A folder that merely has such a name is not."""
    partial = tmp_path / "out.partial"
    partial.mkdir()
    (partial / "mine.txt").write_text("mine")
    with (
        pytest.raises(FileExistsError, match="something else"),
        whole_folder(tmp_path / "out"),
    ):
        pass
    assert (partial / "mine.txt").is_file()
    (partial / ".ganaug-partial").touch()
    with whole_folder(tmp_path / "out") as folder:
        assert not (folder / "mine.txt").exists()
        (folder / "new.txt").touch()
        assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "new.txt"]
