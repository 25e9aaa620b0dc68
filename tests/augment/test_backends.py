"""A classifier on another Keras backend, fed through tf.data."""

import importlib.util
import os
import subprocess
import sys

import pytest

from ganaug.synthesis.generating import write_bank
from ganaug.synthesis.generators import Generators

SCRIPT = """
import sys
import keras, numpy as np, tensorflow as tf
import ganaug

run, bank = sys.argv[1:]
images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), np.uint8)
labels = np.arange(60) % 10
augmenters = [
    ganaug.GANAugmenter(source=bank, seed=0, value_range=(0, 255), **mode)
    for mode in ({"ratio": 0.5}, {"mode": "append"}, {"mode": "extend"})
]
one_hot = np.eye(10, dtype="float32")[labels]
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Flatten(),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "categorical_crossentropy")
for augmenter in augmenters:
    pipeline = tf.data.Dataset.from_tensor_slices((images, one_hot)).batch(16)
    x = pipeline.apply(augmenter)
    if augmenter.mode == "append":
        x = augmenter.py_dataset(images, one_hot, batch_size=16)
    history = model.fit(
        x,
        validation_data=pipeline,
        class_weight=dict.fromkeys(range(10), 2.0),
        epochs=2,
        shuffle=False,
        verbose=0,
    )
    assert np.isfinite(history.history["val_loss"]).all()
assert augmenters[2].augment_arrays(images, labels)[0].shape == (60, 8, 8, 1)
try:
    ganaug.GANAugmenter.from_pretrained(run)
except ValueError as error:
    assert "use a bank of images, which any backend can read" in str(error)
    print(keras.backend.backend())
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_bank_feeds_any_backend(small_gan, run, tmp_path, backend):
    """In every mode, and as arrays; to draw live needs TensorFlow, it says."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    write_bank(Generators(small_gan), 16, tmp_path / "bank", seed=0)
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT, run, tmp_path / "bank"],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert process.stdout == f"{backend}\n", process.stderr
