"""What a user imports, and what it costs."""

import ast
import importlib
import inspect
import pathlib
import pkgutil
import re
import subprocess
import sys

import pytest

import ganaug

ROOT = pathlib.Path(__file__).parents[1]
MODULES = [
    module.name
    for module in pkgutil.walk_packages(ganaug.__path__, "ganaug.")
    # The command line documents its arguments in its help.
    if not module.name.startswith(("ganaug.__main__", "ganaug.cli"))
]


def loads(statement, module):
    """Whether a fresh Python has a module loaded after a statement."""
    code = f"import sys\n{statement}\nprint({module!r} in sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    return printed.split()[-1] == "True"


def test_exported_names():
    """`__all__` is sorted, and every name in it can be had."""
    assert ganaug.__all__ == sorted(ganaug.__all__)
    assert dir(ganaug) == ganaug.__all__
    for name in ganaug.__all__:
        assert getattr(ganaug, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        ganaug.Nothing  # noqa: B018


@pytest.mark.parametrize("module", ["tensorflow", "keras", "numpy"])
def test_importing_ganaug_is_light(module):
    """`import ganaug` loads none of the heavy libraries."""
    assert not loads("import ganaug", module)


def test_help_is_light():
    """`ganaug --help` does not load TensorFlow."""
    statement = (
        "import ganaug.cli\n"
        "try: ganaug.cli.app(['--help'])\n"
        "except SystemExit: pass"
    )
    assert not loads(statement, "tensorflow")


def test_version_is_that_of_the_changelog():
    """The newest version in the changelog is the package's."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(r"^## \[(\d.*?)\]", text, re.M)[1] == ganaug.__version__


def public_objects():
    for name in MODULES:
        module = importlib.import_module(name)
        for key, value in vars(module).items():
            if key.startswith("_") or getattr(value, "__module__", "") != name:
                continue
            if inspect.isfunction(value):
                yield f"{name}.{key}", value, value
            elif inspect.isclass(value):
                yield f"{name}.{key}", value, value.__init__
                for method_key, method in vars(value).items():
                    if (
                        inspect.isfunction(method)
                        and not method_key.startswith("_")
                        and method.__doc__
                    ):
                        yield f"{name}.{key}.{method_key}", method, method


@pytest.mark.parametrize(
    ("documented", "called"),
    [pytest.param(*rest, id=name) for name, *rest in public_objects()],
)
def test_docstring_names_every_argument(documented, called):
    """A public docstring documents the arguments of the signature."""
    doc = inspect.getdoc(documented)
    assert doc, "no docstring"
    found = re.search(r"^Args:\n((?: .*\n?|\n)*)", doc, re.M)
    named = re.findall(r"^    \*{0,2}(\w+):", found[1], re.M) if found else []
    if documented is not called and "__init__" not in vars(documented):
        return
    wanted = [
        name
        for name in inspect.signature(called).parameters
        if name not in ("self", "cls", "kwargs", "logs", "batch")
    ]
    assert [name for name in named if name != "kwargs"] == wanted


def test_only_public_api_is_imported():
    """No module reaches into the private parts of Keras or TensorFlow."""
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert not name.startswith(
                    ("keras.src", "tensorflow.python")
                ), f"{path.name} imports {name}"


def test_modules_that_messages_name():
    """`ganaug.artifact.load` works in a process that has imported nothing."""
    code = "import ganaug; print(ganaug.artifact.load, ganaug.fidelity)"
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
