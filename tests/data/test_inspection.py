"""What is found in a data set before training."""

from dataclasses import replace

import numpy as np
import pytest

import ganaug.data.inspection
from ganaug.data.findings import Finding, few
from ganaug.data.inspection import inspect_images
from ganaug.data.labeled_images import LabeledImages


def found(*arguments, **kwargs):
    """Findings by name."""
    inspection = inspect_images(*arguments, **kwargs)
    return {finding.name: finding for finding in inspection.findings}


@pytest.fixture
def train(make_images):
    return make_images((12, 10))


@pytest.fixture
def test(make_images):
    return make_images((4, 4), seed=1)


def changed(data, **images):
    """A copy in which images are others: `changed(data, i3=pixels)`."""
    pixels = data.images.copy()
    for name, image in images.items():
        pixels[int(name[1:])] = image
    return replace(data, images=pixels)


def test_nothing_is_wrong_with_good_data(train, test):
    """No finding, and the ratio of the classes."""
    inspection = inspect_images(train, test)
    assert inspection.findings == ()
    assert inspection.imbalance_ratio == 1.2
    assert not inspection.is_gray


@pytest.mark.parametrize("chunk", [1, 200, 2**22])
def test_numbers_about_pixels(train, test, monkeypatch, chunk):
    """Mean, deviation, extremes and shares, however large the data are."""
    monkeypatch.setattr(ganaug.data.inspection, "CHUNK_VALUES", chunk)
    numbers = inspect_images(train, test).splits["train"]
    images = train.images
    assert numbers["num_images"] == 22
    assert numbers["mean"] == pytest.approx(images.mean())
    assert numbers["std"] == pytest.approx(images.std())
    assert (numbers["min"], numbers["max"]) == (images.min(), images.max())
    assert numbers["share_at_low"] == pytest.approx((images == 0).mean())
    assert numbers["share_at_high"] == pytest.approx((images == 255).mean())


def test_duplicates_within_a_split(train, test):
    """How many are too many, and which are equal, each under its name."""
    doubled = changed(
        train, i2=train.images[5], i7=train.images[5], i3=train.images[9]
    )
    inspection = inspect_images(doubled, test)
    (finding,) = inspection.findings
    assert (finding.name, finding.level) == ("duplicates", "warning")
    assert finding.count == 3
    assert finding.examples == (
        "train[2] = train[5] = train[7]",
        "train[3] = train[9]",
    )
    assert inspection.splits["train"]["duplicate_images"] == 3
    assert inspection.splits["test"]["duplicate_images"] == 0
    named = replace(doubled, image_names=[f"{i}.png" for i in range(22)])
    finding = found(named, test)["duplicates"]
    assert finding.examples[1] == "3.png = 9.png"


def test_many_copies_are_abridged(train, test):
    """Three are named, and the number of the rest."""
    copies = dict.fromkeys((f"i{i}" for i in range(6)), train.images[0])
    finding = found(changed(train, **copies), test)["duplicates"]
    assert finding.examples == ("train[0] = train[1] = train[2] = 3 more",)


def test_test_images_that_are_trained_on(train, test):
    """An error that names both."""
    finding = found(train, changed(test, i3=train.images[8]))["leakage"]
    assert (finding.level, finding.count) == ("error", 1)
    assert finding.examples == ("test[3] = train[8]",)
    assert "1 of 8 test images" in finding.text


def test_one_picture_under_different_labels(train, test):
    """Within a split and across, with the classes."""
    within = changed(train, i0=train.images[20])
    finding = found(within, test)["different labels"]
    assert finding.examples == ("train[0] (0) = train[20] (1)",)
    across = changed(test, i7=train.images[0])
    finding = found(train, across)["different labels"]
    assert (finding.count, finding.level) == (1, "warning")
    assert finding.examples == ("train[0] (0) = test[7] (1)",)


def test_constant_images(make_images):
    """One color all over, gray or not, and nothing else."""
    train = make_images((12, 10), (8, 8, 3))
    stripes = np.zeros((8, 8, 3), np.uint8)
    stripes[0] = 9
    train = changed(train, i1=[200, 30, 30], i4=7, i5=stripes)
    finding = found(train)["constant images"]
    assert finding.examples == ("train[1]", "train[4]")
    assert inspect_images(train).splits["train"]["constant_images"] == 2


@pytest.mark.parametrize("channels", [3, 4])
def test_gray_images_with_several_channels(make_images, channels):
    """They are told, unless a single pixel has a color."""
    gray = make_images((12, 10)).images.repeat(channels, axis=3)
    if channels == 4:
        gray[..., 3] = 255
    labels = np.repeat([0, 1], [12, 10])
    data = LabeledImages(gray, labels)
    assert inspect_images(data).is_gray
    assert found(data)["gray images"].count == 22
    gray[21, 7, 7, 1] ^= 1
    assert not inspect_images(data).is_gray
    assert "gray images" not in found(data)
    colored = LabeledImages(gray[::-1], labels[::-1])
    gray[21, 7, 7, 1] ^= 1
    other = LabeledImages(gray[:4].copy(), labels[:4], ["0", "1"])
    gray[0, 0, 0, 1] ^= 1
    assert not inspect_images(colored, other).is_gray


@pytest.mark.parametrize("channels", [1, 2])
def test_few_channels_are_as_they_should_be(make_images, channels):
    """Gray, and gray with transparency."""
    images = make_images((12, 10)).images.repeat(channels, axis=3)
    data = LabeledImages(images, np.repeat([0, 1], [12, 10]))
    assert "gray images" not in found(data)


def test_pixels_that_fill_little_of_their_range(train, test):
    """As where values up to 16 are declared to go up to 255."""
    dark = replace(train, images=train.images // 16)
    finding = found(dark, test)["value range"]
    assert "The pixels of train go from 0 to 15 alone" in finding.text
    exact = replace(dark, value_range=(0, 15))
    assert "value range" not in found(exact)


def test_small_and_missing_classes(make_images):
    """Fewer than ten images, none at all, none for testing."""
    train = make_images((12, 9, 0, 1), class_names=list("abcd"))
    test = make_images((3, 0, 2, 2), seed=1, class_names=list("abcd"))
    inspection = inspect_images(train, test)
    assert inspection.imbalance_ratio == 12
    assert [(f.level, f.name) for f in inspection.findings] == [
        ("error", "empty classes"),
        ("warning", "small classes"),
        ("note", "classes without a test"),
    ]
    empty, small, untested = inspection.findings
    assert "no training image of c." in empty.text
    assert "training images of b, d." in small.text
    assert "no test image of b." in untested.text


def test_one_class_and_no_test_set(make_images):
    """What training and evaluation refuse."""
    findings = found(make_images((12,)))
    assert findings["one class"].level == "error"
    assert findings["no test set"].level == "note"


def test_what_was_found_before_is_kept(train, test):
    """The worst first."""
    earlier = Finding("note", "a", "A.", 1), Finding("error", "b", "B.", 2)
    assert inspect_images(train, test, findings=earlier).findings == (
        earlier[1],
        earlier[0],
    )


def test_examples_are_few():
    """Ten of a list, and the number of all."""
    finding = Finding.about("note", "a", "A.", [str(i) for i in range(30)])
    assert finding.count == 30
    assert finding.examples == tuple("0123456789")
    assert few(range(11)).endswith("8, 9 and 1 more")
