"""What an arm is made of, as plain data that tells it from another one."""

import dataclasses
import functools
import hashlib
import importlib.metadata
import inspect
import platform

import numpy as np

PACKAGES = (
    *("ganaug", "tensorflow", "keras", "numpy", "scipy"),
    *("scikit-learn", "imbalanced-learn"),
)


def describe(value):
    """Describes what an arm is made of, to tell it from another one.

    Args:
        value: Plain data, an array, a dataclass such as `Arm`, an estimator of
            scikit-learn, a schedule of Keras, a callable, or anything that has
            a `description` of such parts, as `GANAugmenter` does. Of other
            objects, their public attributes; of functions the name must do.

    Returns:
        Plain data for JSON.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        data = np.ascontiguousarray(value)
        return {
            "shape": list(value.shape),
            "sha256": hashlib.sha256(data.tobytes()).hexdigest(),
        }
    if isinstance(value, (list, tuple)):
        return [describe(part) for part in value]
    if isinstance(value, dict):
        return {str(key): describe(part) for key, part in value.items()}
    if isinstance(value, functools.partial):
        return {
            "kind": describe(value.func),
            **describe({"args": value.args, "keywords": value.keywords}),
        }
    kind = value if hasattr(value, "__qualname__") else type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if hasattr(value, "description"):
        return {"kind": name, **describe(value.description)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: getattr(value, field.name)
            for field in dataclasses.fields(value)
        }
        return {"kind": name, **describe(fields)}
    if not isinstance(value, type):
        if hasattr(value, "get_params"):
            return {"kind": name, **describe(value.get_params(deep=False))}
        if hasattr(value, "get_config"):
            return {"kind": name, **describe(value.get_config())}
        # Of a method, what it is bound to; of an object, what it was given.
        own = getattr(value, "__self__", None)
        if own is not None and not inspect.ismodule(own):
            return {"kind": name, "of": describe(own)}
        attributes = {
            key: part
            for key, part in getattr(value, "__dict__", {}).items()
            if not key.startswith("_")
        }
        if attributes and not inspect.isroutine(value):
            return {"kind": name, **describe(attributes)}
    return name


def versions():
    """Gives the versions of Python and the packages that scores depend on.

    Returns:
        A dict from names to versions.
    """
    return {
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in PACKAGES},
    }
