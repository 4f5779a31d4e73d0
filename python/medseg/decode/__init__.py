"""Doors for clips: whatever the file is, ``open_clip`` gives a Clip or says why not."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from medseg.clip import Clip, check_frame_rate, check_view
from medseg.decode.describe import describe_clip, describe_rows
from medseg.decode.images import open_image_folder, open_picture
from medseg.decode.signature import CONTAINERS, HEAD_BYTES, file_kind
from medseg.decode.video import open_video
from medseg.errors import ClipNotFound, ClipUnreadable

__all__ = ["describe_clip", "describe_rows", "open_clip"]


def open_clip(
    path: str | os.PathLike[str], *, frame_rate_hz: float | None = None, view: str | None = None
) -> Clip:
    """Open an AVI, MP4, DICOM or picture folder as a Clip; pictures are decoded when read.

    ``frame_rate_hz`` is a person's own word on the time between frames and goes before the
    file's; a picture folder has no other clock. ``view`` ("A4C", "A2C", "PLAX", "PSAX") goes
    before the file's too.

    Raises ClipNotFound, ClipUnreadable (empty, cut short, no clip at all, a codec that is not
    known), ClipHasNoFrames (readable, but no pictures), or InputError for the arguments.
    """
    path = Path(path)
    check_frame_rate(frame_rate_hz, name=str(path))
    check_view(view, name=str(path))
    try:
        clip = _open(path)
    except OSError as error:
        if isinstance(error, ClipNotFound):
            raise
        reason = error.strerror or type(error).__name__
        raise ClipUnreadable(f"{path}: cannot be read ({reason}): check its permissions") from error
    return _with_given(clip, frame_rate_hz, view)


def _open(path: Path) -> Clip:
    if path.is_dir():
        return open_image_folder(path)
    if not path.exists():
        raise ClipNotFound(f"{path}: there is no such file: check the path")
    if not path.is_file():
        raise ClipUnreadable(f"{path}: is not an ordinary file: give a clip or a picture folder")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise ClipUnreadable(f"{path}: is empty (0 bytes): copy or export it again")
    kind = file_kind(head)
    if kind in CONTAINERS:
        return open_video(path, kind=kind)
    if kind == "dicom":
        # Imported on demand: pydicom and GDCM are slow to import, and a video needs neither.
        from medseg.decode.dicom import open_dicom

        return open_dicom(path)
    if kind == "picture":
        return open_picture(path)
    raise ClipUnreadable(
        f"{path}: is no clip by its first bytes, whatever its name says: "
        "give an AVI, MP4 or DICOM file, or a folder of PNG or JPEG frames"
    )


def _with_given(clip: Clip, frame_rate_hz: float | None, view: str | None) -> Clip:
    """Put the caller's own rate and view before the file's, and say where they disagree."""
    if view is not None and view != "unknown":
        clip = replace(clip, view=view, view_source="given")
    if frame_rate_hz is None or clip.frame_count == 1:
        return clip
    notes = clip.warnings
    file_rate_hz = clip.frame_rate_hz
    if file_rate_hz is not None and abs(file_rate_hz / frame_rate_hz - 1) > 0.05:
        notes += (
            f"the file says {file_rate_hz:.4g} frames a second ({clip.frame_time_source}); "
            f"the given {frame_rate_hz:.4g} is used",
        )
    times = np.arange(clip.frame_count, dtype=np.float64) / frame_rate_hz
    return replace(clip, frame_time_s=times, frame_time_source="given", warnings=notes)
