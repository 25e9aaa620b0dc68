"""Folders of images, as people have them."""

import numpy as np
import pytest
from PIL import Image

from ganaug.data.image_folder import load_image_folder


def write(path, size=(6, 5), color=(200, 30, 30), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size[::-1], color).convert(mode).save(path)


@pytest.fixture
def folder(tmp_path):
    for split, num in (("train", 3), ("test", 1)):
        for name, color in (("blue", (10, 20, 240)), ("red", (240, 20, 10))):
            for index in range(num):
                write(tmp_path / split / name / f"{index}.png", color=color)
    return tmp_path


def test_train_and_test(folder):
    """Classes are the folders' names, in order; images keep their size."""
    train, test, notes = load_image_folder(folder)
    assert train.class_names == test.class_names == ("blue", "red")
    assert train.class_counts.tolist() == [3, 3]
    assert test.class_counts.tolist() == [1, 1]
    assert train.image_shape == (6, 5, 3)
    assert train.images[0, 0, 0].tolist() == [10, 20, 240]
    assert train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert train.image_names[4] == "train/red/1.png"
    assert notes == []


def test_classes_alone(folder):
    """Without `train` and `test` there is no test set."""
    train, test, _ = load_image_folder(folder / "train")
    assert len(train) == 6
    assert test is None


def test_trains_may_be_a_class(tmp_path):
    """A folder `train` with images in it is no split."""
    for name in ("bus", "train"):
        write(tmp_path / name / "0.png")
    train, test, _ = load_image_folder(tmp_path)
    assert train.class_names == ("bus", "train")
    assert test is None


@pytest.mark.parametrize("other", ["test", "val"])
def test_splits_without_classes_are_no_classes(tmp_path, other):
    """Images right in `train` and `test` have no labels."""
    for name in (other, "train"):
        write(tmp_path / name / "0.png")
    with pytest.raises(ValueError, match="must hold one folder for each class"):
        load_image_folder(tmp_path)


def test_mixed_sizes_are_stretched_and_it_is_said(folder):
    """To 32 x 32, or to the size asked for."""
    write(folder / "train" / "red" / "wide.JPG", (20, 40))
    train, test, notes = load_image_folder(folder)
    assert train.image_shape == test.image_shape == (32, 32, 3)
    assert notes == [
        "Images of 2 sizes, from 6 x 5 to 20 x 40 pixels, were stretched to "
        "32 x 32 with a Lanczos filter."
    ]
    # A flat color stays that color.
    assert (train.images[0] == [10, 20, 240]).all()
    train, _, notes = load_image_folder(folder, (9, 12))
    assert train.image_shape == (9, 12, 3)
    assert len(notes) == 1


def test_images_of_one_size_may_be_stretched(folder):
    """And it is said; to their own size they are not."""
    _, _, notes = load_image_folder(folder, (9, 12))
    assert notes == [
        "Images of 6 x 5 pixels were stretched to 9 x 12 with a Lanczos filter."
    ]
    assert load_image_folder(folder, [6, 5])[2] == []


@pytest.mark.parametrize(
    ("mode", "channels"),
    [("L", 1), ("1", 1), ("LA", 1), ("P", 3), ("RGBA", 3), ("RGB", 3)],
)
def test_gray_stays_gray(tmp_path, mode, channels):
    """One channel where every image is gray, else three."""
    for name in "ab":
        write(tmp_path / name / "1.png", mode=mode)
    train, _, _ = load_image_folder(tmp_path)
    assert train.image_shape == (6, 5, channels)
    assert train.images.dtype == np.uint8


def test_other_files_are_passed_over(folder):
    """Notes, hidden files and the thumbnails of a file manager."""
    (folder / "train" / "red" / "notes.txt").write_text("x")
    (folder / "train" / "red" / ".hidden.png").write_text("x")
    (folder / "train" / ".cache").mkdir()
    train, _, _ = load_image_folder(folder)
    assert len(train) == 6


def cut(path):
    Image.effect_noise((50, 50), 90).save(path)
    path.write_bytes(path.read_bytes()[:900])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "train/red/0.png").write_text("x"), r"red/0\.png"),
        (lambda f: cut(f / "train/red/0.png"), r"red/0\.png"),
        (
            lambda f: Image.new("I;16", (5, 6)).save(f / "train/red/0.png"),
            "convert it to 8 bits",
        ),
        (lambda f: write(f / "test/green/0.png"), r"Received: \['green'\]"),
        (
            lambda f: [p.unlink() for p in f.glob("test/*/*")],
            r"data set is empty.*test'",
        ),
        (
            lambda f: [p.unlink() for p in f.glob("train/*/*")],
            "data set is empty",
        ),
        (
            lambda f: [
                (p.unlink(), p.parent) for p in (f / "train/red").iterdir()
            ],
            r"no image of \['red'\]",
        ),
    ],
)
def test_broken_folders_are_refused(folder, damage, message):
    """The error names the file or the class."""
    damage(folder)
    with pytest.raises(ValueError, match=message):
        load_image_folder(folder)[0].check_trainable()


def test_a_folder_without_classes_is_refused(tmp_path):
    """Images without a folder around them have no class."""
    write(tmp_path / "1.png")
    with pytest.raises(ValueError, match="one folder for each class"):
        load_image_folder(tmp_path)
