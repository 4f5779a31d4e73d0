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
_LIT_LEVEL = 10.0  # mean grey level of a pixel that shows something
_SECOND_SECTOR_SHARE = 0.35  # of the largest lit part's area

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
            sector_area_px=float(np.count_nonzero(self.sector)) * pixel_aspect,
            change_levels=change,
            motion_ratio=longer / change if change > 0 else 1.0,
            coloured_share=float(np.mean(self._coloured)) if self._coloured else 0.0,
            sectors=sectors,
            colour_flow=colour_flow,
        )


def count_sectors(grey: Grey) -> int:
    """How many large lit parts lie side by side in grey frames (T, H, W); at least one.

    Two sectors of a split screen are apart by a dark gap; text and buttons are far smaller.
    """
    lit = grey.mean(axis=0) > _LIT_LEVEL
    size = max(3, round(min(lit.shape) / 40))
    lit = ndimage.binary_closing(np.pad(lit, size), iterations=size // 2)[size:-size, size:-size]
    lit = ndimage.binary_opening(lit, np.ones((size, size), bool))
    labels, count = ndimage.label(lit)
    if count < 2:
        return 1
    areas = np.bincount(labels.ravel())[1:]
    large = np.flatnonzero(areas >= _SECOND_SECTOR_SHARE * areas.max()) + 1
    spans = [ndimage.find_objects(labels == label)[0] for label in large]
    tallest = max(rows.stop - rows.start for rows, _ in spans)
    alike = [s for s in spans if s[0].stop - s[0].start >= 0.5 * tallest]
    # Side by side: their columns do not overlap. One fan with dark walls nests its parts instead.
    alike.sort(key=lambda s: s[1].start)
    apart, reached = 0, -1
    for _, columns in alike:
        if columns.start >= reached:
            apart += 1
            reached = columns.stop
    return max(1, apart)
