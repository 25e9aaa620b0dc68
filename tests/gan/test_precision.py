"""Which precision is chosen, and what is made of the choice."""

import json
from types import SimpleNamespace

import keras
import pytest
import tensorflow as tf
from rich.console import Console

import ganaug
from ganaug.commands.train import TrainingOptions, train
from ganaug.gan import precision
from ganaug.gan.precision import layers_of, precision_of, resolve_precision


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A function that pretends to a machine's hardware."""

    def pretend(*capabilities, flags="fpu avx512_bf16"):
        gpus = [SimpleNamespace(capability=one) for one in capabilities]
        monkeypatch.setattr(
            tf.config, "list_physical_devices", lambda kind: gpus
        )
        monkeypatch.setattr(
            tf.config.experimental,
            "get_device_details",
            lambda gpu: (
                {"compute_capability": gpu.capability} if gpu.capability else {}
            ),
        )
        path = tmp_path / "cpuinfo"
        path.write_text(f"flags\t\t: {flags}\n")
        monkeypatch.setattr(precision, "CPU_FLAGS", path)
        return path

    return pretend


@pytest.mark.parametrize(
    "capabilities, flags, expected",
    [
        ([(9, 0)], "fpu", "mixed_bfloat16"),
        ([(8, 0)], "fpu", "mixed_bfloat16"),
        ([(7, 5)], "fpu", "mixed_float16"),
        ([(6, 1)], "fpu amx_bf16", "float32"),
        ([None], "fpu amx_bf16", "float32"),
        ([(9, 0), (7, 0)], "fpu", "mixed_float16"),
        ([], "fpu amx_bf16 avx", "mixed_bfloat16"),
        ([], "fpu avx512_bf16", "float32"),
    ],
)
def test_auto_is_what_the_hardware_multiplies(
    machine, capabilities, flags, expected
):
    machine(*capabilities, flags=flags)
    assert resolve_precision("auto") == expected


def test_auto_where_the_system_does_not_say(machine):
    machine().unlink()
    assert resolve_precision("auto") == "float32"


def test_what_was_asked_for_is_kept(machine):
    machine((9, 0))
    for name in ("float32", "mixed_bfloat16", "mixed_float16"):
        assert resolve_precision(name) == name
    with pytest.raises(ValueError, match="Received: precision='bfloat16'"):
        resolve_precision("bfloat16")


def test_the_policy_is_put_back():
    with pytest.raises(KeyError), layers_of("mixed_bfloat16"):
        layer = keras.layers.Dense(1)
        raise KeyError
    assert layer.compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"


def test_runs_know_their_precision(digits, tmp_path):
    """So none goes on in another one."""

    def run(name):
        options = TrainingOptions(
            model="vae", steps=2, seed=0, precision=name, preset="tiny"
        )
        return train(digits, tmp_path / "run", Console(quiet=True), options)

    run("mixed_bfloat16")
    assert keras.config.dtype_policy().name == "float32"
    record = json.loads((tmp_path / "run" / "ganaug.json").read_text())
    assert record["training"]["precision"] == "mixed_bfloat16"
    with pytest.raises(ValueError, match="precision"):
        run("float32")
    loaded = ganaug.artifact.load(tmp_path / "run")
    assert precision_of([loaded.generator]) == "float32"
