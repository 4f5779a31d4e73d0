"""Joins the subcommands into one application with one way to fail."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import click
import typer

import medseg
from medseg.cli.clips import convert, info
from medseg.cli.console import FAILED, say_error
from medseg.cli.learning import evaluate, simulate, train
from medseg.cli.segmenting import segment
from medseg.cli.stores import report, validate
from medseg.errors import MedsegError

app = typer.Typer(
    name="medseg",
    help="Echo clips to masks, per-frame measurements, beats and reports. Not for clinical use.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (info, convert, segment, report, validate, simulate, evaluate, train):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"medseg {medseg.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Take the options that stand before a subcommand."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 in part, 2 not done."""
    command = typer.main.get_command(app)
    try:
        code = command.main(
            args=list(sys.argv[1:] if arguments is None else arguments),
            prog_name="medseg",
            standalone_mode=False,
        )
    except click.exceptions.NoArgsIsHelpError as error:  # prints the help, as click itself does
        error.show()
        return FAILED
    except click.ClickException as error:
        say_error(f"{error.format_message()} (medseg --help shows the commands)")
        return FAILED
    except (click.Abort, KeyboardInterrupt):
        say_error("stopped; nothing unfinished was left under its final name")
        return 130
    except (MedsegError, OSError) as error:
        say_error(error)
        return FAILED
    return int(code or 0)
