"""Precision of training: which of Keras's dtype policies pays on a machine."""

import contextlib
from pathlib import Path

import keras
import tensorflow as tf

SINGLE = "float32"
BRAIN, HALF = "mixed_bfloat16", "mixed_float16"
AUTO = "auto"
PRECISIONS = (SINGLE, BRAIN, HALF, AUTO)
# Compute capabilities from which a GPU multiplies each in hardware.
BRAIN_FROM, HALF_FROM = (8, 0), (7, 0)
CPU_FLAGS = Path("/proc/cpuinfo")
# Of processors that multiply matrices of bfloat16. With `avx512_bf16` alone,
# which multiplies vectors, nobody has measured whether it pays.
BRAIN_FLAG = "amx_bf16"


def resolve_precision(precision):
    """Gives a dtype policy, the one that pays on this machine for `"auto"`.

    Args:
        precision: String. One of Keras's policies `"float32"`,
            `"mixed_bfloat16"` and `"mixed_float16"`; or `"auto"`: bfloat16 on
            GPUs that multiply it (compute capability 8.0) and processors with
            AMX, float16 on other GPUs with tensor cores (7.0), float32
            elsewhere.

    Returns:
        A string, the policy's name.

    Raises:
        ValueError: `precision` is something else.

    Example:

    >>> resolve_precision("mixed_bfloat16")
    'mixed_bfloat16'
    """
    if precision not in PRECISIONS:
        raise ValueError(
            f"`precision` must be one of {PRECISIONS}. "
            f"Received: precision={precision!r}"
        )
    if precision != AUTO:
        return precision
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return min(map(_of_gpu, gpus), key=(SINGLE, HALF, BRAIN).index)
    return BRAIN if BRAIN_FLAG in _cpu_flags() else SINGLE


def _of_gpu(gpu):
    details = tf.config.experimental.get_device_details(gpu)
    capability = details.get("compute_capability")
    # Others than NVIDIA's do not say.
    if capability is None or capability < HALF_FROM:
        return SINGLE
    return BRAIN if capability >= BRAIN_FROM else HALF


def _cpu_flags():
    if not CPU_FLAGS.is_file():
        return set()
    return set(CPU_FLAGS.read_text().split())


@contextlib.contextmanager
def layers_of(policy):
    """Lets layers that are made within have a dtype policy.

    Args:
        policy: String or `keras.dtype_policies.DTypePolicy`.

    Yields:
        Nothing.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def precision_of(networks):
    """Names the precision that networks compute in.

    Args:
        networks: Iterable of `keras.Model`.

    Returns:
        A string: the policies of their layers but for those that are kept in
        single precision under any, or that one if there is no other.
    """
    names = {
        layer.dtype_policy.name
        for network in networks
        for layer in network.layers
    }
    return ", ".join(sorted(names - {SINGLE})) or SINGLE
