"""Data sets by name."""

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

import ganaug
from ganaug.data.splits import fingerprints


def test_digits_have_a_fixed_test_set():
    """70 of each class, whatever is drawn for training."""
    whole = ganaug.load_data("digits")
    tail = ganaug.load_data("digits", class_counts=[30, *[3] * 9])
    assert whole.test.class_counts.tolist() == [70] * 10
    assert whole.train.images.max() == 255
    np.testing.assert_array_equal(whole.test.images, tail.test.images)
    assert tail.train.class_counts.tolist() == [30, *[3] * 9]
    assert not set(fingerprints(whole.train)) & set(fingerprints(whole.test))


@pytest.fixture
def arrays(make_images):
    data = make_images((10, 10, 5))
    return {"images": data.images, "labels": data.labels}


def test_npz_with_a_test_set(tmp_path, arrays, make_images):
    """Class names and value range are read where they are there."""
    test = make_images((2, 2, 2), seed=1)
    path = tmp_path / "data.npz"
    arrays["images"] = arrays["images"].astype(np.int16)
    np.savez(
        path,
        **arrays,
        test_images=test.images.astype(np.int16),
        test_labels=test.labels,
        class_names=["a", "b", "c"],
        value_range=[0, 300],
    )
    data = ganaug.load_data(path)
    assert data.train.class_names == data.test.class_names == ("a", "b", "c")
    assert data.train.value_range == (0, 300)
    np.testing.assert_array_equal(data.test.images, test.images)
    assert data.notes == ()


def test_without_a_test_set_one_is_held_out(tmp_path, arrays):
    """The same images every time, and it is said."""
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    data, again = ganaug.load_data(path), ganaug.load_data(path)
    assert data.test.class_counts.tolist() == [2, 2, 1]
    np.testing.assert_array_equal(data.test.images, again.test.images)
    assert "5 images, 20% of each class but at least one, were" in data.notes[0]
    assert ganaug.load_data(path, test_fraction=0).test is None


def test_floats_of_which_one_part_has_no_negative(tmp_path):
    """Both parts get the wider range."""
    images = np.linspace(-1, 1, 4 * 16, dtype="float32").reshape(4, 4, 4, 1)
    path = tmp_path / "data.npz"
    np.savez(
        path,
        images=images,
        labels=[0, 1, 0, 1],
        test_images=abs(images),
        test_labels=[0, 1, 0, 1],
    )
    data = ganaug.load_data(path)
    assert data.train.value_range == data.test.value_range == (-1, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.pop("labels"), r"Received: \['images'\]"),
        (lambda a: a.update(test_images=a["images"]), "with `test_labels`"),
        (lambda a: a.update(labels=a["labels"] - 1), "labels from -1"),
        (
            lambda a: a.update(labels=np.array([None] * 25)),
            "cannot be read as .npz of plain arrays",
        ),
        (
            lambda a: a.update(
                test_images=a["images"][:, :4], test_labels=a["labels"]
            ),
            r"\(4, 8, 1\)",
        ),
        (
            lambda a: a.update(
                test_images=a["images"] / 255, test_labels=a["labels"]
            ),
            "one shape and dtype",
        ),
        (
            lambda a: a.update(class_names=["a", "b", "c", "d"]),
            r"no image of \['d'\]",
        ),
    ],
)
def test_bad_npz_files_are_refused(tmp_path, arrays, change, message):
    """The error says what is wrong with them."""
    change(arrays)
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=message):
        ganaug.load_data(path)


def test_a_file_that_is_no_npz_is_refused(tmp_path):
    """Cut, or something else."""
    path = tmp_path / "data.npz"
    path.write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(ValueError, match="cannot be read as"):
        ganaug.load_data(path)


def test_image_folders(tmp_path):
    """A folder is told from a name by being there."""
    for name, level in (("dark", 10), ("light", 240)):
        (tmp_path / name).mkdir()
        for index in range(10):
            Image.new("L", (9, 7), level + index).save(
                tmp_path / name / f"{index}.png"
            )
    data = ganaug.load_data(tmp_path)
    assert data.train.class_counts.tolist() == [8, 8]
    assert data.test.class_counts.tolist() == [2, 2]
    assert data.train.image_shape == (7, 9, 1)
    data = ganaug.load_data(tmp_path, image_size=(8, 8))
    assert data.train.image_shape == (8, 8, 1)


@pytest.mark.parametrize("source", ["digitz", "nowhere/data.npz"])
def test_unknown_sources_are_refused(source):
    """The error names the sources there are."""
    with pytest.raises(FileNotFoundError, match=r"Expected `digits`.*npz"):
        ganaug.load_data(source)


def test_other_files_are_refused(tmp_path):
    """The error names the sources there are."""
    path = tmp_path / "notes.txt"
    path.write_text("x")
    with pytest.raises(ValueError, match=r"no data set. Expected `digits`"):
        ganaug.load_data(path)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("digits", {"test_fraction": 1}, "test_fraction=1"),
        ("digits", {"image_size": (8, 8)}, "for 'digits'"),
        (".", {"image_size": (0, 8)}, r"image_size=\(0, 8\)"),
        (".", {"image_size": (8,)}, r"image_size=\(8,\)"),
    ],
)
def test_bad_arguments_are_refused(source, options, message):
    """Before anything is read."""
    with pytest.raises(ValueError, match=message):
        ganaug.load_data(source, **options)


FEATURES = {
    "image": tfds.features.Image(shape=(8, 8, 1)),
    "label": tfds.features.ClassLabel(names=["disc", "square"]),
    "id": tfds.features.Text(),
}


def prepare(data_dir, parts, features=FEATURES, keys=("image", "label")):
    """Makes a TFDS data set called `shapes`, as its users would."""
    with tfds.core.registered.skip_registration():

        class Shapes(tfds.core.GeneratorBasedBuilder):
            VERSION = tfds.core.Version("1.0.0")
            MODULE_DOC = ""

            def _info(self):
                return tfds.core.DatasetInfo(
                    builder=self,
                    description="Random images.",
                    features=tfds.features.FeaturesDict(features),
                    supervised_keys=keys,
                )

            def _split_generators(self, manager):
                return {name: self._generate_examples(name) for name in parts}

            def _generate_examples(self, name):
                part = parts[name]
                for index, (image, label) in enumerate(
                    zip(part.images, part.labels, strict=True)
                ):
                    yield index, {"image": image, "label": label, "id": "x"}

    Shapes(data_dir=data_dir).download_and_prepare()


def test_tfds_sets_are_read(tmp_path, make_images):
    """The images of its splits, with the names that TFDS knows."""
    parts = {"train": make_images((6, 4)), "test": make_images((2, 2), seed=1)}
    prepare(tmp_path, parts)
    data = ganaug.load_data("tfds:shapes", data_dir=tmp_path)
    assert data.train.class_names == ("disc", "square")
    assert data.train.value_range == (0, 255)
    for name, part in parts.items():
        read = getattr(data, name)
        assert set(fingerprints(read)) == set(fingerprints(part))
        assert read.class_counts.tolist() == part.class_counts.tolist()
    resized = ganaug.load_data(
        "tfds:shapes", data_dir=tmp_path, image_size=(5, 6)
    )
    assert resized.train.image_shape == (5, 6, 1)


@pytest.mark.parametrize(
    ("features", "keys", "split", "message"),
    [
        (FEATURES, None, "train", "supervised_keys=None"),
        (FEATURES, ("image", "id"), "train", "an Image and a ClassLabel"),
        (FEATURES, ("image", "label"), "validation", r"with \['validation'\]"),
        (
            {**FEATURES, "image": tfds.features.Image(shape=(None, None, 1))},
            ("image", "label"),
            "train",
            "several sizes",
        ),
    ],
)
def test_tfds_sets_that_do_not_fit_are_refused(
    tmp_path, make_images, features, keys, split, message
):
    """What is missing is said."""
    prepare(tmp_path, {split: make_images((6, 4))}, features, keys)
    with pytest.raises(ValueError, match=message):
        ganaug.load_data("tfds:shapes", data_dir=tmp_path)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("fashion_mnist", FileNotFoundError, "is not prepared.*--data-dir"),
        ("fashion_mnist:9.9.9", ValueError, "only: 3"),
        ("qqqqqqqqqq", ValueError, "no name is like it.*list_builders"),
        ("not a name!", ValueError, "does not know this data set"),
    ],
)
def test_tfds_sets_that_are_not_there_fail_at_once(
    tmp_path, name, error, message
):
    """Offline, TFDS itself would go on trying for minutes."""
    with pytest.raises(error, match=message) as raised:
        ganaug.load_data(f"tfds:{name}", data_dir=tmp_path)
    assert len(str(raised.value)) < 500


def test_the_nearest_tfds_names_are_told(tmp_path):
    """Of the hundreds that there are, and of what was prepared in a folder."""
    (tmp_path / "mnist_of_mine").mkdir()
    with pytest.raises(ValueError, match=r"nearest names are .*\bmnist\b"):
        ganaug.load_data("tfds:mnistt/config:1.0.0", data_dir=tmp_path)
    with pytest.raises(ValueError, match="names are mnist_of_mine"):
        ganaug.load_data("tfds:mnist_of_min", data_dir=tmp_path)
