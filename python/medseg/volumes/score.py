"""DSC and NSD of each label of a volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medseg.metrics.volume import volume_dsc, volume_nsd

TOLERANCE_MM = 2.0  # as FLARE22 and the 2024 study have it
TOLERANCE_PX = 2.0  # where no spacing is known


@dataclass(frozen=True)
class LabelScore:
    """One label's agreement with the truth."""

    label: int
    dsc: float
    nsd: float
    tolerance: float
    unit: str  # mm, or px where no spacing is known
    truth_voxels: int
    voxels: int


def score_labels(
    mask: NDArray[np.uint16],
    truth: NDArray[np.uint16],
    *,
    spacing_mm: tuple[float, float, float] | None,
    tolerance_mm: float = TOLERANCE_MM,
    by_slice: bool = False,
) -> list[LabelScore]:
    """Score every label that the truth or the mask (D, H, W) holds, by label.

    `by_slice` treats the slices as pictures (2-D figures and videos): the mean over those in which
    the label is in the truth or in the mask. Without spacing the tolerance is TOLERANCE_PX.
    """
    known = np.union1d(np.unique(truth), np.unique(mask))
    spacing = spacing_mm or (1.0, 1.0, 1.0)
    tolerance = TOLERANCE_PX if spacing_mm is None else tolerance_mm
    scores = []
    for label in known[known > 0].tolist():
        ours, theirs = mask == label, truth == label
        if by_slice:
            seen = np.flatnonzero(ours.any(axis=(1, 2)) | theirs.any(axis=(1, 2)))
            dsc = float(np.mean([volume_dsc(ours[z], theirs[z]) for z in seen]))
            nsd = float(
                np.mean(
                    [
                        volume_nsd(
                            ours[z], theirs[z], spacing_mm=spacing[1:], tolerance_mm=tolerance
                        )
                        for z in seen
                    ]
                )
            )
        else:
            dsc = volume_dsc(ours, theirs)
            nsd = volume_nsd(ours, theirs, spacing_mm=spacing, tolerance_mm=tolerance)
        scores.append(
            LabelScore(
                int(label),
                dsc,
                nsd,
                tolerance,
                "px" if spacing_mm is None else "mm",
                int(np.count_nonzero(theirs)),
                int(np.count_nonzero(ours)),
            )
        )
    return scores
