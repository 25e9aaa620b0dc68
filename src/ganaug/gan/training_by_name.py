"""Models by their names, and their training in one call."""

from ganaug.gan.conditional_gan import ConditionalGAN
from ganaug.gan.conditional_vae import ConditionalVAE
from ganaug.gan.conditional_vae_gan import ConditionalVAEGAN

MODELS = {
    "gan": ConditionalGAN,
    "vae": ConditionalVAE,
    "vae-gan": ConditionalVAEGAN,
}


def train_by_name(
    images,
    model,
    seed,
    architecture=None,
    steps=None,
    batch_size=64,
    verbose=0,
    model_arguments=None,
    compile_arguments=None,
    **fit_arguments,
):
    """Makes a model by its name and trains it with its recipe.

    Args:
        images: `LabeledImages` with an image of every class.
        model: String. A key of `MODELS`.
        seed: Integer.
        architecture: String. Defaults to that of the model.
        steps: Integer. Training steps. Defaults to the recipe's.
        batch_size: Integer. Images in a step. Defaults to `64`.
        verbose: As in `keras.Model.fit`. Defaults to `0`.
        model_arguments: Dict of further arguments of the model. Defaults to
            none.
        compile_arguments: Dict of arguments of its `compile`. Defaults to the
            recipe.
        **fit_arguments: Further arguments of the model's `fit`.

    Returns:
        The trained model.
    """
    choices = dict(model_arguments or {})
    if architecture is not None:
        choices["architecture"] = architecture
    trained = MODELS[model](
        images.image_shape, images.num_classes, seed=seed, **choices
    )
    steps = steps or trained.recipe.steps
    trained.compile(**{"decay_steps": steps, **(compile_arguments or {})})
    trained.fit(
        images,
        batch_size=batch_size,
        steps_per_epoch=steps,
        verbose=verbose,
        **fit_arguments,
    )
    return trained
