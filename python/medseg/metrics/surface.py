"""How far apart the outlines of two masks lie: HD95, mean surface distance and surface Dice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Float = NDArray[np.float64]
Mask = NDArray[np.bool_]

ROUNDING = 1e-9  # pixels; a distance of exactly the tolerance is within it


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """Distances between the outlines of each frame, in column pixels.

    A frame in which both masks are empty is NaN throughout. Where only one is empty, no distance
    exists: `hd95_px` and `assd_px` are NaN, the surface Dice is 0, and `one_empty` is true.
    """

    hd95_px: Float  # (frame,)
    assd_px: Float  # (frame,)
    surface_dice: Float  # (tolerance, frame)
    one_empty: Mask  # (frame,)

    def at(self, frames: NDArray[np.intp]) -> SurfaceDistances:
        """The same for some of the frames."""
        return SurfaceDistances(
            self.hd95_px[frames],
            self.assd_px[frames],
            self.surface_dice[:, frames],
            self.one_empty[frames],
        )


def surface_distances(
    mask: Mask,
    truth: Mask,
    *,
    tolerances_px: Sequence[float] = (2.0,),
    pixel_aspect: float = 1.0,
) -> SurfaceDistances:
    """Compare the outlines of two (frame, y, x) masks, frame by frame.

    An outline is the mask's pixels that have a neighbour (up, down, left, right) outside it; pixels
    at the picture's border belong to it. From each outline pixel, the distance between centres to
    the nearest of the other outline is taken, in both directions.

    - HD95: the larger of the two directions' 95th percentiles, linearly interpolated.
    - ASSD, average symmetric surface distance: the mean over all pixels of both outlines.
    - Surface Dice (Nikolov et al. 2018, here on outline pixels, not surface elements): the share of
      both outlines' pixels whose distance is at most the tolerance, one row for each tolerance.

    `pixel_aspect` is row spacing / column spacing; distances and tolerances are in column pixels,
    so a distance times the column spacing is in cm.
    """
    if mask.shape != truth.shape:
        raise ValueError(f"masks of shapes {mask.shape} and {truth.shape} cannot be compared")
    frames = len(mask)
    hd95, assd = np.full(frames, np.nan), np.full(frames, np.nan)
    near = np.full((len(tolerances_px), frames), np.nan)
    scale = np.array([pixel_aspect, 1.0])
    allowed = np.array(tolerances_px, float) + ROUNDING
    has_mask, has_truth = mask.any(axis=(1, 2)), truth.any(axis=(1, 2))
    one_empty = has_mask != has_truth
    near[:, one_empty] = 0.0
    for i in np.flatnonzero(has_mask & has_truth):
        ours, theirs = np.argwhere(outline(mask[i])), np.argwhere(outline(truth[i]))
        there, back = _between(ours * scale, theirs * scale)
        both = np.concatenate([there, back])
        hd95[i] = max(np.percentile(there, 95), np.percentile(back, 95))
        assd[i] = both.mean()
        near[:, i] = (both <= allowed[:, None]).mean(axis=1)
    return SurfaceDistances(hd95, assd, near, one_empty)


def outline(mask: Mask) -> Mask:
    """The pixels of a (y, x) mask with a direct neighbour outside the mask or the picture."""
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    edge: Mask = mask & ~inner
    return edge


def _between(ours: Float, theirs: Float) -> tuple[Float, Float]:
    """Nearest distances (n,) and (m,) from points (n, 2) to (m, 2) and back."""
    there, _ = cKDTree(theirs).query(ours)
    back, _ = cKDTree(ours).query(theirs)
    return np.asarray(there, np.float64), np.asarray(back, np.float64)
