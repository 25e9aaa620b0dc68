"""Networks that the user brings: what they must do, and copies of them."""

import keras
import numpy as np


def check_choice(architecture, generator, discriminator, **sizes):
    """Checks that networks are chosen by name or given, and not both.

    Args:
        architecture: String, or `None`.
        generator: What was given as one, or `None`.
        discriminator: As `generator`.
        **sizes: Arguments of ganaug's own networks; `None` where left out.

    Raises:
        ValueError: They do not go together.
    """
    if (generator is None) != (discriminator is None):
        raise ValueError(
            "Give `generator` and `discriminator` together, or neither. "
            f"Received: generator={generator}, "
            f"discriminator={discriminator}"
        )
    if generator is not None and architecture not in (None, "custom"):
        raise ValueError(
            "`architecture` must be left out where networks are given. "
            f"Received: architecture={architecture!r}"
        )
    if architecture == "custom" and generator is None:
        raise ValueError(
            "`architecture` 'custom' needs `generator` and "
            "`discriminator`. Received: architecture='custom'"
        )
    if generator is not None and any(
        size is not None for size in sizes.values()
    ):
        raise ValueError(
            "`width`, `depth` and `spectral_normalization` are of "
            "ganaug's own networks. Leave them out where networks are "
            f"given. Received: {sizes}"
        )


def check_generator(generator, image_shape, num_classes, latent_dim):
    """Calls a generator once and checks what comes out.

    Args:
        generator: `keras.Model` called as `generator([latents, labels])`, or
            as `generator(latents)` without classes.
        image_shape: Tuple `(height, width, channels)`.
        num_classes: Integer, or `None`.
        latent_dim: Integer.

    Raises:
        TypeError: It is no Keras model.
        ValueError: It cannot be called so, or returns something else than
            images of that shape.
    """
    _check_model("generator", generator)
    latents = np.zeros((2, latent_dim), np.float32)
    inputs = latents
    if num_classes is not None:
        inputs = [latents, np.zeros(2, np.int32)]
    images = _call("generator", generator, inputs)
    if getattr(images, "shape", None) != (2, *image_shape):
        raise ValueError(
            "`generator` must return images of shape (batch, height, width, "
            f"channels) = (batch, {', '.join(map(str, image_shape))}). "
            f"Received: {_shapes(images)} for a batch of 2"
        )
    dtype = keras.backend.standardize_dtype(images.dtype)
    if dtype != "float32":
        raise ValueError(
            "`generator` must return float32 images, to go through the "
            "discriminator with real ones. Give its last layer "
            f"dtype='float32'. Received: images of dtype {dtype}"
        )


def check_discriminator(discriminator, image_shape, num_classes, conditioning):
    """Calls a discriminator once and checks what comes out.

    Args:
        discriminator: `keras.Model` called as
            `discriminator([images, labels])`; as `discriminator(images)`
            without classes and with an auxiliary classifier.
        image_shape: Tuple `(height, width, channels)`.
        num_classes: Integer, or `None`.
        conditioning: `"auxiliary"`, or `None`.

    Raises:
        TypeError: It is no Keras model.
        ValueError: It cannot be called so, or returns something else than
            logits; or `conditioning` is something else.
    """
    _check_model("discriminator", discriminator)
    if conditioning not in (None, "auxiliary"):
        raise ValueError(
            "`conditioning` of a discriminator of your own is its own doing: "
            "leave it out, or say 'auxiliary' if it guesses the class. "
            f"Received: conditioning={conditioning!r}"
        )
    if conditioning == "auxiliary" and num_classes is None:
        raise ValueError(
            "`conditioning` 'auxiliary' needs classes to guess. "
            "Received: num_classes=None"
        )
    images = np.zeros((2, *image_shape), np.float32)
    inputs, expected = images, [(2,)]
    if conditioning == "auxiliary":
        expected = [(2,), (2, num_classes)]
    elif num_classes is not None:
        inputs = [images, np.zeros(2, np.int32)]
    outputs = _call("discriminator", discriminator, inputs)
    if not isinstance(outputs, (list, tuple)):
        outputs = [outputs]
    if [getattr(logits, "shape", None) for logits in outputs] != expected:
        raise ValueError(
            "`discriminator` must return logits of shape (batch,)"
            + (
                " and class logits of shape (batch, num_classes), as a list."
                if conditioning == "auxiliary"
                else "."
            )
            + f" Received: {_shapes(outputs)} for a batch of 2"
        )


def clone_network(network):
    """Makes another network of the same form.

    Args:
        network: `keras.Model`.

    Returns:
        A `keras.Model` with weights of its own, in the same order.

    Raises:
        ValueError: Keras cannot make it again, or makes something else; a
            subclass of `keras.Model` needs `get_config`, and to be registered.
    """
    message = (
        "`generator` must be a model that Keras can make again from its "
        "configuration, for the average: a functional model, or a subclass "
        "with `get_config` and "
        "`@keras.saving.register_keras_serializable()`. "
        f"Received: generator={type(network).__name__}"
    )
    try:
        # Nothing is read from a file here, so a Lambda layer is no danger.
        clone = keras.saving.deserialize_keras_object(
            keras.saving.serialize_keras_object(network), safe_mode=False
        )
        if not clone.built:
            clone.build_from_config(network.get_build_config() or {})
    except Exception as error:
        raise ValueError(
            f"{message}, which raised {type(error).__name__}: {error}"
        ) from error
    if [weight.shape for weight in clone.weights] != [
        weight.shape for weight in network.weights
    ]:
        raise ValueError(f"{message}, whose copy has other weights")
    return clone


def _check_model(name, network):
    if not isinstance(network, keras.Model):
        raise TypeError(
            f"`{name}` must be a keras.Model. "
            f"Received: {name}={type(network).__name__}"
        )


def _call(name, network, inputs):
    try:
        return network(inputs, training=False)
    except Exception as error:
        raise ValueError(
            f"`{name}` cannot be called as ganaug calls it. See the guide for "
            f"the call signature. Received: {name}={network.name!r}, which "
            f"raised {type(error).__name__}: {error}"
        ) from error


def _shapes(outputs):
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return [tuple(getattr(output, "shape", ())) for output in outputs]
