"""The command line: parse, call, print.

One module for each command: its arguments, the call of `ganaug.commands`, and
what is printed. The result goes to standard output, progress and errors to
standard error. Exit codes are those of `ganaug.cli.session`.
"""

from typing import Annotated

import typer

import ganaug
from ganaug.cli import demo, evaluate, generate, inspect, sample, train

COMMANDS = (
    train.train,
    inspect.inspect,
    sample.sample,
    generate.generate,
    evaluate.evaluate,
    demo.demo,
)

app = typer.Typer(
    help="Pretrain a GAN on an image data set, mix its images into a tf.data "
    "pipeline, and measure what a classifier gains.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in COMMANDS:
    app.command()(command)


def _version(wanted):
    if wanted:
        print(ganaug.__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_version,
            is_eager=True,
            help="Print the version.",
        ),
    ] = False,
):
    pass


def main():
    """Runs the command line."""
    app(prog_name="ganaug")
