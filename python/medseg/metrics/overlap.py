"""How much of two masks is the same: Dice and IoU, pooled or as a mean over frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Overlap:
    """Pixel counts of each frame, (frame,) each, from which every Dice and IoU follows."""

    shared: Float  # pixels in both masks
    total: Float  # pixels of the one + pixels of the other

    def __add__(self, other: Overlap) -> Overlap:
        return Overlap(
            np.concatenate([self.shared, other.shared]), np.concatenate([self.total, other.total])
        )

    def at(self, frames: NDArray[np.intp]) -> Overlap:
        """The same for some of the frames."""
        return Overlap(self.shared[frames], self.total[frames])

    @property
    def union(self) -> Float:
        """Pixels in either mask, (frame,)."""
        return self.total - self.shared


def overlap(mask: Mask, truth: Mask) -> Overlap:
    """Count pixels of two (frame, y, x) masks, frame by frame."""
    if mask.shape != truth.shape:
        raise ValueError(f"masks of shapes {mask.shape} and {truth.shape} cannot be compared")
    axes = tuple(range(1, mask.ndim))
    shared = np.count_nonzero(mask & truth, axis=axes)
    total = np.count_nonzero(mask, axis=axes) + np.count_nonzero(truth, axis=axes)
    return Overlap(np.asarray(shared, np.float64), np.asarray(total, np.float64))


def pooled_dice(counts: Overlap) -> float:
    """Twice the shared pixels of all frames over all pixels: large hearts weigh more.

    The same number as 2 sum(I) / (sum(U) + sum(I)) of intersections and unions, as EchoNet-Dynamic
    has it. NaN where there is no pixel at all.
    """
    return _share(2.0 * counts.shared.sum(), counts.total.sum())


def pooled_iou(counts: Overlap) -> float:
    """The shared pixels of all frames over the pixels in either mask; NaN without any pixel."""
    return _share(counts.shared.sum(), counts.union.sum())


def frame_dice(counts: Overlap) -> Float:
    """Dice of each frame, (frame,); NaN where both masks are empty."""
    return _shares(2.0 * counts.shared, counts.total)


def frame_iou(counts: Overlap) -> Float:
    """Intersection over union of each frame, (frame,); NaN where both masks are empty."""
    return _shares(counts.shared, counts.union)


def mean_frame_dice(counts: Overlap) -> tuple[float, int]:
    """Mean of the frames' own Dice and the number of frames; frames empty in both do not count."""
    return mean_and_n(frame_dice(counts))


def mean_frame_iou(counts: Overlap) -> tuple[float, int]:
    """Mean of the frames' own IoU and the number of frames; frames empty in both do not count."""
    return mean_and_n(frame_iou(counts))


def mean_and_n(values: Float) -> tuple[float, int]:
    """Mean of the known values of (frame,) and how many there are; NaN and 0 without any."""
    known = values[np.isfinite(values)]
    return (float(known.mean()), known.size) if known.size else (float("nan"), 0)


def _share(part: np.float64, whole: np.float64) -> float:
    return float(part / whole) if whole > 0 else float("nan")


def _shares(part: Float, whole: Float) -> Float:
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
