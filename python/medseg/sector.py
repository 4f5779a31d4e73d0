"""Where in the frame is the ultrasound sector, and where are text, buttons, scales and traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage  # type: ignore[import-untyped, unused-ignore]

MAX_FRAMES_USED = 64
# Standard deviation over time, in grey levels: speckle reaches the upper one everywhere but in
# the deepest shadow; still pictures and text reach the lower one only by compression.
LEAST_CHANGE, ENOUGH_CHANGE = 0.1, 4.0
STRONG_CHANGE = 0.12  # of the 90th percentile of change
CODING_BLOCK = 8  # pixels, of JPEG and H.264
LIT_LEVEL = 6.0  # of a frame's mean, where nothing changes
LEAST_AREA = 0.02  # of the frame
SEARCH_SIZE = 320  # cells along the longer side of the frame
NECK = 0.045  # of the root of a part's area: half the width below which things only hang on
COMPARABLE_PART = 0.4  # of the largest part's area: a second one so large is no text
UPSIDE_DOWN = (
    -0.15
)  # skewness of a fan's pixels, upwards; upright ones of 60 to 100 degrees: 0.35 on
ALIGNED = 0.15  # of a picture's height or width: how much two of one row or column may be off

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
    within = np.zeros((height, width), dtype=bool)
    y0, x0, y1, x1 = region or (0, 0, height, width)
    within[y0:y1, x0:x1] = True
    step = -(-max(height, width) // SEARCH_SIZE)  # pixels to a cell of the search
    mean, change = (_cells(image, step) for image in _mean_and_change(frames))
    allowed = _cells(within.astype(np.float32), step) > 0.5
    for candidate in (_changing(change, allowed, step), mean > LIT_LEVEL):
        part, parts = _largest_part(candidate & allowed)
        if part.sum() >= LEAST_AREA * allowed.sum():
            mask = _convex_hull(part, step, (height, width)) & within
            return Sector(mask=mask, box=bounding_box(mask), found=True, parts=parts)
    nothing = np.zeros((height, width), dtype=bool)
    return Sector(mask=nothing, box=(0, 0, height, width), found=False, parts=0)


def everything(height: int, width: int) -> Sector:
    """The whole frame, of pictures that are not ultrasound."""
    return Sector(mask=np.ones((height, width), dtype=bool), box=(0, 0, height, width), found=True)


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


def skewness(along: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Skewness of the last axis; positive where values thin out upwards, 0 where they are one."""
    centred = along - along.mean(axis=-1, keepdims=True)
    spread = np.maximum(centred.std(axis=-1), 1e-9)
    found: np.ndarray[Any, Any] = (centred**3).mean(axis=-1) / spread**3
    return found


def is_upside_down(mask: Mask) -> bool:
    """Whether the probe lies below, as paediatric clips are shown: the fan's narrow end does.

    A fan's pixels (H, W) thin out towards its narrow end. What has none is upright.
    """
    rows = np.repeat(np.arange(len(mask)), np.count_nonzero(mask, axis=1))
    return rows.size > 2 and float(skewness(-rows.astype(float))) < UPSIDE_DOWN


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


def _cells(image: Image, step: int) -> Image:
    """Average an image (H, W) over cells of step x step pixels."""
    height, width = image.shape
    padded = np.pad(image, ((0, -height % step), (0, -width % step)), mode="edge")
    rows, columns = padded.shape[0] // step, padded.shape[1] // step
    cells: Image = padded.reshape(rows, step, columns, step).mean(axis=(1, 3))
    return cells


def _changing(change: Image, allowed: Mask, step: int) -> Mask:
    """Say where the picture changes by more than the flicker of its quietest part.

    Compression smears change over a rim of one coding block round whatever moves. So faint
    change counts only where there is some farther than a block from strong change.
    """
    smooth = ndimage.uniform_filter(change, 3)
    flicker = float(np.percentile(smooth[allowed], 5))
    faint: Mask = (smooth > np.clip(2.0 * flicker, LEAST_CHANGE, ENOUGH_CHANGE)) & allowed
    if not faint.any():
        return faint
    strong: Mask = smooth > STRONG_CHANGE * float(np.percentile(smooth[faint], 90))
    block = (CODING_BLOCK + 2) / step
    far = _opened(faint & _farther(strong & faint, block), 1.5)
    kept: Mask = faint & (strong | ~_farther(far, block))
    return kept


def _farther(mask: Mask, distance: float) -> Mask:
    """Say which cells lie farther than ``distance`` from the mask; all do if it is empty."""
    if not mask.any():
        return np.ones_like(mask)
    beyond: Mask = ndimage.distance_transform_edt(~mask) > distance
    return beyond


def _largest_part(candidate: Mask) -> tuple[Mask, int]:
    """Give (the largest part, how many parts of like size stand apart).

    Gaps of the speckle are closed and thin things wiped off; then whatever hangs on to the
    part only by a neck, as a depth scale or a column of text does, is cut off. Walls of one fan
    that black cavities divide are parts of like size whose boxes overlap: they are taken together.
    """
    radius = max(1.0, min(candidate.shape) / 80)
    solid = _opened(_closed(candidate, radius), radius)
    labels, count = ndimage.label(solid)
    if count == 0:
        return solid, 0
    solid = ndimage.binary_fill_holes(solid)
    neck = max(NECK * float(np.sqrt(np.bincount(labels.ravel())[1:].max())), radius)
    cores, count = ndimage.label(_opened(solid, neck))
    if count == 0:
        return np.zeros_like(solid), 0
    core = _groups(cores)[0]
    # opening by a disk rounds a right-angled corner off by 0.41 of its radius: give that back
    far_apart, count = ndimage.label(_opened(solid, 2 * neck))
    boxes = [bounding_box(group) for group in _groups(far_apart)] if count else []
    pictures = sum(_aligned(boxes[0], box) for box in boxes)
    return solid & ~_farther(core, 0.45 * neck), max(1, pictures)


def _groups(labels: np.ndarray[Any, np.dtype[np.integer[Any]]]) -> list[Mask]:
    """Join labelled parts of like size as the largest, first, where their boxes overlap."""
    areas = np.bincount(labels.ravel())[1:]
    groups: list[Mask] = []
    for part in np.argsort(-areas, kind="stable"):
        if areas[part] < COMPARABLE_PART * areas.max():
            break
        mask = labels == part + 1
        for i, group in enumerate(groups):
            if _overlap(bounding_box(group), bounding_box(mask)):
                groups[i] = group | mask
                break
        else:
            groups.append(mask)
    return groups


def _aligned(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    """Say whether two boxes lie in one row or one column, as the pictures of a split screen do."""
    slack = [ALIGNED * max(a[i + 2] - a[i], b[i + 2] - b[i]) for i in (0, 1)]
    return abs(a[0] - b[0]) <= slack[0] or abs(a[1] - b[1]) <= slack[1]


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _closed(mask: Mask, radius: float) -> Mask:
    return ~_opened(~mask, radius)


def _opened(mask: Mask, radius: float) -> Mask:
    """Wipe off whatever a disk does not fit into; what touches the frame's edge goes on beyond."""
    margin = int(np.ceil(2 * radius)) + 1
    padded = np.pad(mask, margin, mode="edge")
    eroded = ndimage.distance_transform_edt(padded) > radius
    if not eroded.any():
        return np.zeros_like(mask)
    opened: Mask = ndimage.distance_transform_edt(~eroded) <= radius
    return opened[margin:-margin, margin:-margin]


def _convex_hull(part: Mask, step: int, shape: tuple[int, int]) -> Mask:
    """Fill the convex hull of cells that are not empty, in the pixels of a frame (H, W)."""
    rows = np.flatnonzero(part.any(axis=1))
    left = part[rows].argmax(axis=1)
    right = part.shape[1] - 1 - part[rows, ::-1].argmax(axis=1)
    # pixel edges of the cells' upper and lower sides, so that the hull holds whole cells
    y = np.stack([rows, rows + 1], axis=1).ravel() * step
    first, last = _outermost(y, np.repeat(left, 2) * step, np.repeat(right + 1, 2) * step)
    centre_y = np.arange(y[0], min(int(y[-1]), shape[0])) + 0.5
    low = np.interp(centre_y, *_lower_hull(*first))
    high = -np.interp(centre_y, *_lower_hull(*last))
    centre_x = np.arange(shape[1]) + 0.5
    hull = np.zeros(shape, dtype=bool)
    hull[y[0] : y[0] + len(centre_y)] = (centre_x >= low[:, np.newaxis]) & (
        centre_x <= high[:, np.newaxis]
    )
    return hull


def _outermost(
    y: np.ndarray[Any, Any], left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Give (y, left) and (y, -right) with one entry for each y: the outermost one."""
    height, place = np.unique(y, return_inverse=True)
    first = np.full(len(height), np.inf)
    last = np.full(len(height), np.inf)
    np.minimum.at(first, place, left)
    np.minimum.at(last, place, -right)
    return (height, first), (height, last)


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
