"""Results on standard output."""

import json


def print_json(result):
    """Prints a result for programs.

    Args:
        result: Plain data.
    """
    print(json.dumps(result, indent=2, allow_nan=False))


def print_report(report, files, as_json):
    """Prints an evaluation.

    Args:
        report: `ganaug.EvaluationReport`.
        files: Dict from names to paths of files that were written.
        as_json: Boolean. Whether it is for programs.
    """
    if as_json:
        print_json({**report.to_dict(), "files": files})
        return
    from rich.console import Console

    report.print(Console())
    for name, path in files.items():
        print(f"{name}: {path}")
