"""Whether a clip's masks may be believed: pure functions from curves to reasons for refusal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medseg.segmentation.picture import Picture

FEWEST_FRAMES = 5  # frames with a mask
SMALLEST_MEASURED_SHARE = 0.5  # of the decoded frames must show the object
SMALLEST_AREA_SHARE = 0.02  # of the sector's area, median over frames
LARGEST_AREA_SHARE = 0.45  # of the sector's area
LOWEST_CONFIDENCE = 0.75  # median over frames, 0..1
LOWEST_FRAME_CONFIDENCE = 0.60  # of a single frame, 0..1; below it the frame is a gap
NEIGHBOURHOOD_S = 0.06  # seconds on each side within which the area is nearly a parabola
LARGEST_JUMP = 0.15  # of the median area, away from the neighbourhood's curve
LARGEST_JUMPING_SHARE = 0.15  # of the frames may jump
SLOWEST_OVERLAP_INTERVAL_S = 0.07  # frames farther apart than this need not overlap
SMALLEST_OVERLAP = 0.75  # Dice of neighbouring masks, 10th percentile
SMALLEST_SOLIDITY = 0.80  # area / area of the convex hull, median over frames
LENGTH_TO_WIDTH = (1.05, 4.0)  # long axis / largest disk diameter, median over frames
SMALLEST_BASE_BREADTH = 0.40  # breadth of the basal end / greatest breadth, median over frames
SMALLEST_AREA_SWING = 0.02  # (95th - 5th percentile) / median of the area
SMALLEST_CHANGE_LEVELS = 0.4  # grey levels from frame to frame; a still picture has 0
SMALLEST_MOTION_RATIO = 1.03  # change over 0.2 s / change to the next frame; noise alone has 1
LARGEST_COLOURED_SHARE = 0.02  # of the sector's pixels, mean over frames
LARGEST_SHARE_OF_BOX = 0.97  # of the sector's bounding box; no fan fills all its corners
SMALLEST_SECTOR_SHARE = 0.02  # of the frame
LEAST_SPAN_S = 0.25  # seconds; the swing of the area is judged over no less than this
NEAR_EDGE = 0.015  # of the frame's shorter side: how near the sector's edge counts as touching
SHARE_TOUCHING_EDGE = 0.12  # of the mask's edge on the sector's edge: status 3

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Reason:
    """Why an object could not be measured: a code of the store's list and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, eq=False)
class ObjectCurves:
    """What was measured of one object, (frame,) each; NaN where there is no mask."""

    time_s: Float
    decoded: NDArray[np.bool_]
    area_px: Float  # 0 where the object is absent, NaN where the frame was not decoded
    confidence: Float
    solidity: Float
    length_to_width: Float
    base_breadth: Float
    overlap: Float  # Dice with the mask of the frame before

    @property
    def present(self) -> NDArray[np.bool_]:
        """Frames in which there is a mask."""
        shown: NDArray[np.bool_] = self.decoded & (np.nan_to_num(self.area_px) > 0)
        return shown


def reasons_against(curves: ObjectCurves, picture: Picture) -> list[Reason]:
    """Every reason why the object's curve must not be believed; empty if it may be."""
    found = picture_reasons(picture)
    present = curves.present
    share = float(present[curves.decoded].mean()) if curves.decoded.any() else 0.0
    if share < SMALLEST_MEASURED_SHARE:
        found.append(
            Reason("no_object", f"the object is seen in {share:.0%} of the frames, fewer than half")
        )
    if int(present.sum()) < FEWEST_FRAMES:
        found.append(
            Reason(
                "few_frames",
                f"{int(present.sum())} frames show the object; beats need at least {FEWEST_FRAMES}",
            )
        )
    if not present.any():
        return found
    for check in (size_reasons, confidence_reasons, shape_reasons):
        found += check(curves, picture)
    if int(present.sum()) >= FEWEST_FRAMES:
        found += steadiness_reasons(curves, picture) + motion_reasons(curves, picture)
    return found


def reasons_against_any(curves: ObjectCurves) -> list[Reason]:
    """What speaks against an object of which neither shape nor motion is known beforehand."""
    if not curves.present.any():
        return [Reason("no_object", "the object is seen in no frame")]
    return _unsure(float(np.median(curves.confidence[curves.present])))


def picture_reasons(picture: Picture) -> list[Reason]:
    """Reasons that lie in the frames and not in the masks."""
    found = []
    if not picture.sector_found or picture.sector_share_of_frame < SMALLEST_SECTOR_SHARE:
        found.append(Reason("sector_not_found", "no ultrasound sector stands out in the frames"))
    elif picture.sector_share_of_box > LARGEST_SHARE_OF_BOX:
        found.append(Reason("sector_not_found", "what moves fills a rectangle, not a fan"))
    if picture.sectors > 1:
        found.append(Reason("split_screen", f"{picture.sectors} sectors are shown side by side"))
    if picture.colour_flow:
        found.append(Reason("colour_doppler", "the file says that it holds colour flow"))
    elif picture.coloured_share > LARGEST_COLOURED_SHARE:
        found.append(
            Reason(
                "colour_doppler",
                f"{picture.coloured_share:.0%} of the sector is coloured, as in colour Doppler",
            )
        )
    return found


def size_reasons(curves: ObjectCurves, picture: Picture) -> list[Reason]:
    """Area out of any ventricle's range, as a share of the sector."""
    share = float(np.median(curves.area_px[curves.present])) / max(picture.sector_area_px, 1.0)
    if share < SMALLEST_AREA_SHARE:
        return [Reason("too_small", f"the mask covers {share:.1%} of the sector")]
    if share > LARGEST_AREA_SHARE:
        return [Reason("too_large", f"the mask covers {share:.0%} of the sector")]
    return []


def confidence_reasons(curves: ObjectCurves, picture: Picture) -> list[Reason]:
    """The network itself is unsure in most frames."""
    return _unsure(float(np.median(curves.confidence[curves.present])))


def _unsure(median: float) -> list[Reason]:
    if median >= LOWEST_CONFIDENCE:
        return []
    message = f"median confidence is {median:.2f}, below {LOWEST_CONFIDENCE:.2f}"
    return [Reason("low_confidence", message)]


def shape_reasons(curves: ObjectCurves, picture: Picture) -> list[Reason]:
    """Not the bullet that a ventricle is in an apical view."""
    present = curves.present
    solidity = float(np.nanmedian(curves.solidity[present]))
    ratio = float(np.nanmedian(curves.length_to_width[present]))
    breadth = float(np.nanmedian(curves.base_breadth[present]))
    shortest, longest = LENGTH_TO_WIDTH
    faults = []
    if solidity < SMALLEST_SOLIDITY:
        faults.append(f"its outline is ragged (solidity {solidity:.2f})")
    if not shortest <= ratio <= longest:
        faults.append(f"it is {ratio:.1f} times as long as wide")
    if breadth < SMALLEST_BASE_BREADTH:
        faults.append("it has no broad basal end")
    if not faults:
        return []
    return [Reason("not_apical_shape", "no ventricle of an apical view: " + "; ".join(faults))]


def steadiness_reasons(curves: ObjectCurves, picture: Picture) -> list[Reason]:
    """Area or place of the mask jump about in a way that no heart does."""
    jumping = float((area_jumps(curves) > LARGEST_JUMP).mean())
    if jumping > LARGEST_JUMPING_SHARE:
        return [Reason("unsteady", f"the area jumps in {jumping:.0%} of the frames")]
    close = np.diff(curves.time_s, prepend=-np.inf) <= SLOWEST_OVERLAP_INTERVAL_S
    overlap = curves.overlap[close & np.isfinite(curves.overlap)]
    if overlap.size >= FEWEST_FRAMES - 1:
        low = float(np.percentile(overlap, 10))
        if low < SMALLEST_OVERLAP:
            return [Reason("unsteady", f"neighbouring masks overlap with a Dice of only {low:.2f}")]
    return []


def motion_reasons(curves: ObjectCurves, picture: Picture) -> list[Reason]:
    """Nothing beats: a phantom, a CT, a still picture, or noise over one."""
    area = curves.area_px[curves.present]
    span_s = float(np.ptp(curves.time_s[curves.present]))
    if picture.change_levels < SMALLEST_CHANGE_LEVELS:
        return [Reason("static", "the picture does not change from frame to frame")]
    if span_s < LEAST_SPAN_S:
        return []
    swing = float(np.percentile(area, 95) - np.percentile(area, 5)) / float(np.median(area))
    if swing < SMALLEST_AREA_SWING:
        return [Reason("static", f"the area changes by {swing:.1%} only: nothing beats")]
    if picture.motion_ratio < SMALLEST_MOTION_RATIO:
        return [Reason("static", "frames change no more in 0.2 s than from one to the next")]
    return []


def area_jumps(curves: ObjectCurves) -> Float:
    """How far each present frame's area lies off its neighbours' curve, over the median area.

    The curve is a parabola through the neighbours within 0.06 s on both sides, the frame itself
    left out; where frames are farther apart, it is the line between the frames before and after.
    Gives (present frames,), 0 at both ends.
    """
    time, area = curves.time_s[curves.present], curves.area_px[curves.present]
    median = float(np.median(area))
    jumps = np.zeros(time.size)
    first = np.searchsorted(time, time - NEIGHBOURHOOD_S)
    last = np.searchsorted(time, time + NEIGHBOURHOOD_S, side="right")
    for i in range(1, time.size - 1):
        near = np.r_[first[i] : i, i + 1 : last[i]]
        if min(i - first[i], last[i] - 1 - i) < 2 or near.size < 5:
            share = (time[i] - time[i - 1]) / (time[i + 1] - time[i - 1])
            level = area[i - 1] + share * (area[i + 1] - area[i - 1])
        else:
            dt = (time[near] - time[i]) / NEIGHBOURHOOD_S
            powers = np.stack([np.ones_like(dt), dt, dt**2], axis=1)
            level = np.linalg.lstsq(powers, area[near], rcond=None)[0][0]
        jumps[i] = abs(float(level) - float(area[i])) / median
    return jumps
