"""How is the table of ejection fractions that a network gives without masks read and written."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medseg.data.clip_files import bare_name
from medseg.data.tables import read_rows
from medseg.errors import ClipNotFound, InputError

EF_COLUMNS = ("FileName", "start_frame", "ef")


@dataclass(frozen=True)
class EFTable:
    """What a network says of each video's sampled clips."""

    path: Path
    start_frame: dict[str, tuple[int, ...]]  # by video, without extension
    ef_percent: dict[str, tuple[float, ...]]  # one for each start

    def mean_ef_percent(self, name: str) -> float | None:
        """The average over a video's clips, EchoNet's estimate; None for a video not in it."""
        found = self.ef_percent.get(name)
        return None if found is None else math.fsum(found) / len(found)


def is_ef_table(path: Path) -> bool:
    """Whether a path is a table of ejection fractions rather than a folder of stores."""
    return path.suffix.lower() == ".csv" and not path.is_dir()


def read_ef_table(path: Path) -> EFTable:
    """Read what `medseg predict-ef` wrote: `FileName,start_frame,ef`, one row a sampled clip.

    Names go with and without extension. Raises ClipNotFound without a file, InputError for a
    missing column, a start or EF that is no number, or a clip that is listed twice.
    """
    if not path.is_file():
        raise ClipNotFound(f"{path}: there is no such table; make one with medseg predict-ef")
    starts: dict[str, list[int]] = {}
    values: dict[str, list[float]] = {}
    for line, row in read_rows(path, EF_COLUMNS):
        name = bare_name(row["FileName"])
        if not name:
            raise InputError(f"{path}: line {line} names no video; predict it again")
        start = _finite(path, line, "start_frame", row["start_frame"])
        if start < 0 or start != int(start):
            raise InputError(f"{path}: line {line}: start_frame {start:g} is no frame's number")
        if int(start) in starts.setdefault(name, []):
            raise InputError(f"{path}: line {line}: {name} has start_frame {start:g} twice")
        starts[name].append(int(start))
        values.setdefault(name, []).append(_finite(path, line, "ef", row["ef"]))
    if not starts:
        raise InputError(f"{path}: holds no row; make it with medseg predict-ef")
    return EFTable(
        path,
        {name: tuple(found) for name, found in starts.items()},
        {name: tuple(found) for name, found in values.items()},
    )


def _finite(path: Path, line: int, column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(
            f"{path}: line {line}: {column} is {text!r}, no number; predict that video again"
        )
    return value


def ef_rows(name: str, start_frame: Sequence[int], ef_percent: Sequence[float]) -> str:
    """The lines of one video, ready to be appended to a table whose header is EF_COLUMNS."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for start, ef in zip(start_frame, ef_percent, strict=True):
        writer.writerow((name, int(start), f"{float(ef):.4f}"))
    return text.getvalue()
