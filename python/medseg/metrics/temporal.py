"""How steady masks are from frame to frame: Dice of neighbours, departures from a smooth course."""

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


def attribute_departure(
    attribute: Float, time_s: Float, known: Mask, *, bounds: tuple[float, float]
) -> Float:
    """How far each value lies off the line between its neighbours, as a share of a range.

    The measure of temporal consistency of Painchaud and others 2022 (IEEE TMI 41:2867,
    doi 10.1109/TMI.2022.3173669; arXiv:2112.02102): with an attribute of the shape (an area, a
    length, a centre's coordinate) scaled to 0..1 by its least and greatest value, the difference
    between a frame's value and what interpolation between the frames before and after it gives.
    Times are used where frames are unevenly spaced; evenly spaced, it is the published mean.

    Args:
        attribute: (frame,) in any unit.
        time_s: (frame,) seconds, increasing.
        known: (frame,) false where a frame was not decoded or has no object.
        bounds: the attribute's least and greatest value over the reference data, in its unit.

    Returns:
        (frame - 2,), signed, without unit; NaN where one of the three frames is not known.

    Raises:
        ValueError: the bounds are not two increasing numbers.
    """
    least, greatest = bounds
    if not greatest > least:
        raise ValueError(f"bounds {bounds} hold no range; give the least and the greatest value")
    if attribute.size < 3:
        return np.zeros(0)
    share = (time_s[1:-1] - time_s[:-2]) / (time_s[2:] - time_s[:-2])
    between = attribute[:-2] + share * (attribute[2:] - attribute[:-2])
    off = (attribute[1:-1] - between) / (greatest - least)
    return np.where(known[:-2] & known[1:-1] & known[2:], off, np.nan)


def consistent_share(departure: Float, *, threshold: float) -> tuple[float, int]:
    """Share of frames that lie within `threshold` of their neighbours' line, and how many count.

    Painchaud's rule takes for the threshold the largest departure of the reference itself, so that
    the reference scores 1. NaN and 0 where no frame is known.
    """
    off = np.abs(departure[np.isfinite(departure)])
    return (float((off <= threshold).mean()), off.size) if off.size else (float("nan"), 0)


def mask_centre(mask: Mask) -> Float:
    """Mean (row, column) of a (frame, y, x) mask's pixels: (frame, 2), NaN without any pixel."""
    count = mask.sum((1, 2)).astype(np.float64)
    rows = (mask.sum(2) * np.arange(mask.shape[1])).sum(1)
    columns = (mask.sum(1) * np.arange(mask.shape[2])).sum(1)
    both = np.stack([rows, columns], 1).astype(np.float64)
    return np.divide(
        both, count[:, None], out=np.full(both.shape, np.nan), where=count[:, None] > 0
    )
