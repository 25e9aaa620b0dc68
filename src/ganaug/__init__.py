"""ganaug: class-conditioned synthetic images for tf.data pipelines.

Public names are imported when first used, so that `import ganaug` does not
import TensorFlow.
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "Arm": "ganaug.evaluate.arms",
    "Bank": "ganaug.synthesis.bank",
    "ConditionalGAN": "ganaug.gan.conditional_gan",
    "ConditionalVAE": "ganaug.gan.conditional_vae",
    "ConditionalVAEGAN": "ganaug.gan.conditional_vae_gan",
    "CopyFilter": "ganaug.synthesis.filters",
    "DiscriminatorFilter": "ganaug.synthesis.filters",
    "EvaluationReport": "ganaug.evaluate.report",
    "GANAugmenter": "ganaug.augment.augmenter",
    "GANOverSampler": "ganaug.over_sampling",
    "Generators": "ganaug.synthesis.generators",
    "LabeledImages": "ganaug.data.labeled_images",
    "QualityMonitor": "ganaug.gan.quality",
    "SampleGrids": "ganaug.gan.sample_grids",
    "SeededGenerator": "ganaug.seeded_generator",
    "Selection": "ganaug.synthesis.selection",
    "TeacherFilter": "ganaug.synthesis.filters",
    "evaluate_augmentation": "ganaug.evaluate.protocol",
    "load_data": "ganaug.data.sources",
    "measure_samples": "ganaug.sample_quality",
    "on_top_of_best": "ganaug.evaluate.arms",
    "on_top_of_classic": "ganaug.evaluate.arms",
}
__all__ = sorted([*_HOMES, "__version__"])


# Modules that messages and guides name, as `ganaug.artifact.load`.
_MODULES = ("artifact", "fidelity", "tuning")


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"ganaug.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'ganaug' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
