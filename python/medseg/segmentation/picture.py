"""What the frames themselves say about a clip: motion, colour, how many sectors there are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_POINTS_PER_FRAME = 8000  # pixels looked at in each frame, at most
_LONG_LAG_S = 0.2  # a sixth to a half of a beat at 50 to 150 bpm
_COLOURED_CHROMA = 60  # grey levels between the strongest and the weakest channel
_COLOURED_SATURATION = 0.5  # of the strongest channel: tinted grey maps stay below
_LIT_LEVEL = 4.0  # mean grey level of a pixel that shows something, if only a dark cavity
_PART_SHARE = 0.10  # of the largest lit part's area; less is text and buttons
_SECOND_SECTOR_HEIGHT = 0.75  # of the first one's
_VALLEY_DEPTH = 0.5  # of the lower fan's height: what the upper edge falls to between two fans
_APICES_APART = 0.35  # of the lit width; two fans side by side have theirs half of it apart

Grey = NDArray[np.uint8]


def luma(frames: NDArray[np.uint8]) -> Grey:
    """Grey levels (T, H, W) of RGB frames (T, H, W, 3), by the weights of ITU-R BT.601."""
    total = frames[..., 0] * np.uint16(77)
    total += frames[..., 1] * np.uint16(150)
    total += frames[..., 2] * np.uint16(29)
    return (total >> 8).astype(np.uint8)


@dataclass(frozen=True)
class Picture:
    """Statistics of a whole clip that the gates judge."""

    sector_found: bool
    sector_share_of_frame: float  # 0..1
    sector_share_of_box: float  # 0..1; a rectangle fills its bounding box, a fan does not
    sector_area_px: float  # squared column pixels
    change_levels: float  # median over frames of the mean change to the next frame
    motion_ratio: float  # change over 0.2 s / change to the next frame; 1 for mere noise
    coloured_share: float  # of the sector's pixels, mean over frames
    sectors: int
    colour_flow: bool | None  # what the file says


@dataclass
class PictureStatistics:
    """Gathers a Picture while windows of frames stream by; its memory does not grow."""

    sector: NDArray[np.bool_]  # (H, W)
    interval_s: float
    _change: list[float] = field(default_factory=list)
    _long_change: list[float] = field(default_factory=list)
    _coloured: list[float] = field(default_factory=list)
    _tail: NDArray[np.int16] | None = None

    def __post_init__(self) -> None:
        y, x = np.nonzero(self.sector)
        step = max(1, y.size // _POINTS_PER_FRAME)
        self._y, self._x = y[::step], x[::step]
        self._lag = max(2, round(_LONG_LAG_S / self.interval_s)) if self.interval_s > 0 else 2

    def add(self, frames: NDArray[np.uint8]) -> None:
        """Take in the next decoded frames (T, H, W, 3)."""
        if self._y.size == 0 or len(frames) == 0:
            return
        points = frames[:, self._y, self._x]  # (T, N, 3)
        strongest = points.max(axis=2).astype(np.int16)
        chroma = strongest - points.min(axis=2)
        coloured = (chroma > _COLOURED_CHROMA) & (chroma > _COLOURED_SATURATION * strongest)
        self._coloured.extend(coloured.mean(axis=1).tolist())
        grey = luma(points[:, None])[:, 0].astype(np.int16)  # (T, N)
        known = grey if self._tail is None else np.concatenate([self._tail, grey])
        first = len(known) - len(grey)
        for i in range(first, len(known)):
            if i >= 1:
                self._change.append(float(np.abs(known[i] - known[i - 1]).mean()))
            if i >= self._lag:
                self._long_change.append(float(np.abs(known[i] - known[i - self._lag]).mean()))
        self._tail = known[-self._lag :].copy()

    def picture(
        self, *, found: bool, sectors: int, colour_flow: bool | None, pixel_aspect: float
    ) -> Picture:
        """The statistics of everything taken in so far."""
        change = float(np.median(self._change)) if self._change else 0.0
        longer = float(np.median(self._long_change)) if self._long_change else change
        return Picture(
            sector_found=found,
            sector_share_of_frame=float(self.sector.mean()),
            sector_share_of_box=_share_of_box(self.sector),
            sector_area_px=float(np.count_nonzero(self.sector)) * pixel_aspect,
            change_levels=change,
            motion_ratio=longer / change if change > 0 else 1.0,
            coloured_share=float(np.mean(self._coloured)) if self._coloured else 0.0,
            sectors=sectors,
            colour_flow=colour_flow,
        )


def _share_of_box(sector: NDArray[np.bool_]) -> float:
    rows, columns = np.flatnonzero(sector.any(axis=1)), np.flatnonzero(sector.any(axis=0))
    if rows.size == 0:
        return 0.0
    box = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    return float(np.count_nonzero(sector)) / float(box)


def count_sectors(grey: Grey) -> int:
    """Two where grey frames (T, H, W) show two fans side by side, else one.

    The upper edge of what is lit falls away from one apex on both sides, however dark the cavities
    below it; two fans have two apices, far from each other, and a valley between them. Text and
    buttons are too small to count.
    """
    size = max(3, round(min(grey.shape[1:]) / 40))
    lit = ndimage.binary_opening(grey.mean(axis=0) > _LIT_LEVEL, np.ones((size, size), bool))
    labels, count = ndimage.label(lit, np.ones((3, 3), bool))
    if count == 0:
        return 1
    areas = np.bincount(labels.ravel())[1:]
    lit = np.isin(labels, np.flatnonzero(areas >= _PART_SHARE * areas.max()) + 1)
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    part = lit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height = np.where(part.any(axis=0), part.shape[0] - part.argmax(axis=0), 0).astype(float)
    height = ndimage.uniform_filter1d(height, size, mode="constant")
    peak_left, peak_right = np.maximum.accumulate(height), np.maximum.accumulate(height[::-1])[::-1]
    lower_peak = np.minimum(peak_left, peak_right)
    tall = lower_peak >= _SECOND_SECTOR_HEIGHT * height.max()
    for valley in np.flatnonzero(tall & (height <= _VALLEY_DEPTH * lower_peak)):
        apart = valley + np.argmax(height[valley:]) - np.argmax(height[:valley])
        if apart >= _APICES_APART * len(height):
            return 2
    return 1
