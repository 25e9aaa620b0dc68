"""Keeps of a report what its intervals are made of.

    python -m benchmarks.keep_scores FOLDER/report.json
        benchmarks/scores/digits.json

The score of each arm with each seed, for who wants to compute them again.
"""

import argparse
import json
import re
from pathlib import Path


def scores_of(report):
    """Takes them out of a report.

    Args:
        report: Dict, as `ganaug evaluate` writes it to `report.json`.

    Returns:
        A dict for JSON.
    """
    return {
        "configuration": report["about"]["configuration"],
        "versions": report["versions"],
        "dtype_policies": report["settings"]["classifier_dtype_policies"],
        "seeds": report["seeds"],
        "notes": report["notes"],
        "balanced_accuracy": {
            arm["name"]: [round(score, 6) for score in arm["balanced_accuracy"]]
            for arm in report["arms"]
        },
    }


def main():
    """Reads the report, and writes the scores."""
    parser = argparse.ArgumentParser()
    parser.add_argument("report", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    report = json.loads(arguments.report.read_text("utf-8"))
    text = json.dumps(scores_of(report), indent=1)
    # A list of numbers on one line.
    text = re.sub(
        r"\[[\s\d.,]+\]", lambda found: " ".join(found[0].split()), text
    )
    arguments.out.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
