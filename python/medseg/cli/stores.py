"""`medseg validate` and `medseg report`: what is asked of a finished store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.clips import exit_code
from medseg.cli.console import DONE, IN_PART, say_error


def validate(
    stores: Annotated[list[Path], typer.Argument(help="Stores: <clip>.zarr folders.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one line a store.")] = False,
) -> None:
    """Check that a store is whole and follows its specification; exit code 1 where one is not."""
    from medseg.store import validate_segmentation

    code = DONE
    for store in stores:
        findings = validate_segmentation(store)
        if findings:
            code = IN_PART
        if as_json:
            listed = [{"code": f.code, "where": f.where, "message": f.message} for f in findings]
            typer.echo(json.dumps({"store": str(store), "valid": not findings, "findings": listed}))
        elif findings:
            for finding in findings:
                typer.echo(f"{store}: {finding.code} {finding.where}: {finding.message}")
        else:
            typer.echo(f"{store}: valid")
    raise typer.Exit(code)


def report(
    stores: Annotated[list[Path], typer.Argument(help="Stores: <clip>.zarr folders.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The file: .html, .pdf, .csv, .json (FHIR); or a folder."),
    ] = None,
) -> None:
    """Write the beat-by-beat report of a store, a page or tables; needs R and beatbybeat."""
    from medseg.errors import InputError, MedsegError
    from medseg.report import report as write_report

    if out is not None and len(stores) > 1 and not out.is_dir():
        raise InputError(f"{out}: is no folder; several stores need one for their reports")
    failed = 0
    for store in stores:
        page = out / f"{store.stem}.html" if out is not None and out.is_dir() else out
        try:
            typer.echo(str(write_report(store, page)))
        except MedsegError as error:
            say_error(error)
            failed += 1
    raise typer.Exit(exit_code(failed, len(stores)))
