"""The report: its schema, its page in a browser, its plots."""

import base64
import json
import pathlib
import re
import shutil
import subprocess

import jsonschema
import numpy as np
import pytest

import ganaug
from ganaug.evaluate.arms import BASELINE, Arm

# The report is made once.
pytestmark = pytest.mark.xdist_group("report")
SCHEMA = pathlib.Path(__file__).parents[2] / "docs" / "report.schema.json"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def flip(dataset):
    return dataset.map(lambda x, y: (x[:, :, ::-1], y))


@pytest.fixture(scope="module")
def full(digits, linear, small_gan):
    """A report with everything in it, and its pictures."""
    augmenter = ganaug.GANAugmenter(small_gan, seed=0)
    report = ganaug.evaluate_augmentation(
        digits.train,
        digits.test,
        {
            "GAN <b>$x_1$</b>": ganaug.on_top_of_best(augmenter),
            "plain": Arm(augmenter, on_top_of="weights"),
        },
        controls={BASELINE: Arm(), "weights": Arm(class_weights=True)},
        references={
            "half": Arm(augmenter.replace(ratio=0.5), on_top_of="weights"),
            "alone": Arm(augmenter.replace(ratio=1.0)),
        },
        classifier=linear,
        seeds=2,
        steps=20,
        learning_curve=(0.25, 0.5),
    )
    samples, pictures = ganaug.measure_samples(
        augmenter.generators, digits.train, digits.test
    )
    sweeps = {"plain": {0.0: "weights", 0.25: "plain", 0.5: "half"}}
    return report.add(samples=samples, sweeps=sweeps, data="digits"), pictures


@pytest.fixture(scope="module")
def page(full, tmp_path_factory):
    """Its page."""
    report, pictures = full
    path = tmp_path_factory.mktemp("page") / "report.html"
    report.to_html(path, pictures)
    return path


def test_the_json_is_what_its_schema_says(full, evaluate_quickly):
    """With everything in it, and with as little as there can be."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    small = evaluate_quickly({"flip": flip}, seeds=1)
    for report in (full[0], small):
        text = json.dumps(report.to_dict(), allow_nan=False)
        jsonschema.validate(json.loads(text), schema)
    assert full[0].to_dict()["worth"]["plain"]["num_images"][-1] == 145
    assert small.to_dict()["samples"] is None
    arms = full[0].to_dict()["settings"]["arms"]
    assert arms["weights"]["class_weights"] is True
    # The generator is known by its fingerprint.
    assert "drawn_with" in json.dumps(arms["plain"])


def test_samples_of_other_data_are_refused(digits, small_gan):
    """Their values or classes would be taken for others."""
    generators = ganaug.Generators(small_gan)
    train, test = digits.train, digits.test
    floats = ganaug.LabeledImages(
        train.images / np.float32(255), train.labels, train.class_names
    )
    with pytest.raises(ValueError, match="`train` must have the value range"):
        ganaug.measure_samples(generators, floats, test)
    renamed = ganaug.LabeledImages(
        test.images, test.labels, train.class_names[::-1]
    )
    with pytest.raises(ValueError, match="`held_out` must have the class name"):
        ganaug.measure_samples(generators, train, renamed)


def test_copies_of_images_that_are_not_there_cannot_be_told(
    digits, small_gan, full, tmp_path
):
    """No verdict then, and the page says why."""
    halves = [digits.test.subset(range(part, 700, 2)) for part in range(2)]
    samples, pictures = ganaug.measure_samples(
        ganaug.Generators(small_gan),
        *halves,
        extractor=lambda images: images.reshape(len(images), -1),
    )
    assert samples["memorization"] is None
    assert (samples["num_learnt"], samples["num_compared"]) == (145, 0)
    assert len(pictures) == 1
    path = tmp_path / "report.html"
    full[0].add(samples=samples).to_html(path, pictures)
    text = " ".join(path.read_text("utf-8").split())
    assert "of the 145 images that the generator learnt, none are" in text


def test_both_columns_are_of_as_many_images(full):
    """More would come nearer to perfect scores."""
    samples = full[0].samples
    assert samples["real_scores"]["num_fake"] == 145
    assert samples["scores"]["num_fake"] == 145
    assert samples["memorization"]["num_synthetic"] == 700


def test_the_page_has_all_sections(page):
    """The verdict first, and no file or address but what it holds."""
    text = page.read_text("utf-8")
    titles = re.findall(r"<h2>(.*?)</h2>", text)
    assert titles == [
        "Balanced accuracy over 2 paired seeds",
        "How sure that is",
        "The choice of the control",
        "Further measures",
        "Recall of each class",
        "How many synthetic images",
        "Worth how many real images",
        "The synthetic images",
        "Copies of training images",
        "Pictures",
        "How it was measured",
    ]
    assert text.index('class="verdict') < text.index("<h2>")
    assert "<b>$x" not in text
    assert "{&#34;class_weights&#34;: true}" in text
    for address in re.findall(r'(?:src|href)="(.*?)"', text):
        assert address.startswith("data:")
    assert not re.search(r"https?://|<script|@import|url\(", text)


def test_plots_are_the_same_again(full, page, tmp_path):
    """And are pictures that show something."""
    report, pictures = full
    report.to_html(tmp_path / "again.html", pictures)
    assert page.read_bytes() == (tmp_path / "again.html").read_bytes()
    plots = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", page.read_text())
    # Gains, reliability, a sweep, and for each candidate recalls and a curve.
    assert len(plots) == 7
    for plot in plots:
        assert base64.b64decode(plot).count(b"<path") > 10


def test_reports_without_extras_have_no_empty_sections(
    evaluate_quickly, tmp_path
):
    """One seed, no reference, no pictures."""
    report = evaluate_quickly({"flip": flip}, seeds=1)
    report.to_html(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text("utf-8")
    for title in ("choice of the", "Worth", "synthetic images</h2>", "Copies"):
        assert title not in text


def test_markdown_and_table_tell_roles_apart(full):
    """Candidates are bold, references in italics."""
    text = full[0].to_markdown()
    assert "| **plain** |" in text
    assert "| *half* |" in text
    assert "| weights |" in text
    assert "shown beside, not judged" in str(full[0])


@pytest.mark.chromium
@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's package chromium")
@pytest.mark.parametrize("width", [400, 1200])
def test_the_page_in_a_browser(page, tmp_path, width):
    """It shows no error, asks for nothing, and fits the screen of a phone."""
    probe = tmp_path / "probe.html"
    # What a reader's browser would find out, written where it can be read.
    script = """<script>
addEventListener("load", () => {
  const images = [...document.images];
  document.title = JSON.stringify({
    broken: images.filter(image => !image.naturalWidth).length,
    images: images.length,
    requests: performance.getEntriesByType("resource").map(e => e.name)
      .filter(name => !name.startsWith("data:")),
    width: document.documentElement.scrollWidth,
    inner: innerWidth,
    overflow: [...document.querySelectorAll("body > *")].filter(
      e => e.getBoundingClientRect().right > innerWidth + 1).length,
  });
});
</script></head>"""
    text = page.read_text("utf-8")
    probe.write_text(text.replace("</head>", script, 1), "utf-8")
    screenshot = tmp_path / "page.png"
    command = [
        *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu"),
        *("--disable-dev-shm-usage", "--enable-logging=stderr", "--v=0"),
        f"--user-data-dir={tmp_path / 'profile'}",
        f"--window-size={width},1500",
    ]
    done = subprocess.run(
        [*command, "--dump-dom", probe.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "CONSOLE" not in done.stderr
    found = json.loads(
        re.search(r"<title>(.*?)</title>", done.stdout)[1].replace(
            "&quot;", '"'
        )
    )
    assert found["broken"] == 0
    assert found["images"] == 9
    assert found["requests"] == []
    assert found["overflow"] == 0
    assert found["width"] <= found["inner"]
    subprocess.run(
        [*command, f"--screenshot={screenshot}", page.as_uri()],
        capture_output=True,
        timeout=120,
        check=True,
    )
    from matplotlib import pyplot as plt

    pixels = plt.imread(screenshot)
    assert pixels.shape[1] == width
    assert np.ptp(pixels[:400]) > 0.3
