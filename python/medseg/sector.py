"""Where in the frame is the ultrasound sector, and where are text, buttons, scales and traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage  # type: ignore[import-untyped, unused-ignore]

MAX_FRAMES_USED = 64
# Standard deviation over time, in grey levels: speckle reaches the upper one everywhere but in
# the deepest shadow; still pictures and text reach the lower one only by compression.
LEAST_CHANGE, ENOUGH_CHANGE = 0.35, 4.0
LIT_LEVEL = 6.0  # of a frame's mean, where nothing changes
LEAST_AREA = 0.02  # of the frame
COMPARABLE_PART = 0.4  # of the largest part's area: a second one so large is a second picture

Mask = np.ndarray[Any, np.dtype[np.bool_]]
Image = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, eq=False)
class Sector:
    """The insonified part of the frame."""

    mask: Mask  # (H, W), filled
    box: tuple[int, int, int, int]  # (y0, x0, y1, x1), half-open; the frame if not found
    found: bool
    parts: int = 1  # pictures of like size that stand apart in the frame: 2 is a split screen


def find_sector(
    frames: np.ndarray[Any, np.dtype[np.uint8]],
    *,
    region: tuple[int, int, int, int] | None = None,
) -> Sector:
    """Find the sector in a window of frames, uint8 (T, H, W, 3) or (T, H, W).

    The sector is the convex hull of the largest part that changes over time, since speckle moves
    even where it is nearly black while text and buttons stand still; where nothing moves (one
    frame, a frozen clip) it is that of the largest lit part. ``region`` (y0, x0, y1, x1), the
    file's own word, limits the search. A frame without any such part gives ``found=False``, an
    empty mask and the whole frame as its box.
    """
    height, width = frames.shape[1:3]
    mean, change = _mean_and_change(frames)
    within = np.zeros((height, width), dtype=bool)
    y0, x0, y1, x1 = region or (0, 0, height, width)
    within[y0:y1, x0:x1] = True
    for candidate in (_changing(change, within), mean > LIT_LEVEL):
        part, parts = _largest_part(candidate & within)
        if part.sum() >= LEAST_AREA * within.sum():
            mask = _convex_hull(part) & within
            return Sector(mask=mask, box=bounding_box(mask), found=True, parts=parts)
    nothing = np.zeros((height, width), dtype=bool)
    return Sector(mask=nothing, box=(0, 0, height, width), found=False, parts=0)


def blank_outside(
    frames: np.ndarray[Any, np.dtype[np.uint8]], sector: Sector
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Give a copy of the frames (T, H, W[, 3]) that is zero outside the sector."""
    inside = sector.mask if frames.ndim == 3 else sector.mask[..., np.newaxis]
    return frames * inside.astype(np.uint8)


def bounding_box(mask: Mask) -> tuple[int, int, int, int]:
    """Give the half-open (y0, x0, y1, x1) of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _mean_and_change(frames: np.ndarray[Any, np.dtype[np.uint8]]) -> tuple[Image, Image]:
    """Give the mean and the standard deviation over time of the brightest channel, (H, W)."""
    picks = np.linspace(0, len(frames) - 1, min(len(frames), MAX_FRAMES_USED)).round().astype(int)
    total = np.zeros(frames.shape[1:3], dtype=np.float32)
    squares = np.zeros_like(total)
    for pick in picks:
        frame = frames[pick]
        grey = (frame if frame.ndim == 2 else frame.max(axis=2)).astype(np.float32)
        total += grey
        squares += grey * grey
    mean = total / len(picks)
    deviation = np.sqrt(np.maximum(squares / len(picks) - mean * mean, 0))
    return mean.astype(np.float32), deviation.astype(np.float32)


def _changing(change: Image, within: Mask) -> Mask:
    """Say where the picture changes by more than the flicker of its quietest part."""
    smooth = ndimage.uniform_filter(change, 3)
    flicker = float(np.percentile(smooth[within], 5))
    changing: Mask = smooth > np.clip(3.0 * flicker, LEAST_CHANGE, ENOUGH_CHANGE)
    return changing


def _largest_part(candidate: Mask) -> tuple[Mask, int]:
    """Give (the largest part after thin things are wiped off, how many are of like size)."""
    radius = max(1, round(min(candidate.shape) / 80))
    disk = _disk(radius)
    padded = np.pad(candidate, 2 * radius, mode="edge")
    padded = ndimage.binary_closing(padded, disk)
    padded = ndimage.binary_opening(padded, disk)
    solid = padded[2 * radius : -2 * radius, 2 * radius : -2 * radius]
    labels, count = ndimage.label(solid)
    if count == 0:
        return solid, 0
    areas = np.bincount(labels.ravel())[1:]
    parts = int((areas >= COMPARABLE_PART * areas.max()).sum())
    return labels == int(areas.argmax()) + 1, parts


def _disk(radius: int) -> Mask:
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    disk: Mask = y * y + x * x <= radius * radius + radius
    return disk


def _convex_hull(part: Mask) -> Mask:
    """Fill the convex hull of a mask that is not empty."""
    rows = np.flatnonzero(part.any(axis=1))
    left = part[rows].argmax(axis=1)
    right = part.shape[1] - 1 - part[rows, ::-1].argmax(axis=1)
    every_row = np.arange(rows[0], rows[-1] + 1)
    low = np.interp(every_row, *_lower_hull(rows, left))
    high = -np.interp(every_row, *_lower_hull(rows, -right))
    column = np.arange(part.shape[1])
    hull = np.zeros_like(part)
    hull[every_row] = (column >= low[:, np.newaxis] - 1e-6) & (column <= high[:, np.newaxis] + 1e-6)
    return hull


def _lower_hull(
    x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Give the vertices of the lower convex hull of points whose x increases."""
    kept: list[tuple[float, float]] = []
    for point in zip(x.tolist(), y.tolist(), strict=True):
        while len(kept) > 1 and _turn(kept[-2], kept[-1], point) <= 0:
            kept.pop()
        kept.append(point)
    vertices = np.array(kept, dtype=np.float64)
    return vertices[:, 0], vertices[:, 1]


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
