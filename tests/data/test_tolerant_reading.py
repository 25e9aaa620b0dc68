"""Reading of data sets that training would refuse."""

import numpy as np
import pytest
from PIL import Image

import ganaug
from ganaug.data.tolerant_reading import read_tolerantly


def levels(findings):
    return {finding.name: finding.level for finding in findings}


@pytest.fixture
def arrays(make_images):
    data = make_images((12, 10, 6))
    return {"images": data.images, "labels": data.labels}


@pytest.fixture
def npz(tmp_path, arrays):
    """A function that writes the arrays with changes."""

    def write(**changes):
        path = tmp_path / "data.npz"
        np.savez(path, **{**arrays, **changes})
        return path

    return write


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for split, num in (("train", 4), ("test", 2)):
        for name in ("cat", "dog"):
            path = tmp_path / "images" / split / name
            path.mkdir(parents=True)
            for index in range(num):
                pixels = rng.integers(0, 256, (6, 5, 3), np.uint8)
                Image.fromarray(pixels).save(path / f"{index}.png")
    return tmp_path / "images"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"class_counts": [5, 4, 3]},
        {"test_fraction": 0},
        {"test_fraction": 0.5, "class_counts": [1, 2, 3]},
    ],
)
def test_good_data_are_those_that_are_trained_on(npz, arrays, options):
    """The same images in the same order, each under its place in the file."""
    path = npz()
    data, findings = read_tolerantly(path, **options)
    wanted = ganaug.load_data(path, **options)
    assert findings == ()
    assert data.notes == wanted.notes
    for part, expected in (
        (data.train, wanted.train),
        (data.test, wanted.test),
    ):
        if expected is None:
            assert part is None
            continue
        np.testing.assert_array_equal(part.images, expected.images)
        np.testing.assert_array_equal(part.labels, expected.labels)
        names = part.image_names.tolist()
        indices = [int(name[len("images[") : -1]) for name in names]
        np.testing.assert_array_equal(arrays["images"][indices], part.images)


def test_digits_with_their_test_set():
    """Nothing is held out where there is a test set."""
    data, _ = read_tolerantly("digits", class_counts=[3] * 10)
    wanted = ganaug.load_data("digits", class_counts=[3] * 10)
    np.testing.assert_array_equal(data.train.images, wanted.train.images)
    assert data.test.image_names[-1] == "test[699]"
    assert data.notes == ()


def test_files_are_named(folder):
    """By their path in the folder."""
    data, findings = read_tolerantly(folder)
    assert findings == ()
    assert data.train.image_names[5] == "train/dog/1.png"
    assert data.test.image_names.tolist() == [
        f"test/{name}/{i}.png" for name in ("cat", "dog") for i in (0, 1)
    ]
    pixels = np.asarray(Image.open(folder / data.train.image_names[5]))
    np.testing.assert_array_equal(data.train.images[5], pixels)


def test_unreadable_files_are_left_out(folder):
    """Each is named, whether its header or its pixels are broken."""
    (folder / "train/cat/1.png").write_text("no image")
    noise = folder / "test/dog/1.png"
    Image.effect_noise((50, 50), 90).convert("RGB").resize((5, 6)).save(noise)
    noise.write_bytes(noise.read_bytes()[:90])
    Image.new("I;16", (5, 6)).save(folder / "train/dog/0.png")
    data, (finding,) = read_tolerantly(folder)
    assert (finding.name, finding.level) == ("unreadable files", "error")
    assert finding.count == 3
    assert "3 of 12 files" in finding.text
    assert any("train/cat/1.png" in text for text in finding.examples)
    assert any("test/dog/1.png" in text for text in finding.examples)
    assert any("8 bits a channel" in text for text in finding.examples)
    assert data.train.class_counts.tolist() == [3, 3]
    assert data.test.class_counts.tolist() == [2, 1]
    names = data.train.image_names.tolist()
    assert "train/cat/1.png" not in names
    for name, image in zip(names, data.train.images, strict=True):
        pixels = np.asarray(Image.open(folder / name))
        np.testing.assert_array_equal(image, pixels)
    with pytest.raises(ValueError, match="cannot be read"):
        ganaug.load_data(folder)


def test_broken_files_among_several_sizes(folder):
    """What is left is stretched to the size asked for, or to 32 x 32."""
    Image.new("RGB", (9, 9)).save(folder / "train/cat/0.png")
    (folder / "train/cat/1.png").write_text("no image")
    data, _ = read_tolerantly(folder)
    assert data.train.image_shape == (32, 32, 3)
    assert "were stretched to 32 x 32" in data.notes[0]
    data, _ = read_tolerantly(folder, image_size=(7, 8))
    assert data.train.image_shape == data.test.image_shape == (7, 8, 3)


def test_other_files_and_classes(folder):
    """Files of other kinds are told; test classes must be known."""
    (folder / "train/dog/a.tif").write_text("x")
    (folder / "train/dog/.hidden").write_text("x")
    (folder / "test/bird").mkdir()
    data, findings = read_tolerantly(folder)
    assert levels(findings) == {
        "unknown classes": "error",
        "other files": "note",
    }
    assert "['bird'] in " in findings[0].text
    assert findings[1].examples == ("train/dog/a.tif",)
    assert len(data.test) == 4


def test_an_empty_test_folder(folder):
    """An error; the training images are read all the same."""
    for file in folder.glob("test/*/*"):
        file.unlink()
    data, findings = read_tolerantly(folder, test_fraction=0)
    assert levels(findings) == {"empty test set": "error"}
    assert data.test is None
    assert len(data.train) == 8


def test_nan_and_wrong_labels_are_left_out(npz, arrays):
    """Each is named by its place, and the rest is read."""
    images = arrays["images"] / np.float32(255)
    images[3, 0, 0] = np.nan
    images[20] = np.inf
    labels = arrays["labels"].astype(np.int64)
    labels[7] = -1
    data, (nan, wrong) = read_tolerantly(
        npz(images=images, labels=labels), test_fraction=0
    )
    assert (nan.level, nan.count) == ("error", 2)
    assert nan.examples == ("images[3]", "images[20]")
    assert wrong.examples == ("images[7]",)
    kept = np.delete(np.arange(28), [3, 7, 20])
    np.testing.assert_array_equal(data.train.images, images[kept])
    assert data.train.image_names.tolist() == [f"images[{i}]" for i in kept]
    assert data.train.value_range == (0, 1)


@pytest.mark.parametrize("names", [{}, {"class_names": ["a", "b", "c"]}])
def test_labels_that_are_no_class(npz, arrays, names):
    """In the test set, those that training images do not have."""
    data, (finding,) = read_tolerantly(
        npz(
            **names,
            test_images=arrays["images"],
            test_labels=arrays["labels"] + 1,
        )
    )
    assert finding.count == 6
    assert finding.examples[0] == "test_images[22]"
    assert len(data.test) == 22


@pytest.mark.parametrize(
    "changes",
    [{"value_range": [0, 100]}, {"value_range": [1, 0]}, {"images": None}],
)
def test_a_wrong_value_range(npz, arrays, changes):
    """An error, and what the pixels span is taken."""
    if "images" in changes:
        changes = {"images": arrays["images"].astype(np.int32)}
    data, findings = read_tolerantly(npz(**changes))
    assert levels(findings) == {"value range": "error"}
    pixels = arrays["images"]
    assert data.train.value_range == (pixels.min(), pixels.max())


def test_train_and_test_of_other_shapes(npz):
    """Both are read, and what training says is told."""
    data, (finding,) = read_tolerantly(
        npz(
            test_images=np.arange(75, dtype=np.uint8).reshape(3, 5, 5),
            test_labels=[0, 1, 2],
        )
    )
    assert finding.level == "error"
    assert "one shape and dtype" in finding.text
    assert data.test.image_shape == (5, 5, 1)


def test_classes_too_small_to_be_split(npz, arrays):
    """No test set is held out, and it is said."""
    labels = arrays["labels"].copy()
    labels[0] = 4
    data, (finding,) = read_tolerantly(npz(labels=labels))
    assert (finding.name, finding.level) == ("no test set", "error")
    assert "there is one of 4." in finding.text
    assert data.test is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": np.full((28, 8, 8), np.nan)}, "finite"),
        ({"labels": np.full(28, -1)}, "labels from -1"),
        ({"labels": np.zeros(27, int)}, "one integer for each image"),
        ({"labels": np.zeros(28)}, "must be integers"),
        ({"images": np.zeros((28, 8), np.uint8)}, "must have the shape"),
        ({"images": np.array([None] * 28)}, "plain arrays"),
        ({"class_names": ["a", "b", "b"]}, "different from one another"),
    ],
)
def test_files_without_anything_to_read_are_refused(npz, changes, message):
    """With the error that training gives."""
    with pytest.raises(ValueError, match=message):
        read_tolerantly(npz(**changes))


def test_folders_without_anything_to_read_are_refused(folder, tmp_path):
    """With the error that training gives."""
    for file in folder.glob("train/*/*"):
        file.write_text("no image")
    with pytest.raises(ValueError, match=r"cat/0\.png"):
        read_tolerantly(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="one folder for each class"):
        read_tolerantly(tmp_path / "empty")


@pytest.mark.parametrize(
    ("source", "options", "error"),
    [
        ("nowhere", {}, FileNotFoundError),
        ("digits", {"test_fraction": 2, "image_size": (4, 4)}, ValueError),
        ("NPZ", {"image_size": (4, 4)}, ValueError),
        ("NPZ", {"class_counts": [1]}, ValueError),
        ("NPZ", {"class_counts": [99, 1, 1]}, ValueError),
        ("NPZ", {"test_fraction": 1.5}, ValueError),
    ],
)
def test_wrong_arguments_are_no_findings(npz, source, options, error):
    """They are errors, as everywhere."""
    path = npz() if source == "NPZ" else source
    with pytest.raises(error):
        read_tolerantly(path, **options)
