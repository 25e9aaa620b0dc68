"""The report on a terminal and as Markdown."""

from rich import box
from rich.markup import escape
from rich.table import Table

from ganaug.evaluate.arms import BASELINE
from ganaug.evaluate.report_words import table_rows
from ganaug.evaluate.results import CANDIDATE, CONTROL
from ganaug.evaluate.statistics import CONFIDENCE

TABLE_WIDTH = 100
CELLS = ("name", "score", "over_baseline", "over_best")


def print_table(report, console):
    """Prints table and verdict.

    Args:
        report: `EvaluationReport`.
        console: `rich.console.Console`.
    """
    table = Table(
        title=f"Balanced accuracy over {len(report.seeds)} paired seeds",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("arm", overflow="fold", min_width=16)
    for header in (
        "mean ± sd",
        f"gain over\n{BASELINE}",
        "gain over\nbest control",
    ):
        table.add_column(header, justify="right", no_wrap=True)
    for row in table_rows(report):
        table.add_row(
            *(escape(row[cell]) for cell in CELLS),
            style={CANDIDATE: "bold", CONTROL: None}.get(row["role"], "dim"),
        )
    console.print(table)
    legend = (
        f"Gains in points of balanced accuracy, with {CONFIDENCE:.0%} "
        "intervals."
    )
    if report.references:
        legend += " Dim: shown beside, not judged."
    console.print(legend, style="dim")
    for line in (*report.sentences(), *report.notes):
        console.print(line, highlight=False, markup=False)


def markdown(report):
    """Gives the verdict and the table as Markdown.

    Args:
        report: `EvaluationReport`.

    Returns:
        A string.
    """
    lines = [f"> {sentence}\n" for sentence in report.sentences()]
    lines += [
        "| arm | mean ± sd | over real only | over best control |",
        "|---|---:|---:|---:|",
    ]
    marks = {CANDIDATE: "**", CONTROL: ""}
    for row in table_rows(report):
        name = row["name"].replace("|", "\\|")
        mark = marks.get(row["role"], "*")
        lines.append(
            f"| {mark}{name}{mark} | {row['score']} "
            f"| {row['over_baseline']} | {row['over_best']} |"
        )
    lines.append("")
    if report.references:
        lines += ["In italics: shown beside, not judged.", ""]
    return "\n".join([*lines, *report.notes, ""])
