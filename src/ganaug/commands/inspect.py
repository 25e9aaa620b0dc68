"""`ganaug inspect`: what is in a data set, what is wrong, what to set."""

import dataclasses
import time

import keras
import numpy as np
from rich import box
from rich.markup import escape
from rich.table import Table

from ganaug.commands.recommendations import ratio_text, recommend
from ganaug.commands.train import TrainingOptions
from ganaug.data.findings import ERROR, WARNING, Finding
from ganaug.data.inspection import inspect_images
from ganaug.data.tolerant_reading import read_tolerantly
from ganaug.gan.conditional_gan import ConditionalGAN
from ganaug.gan.presets import PRESETS, choose_preset

WARM_UP_STEPS = 2
TIMED_STEPS = 5
MAX_CLASSES_SHOWN = 20
STYLES = {ERROR: "bold red", WARNING: "yellow"}


def inspect(
    source,
    console,
    timing=True,
    data_dir=None,
    image_size=None,
    class_counts=None,
    test_fraction=0.2,
):
    """Analyzes a data set, recommends settings and measures what they cost.

    Args:
        source: String. As for `ganaug.load_data`.
        console: `rich.console.Console` for progress.
        timing: Boolean. Whether to train for a few steps, to tell how long
            training takes. Defaults to `True`.
        data_dir: Folder of TFDS.
        image_size: Pair of integers `(height, width)`.
        class_counts: Sequence of integers.
        test_fraction: Float in `[0, 1)`. Defaults to `0.2`.

    Returns:
        A dict for JSON: the images, classes, splits, findings,
        recommendations and, where it was measured, the time.

    Raises:
        FileNotFoundError: The data set is not there.
        ValueError: Nothing of it can be read, or an argument is wrong.
        RuntimeError: The loss was not finite in the steps that were timed.
    """
    data, findings = read_tolerantly(
        source, data_dir, image_size, class_counts, test_fraction
    )
    train, test, findings = data.train, data.test, list(findings)
    try:
        preset = choose_preset(train.image_shape)
    except ValueError as error:
        preset = None
        findings.append(Finding(ERROR, "image shape", str(error), len(train)))
    inspection = inspect_images(train, test, findings)
    trainable = preset and train.num_classes > 1 and train.class_counts.min()
    return {
        "data": str(source),
        "notes": list(data.notes),
        "image_shape": list(train.image_shape),
        "dtype": train.images.dtype.name,
        "value_range": list(train.value_range),
        "splits": inspection.splits,
        "classes": [
            {
                "name": name,
                "train": int(train.class_counts[label]),
                "test": 0 if test is None else int(test.class_counts[label]),
            }
            for label, name in enumerate(train.class_names)
        ],
        "imbalance_ratio": inspection.imbalance_ratio,
        "findings": [
            {**dataclasses.asdict(finding), "examples": list(finding.examples)}
            for finding in inspection.findings
        ],
        "recommendations": recommend(train, test, inspection, preset),
        "timing": measure_time(train, PRESETS[preset].steps, console)
        if timing and trainable
        else None,
    }


class _StepTimes(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.stamps = []

    def on_train_batch_end(self, batch, logs=None):
        # Reading a loss waits for the step to be done.
        float(next(iter(logs.values())))
        self.stamps.append(time.perf_counter())


def measure_time(train, steps, console):
    """Measures training steps on this machine.

    Args:
        train: `LabeledImages` with an image of every class.
        steps: Integer. The steps to estimate the time of.
        console: `rich.console.Console` for progress.

    Returns:
        A dict for JSON: the seconds of a step, median, least and most, and of
        all `steps` at the median.
    """
    total = WARM_UP_STEPS + TIMED_STEPS
    console.print(f"timing {total} training steps", highlight=False)
    gan = ConditionalGAN(train.image_shape, train.num_classes, seed=0)
    gan.compile()
    times = _StepTimes()
    gan.fit(
        train,
        batch_size=TrainingOptions().batch_size,
        steps_per_epoch=total,
        verbose=0,
        callbacks=[times],
    )
    seconds = np.diff(times.stamps[WARM_UP_STEPS - 1 :])
    return {
        "batch_size": TrainingOptions().batch_size,
        "timed_steps": len(seconds),
        "seconds_per_step": float(np.median(seconds)),
        "least": float(seconds.min()),
        "most": float(seconds.max()),
        "steps": steps,
        "seconds": float(np.median(seconds)) * steps,
    }


def print_inspection(result, console):
    """Prints what `inspect` gave.

    Args:
        result: Dict from `inspect`.
        console: `rich.console.Console`.
    """

    def say(text, style=None):
        console.print(text, style=style, highlight=False, markup=False)

    shape = " x ".join(map(str, result["image_shape"]))
    low, high = result["value_range"]
    say(result["data"], "bold")
    say(
        f"Images of {shape}, {result['dtype']}, value range {low:g} to "
        f"{high:g}. {len(result['classes'])} classes. "
        f"{ratio_text(result['imbalance_ratio'])}"
    )
    for note in result["notes"]:
        say(note)
    console.print(_split_table(result["splits"]))
    console.print(_class_table(result["classes"]))
    levels = [finding["level"] for finding in result["findings"]]
    counted = [
        f"{levels.count(level)} {level}{'s' * (levels.count(level) != 1)}"
        for level in dict.fromkeys(levels)
    ]
    say("Findings: " + (", ".join(counted) or "nothing is wrong"), "bold")
    for finding in result["findings"]:
        say(
            f"{finding['level'].upper()} {finding['name']}: {finding['text']}",
            STYLES.get(finding["level"]),
        )
        for example in finding["examples"]:
            say(f"  {example}")
        if finding["examples"] and finding["count"] > len(finding["examples"]):
            say("  ...")
    table = Table(title="Recommended", box=box.SIMPLE_HEAD)
    for header in ("setting", "value", "why"):
        table.add_column(header)
    for row in result["recommendations"]:
        table.add_row(*(escape(str(value)) for value in row.values()))
    console.print(table)
    if result["timing"] is None:
        say("The time of training was not measured.")
    else:
        say(_time_text(result["timing"]))


def _split_table(splits):
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("")
    rows = {
        "images": lambda split: f"{split['num_images']:,}",
        "pixels from, to": lambda s: f"{s['min']:g}, {s['max']:g}",
        "mean ± sd": lambda s: f"{s['mean']:.3g} ± {s['std']:.3g}",
        "black, full": lambda s: (
            f"{s['share_at_low']:.1%}, {s['share_at_high']:.1%}"
        ),
        "duplicates": lambda s: str(s["duplicate_images"]),
        "constant": lambda s: str(s["constant_images"]),
    }
    for name in splits:
        table.add_column(name, justify="right")
    for header, text in rows.items():
        table.add_row(header, *(text(split) for split in splits.values()))
    return table


def _class_table(classes):
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("class")
    for header in ("train", "test"):
        table.add_column(header, justify="right")
    shown = classes
    if len(classes) > MAX_CLASSES_SHOWN:
        by_size = sorted(classes, key=lambda row: row["train"])
        shown = by_size[:MAX_CLASSES_SHOWN]
    for row in shown:
        table.add_row(escape(row["name"]), str(row["train"]), str(row["test"]))
    if len(shown) < len(classes):
        table.add_row(f"and {len(classes) - len(shown)} larger ones")
    return table


def _time_text(timing):
    def duration(seconds):
        if seconds < 90:
            return f"{seconds:.0f} s"
        minutes = seconds / 60
        return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"

    steps = timing["steps"]
    return (
        f"Time on this machine: {timing['seconds_per_step']:.3f} s a step of "
        f"{timing['batch_size']} images ({timing['least']:.3f} to "
        f"{timing['most']:.3f} in {timing['timed_steps']} steps), so {steps} "
        f"steps take about {duration(timing['seconds'])} "
        f"({duration(timing['least'] * steps)} to "
        f"{duration(timing['most'] * steps)}), if nothing else runs here."
    )
