"""Reads a folder in the shape of EchoNet-Dynamic: a list of videos and expert tracings.

The formats are those of the public code (echonet/dynamic); no data of theirs is part of this.
A tracing has 21 rows: row 0 is the long axis, rows 1 to 20 are chords from the apex to the mitral
plane. Which traced frame is end-diastole is decided by area, never by the order of rows.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medseg.errors import ClipNotFound, InputError
from medseg.geometry import polygon_mask

TRACING_COLUMNS = ["FileName", "X1", "Y1", "X2", "Y2", "Frame"]


@dataclass(frozen=True)
class Video:
    """One row of FileList.csv; None where the column is absent or empty."""

    name: str  # without .avi
    path: Path
    split: str  # TRAIN, VAL or TEST, upper case; "" if not given
    ef_percent: float | None
    edv_ml: float | None
    esv_ml: float | None
    frame_rate_hz: float | None
    frame_count: int | None


@dataclass(frozen=True, eq=False)
class Tracing:
    """The chords of one traced frame, (row, 4) as x1, y1, x2, y2 in pixels; row 0 is the axis."""

    frame: int
    rows: NDArray[np.float64]

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The traced cavity as a (H, W) mask.

        Corner points are rounded and the polygon's edge is part of it, as in the published code.
        """
        x1, y1, x2, y2 = self.rows[1:].T
        x = np.rint(np.concatenate([x1, x2[::-1]]))
        y = np.rint(np.concatenate([y1, y2[::-1]]))
        return polygon_mask(y, x, shape, with_edge=True)

    @property
    def area_px(self) -> float:
        """Area of the traced polygon in square pixels."""
        x1, y1, x2, y2 = self.rows[1:].T
        x, y = np.concatenate([x1, x2[::-1]]), np.concatenate([y1, y2[::-1]])
        return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


@dataclass(frozen=True, eq=False)
class EchoNetFolder:
    """A folder's videos and tracings, by video name without .avi."""

    path: Path
    videos: dict[str, Video]
    tracings: dict[str, tuple[Tracing, ...]]  # by frame, ascending

    def of_split(self, split: str | None) -> Iterator[Video]:
        """Videos of one split, or all."""
        wanted = split.upper() if split else None
        return (v for v in self.videos.values() if wanted in (None, v.split))

    def ed_es(self, name: str) -> tuple[Tracing, Tracing] | None:
        """The end-diastolic (largest) and end-systolic (smallest) tracing; None without both."""
        traced = self.tracings.get(name, ())
        if len(traced) < 2:
            return None
        by_area = sorted(traced, key=lambda tracing: tracing.area_px)
        return by_area[-1], by_area[0]


def stem(name: str) -> str:
    """A video's name without .avi, in either case."""
    return name[:-4] if name.lower().endswith(".avi") else name


def read_echonet_folder(path: Path) -> EchoNetFolder:
    """Read FileList.csv and, if it is there, VolumeTracings.csv.

    Raises ClipNotFound without a FileList.csv and InputError for a table that is not as published.
    """
    videos = _read_videos(path)
    tracings_csv = path / "VolumeTracings.csv"
    tracings = _read_tracings(tracings_csv) if tracings_csv.is_file() else {}
    return EchoNetFolder(path, videos, tracings)


def _read_videos(path: Path) -> dict[str, Video]:
    table = path / "FileList.csv"
    if not table.is_file():
        raise ClipNotFound(
            f"{path}: no FileList.csv; name a folder in the shape of EchoNet-Dynamic"
        )
    videos = {}
    with table.open(newline="", encoding="utf-8-sig") as handle:
        reader = csv.DictReader(handle)
        if "FileName" not in (reader.fieldnames or []):
            raise InputError(f"{table}: no column FileName; found {reader.fieldnames}")
        for row in reader:
            name = stem(row["FileName"].strip())
            frames = _number(table, row, "NumberOfFrames")
            videos[name] = Video(
                name=name,
                path=path / "Videos" / f"{name}.avi",
                split=(row.get("Split") or "").strip().upper(),
                ef_percent=_number(table, row, "EF"),
                edv_ml=_number(table, row, "EDV"),
                esv_ml=_number(table, row, "ESV"),
                frame_rate_hz=_number(table, row, "FPS"),
                frame_count=None if frames is None else int(frames),
            )
    return videos


def _number(table: Path, row: dict[str, str], column: str) -> float | None:
    text = (row.get(column) or "").strip()
    if not text or text.upper() in ("NA", "NAN"):
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{table}: {column} of {row['FileName']} is {text!r}, no number") from None


def _read_tracings(table: Path) -> dict[str, tuple[Tracing, ...]]:
    chords: dict[str, dict[int, list[list[float]]]] = {}
    with table.open(newline="", encoding="utf-8-sig") as handle:
        reader = csv.reader(handle)
        header = next(reader, [])
        if header != TRACING_COLUMNS:
            raise InputError(f"{table}: columns are {header}, expected {TRACING_COLUMNS}")
        for line, row in enumerate(reader, start=2):
            try:
                name, *chord, frame = row
                numbers = [float(value) for value in chord]
                if len(numbers) != 4:
                    raise ValueError
                chords.setdefault(stem(name), {}).setdefault(int(float(frame)), []).append(numbers)
            except ValueError:
                raise InputError(f"{table}: line {line} is no tracing row: {row}") from None
    return {
        name: tuple(
            Tracing(frame, np.array(rows))
            for frame, rows in sorted(frames.items())
            if len(rows) > 2
        )
        for name, frames in chords.items()
    }
