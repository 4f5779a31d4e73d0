"""`medseg predict-ef` and `medseg compare`: EF without masks, and runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medseg.cli.console import DONE, FAILED, IN_PART, progress, say_error

if TYPE_CHECKING:
    from medseg.clip import Clip


def predict_ef(
    clips: Annotated[list[Path], typer.Argument(help="AVI, MP4, DICOM or folders of frames.")],
    weights: Annotated[
        Path,
        typer.Option("--weights", help="r2plus1d_18_32_2_pretrained.pt, or of medseg train."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The CSV to write.")] = Path("ef.csv"),
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1 ...")] = "cpu",
    per_video: Annotated[
        str, typer.Option("--clips", help="all, as published, or how many starts of a video.")
    ] = "all",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the CSV.")] = False,
) -> None:
    """Predict EF without masks by EchoNet's R(2+1)D: 32 frames, every second one, mean over clips.

    Research only, not for clinical use.
    """
    from medseg.ejection import predict_ef_table
    from medseg.models.echonet_ef import load_echonet_ef

    wanted = _starts(per_video)
    model = load_echonet_ef(weights, device)
    sources = [(_stem(path), _opener(path)) for path in clips]
    with progress("predict EF") as advance:
        result = predict_ef_table(
            model, sources, out, clips=wanted, overwrite=overwrite, progress=advance
        )
    for line in result.warnings:
        typer.echo(f"warning: {line}", err=True)
    for line in result.failed:
        say_error(line)
    if result.done == 0:
        raise typer.Exit(FAILED)
    typer.echo(f"{out}: EF of {result.done} clips, {result.kept} of them from a stopped run")
    typer.echo(f"model echonet-ef: {model.card['intended_use']}")
    raise typer.Exit(IN_PART if result.failed else DONE)


def _starts(text: str) -> int | None:
    """How many starts of a video `--clips` asks for; None: all."""
    from medseg.errors import InputError

    if text == "all":
        return None
    if not text.isdigit() or int(text) < 1:
        raise InputError(f"--clips {text}: give all, or a number of 1 or more")
    return int(text)


def _stem(path: Path) -> str:
    """A clip's name in the table."""
    return path.name if path.is_dir() else path.stem


def _opener(path: Path):  # type: ignore[no-untyped-def]
    def open_it() -> Clip:
        from medseg.decode import open_clip

        return open_clip(path)

    return open_it
