"""`ganaug demo`: the main job on long-tailed digits, into one folder."""

from ganaug.artifact import SAMPLES
from ganaug.artifact_files import check_output_folder
from ganaug.commands.evaluate import (
    EvaluationOptions,
    evaluate,
    write_report,
)
from ganaug.commands.train import LOSS_CURVES, TrainingOptions, train
from ganaug.data.sources import load_data

LONG_TAIL = (100, 66, 44, 29, 19, 13, 8, 6, 4, 3)
RATIOS = (0.125, 0.5, 0.75)
LEARNING_CURVE = (0.25, 0.5)
RUN = "artifact"


def demo(out, console, steps=None, seeds=5, classifier_steps=800, seed=0):
    """Pretrains on long-tailed digits, augments, evaluates and reports.

    Args:
        out: Folder, new or empty.
        console: `rich.console.Console` for progress.
        steps: Integer. GAN training steps. Defaults to the preset's.
        seeds: Integer. Paired seeds of the evaluation. Defaults to `5`.
        classifier_steps: Integer. Optimizer steps of each classifier.
            Defaults to `800`.
        seed: Integer. Of the GAN. Defaults to `0`.

    Returns:
        A pair of the `EvaluationReport` and a dict of the files written.

    Raises:
        FileExistsError: The folder holds something.
    """
    out = check_output_folder(out)
    data = load_data("digits", class_counts=LONG_TAIL)
    console.print(
        f"1. Pretrain a GAN on {len(data.train)} digits, "
        f"{max(LONG_TAIL)} of 0 down to {min(LONG_TAIL)} of 9"
    )
    run = out / RUN
    train(data, run, console, TrainingOptions(steps=steps, seed=seed))
    console.print("2. Augment and evaluate, against controls, seed by seed")
    options = EvaluationOptions(
        seeds=seeds,
        steps=classifier_steps,
        ratios=RATIOS,
        learning_curve=LEARNING_CURVE,
    )
    report, pictures = evaluate(run, data, console, options)
    pictures = {
        "Synthetic images of each class": run / SAMPLES,
        **pictures,
        "Losses of the GAN in training": run / LOSS_CURVES,
    }
    return report, {
        "artifact": str(run),
        **write_report(report, out, pictures),
    }
