"""Imports point one way."""

import ast
import pathlib

SOURCE = pathlib.Path(__file__).parents[1] / "src"

# A module may import from its own layer and from those named here, transitively
# spelled out; the longest prefix rules.
ALLOWED = {
    "ganaug": set(),
    "ganaug.seeds": set(),
    "ganaug.data": {"ganaug.seeds"},
    "ganaug.fidelity": {"ganaug.data", "ganaug.seeds"},
    "ganaug.pictures": {"ganaug.data"},
    "ganaug.model_card": set(),
    "ganaug.progress": set(),
    # The half of `gan` that is needed to draw images ...
    "ganaug.gan.layers": set(),
    "ganaug.gan.architectures": {"ganaug.gan.layers"},
    "ganaug.gan.latent_kinds": set(),
    "ganaug.gan.latents": {"ganaug.gan.latent_kinds"},
    "ganaug.gan.generation": {"ganaug.data", "ganaug.gan.latents"},
    "ganaug.artifact_record": {
        "ganaug",
        "ganaug.data",
        "ganaug.gan.architectures",
    },
    "ganaug.artifact_files": {"ganaug.artifact_record"},
    "ganaug.artifact": {
        "ganaug.artifact_files",
        "ganaug.artifact_record",
        "ganaug.data",
        "ganaug.gan.architectures",
        "ganaug.gan.generation",
        "ganaug.gan.latent_kinds",
        "ganaug.gan.latents",
        "ganaug.model_card",
        "ganaug.pictures",
        "ganaug.seeds",
    },
    # ... and the half that trains.
    "ganaug.gan": {
        "ganaug",
        "ganaug.artifact",
        "ganaug.data",
        "ganaug.fidelity",
        "ganaug.pictures",
        "ganaug.progress",
        "ganaug.seeds",
    },
    "ganaug.artifact_id": set(),
    # A bank is read without the generators that drew it, and without Keras.
    "ganaug.synthesis.columns": set(),
    "ganaug.synthesis.drawn": set(),
    "ganaug.synthesis.bank_record": {
        "ganaug",
        "ganaug.data",
        "ganaug.synthesis.columns",
    },
    "ganaug.synthesis.bank": {
        "ganaug.data",
        "ganaug.synthesis.bank_record",
        "ganaug.synthesis.columns",
        "ganaug.synthesis.drawn",
    },
    "ganaug.synthesis": {
        "ganaug",
        "ganaug.artifact",
        "ganaug.artifact_id",
        "ganaug.data",
        "ganaug.gan.generation",
        "ganaug.gan.latent_kinds",
        "ganaug.gan.latents",
        "ganaug.seeds",
        "ganaug.synthesis.bank",
        "ganaug.synthesis.bank_record",
        "ganaug.synthesis.columns",
        "ganaug.synthesis.drawn",
    },
    "ganaug.augment": {
        # Whose names are imported when used: `GANAugmenter.tune` measures.
        "ganaug",
        "ganaug.artifact",
        "ganaug.artifact_id",
        "ganaug.data",
        "ganaug.pictures",
        "ganaug.seeds",
        "ganaug.synthesis",
        "ganaug.synthesis.bank",
    },
    "ganaug.pixel_scale": {"ganaug.data"},
    # A sampler that trains its own generator.
    "ganaug.over_sampling": {
        "ganaug",
        "ganaug.artifact",
        "ganaug.data",
        "ganaug.gan",
        "ganaug.gan.latent_kinds",
        "ganaug.gan.latents",
        "ganaug.pixel_scale",
        "ganaug.seeds",
        "ganaug.synthesis",
    },
    # What a user calls, out of several rooms.
    "ganaug.seeded_generator": {
        "ganaug.artifact",
        "ganaug.artifact_id",
        "ganaug.augment",
        "ganaug.gan",
        "ganaug.gan.architectures",
        "ganaug.gan.latent_kinds",
        "ganaug.gan.latents",
        "ganaug.seeded_augmenter",
        "ganaug.seeds",
    },
    "ganaug.seeded_augmenter": {
        "ganaug.augment",
        "ganaug.seeds",
        "ganaug.synthesis",
    },
    "ganaug.sample_quality": {
        "ganaug.data",
        "ganaug.evaluate.classifier_features",
        "ganaug.fidelity",
        "ganaug.pictures",
        "ganaug.seeds",
        "ganaug.synthesis",
    },
    "ganaug.tuning": {
        "ganaug.augment",
        "ganaug.data",
        "ganaug.evaluate",
        "ganaug.seeds",
        "ganaug.synthesis",
    },
    "ganaug.export": {"ganaug.artifact_files", "ganaug.data"},
    "ganaug.export.beam": {
        "ganaug.data",
        "ganaug.export",
        "ganaug.synthesis",
    },
    "ganaug.evaluate": {"ganaug.artifact_id", "ganaug.data", "ganaug.seeds"},
    "ganaug.evaluate.classifier_features": {
        "ganaug.evaluate",
        "ganaug.fidelity",
        "ganaug.seeds",
    },
    "ganaug.commands": {
        "ganaug",
        "ganaug.artifact",
        "ganaug.artifact_files",
        "ganaug.artifact_id",
        "ganaug.artifact_record",
        "ganaug.augment",
        "ganaug.data",
        "ganaug.evaluate",
        "ganaug.evaluate.classifier_features",
        "ganaug.export",
        "ganaug.export.beam",
        "ganaug.fidelity",
        "ganaug.gan",
        "ganaug.pictures",
        "ganaug.progress",
        "ganaug.sample_quality",
        "ganaug.seeded_generator",
        "ganaug.seeds",
        "ganaug.synthesis",
        "ganaug.synthesis.bank_record",
        "ganaug.tuning",
    },
    "ganaug.cli": {
        "ganaug",
        "ganaug.artifact",
        "ganaug.artifact_files",
        "ganaug.commands",
        "ganaug.data",
    },
    "ganaug.__main__": {"ganaug.cli"},
}


def layer(module):
    """The longest name in `ALLOWED` that the module is or is inside of."""
    while module not in ALLOWED:
        module = module.rpartition(".")[0]
    return module


def imports(path, module_names):
    """Modules of ganaug that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found = [
                f"{node.module}.{alias.name}"
                if f"{node.module}.{alias.name}" in module_names
                else node.module
                for alias in node.names
            ]
        else:
            continue
        yield from (name for name in found if name.startswith("ganaug"))


def test_imports_point_down():
    """No module imports from a layer above its own."""
    files = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path
        for path in (SOURCE / "ganaug").rglob("*.py")
    }
    assert len(files) > 30
    upward = [
        f"{module} -> {imported}"
        for module, path in files.items()
        for imported in imports(path, files)
        if layer(imported) != layer(module)
        and layer(imported) not in ALLOWED[layer(module)]
        # Within `gan`, the training half may use the drawing half.
        and not (
            layer(module) == "ganaug.gan"
            and layer(imported).startswith("ganaug.gan.")
        )
    ]
    assert not upward


def test_no_cycles():
    """No two modules import each other, at any distance."""
    files = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path
        for path in (SOURCE / "ganaug").rglob("*.py")
    }
    graph = {
        module: {name for name in imports(path, files) if name in files}
        for module, path in files.items()
    }
    while graph:
        leaves = {module for module, needs in graph.items() if not needs}
        assert leaves, f"cycle among {sorted(graph)}"
        graph = {
            module: needs - leaves
            for module, needs in graph.items()
            if module not in leaves
        }


def test_networks_and_losses_are_keras_alone():
    """So that they run on any of its backends."""
    rooms = [SOURCE / "ganaug" / "gan" / "architectures"]
    files = [path for room in rooms for path in room.rglob("*.py")]
    files += [
        SOURCE / "ganaug" / "gan" / f"{name}.py"
        for name in ("layers", "losses", "loss_functions")
    ]
    assert len(files) > 6
    for path in files:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module]
            assert not [n for n in names if n.startswith("tensorflow")], path
