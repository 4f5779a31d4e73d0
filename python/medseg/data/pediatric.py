"""Reads EchoNet-Pediatric: A4C and PSAX videos, traced as ordered polygon points, in ten folds.

A view's folder holds FileList.csv (FileName, EF, Sex, Age, Weight, Height, Split, where the split
is a fold 0 to 9), VolumeTracings.csv (FileName, X, Y, Frame) and Videos. A frame may be given as
"No Systolic" or "No Diastolic". Pictures are left as they are: children's A4C clips may have the
apex at the bottom.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from medseg.data.clip_files import bare_name
from medseg.data.dataset import Case, Dataset, Excluded
from medseg.data.echonet import FILE_LIST, Traced, frame_number, no_frame, read_listed
from medseg.data.outline import Outline
from medseg.data.tables import read_tracing_rows
from medseg.errors import ClipNotFound

POINT_COLUMNS = ("FileName", "X", "Y", "Frame")
VIEWS = ("A4C", "PSAX")


def read_pediatric(path: Path) -> Dataset:
    """Read both views' folders in `path`, or `path` itself where it is one view's folder.

    From both, names are A4C/<name> and PSAX/<name>. Patients are known only where FileList.csv
    has a column Patient. Raises ClipNotFound or InputError as read_echonet does.
    """
    if (path / FILE_LIST).is_file():
        view = path.name if path.name in VIEWS else "unknown"
        cases, excluded = _read_view(path, view, "")
        return Dataset(path, "pediatric", cases, tuple(excluded))
    root = pediatric_root(path)
    if root is None:
        raise ClipNotFound(f"{path}: neither A4C/FileList.csv nor PSAX/FileList.csv is there")
    cases, excluded = {}, []
    for view in VIEWS:
        if (root / view / FILE_LIST).is_file():
            more, gone = _read_view(root / view, view, f"{view}/")
            cases |= more
            excluded += gone
    return Dataset(path, "pediatric", cases, tuple(excluded))


def pediatric_root(path: Path) -> Path | None:
    """The folder of A4C and PSAX, which the release nests deeper; None where there is none."""
    for root in (path, path / "pediatric_echo_avi", path / "pediatric_echo_avi/pediatric_echo_avi"):
        if any((root / view / FILE_LIST).is_file() for view in VIEWS):
            return root
    return None


def _read_view(folder: Path, view: str, prefix: str) -> tuple[dict[str, Case], list[Excluded]]:
    return read_listed(folder, read_points, patient_is_name=False, view=view, prefix=prefix)


def read_points(table: Path) -> tuple[Traced, list[Excluded]]:
    """Read polygons; frames that are words, or of fewer than three points, are excluded."""
    points: dict[str, dict[int, list[list[float]]]] = {}
    excluded: list[Excluded] = []
    for file_name, point, text in read_tracing_rows(table, POINT_COLUMNS):
        name, frame = bare_name(file_name), frame_number(text)
        if frame is None:
            excluded.append(no_frame(name, text))
            continue
        points.setdefault(name, {}).setdefault(frame, []).append(point)
    traced: Traced = {}
    for name, frames in points.items():
        good = []
        for frame, outline in sorted(frames.items()):
            if len(outline) < 3:
                reason = f"frame {frame} has {len(outline)} tracing points, which bound nothing"
                excluded.append(Excluded(name, reason, "tracing-rows", frame))
            else:
                good.append(Outline(frame, np.array(outline)))
        traced[name] = tuple(good)
    return traced, list(dict.fromkeys(excluded))
