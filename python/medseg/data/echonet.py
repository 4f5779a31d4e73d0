"""Reads a folder in the shape of EchoNet-Dynamic: a list of videos and expert tracings.

The formats are those of the public code (echonet/dynamic); no data of theirs is part of this.
A tracing has 21 rows: row 0 is the long axis, rows 1 to 20 are chords from the apex to the mitral
plane. Frames with another number of rows are left out, as EchoGraphs does.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from medseg.clip import check_view
from medseg.data.clip_files import bare_name, find_clips
from medseg.data.dataset import Case, Dataset, Excluded, TracedFrame
from medseg.data.outline import outline_of_chords
from medseg.data.tables import Row, number, read_rows, read_tracing_rows, whole
from medseg.errors import ClipNotFound

FILE_LIST = "FileList.csv"
TRACINGS = "VolumeTracings.csv"
CHORD_COLUMNS = ("FileName", "X1", "Y1", "X2", "Y2", "Frame")
CHORD_ROWS = 21

Traced = dict[str, tuple[TracedFrame, ...]]  # by video
TracingReader = Callable[[Path], tuple[Traced, list[Excluded]]]


def read_echonet(path: Path) -> Dataset:
    """Read FileList.csv and, if it is there, VolumeTracings.csv.

    Names go with and without .avi. Each video is a patient of its own, as in EchoNet-Dynamic,
    unless FileList.csv has a column Patient; a column View goes before A4C, which EchoNet-Dynamic
    holds alone.

    Raises ClipNotFound without a FileList.csv and InputError for a table that is not as published.
    """
    cases, excluded = read_listed(path, read_chords, patient_is_name=True, view="A4C")
    return Dataset(path, "echonet", cases, tuple(excluded))


def read_listed(
    folder: Path,
    read_tracings: TracingReader,
    *,
    patient_is_name: bool,
    view: str,
    prefix: str = "",
) -> tuple[dict[str, Case], list[Excluded]]:
    """Join a folder's FileList.csv, its tracings and its files in Videos (or Dicom).

    `prefix` goes before every name. Raises as read_echonet does.
    """
    table = folder / FILE_LIST
    if not table.is_file():
        raise ClipNotFound(
            f"{folder}: no FileList.csv; name a folder in the shape of EchoNet-Dynamic"
        )
    tracings: Traced = {}
    excluded: list[Excluded] = []
    if (folder / TRACINGS).is_file():
        tracings, excluded = read_tracings(folder / TRACINGS)
    videos = find_clips(folder / "Videos") or find_clips(folder / "Dicom")
    views = _simulated_views(folder)
    cases: dict[str, Case] = {}
    for line, row in read_rows(table, ["FileName"]):
        name = bare_name(row["FileName"])
        if not name:
            reason = f"line {line} of FileList.csv names no file"
            excluded.append(Excluded(f"line {line}", reason, "no-name"))
            continue
        if name in cases:
            splits = f"{cases[name].split or 'no split'} and {row.get('Split') or 'no split'}"
            reason = f"listed again in line {line} of FileList.csv ({splits}); the first row counts"
            excluded.append(Excluded(name, reason, "duplicate-name"))
            continue
        given = row.get("View") or views.get(name, view)
        cases[name] = Case(
            name=prefix + name,
            path=videos[name][0] if name in videos else folder / "Videos" / f"{name}.avi",
            patient=row.get("Patient") or (name if patient_is_name else None),
            split=row.get("Split", "").upper(),
            view=check_view(given, name=f"{table}: {name}") or "unknown",
            traced=tracings.get(name, ()),
            **_said(table, row, name),
        )
    for name in sorted(tracings.keys() - cases.keys()):
        reason = "traced in VolumeTracings.csv, not listed in FileList.csv"
        excluded.append(Excluded(name, reason, "tracing-without-video"))
    for name in sorted(videos.keys() - cases.keys()):
        reason = f"{videos[name][0].name} is not listed in FileList.csv"
        excluded.append(Excluded(name, reason, "unlisted-video"))
    return (
        {prefix + name: case for name, case in cases.items()},
        [Excluded(prefix + e.name, e.reason, e.code, e.frame) for e in excluded],
    )


def read_chords(table: Path) -> tuple[Traced, list[Excluded]]:
    """Read tracings of 21 rows; frames with another number are given as excluded."""
    rows: dict[str, dict[int, list[list[float]]]] = {}
    excluded: list[Excluded] = []
    for name, chord, text in read_tracing_rows(table, CHORD_COLUMNS):
        frame = frame_number(text)
        if frame is None:
            excluded.append(no_frame(bare_name(name), text))
            continue
        rows.setdefault(bare_name(name), {}).setdefault(frame, []).append(chord)
    traced: Traced = {}
    for name, frames in rows.items():
        good = []
        for frame, chords in sorted(frames.items()):
            if len(chords) == CHORD_ROWS:
                good.append(outline_of_chords(frame, np.array(chords)))
            else:
                excluded.append(_wrong_rows(name, frame, len(chords)))
        traced[name] = tuple(good)
    return traced, list(dict.fromkeys(excluded))


def frame_number(text: str) -> int | None:
    """A cell's frame, which may be written 46.0; None for words such as "No Systolic"."""
    try:
        value = float(text)
        return int(value) if value.is_integer() else None
    except (ValueError, OverflowError):
        return None


def no_frame(name: str, text: str) -> Excluded:
    """A tracing whose frame is a word."""
    return Excluded(name, f"a tracing's frame is {text!r}, no number", "no-traced-frame")


def _wrong_rows(name: str, frame: int, count: int) -> Excluded:
    times, rest = divmod(count, CHORD_ROWS)
    if times > 1 and rest == 0:
        reason = f"frame {frame} is traced {times} times, as ED and ES alike"
        return Excluded(name, reason, "traced-twice", frame)
    reason = f"frame {frame} has {count} tracing rows, not {CHORD_ROWS}"
    return Excluded(name, reason, "tracing-rows", frame)


def _said(table: Path, row: Row, name: str) -> dict[str, Any]:
    """What FileList.csv says of a video's volumes, rate, length and size."""

    def cell(column: str) -> float | None:
        return number(table, row, column, of=name)

    height, width = whole(cell("FrameHeight")), whole(cell("FrameWidth"))
    return {
        "ef_percent": cell("EF"),
        "edv_ml": cell("EDV"),
        "esv_ml": cell("ESV"),
        "frame_rate_hz": cell("FPS"),
        "frame_count": whole(cell("NumberOfFrames")),
        "size": (height, width) if height and width else None,
    }


def _simulated_views(folder: Path) -> dict[str, str]:
    """Views by name from truth.csv, which simulated folders have; empty without it."""
    table = folder / "truth.csv"
    if not table.is_file():
        return {}
    return {row["name"]: row["view"] for _, row in read_rows(table, ["name", "view"])}
