"""How steady masks are from frame to frame: Dice of neighbouring frames, jitter of the area."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medseg.metrics.overlap import Overlap, frame_dice, overlap

Float = NDArray[np.float64]
Mask = NDArray[np.bool_]


def neighbour_overlap(mask: Mask) -> Overlap:
    """Pixel counts of each frame against the next, (frame - 1,), of a (frame, y, x) mask."""
    return overlap(mask[:-1], mask[1:])


def frame_to_frame_dice(counts: Overlap, known: Mask) -> Float:
    """Dice of each frame with the next, (frame - 1,); NaN where one of the two is not known.

    `known` (frame,) is false for frames that were not decoded. A heart beats, so that a perfect
    segmentation is below 1 too: read it beside the same number of the truth.
    """
    dice = frame_dice(counts)
    return np.where(known[:-1] & known[1:], dice, np.nan)


def area_jitter(area: Float, time_s: Float, known: Mask) -> Float:
    """How far each frame's area lies off the line between its neighbours, (frame - 2,).

    |A(t) - line from A(t-1) to A(t+1) at t| / mean area: the second difference, which is zero for
    any area that changes evenly and large for one that flickers; without unit, and with the true,
    uneven frame times. NaN where one of the three frames is not known, or without any area.
    """
    if area.size < 3:
        return np.zeros(0)
    share = (time_s[1:-1] - time_s[:-2]) / (time_s[2:] - time_s[:-2])
    off = np.abs(area[1:-1] - (area[:-2] + share * (area[2:] - area[:-2])))
    mean = float(area[known].mean()) if known.any() else 0.0
    if not mean > 0:
        return np.full(off.size, np.nan)
    return np.where(known[:-2] & known[1:-1] & known[2:], off / mean, np.nan)
