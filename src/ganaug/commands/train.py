"""`ganaug train`: from a data set to a run folder with the artifact."""

from dataclasses import dataclass

from ganaug import artifact
from ganaug.artifact import SAMPLES
from ganaug.artifact_files import check_output_folder
from ganaug.artifact_record import RECORD
from ganaug.data.splits import holdout_split
from ganaug.gan.callbacks import LossHistory, TrainingProgress
from ganaug.gan.conditional_gan import ConditionalGAN
from ganaug.gan.diff_augment import check_policy
from ganaug.gan.precision import layers_of, resolve_precision
from ganaug.gan.quality import QualityMonitor
from ganaug.gan.sample_grids import SampleGrids
from ganaug.gan.training_by_name import MODELS
from ganaug.gan.training_state import FOLDER, CheckpointFolder
from ganaug.pictures import save_loss_curves
from ganaug.seeds import derive_seed

LOSS_CURVES = "losses.png"
LOSS_TABLE = "losses.csv"
GRIDS = "grids"
# The curves of losses have at least so many points, each a mean over at most
# so many steps.
MIN_MEANS = 20
MAX_STEPS_OF_A_MEAN = 50


@dataclass(frozen=True)
class TrainingOptions:
    """What `ganaug train` lets one choose.

    Args:
        model: String. A key of `MODELS`. Defaults to `"gan"`.
        architecture: String, or `None` for the model's default.
        loss: String, or `None` for the architecture's. GANs alone.
        unconditional: Boolean. Whether to leave the classes aside.
        steps: Integer. Training steps. Defaults to the recipe's.
        batch_size: Integer. Images in a step.
        seed: Integer. Defaults to a random one.
        preset: String. Defaults to the one for the image size.
        horizontal_flip: Boolean. Whether mirrored images keep their class;
            then DiffAugment mirrors too. GANs alone.
        checkpoint_every: Integer. Steps between checkpoints, sample grids
            and looks at the quality.
        guards: Boolean. Whether a training that fails is rolled back and
            goes on with gentler settings. Without, only NaN stops it.
        validation_fraction: Float. Share of the training images that is held
            out to measure the quality while training; the artifact then has
            the best generator, not the last. 0 for neither.
        keep_best: String. The measure that says which is best.
        precision: String. As `ganaug.gan.precision.resolve_precision` takes
            it.
    """

    model: str = "gan"
    architecture: str | None = None
    loss: str | None = None
    unconditional: bool = False
    steps: int | None = None
    batch_size: int = 64
    seed: int | None = None
    preset: str | None = None
    horizontal_flip: bool = False
    checkpoint_every: int = 250
    guards: bool = True
    validation_fraction: float = 0.0
    keep_best: str = "kernel_distance"
    precision: str = "float32"


def check_run_folder(out):
    """Checks that a run can begin, or go on, in a folder.

    Args:
        out: Folder.

    Returns:
        A `pathlib.Path`.

    Raises:
        FileExistsError: It holds something that is no training of ours.
    """
    folder = CheckpointFolder(out)
    folder.remove_remains()
    if folder.read_settings() is None:
        return check_output_folder(out)
    return folder.path.parent


def train(data, out, console, options=TrainingOptions()):
    """Pretrains a model and writes a run folder.

    The folder is the artifact, with `losses.csv`, `losses.png` and sample
    grids beside it, and the state of training in `training/`. Where a
    training was killed, the same call goes on with it, to the very weights it
    would have had. Where it is interrupted from the keyboard, what was learnt
    by then is written too.

    Args:
        data: `ganaug.data.sources.RealData`.
        out: Folder: new, empty, or of a training with the same settings.
        console: `rich.console.Console` for progress.
        options: `TrainingOptions`.

    Returns:
        A dict for JSON: where the run is, and what it took.

    Raises:
        FileExistsError: The folder holds something else.
        ValueError: The data or an option are wrong, or the folder holds a
            training with other settings; nothing was trained.
        RuntimeError: Training failed and was rolled back too often; the last
            good state is in the folder.
    """
    out = check_run_folder(out)
    if options.steps is not None and options.steps < 1:
        raise ValueError(
            f"`steps` must be at least 1. Received: steps={options.steps}"
        )
    images, held_out = data.train, None
    if not options.unconditional:
        images.check_trainable()
    seed = options.seed
    settings = CheckpointFolder(out).read_settings()
    if seed is None and settings is not None:
        # A run without a seed goes on with the one it drew.
        seed = settings["settings"]["model"]["seed"]
    model = _make_model(images, options, seed)
    if options.validation_fraction:
        images, held_out = holdout_split(
            images,
            options.validation_fraction,
            derive_seed(model.seed, "validation"),
        )
    steps = model.recipe.steps if options.steps is None else options.steps
    _compile(model, options, steps)
    # The folder is made now, so that one that cannot be is known at once.
    out.mkdir(parents=True, exist_ok=True)
    for line in (*data.notes, _plan(model, options, steps, images)):
        console.print(line, highlight=False)
    every = min(options.checkpoint_every, steps)
    history = LossHistory(every=_steps_of_a_mean(steps, every))
    progress = TrainingProgress(
        console, options.batch_size * model.batches_per_step, steps
    )
    monitor = None
    callbacks = [history, progress, SampleGrids(out / GRIDS, every=every)]
    if held_out is not None:
        monitor = QualityMonitor(
            images,
            held_out,
            every=every,
            measure=options.keep_best,
            folder=out / FOLDER,
        )
        callbacks.append(monitor)
    interrupted = False
    try:
        model.fit(
            images,
            batch_size=options.batch_size,
            steps_per_epoch=steps,
            verbose=0,
            callbacks=callbacks,
            run_dir=out,
            checkpoint_every=every,
            guards=options.guards,
        )
    except KeyboardInterrupt:
        if not model.learnt.training:
            # Before the first step: there is nothing to keep.
            raise
        interrupted = True
    finally:
        progress.stop()
    model.learnt.training.update(data=data.name, data_notes=list(data.notes))
    best = {}
    if monitor is not None and monitor.best_step is not None:
        monitor.restore_best(model)
        best = {
            "best_step": monitor.best_step,
            f"best_{options.keep_best}": monitor.best_value,
            "held_out_images": len(held_out),
        }
        model.learnt.training.update(best)
    artifact.save(model.to_artifact(), out, replace=True)
    history.to_csv(out / LOSS_TABLE)
    save_loss_curves(out / LOSS_CURVES, history.losses)
    return {
        "run": str(out),
        "record": str(out / RECORD),
        "samples": str(out / SAMPLES),
        "loss_curves": str(out / LOSS_CURVES),
        "model": options.model,
        "architecture": model.architecture,
        "preset": model.preset,
        "seed": model.seed,
        "steps": model.learnt.training["steps"],
        "interrupted": interrupted,
        "seconds": model.learnt.training["seconds"],
        "rollbacks": model.learnt.training["rollbacks"],
        "num_images": len(images),
        "data_notes": list(data.notes),
        **best,
    }


def _steps_of_a_mean(steps, checkpoint_every):
    most = max(1, min(MAX_STEPS_OF_A_MEAN, steps // MIN_MEANS))
    # A checkpoint does not keep half of a mean, so each ends at one.
    return max(n for n in range(1, most + 1) if checkpoint_every % n == 0)


def _plan(model, options, steps, images):
    """One line about what is going to be trained."""
    what = "without classes"
    if not options.unconditional:
        what = f"of {images.num_classes} classes"
    return (
        f"training a {options.model}: architecture {model.architecture}, "
        f"preset {model.preset}, {model.precision}, seed {model.seed}, "
        f"{steps} steps of "
        f"{options.batch_size} out of {len(images)} images {what}"
    )


def _make_model(images, options, seed):
    choices = {"preset": options.preset, "seed": seed}
    if options.architecture is not None:
        choices["architecture"] = options.architecture
    with layers_of(resolve_precision(options.precision)):
        return MODELS[options.model](
            images.image_shape,
            None if options.unconditional else images.num_classes,
            **choices,
        )


def _compile(model, options, steps):
    choices = {}
    if isinstance(model, ConditionalGAN):
        if options.loss is not None:
            choices["loss"] = options.loss
        if options.horizontal_flip:
            policy = [*check_policy(model.recipe.diff_augment), "flip"]
            choices["diff_augment"] = ",".join(policy)
    elif options.loss is not None or options.horizontal_flip:
        raise ValueError(
            "`loss` (--loss) and `horizontal_flip` (--horizontal-flip) are "
            "for models with a discriminator, and a VAE has none. Received: "
            f"loss={options.loss!r}, "
            f"horizontal_flip={options.horizontal_flip} for "
            f"model={options.model!r}"
        )
    # The tutorial's optimizers do not decay.
    if model.architecture != "mlp" or not isinstance(model, ConditionalGAN):
        choices["decay_steps"] = steps
    model.compile(**choices)
