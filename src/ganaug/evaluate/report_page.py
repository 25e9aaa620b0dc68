"""The report as one HTML page that needs no other file and no network."""

import base64
from pathlib import Path

import jinja2

from ganaug.evaluate import plots
from ganaug.evaluate.arms import BASELINE
from ganaug.evaluate.report_words import (
    MEASURES,
    definitions,
    measure_rows,
    table_rows,
)


def render_page(report, pictures):
    """Renders the page.

    Args:
        report: `EvaluationReport`.
        pictures: Dict from caption to a PNG: its path or its bytes.

    Returns:
        A string.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ganaug.evaluate"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("report.html.jinja").render(
        report=report,
        facts=report.to_dict(),
        rows=table_rows(report),
        measures=MEASURES,
        measure_rows=measure_rows(report),
        recall_arms=_compared(report),
        definitions=definitions(report),
        plots={name: map(_plot, found) for name, found in _plots(report)},
        pictures={
            caption: _data(_bytes(picture), "png")
            for caption, picture in pictures.items()
        },
    )


def _compared(report):
    """Arms under test, and before them those they are compared with."""
    names = [BASELINE, report.best_control.name, report.chosen_control]
    names += [arm.without for arm in report.candidates]
    names += [arm.name for arm in report.candidates]
    return [report.arm(name) for name in dict.fromkeys(filter(None, names))]


def _plots(report):
    """Pairs of a section and its plots: pairs of caption and SVG."""
    yield (
        "gains",
        [
            (
                "Gain over real images only, with 95 % intervals; the best "
                "control is the dashed line",
                plots.forest_plot(report),
            )
        ],
    )
    candidates = [arm.name for arm in report.candidates]
    yield (
        "recall",
        [
            (
                f"Recall of each class with {name} and without",
                plots.recall_plot(report, name),
            )
            for name in candidates
        ],
    )
    yield (
        "sweep",
        [
            (
                f"Gain against the share of synthetic images: {name}",
                plots.sweep_plot(report, name, points),
            )
            for name, points in report.sweeps.items()
        ],
    )
    worth = {name: report.worth(name) for name in candidates}
    yield (
        "learning_curve",
        [
            (
                f"Learning curve of {report.arm(name).without}, and the score "
                f"of {name}",
                plots.learning_curve_plot(report, name, found),
            )
            for name, found in worth.items()
            if found is not None
        ],
    )
    yield (
        "reliability",
        [
            (
                "Confidence of the classifiers and how often they are right, "
                "over all seeds",
                plots.reliability_plot(
                    report,
                    list(
                        dict.fromkeys([report.best_control.name, *candidates])
                    ),
                ),
            )
        ],
    )


def _plot(plot):
    caption, svg = plot
    return caption, _data(svg, "svg+xml")


def _bytes(picture):
    if isinstance(picture, bytes):
        return picture
    return Path(picture).read_bytes()


def _data(content, kind):
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
