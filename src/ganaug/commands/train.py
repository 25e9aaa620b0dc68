"""`ganaug train`: from a data set to a run folder with the artifact."""

import time

from ganaug.artifact import RECORD, SAMPLES, check_output_folder
from ganaug.gan.callbacks import LossHistory, TrainingProgress
from ganaug.gan.conditional_gan import ConditionalGAN
from ganaug.gan.presets import PRESETS
from ganaug.pictures import save_loss_curves

BATCH_SIZE = 64
LOSS_CURVES = "losses.png"
LOSS_TABLE = "losses.csv"


def train(data, out, console, steps=None, seed=None, preset=None):
    """Pretrains a GAN and writes a run folder.

    The folder is the artifact, with `losses.csv` and `losses.png` beside it.
    Where training is interrupted from the keyboard, what was learnt by then is
    written in the same way.

    Args:
        data: `ganaug.data.sources.RealData`.
        out: Folder, new or empty.
        console: `rich.console.Console` for progress.
        steps: Integer. Training steps. Defaults to the preset's.
        seed: Integer. Defaults to a random one.
        preset: String. Defaults to the one for the image size.

    Returns:
        A dict for JSON: where the run is, and what it took.

    Raises:
        FileExistsError: The folder holds something.
        ValueError: The data or an argument are wrong; nothing was trained.
        RuntimeError: Training diverged; nothing was written.
    """
    out = check_output_folder(out)
    images = data.train
    images.check_trainable()
    if steps is not None and steps < 1:
        raise ValueError(f"`steps` must be at least 1. Received: steps={steps}")
    gan = ConditionalGAN(
        images.image_shape, images.num_classes, preset=preset, seed=seed
    )
    if steps is None:
        steps = PRESETS[gan.preset].steps
    gan.compile(decay_steps=steps)
    # The folder is made now, so that one that cannot be is known at once.
    out.mkdir(parents=True, exist_ok=True)
    history = LossHistory(every=min(50, steps))
    progress = TrainingProgress(console, BATCH_SIZE)
    started = time.perf_counter()
    interrupted = False
    try:
        gan.fit(
            images,
            batch_size=BATCH_SIZE,
            steps_per_epoch=steps,
            verbose=0,
            callbacks=[history, progress],
        )
    except KeyboardInterrupt:
        interrupted = True
    finally:
        progress.stop()
    seconds = time.perf_counter() - started
    gan.learnt.training.update(data=data.name, data_notes=list(data.notes))
    gan.save_pretrained(out)
    history.to_csv(out / LOSS_TABLE)
    save_loss_curves(out / LOSS_CURVES, history.losses)
    return {
        "run": str(out),
        "record": str(out / RECORD),
        "samples": str(out / SAMPLES),
        "loss_curves": str(out / LOSS_CURVES),
        "preset": gan.preset,
        "seed": gan.seed,
        "steps": gan.learnt.training["steps"],
        "interrupted": interrupted,
        "seconds": round(seconds, 1),
        "num_images": len(images),
        "data_notes": list(data.notes),
    }
