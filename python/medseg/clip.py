"""What is a clip: frames on demand, when each was taken, and how large a pixel is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from medseg.errors import InputError

VIEWS = ("A4C", "A2C", "PLAX", "PSAX", "unknown")

Frames = np.ndarray[Any, np.dtype[np.uint8]]
Times = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, eq=False)
class Clip:
    """One ultrasound or video clip; pictures are decoded only when they are read.

    ``read(start, stop)`` gives frames ``start`` to ``stop - 1`` as uint8 RGB of shape
    (stop - start, height, width, 3). It raises FrameNotDecoded when one of them cannot be
    decoded; the other frames can still be read.
    """

    name: str  # the file's stem; outputs are named after it
    kind: str  # "avi", "mp4", "dicom", "images", "array", or another container's extension
    frame_count: int
    height: int
    width: int
    frame_time_s: Times | None  # (frame,), strictly increasing, first is 0; None: unknown
    frame_time_source: str
    spacing_cm: tuple[float, float] | None  # (row, column)
    spacing_reason: str | None  # why spacing_cm is None
    sha256: str
    read: Callable[[int, int], Frames]
    region: tuple[int, int, int, int] | None = None  # 2-D tissue (y0, x0, y1, x1), half-open
    colour_flow: bool | None = None
    view: str = "unknown"
    view_source: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def frame_rate_hz(self) -> float | None:
        """One over the median interval; None if times are unknown or there is one frame."""
        if self.frame_time_s is None or self.frame_count < 2:
            return None
        return float(1.0 / np.median(np.diff(self.frame_time_s)))

    def windows(self, size: int) -> Iterator[tuple[int, Frames]]:
        """Give (start, frames) of at most ``size`` frames at a time, from the first to the last."""
        if size < 1:
            raise ValueError(f"a window holds at least one frame, not {size}")
        for start in range(0, self.frame_count, size):
            yield start, self.read(start, min(start + size, self.frame_count))


def clip_from_array(
    frames: np.ndarray[Any, Any],
    *,
    name: str = "array",
    frame_rate_hz: float | None = None,
    spacing_cm: tuple[float, float] | None = None,
    view: str | None = None,
) -> Clip:
    """Make a clip of frames in memory.

    ``frames`` is uint8 of shape (T, H, W), (T, H, W, 1) or (T, H, W, 3); grey becomes RGB when
    it is read. Raises InputError for another type or shape, or for a rate or spacing that is
    not a positive number.
    """
    frames = np.asarray(frames)
    if frames.dtype != np.uint8:
        raise InputError(f"{name}: frames are {frames.dtype}, not uint8: scale them to 0..255")
    if frames.ndim == 3:
        frames = frames[..., np.newaxis]  # (T,H,W) -> (T,H,W,1)
    if frames.ndim != 4 or frames.shape[3] not in (1, 3) or 0 in frames.shape:
        raise InputError(
            f"{name}: frames have shape {frames.shape}, not (frames, height, width[, 3])"
        )
    spacing = check_spacing(spacing_cm, name=name)
    frame_count, height, width = frames.shape[:3]
    times, source = given_times(frame_count, frame_rate_hz, name=name)
    digest = hashlib.sha256(repr(frames.shape).encode())
    for frame in frames:
        digest.update(np.ascontiguousarray(frame).tobytes())

    def read(start: int, stop: int) -> Frames:
        check_range(start, stop, frame_count)
        return np.broadcast_to(frames[start:stop], (stop - start, height, width, 3)).copy()

    return Clip(
        name=name,
        kind="array",
        frame_count=frame_count,
        height=height,
        width=width,
        frame_time_s=times,
        frame_time_source=source,
        spacing_cm=spacing,
        spacing_reason=None if spacing else "no pixel spacing was given with the array",
        sha256=digest.hexdigest(),
        read=read,
        view=check_view(view, name=name) or "unknown",
        view_source="given" if view and view != "unknown" else None,
    )


def given_times(
    frame_count: int, frame_rate_hz: float | None, *, name: str
) -> tuple[Times | None, str]:
    """Give (times, source) of a clip whose only clock is the rate that a person gave."""
    rate = check_frame_rate(frame_rate_hz, name=name)
    if frame_count == 1:
        return np.zeros(1), "single frame"
    if rate is None:
        return None, "unknown"
    return np.arange(frame_count, dtype=np.float64) / rate, "given"


def check_frame_rate(frame_rate_hz: float | None, *, name: str) -> float | None:
    """Give the rate back; raises InputError unless it is None or a positive number."""
    if frame_rate_hz is None:
        return None
    if not np.isfinite(frame_rate_hz) or frame_rate_hz <= 0:
        raise InputError(f"{name}: frame rate {frame_rate_hz} is not a positive number of hertz")
    return float(frame_rate_hz)


def check_spacing(
    spacing_cm: tuple[float, float] | None, *, name: str
) -> tuple[float, float] | None:
    """Give the spacing back; raises InputError unless it is None or two positive numbers."""
    if spacing_cm is None:
        return None
    row_cm, column_cm = (float(value) for value in spacing_cm)
    if not (np.isfinite([row_cm, column_cm]).all() and min(row_cm, column_cm) > 0):
        raise InputError(f"{name}: spacing {spacing_cm} is not two positive numbers of centimetres")
    return row_cm, column_cm


def check_view(view: str | None, *, name: str) -> str | None:
    """Give the view back; raises InputError unless it is None or one of VIEWS."""
    if view is not None and view not in VIEWS:
        raise InputError(f"{name}: view {view!r} is not one of {', '.join(VIEWS)}")
    return view


def check_range(start: int, stop: int, frame_count: int) -> None:
    """Raise ValueError unless 0 <= start <= stop <= frame_count."""
    if not 0 <= start <= stop <= frame_count:
        raise ValueError(f"frames {start} to {stop} are not within the clip's {frame_count}")
