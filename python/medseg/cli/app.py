"""Joins the subcommands into one application with one way to fail."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

import medseg
from medseg.cli.clips import convert, info
from medseg.cli.comparing import compare, predict_ef
from medseg.cli.console import (
    DONE,
    FAILED,
    INTERRUPTED,
    memory_cure,
    ran_out_of_memory,
    say_error,
)
from medseg.cli.datasets import data
from medseg.cli.learning import evaluate, simulate
from medseg.cli.segmenting import segment
from medseg.cli.stores import report, validate
from medseg.cli.surgical import frames, preprocess
from medseg.cli.training import train
from medseg.cli.volumes import benchmark, volume
from medseg.errors import MedsegError

_USAGE_ERROR: Any = typer.BadParameter.__mro__[2]  # ClickException, of the click typer carries

app = typer.Typer(
    name="medseg",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (
    info,
    convert,
    preprocess,
    segment,
    frames,
    volume,
    report,
    validate,
    simulate,
    evaluate,
    benchmark,
    train,
):
    app.command()(command)
app.command()(predict_ef)
app.command()(compare)
app.add_typer(data, name="data")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"medseg {medseg.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Echo clips to masks, per-frame measurements, beats and reports. Not for clinical use."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 in part, 2 not done."""
    _wait_asleep()
    command = typer.main.get_command(app)
    try:
        code = command.main(
            args=list(sys.argv[1:] if arguments is None else arguments),
            prog_name="medseg",
            standalone_mode=False,
        )
    except _USAGE_ERROR as error:
        say_error(f"{error.format_message()}; medseg --help shows how to call it")
        return FAILED
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except (MedsegError, OSError) as error:
        say_error(error)
        return FAILED
    except (MemoryError, RuntimeError) as error:
        if not ran_out_of_memory(error):
            raise
        say_error(memory_cure((list(sys.argv[1:] if arguments is None else arguments) or [""])[0]))
        return FAILED
    if code == INTERRUPTED:  # also what typer makes of a KeyboardInterrupt
        say_error("stopped; nothing unfinished was left under its final name")
    return int(code or DONE)


def _wait_asleep() -> None:
    """Have torch's threads sleep, not spin, while they wait for each other.

    Where other programs use the cores too, a thread that spins keeps the one that it waits for
    from its core. OpenMP reads this when torch is imported, so that it must be set before.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
