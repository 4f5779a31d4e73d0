"""Make a plain video of a clip: cropped to its sector, blanked outside, with no identity left."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from medseg.clip import Clip, Frames
from medseg.errors import FrameTimesUnknown, InputError
from medseg.export.video import VideoWriter
from medseg.sector import MAX_FRAMES_USED, Sector, blank_outside, find_sector

WINDOW_BYTES = 32 * 2**20
UNEVEN = 0.05  # of the median interval


@dataclass(frozen=True)
class Conversion:
    """What was written."""

    path: Path
    frame_count: int
    height: int
    width: int
    frame_rate_hz: float
    box: tuple[int, int, int, int]  # of the source's frames (y0, x0, y1, x1), half-open
    warnings: tuple[str, ...]


def convert(
    clip: Clip,
    out: str | os.PathLike[str],
    *,
    size: int | None = None,
    lossless: bool = False,
    overwrite: bool = False,
) -> Conversion:
    """Write a clip as AVI or MP4: the sector's box, black outside the sector, true frame rate.

    ``size`` makes frames of size x size pixels (112 is EchoNet-Dynamic's): the box is padded to
    a square first, so shapes stay true, and averaged over area. Only pixels and the frame rate
    go into the file, so no name, date or number of the source's header does; a text inside the
    sector would stay.

    Raises FrameTimesUnknown where the source has no clock, FrameNotDecoded, and OutputError as
    VideoWriter does.
    """
    if size is not None and size < 8:
        raise InputError(f"{clip.name}: a size of {size} pixels is too small: give 112, say")
    rate, notes = _frame_rate(clip)
    window = max(1, WINDOW_BYTES // (clip.height * clip.width * 3))
    sector = find_sector(_sample(clip, window), region=clip.region)
    if not sector.found:
        notes += ("no ultrasound sector was found: the whole frame was kept, with any text on it",)
        sector = Sector(
            mask=np.ones((clip.height, clip.width), dtype=bool), box=sector.box, found=False
        )
    y0, x0, y1, x1 = sector.box
    shape = (size, size) if size is not None else (y1 - y0, x1 - x0)
    with VideoWriter(
        out,
        frame_rate_hz=rate,
        height=shape[0],
        width=shape[1],
        lossless=lossless,
        overwrite=overwrite,
    ) as writer:
        for _, frames in clip.windows(window):
            inside = blank_outside(frames, sector)[:, y0:y1, x0:x1]
            writer.write(inside if size is None else squared(inside, size))
        height, width = writer.stored_size
    return Conversion(
        path=Path(out),
        frame_count=clip.frame_count,
        height=height,
        width=width,
        frame_rate_hz=float(rate),
        box=sector.box,
        warnings=notes,
    )


def squared(frames: Frames, size: int) -> Frames:
    """Pad frames (T, H, W, 3) to a square with black and average them to (T, size, size, 3)."""
    height, width = frames.shape[1:3]
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    # (size,side) weights: each output row is the mean of the input rows that it covers
    rows = area_weights(side, size)[:, top : top + height]
    columns = area_weights(side, size)[:, left : left + width]
    out = np.empty((len(frames), size, size, 3), dtype=np.uint8)
    for index, frame in enumerate(frames):
        lines = np.tensordot(rows, frame.astype(np.float32), axes=(1, 0))  # (size,W,3)
        mean = np.tensordot(lines, columns, axes=(1, 1))  # (size,3,size)
        out[index] = np.round(mean.transpose(0, 2, 1)).astype(np.uint8)
    return out


def area_weights(side: int, size: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Give the (size, side) matrix that averages ``side`` samples over ``size`` equal cells."""
    edges = np.arange(size + 1, dtype=np.float64) * (side / size)
    start = np.arange(side, dtype=np.float64)
    overlap = np.minimum(edges[1:, np.newaxis], start + 1) - np.maximum(
        edges[:-1, np.newaxis], start
    )
    weights = np.clip(overlap, 0, None)
    shares = weights / weights.sum(axis=1, keepdims=True)
    return np.asarray(shares, dtype=np.float32)


def _sample(clip: Clip, window: int) -> Frames:
    """Give frames spread over the clip, at most as many as a window holds."""
    count = min(clip.frame_count, MAX_FRAMES_USED, window)
    picks = np.linspace(0, clip.frame_count - 1, count).round().astype(int)
    return np.concatenate([clip.read(int(pick), int(pick) + 1) for pick in picks])


def _frame_rate(clip: Clip) -> tuple[float | Fraction, tuple[str, ...]]:
    """Give the one rate that keeps the clip's duration, and warnings."""
    if clip.frame_count == 1:
        return Fraction(1), ("a single frame has no rate: the file says 1 frame a second",)
    if clip.frame_time_s is None:
        raise FrameTimesUnknown(
            f"{clip.name}: the source does not say when its frames were taken: give --fps"
        )
    intervals = np.diff(clip.frame_time_s)
    rate = float(1.0 / intervals.mean())
    if np.abs(intervals / np.median(intervals) - 1).max() > UNEVEN:
        return rate, (
            "the source's frames are unevenly spaced: the file has their mean rate, "
            f"{rate:.4g} frames a second",
        )
    return rate, ()
