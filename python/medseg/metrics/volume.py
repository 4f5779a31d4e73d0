"""How well two volumes of masks agree: DSC and the normalised surface distance (NSD).

Empty masks, as the 2024 study has them: both empty is 1; one empty is 0.

NSD (surface Dice at a tolerance, Nikolov et al. 2018) weighs each surface element by its area. The
surface runs through the cells of 2 x 2 x 2 voxels that hold both kinds; a cell's area is that of
the surface that marching cubes lays through it, its distance that to the nearest cell of the other
surface, in mm.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg.errors import MissingExtra

Mask = NDArray[np.bool_]
Float = NDArray[np.float64]

_ROUNDING = 1e-9  # mm; a distance of exactly the tolerance is within it


def volume_dsc(mask: Mask, truth: Mask) -> float:
    """Twice the shared voxels over all voxels of two masks of one shape; both empty: 1."""
    if mask.shape != truth.shape:
        raise ValueError(f"masks of shapes {mask.shape} and {truth.shape} cannot be compared")
    total = np.count_nonzero(mask) + np.count_nonzero(truth)
    return 2 * np.count_nonzero(mask & truth) / total if total else 1.0


def volume_nsd(
    mask: Mask, truth: Mask, *, spacing_mm: tuple[float, ...], tolerance_mm: float
) -> float:
    """Share of both surfaces that lies within `tolerance_mm` of the other one.

    Masks are (D, H, W) with spacing (slice, row, column), or (H, W) with (row, column), whose
    surfaces are contours. Both empty: 1; one empty: 0. Raises MissingExtra without scikit-image.
    """
    if mask.shape != truth.shape or mask.ndim != len(spacing_mm):
        raise ValueError(f"masks of {mask.shape} and {truth.shape}, spacing of {len(spacing_mm)}")
    if not mask.any() or not truth.any():
        return float(mask.any() == truth.any())
    box = _joint_box(mask | truth)
    areas = element_areas(spacing_mm)
    ours, theirs = (areas[_codes(one[box])] for one in (mask, truth))
    near, far = 0.0, 0.0
    for one, other in ((ours, theirs), (theirs, ours)):
        distance = ndimage.distance_transform_edt(other == 0, sampling=spacing_mm)
        there = one > 0
        within = distance[there] <= tolerance_mm + _ROUNDING
        near += float(one[there][within].sum())
        far += float(one[there][~within].sum())
    return near / (near + far)


def _joint_box(either: Mask) -> tuple[slice, ...]:
    """The smallest box around a mask, as slices."""
    found: list[slice] = []
    for axis in range(either.ndim):
        others = tuple(i for i in range(either.ndim) if i != axis)
        there = np.flatnonzero(either.any(axis=others))
        found.append(slice(int(there[0]), int(there[-1]) + 1))
    return tuple(found)


def _codes(mask: Mask) -> NDArray[np.int64]:
    """For each cell between voxels, which of its corners are in the mask: a number of 2^n bits.

    Beyond the array there is no mask.
    """
    padded = np.pad(mask, 1).astype(np.int64)
    codes = np.zeros([length - 1 for length in padded.shape], np.int64)
    for bit, corner in enumerate(np.ndindex(*(2,) * mask.ndim)):
        part = tuple(
            slice(i, length - 1 + i) for i, length in zip(corner, padded.shape, strict=True)
        )
        codes += padded[part] << bit
    return codes


@lru_cache(maxsize=16)
def element_areas(spacing_mm: tuple[float, ...]) -> Float:
    """Surface in mm² (or contour in mm) inside a cell, by its corners' code: (256,) or (16,)."""
    dimensions = len(spacing_mm)
    areas = np.zeros(2 ** (2**dimensions))
    for code in range(1, len(areas) - 1):
        bits = (code >> np.arange(2**dimensions)) & 1
        corners = bits.reshape((2,) * dimensions)
        areas[code] = (
            _contour_mm(corners, spacing_mm) if dimensions == 2 else _area_mm2(corners, spacing_mm)
        )
    areas.setflags(write=False)
    return areas


def _contour_mm(corners: NDArray[np.int64], spacing_mm: tuple[float, ...]) -> float:
    """Length of the lines that part the corners (2, 2), through the middles of the sides."""
    half = 0.5 * float(np.hypot(*spacing_mm))
    count = int(corners.sum())
    if count != 2:
        return half
    if corners[0, 0] == corners[1, 1]:
        return 2 * half
    return spacing_mm[1] if corners[0, 0] == corners[0, 1] else spacing_mm[0]


def _area_mm2(corners: NDArray[np.int64], spacing_mm: tuple[float, ...]) -> float:
    try:
        from skimage.measure import marching_cubes, mesh_surface_area
    except ImportError:
        raise MissingExtra(
            "NSD needs scikit-image; pip install 'medseg[volumes]' brings it"
        ) from None
    points, faces, _, _ = marching_cubes(
        corners.astype(np.float32),
        0.5,
        spacing=spacing_mm,
        method="lorensen",
        allow_degenerate=False,
    )
    return float(mesh_surface_area(points, faces))
