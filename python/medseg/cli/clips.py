"""`medseg info` and `medseg convert`: what a file holds, and the same clip as AVI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.console import DONE, FAILED, IN_PART, print_table, say_error

FrameRate = Annotated[
    float | None,
    typer.Option("--fps", help="Frames per second, where the file does not say or says it wrong."),
]
View = Annotated[
    str | None, typer.Option("--view", help="A4C, A2C, PLAX, PSAX or unknown, if you know it.")
]


def info(
    files: Annotated[
        list[Path], typer.Argument(help="Clips: AVI, MP4, DICOM or a folder of frames.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    fps: FrameRate = None,
) -> None:
    """Show what was understood of a clip: frames, times, calibration, and why not."""
    from medseg.decode import describe_clip, describe_rows, open_clip
    from medseg.errors import MedsegError

    described, failed = [], 0
    for file in files:
        try:
            clip = open_clip(file, frame_rate_hz=fps)
        except MedsegError as error:
            say_error(error)
            failed += 1
            continue
        if as_json:
            described.append(describe_clip(clip))
        else:
            print_table(
                str(file), ["", ""], [[label, value] for label, value in describe_rows(clip)]
            )
    if as_json and described:
        typer.echo(json.dumps(described if len(files) > 1 else described[0], indent=2))
    raise typer.Exit(exit_code(failed, len(files)))


def convert(
    clip: Annotated[Path, typer.Argument(help="A DICOM, AVI, MP4 or a folder of frames.")],
    out: Annotated[Path, typer.Argument(help="The AVI or MP4 to write.")],
    size: Annotated[
        int | None, typer.Option("--size", min=8, help="Edge of a square result; 112 as EchoNet.")
    ] = None,
    lossless: Annotated[bool, typer.Option("--lossless", help="Keep every pixel.")] = False,
    fps: FrameRate = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing file.")
    ] = False,
) -> None:
    """Write a clip as plain video: cropped to the sector, true frame rate, no text outside it."""
    from medseg.decode import open_clip
    from medseg.export.convert import convert as write_video

    opened = open_clip(clip, frame_rate_hz=fps)
    done = write_video(opened, out, size=size, lossless=lossless, overwrite=overwrite)
    for warning in (*opened.warnings, *done.warnings):
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(
        f"{done.path}: {done.frame_count} frames, {done.width} x {done.height} pixels, "
        f"{done.frame_rate_hz:.6g} frames a second"
    )


def exit_code(failed: int, asked: int) -> int:
    """0 where nothing failed, 2 where the only one did, 1 where some of several did."""
    if failed == 0:
        return DONE
    return FAILED if asked == 1 else IN_PART
