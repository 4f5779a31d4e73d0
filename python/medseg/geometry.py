"""Area, long axis and twenty disk diameters of one left-ventricular cavity mask.

Lengths are in column pixels: a row step counts `pixel_aspect` (row spacing / column spacing).
The mitral plane is the flat end of the mask and the apex the boundary point farthest from the
plane's midpoint, as in the chamber quantification guideline (Lang 2015,
doi 10.1016/j.echo.2014.10.003); nothing depends on how the picture is turned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

Float = NDArray[np.float64]
Mask = NDArray[np.bool_]

DISKS = 20
SMALLEST_MEASURABLE_PX = 12  # fewer mask pixels have no meaningful axis

_SMOOTHING_PX = 1.0  # standard deviation; turns the pixel staircase into a straight edge
_BASE_SEARCH_DEG = 40.0  # how far the mitral plane may tilt from the principal axis
_BASE_SEARCH_STEP_DEG = 4.0
_CUT_DEPTH = 0.06  # of the mask's extent: where an end's breadth is judged
_HINT_WEIGHT = 0.25  # of the probe's side against the shape's own evidence (-1 to 1)


@dataclass(frozen=True, eq=False)
class Cavity:
    """The measures of one mask; points are (row, column) in pixel indices, sub-pixel."""

    area_px: float
    long_axis_px: float
    disk_diameter_px: Float  # (20,), disk 0 at the apex end
    apex: tuple[float, float]
    base: tuple[float, float]  # midpoint of the mitral plane
    solidity: float  # area / area of the convex hull
    base_breadth: float  # breadth of the basal end / greatest breadth
    apex_breadth: float  # breadth of the apical end / greatest breadth

    @property
    def length_to_width(self) -> float:
        """Long axis divided by the largest disk diameter."""
        return self.long_axis_px / max(float(self.disk_diameter_px.max()), 1e-6)


def mask_area_px(mask: Mask, *, pixel_aspect: float = 1.0) -> float:
    """Area of a (H, W) mask in squared column pixels."""
    return float(np.count_nonzero(mask)) * pixel_aspect


def measure_cavity(
    mask: Mask,
    *,
    pixel_aspect: float = 1.0,
    apex_hint: tuple[float, float] | None = None,
    hint_weight: float = _HINT_WEIGHT,
) -> Cavity | None:
    """Measure a (H, W) mask of one component.

    `apex_hint` is a (row, column) vector from the cavity towards where the apex should be, such as
    towards the probe; it decides where both ends are equally flat. Returns None for a mask too
    small to have an axis.
    """
    pixels = int(np.count_nonzero(mask))
    if pixels < SMALLEST_MEASURABLE_PX:
        return None
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    margin = 5
    field = np.zeros(
        (rows[-1] - rows[0] + 1 + 2 * margin, columns[-1] - columns[0] + 1 + 2 * margin), np.float32
    )
    field[margin:-margin, margin:-margin] = mask[
        rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1
    ]
    hull = _hull(field > 0, pixel_aspect)
    if hull is None:
        return None
    outline, hull_area = hull
    smooth = ndimage.gaussian_filter(field, _SMOOTHING_PX, truncate=2.5)
    if smooth.max() <= 0.5:  # thinner than the smoothing: measure the pixels themselves
        smooth = field
    axis, centre = _principal_axis(field > 0, pixel_aspect)
    towards_base, base_breadth, apex_breadth = _flat_end(
        outline, axis, apex_hint=apex_hint, hint_weight=hint_weight, pixel_aspect=pixel_aspect
    )
    base = _basal_midpoint(smooth, outline, towards_base, centre, pixel_aspect)
    apex = _apex(smooth, outline, base, towards_base, pixel_aspect)
    length = float(np.hypot(*(apex - base)))
    if not length > 1.0:
        return None
    diameters = _disk_diameters(smooth, outline, apex, base, pixel_aspect)
    offset = np.array([rows[0] - margin, columns[0] - margin])

    def in_frame(point: Float) -> tuple[float, float]:
        y, x = point[1] / pixel_aspect + offset[0], point[0] + offset[1]
        return float(y), float(x)

    return Cavity(
        area_px=pixels * pixel_aspect,
        long_axis_px=length,
        disk_diameter_px=diameters,
        apex=in_frame(apex),
        base=in_frame(base),
        solidity=min(1.0, pixels * pixel_aspect / hull_area),
        base_breadth=base_breadth,
        apex_breadth=apex_breadth,
    )


def touching_share(mask: Mask, inside: Mask, *, within_px: int = 1) -> float:
    """Share of the mask's edge pixels at most `within_px` from what is not `inside`, both (H, W).

    Beyond the frame counts as outside. 0 for an empty mask.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return 0.0
    columns = np.flatnonzero(mask.any(axis=0))
    n = within_px
    window = np.s_[rows[0] : rows[-1] + 1 + 2 * n, columns[0] : columns[-1] + 1 + 2 * n]
    part = np.pad(mask, n)[window]
    outside = ~np.pad(inside, n)[window]
    if not outside.any():
        return 0.0
    edge = part & ~ndimage.binary_erosion(part)
    beside_outside = ndimage.binary_dilation(outside, np.ones((3, 3), bool), iterations=n)
    return float(np.count_nonzero(edge & beside_outside) / np.count_nonzero(edge))


def polygon_mask(
    rows: Float, columns: Float, shape: tuple[int, int], *, with_edge: bool = False
) -> Mask:
    """Pixels of a (H, W) frame whose centres lie inside a closed polygon (even-odd rule).

    With `with_edge`, centres that lie exactly on the polygon count too.
    """
    mask = np.zeros(shape, bool)
    top, left = (max(0, math.floor(v.min())) for v in (rows, columns))
    bottom = min(shape[0], math.ceil(rows.max()) + 1)
    right = min(shape[1], math.ceil(columns.max()) + 1)
    if bottom <= top or right <= left:
        return mask
    y = np.arange(top, bottom, dtype=float)[:, None]  # (R, 1)
    y0, x0 = rows[None, :], columns[None, :]
    y1, x1 = np.roll(rows, -1)[None, :], np.roll(columns, -1)[None, :]
    row, edge = np.nonzero((y0 > y) != (y1 > y))  # each edge that crosses each row of centres
    share = (y[row, 0] - y0[0, edge]) / (y1[0, edge] - y0[0, edge])
    crossing = x0[0, edge] + share * (x1[0, edge] - x0[0, edge])
    toggles = np.zeros((bottom - top, right - left + 1), int)
    np.add.at(toggles, (row, np.clip(np.ceil(crossing).astype(int) - left, 0, right - left)), 1)
    inside = np.cumsum(toggles, axis=1)[:, :-1] % 2 == 1
    if with_edge:
        x = np.arange(left, right, dtype=float)[None, :, None]  # (1, C, 1)
        y, (y0, x0, y1, x1) = y[:, :, None], (v[None] for v in (y0, x0, y1, x1))
        turn = (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)
        between = ((x - x0) * (x - x1) <= 0) & ((y - y0) * (y - y1) <= 0)
        inside |= ((np.abs(turn) < 1e-9) & between).any(axis=2)
    mask[top:bottom, left:right] = inside
    return mask


def _hull(part: Mask, pixel_aspect: float) -> tuple[Float, float] | None:
    """Convex hull of the pixel squares: vertices (N, 2) as (x, y), and its area."""
    rows = np.flatnonzero(part.any(axis=1))
    left = part[rows].argmax(axis=1)
    right = part.shape[1] - 1 - part[rows][:, ::-1].argmax(axis=1)
    x = np.concatenate([left - 0.5, left - 0.5, right + 0.5, right + 0.5])
    y = np.concatenate([rows - 0.5, rows + 0.5, rows - 0.5, rows + 0.5]) * pixel_aspect
    points = np.stack([x, y], axis=1).astype(float)
    try:
        hull = ConvexHull(points)
    except QhullError:  # pragma: no cover - pixel squares always span an area
        return None
    return points[hull.vertices], float(hull.volume)


def _principal_axis(part: Mask, pixel_aspect: float) -> tuple[Float, Float]:
    """Unit vector (x, y) along the mask's greatest spread, and its centroid."""
    y, x = np.nonzero(part)
    points = np.stack([x.astype(float), y * pixel_aspect])
    centre = points.mean(axis=1)
    _, vectors = np.linalg.eigh(np.cov(points) if points.shape[1] > 1 else np.eye(2))
    return vectors[:, 1], centre


def _flat_end(
    outline: Float,
    axis: Float,
    *,
    apex_hint: tuple[float, float] | None,
    hint_weight: float,
    pixel_aspect: float,
) -> tuple[Float, float, float]:
    """Direction (x, y) towards the mitral plane, and the breadths of both ends (0 to 1)."""
    tilt = np.deg2rad(
        np.arange(-_BASE_SEARCH_DEG, _BASE_SEARCH_DEG + 1e-6, _BASE_SEARCH_STEP_DEG)
    )  # (K,)
    angle = np.arctan2(axis[1], axis[0]) + np.concatenate([tilt, tilt + np.pi])  # (2K,)
    directions = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    chords = _chord_near_end(outline, directions) * np.tile(np.cos(tilt) ** 4, 2)
    across = outline @ np.array([-axis[1], axis[0]])
    breadth = np.clip(chords / max(float(np.ptp(across)), 1e-6), 0.0, 1.0).reshape(2, -1)
    best = breadth.argmax(axis=1)
    first, second = float(breadth[0].max()), float(breadth[1].max())
    evidence = first - second  # positive: the end along +axis is the flatter one
    if apex_hint is not None:
        hint = np.array([apex_hint[1], apex_hint[0] * pixel_aspect])
        size = float(np.hypot(*hint))
        if size > 0:
            evidence -= hint_weight * float(axis @ hint) / size
    if evidence >= 0:
        return directions[best[0]], first, second
    return directions[len(tilt) + best[1]], second, first


def _chord_near_end(outline: Float, directions: Float) -> Float:
    """Breadth of a convex outline (N, 2), a little inside its end along each direction (K, 2)."""
    along = outline @ directions.T  # (N, K)
    across = outline @ np.stack([-directions[:, 1], directions[:, 0]])  # (N, K)
    level = along.max(axis=0) - _CUT_DEPTH * np.ptp(along, axis=0)
    following, beside = np.roll(along, -1, axis=0), np.roll(across, -1, axis=0)
    crosses = (along > level) != (following > level)
    step = np.where(crosses, following - along, 1.0)
    where = across + (level - along) / step * (beside - across)
    high = np.where(crosses, where, -np.inf).max(axis=0)
    low = np.where(crosses, where, np.inf).min(axis=0)
    chord: Float = np.where(crosses.any(axis=0), high - low, 0.0)
    return chord


def _sample(smooth: NDArray[np.float32], x: Float, y: Float, pixel_aspect: float) -> Float:
    values: Float = ndimage.map_coordinates(
        smooth, [y / pixel_aspect, x], order=1, prefilter=False, output=np.float64
    )
    return values


def _last_crossing(values: Float, distance: Float) -> Float:
    """Where each row of values (R, M), sampled at distance (M,), last falls below one half."""
    above = values > 0.5
    last = values.shape[1] - 1 - above[:, ::-1].argmax(axis=1)
    last = np.minimum(last, values.shape[1] - 2)
    row = np.arange(values.shape[0])
    here, after = values[row, last], values[row, last + 1]
    drop = np.where(here > after, here - after, 1.0)
    crossing = distance[last] + np.clip((here - 0.5) / drop, 0, 1) * (distance[1] - distance[0])
    found: Float = np.where(above.any(axis=1), crossing, np.nan)
    return found


def _basal_midpoint(
    smooth: NDArray[np.float32],
    outline: Float,
    towards_base: Float,
    centre: Float,
    pixel_aspect: float,
) -> Float:
    """Midpoint (x, y) of a straight line fitted to the basal edge."""
    for _ in range(2):  # the second round follows the tilt that the first one found
        beside = np.array([-towards_base[1], towards_base[0]])
        along, across = outline @ towards_base, outline @ beside
        extent = float(np.ptp(along))
        low, high = _chord_ends(along, across, float(along.max()) - _CUT_DEPTH * extent)
        middle, half = (low + high) / 2, (high - low) / 2
        t = middle + np.linspace(-0.72, 0.72, 17) * half  # (R,)
        s = np.arange(float(along.max()) - 0.4 * extent, float(along.max()) + 2.0, 0.5)  # (M,)
        edge = _last_crossing(_along_rays(smooth, towards_base, beside, s, t, pixel_aspect), s)
        known = np.isfinite(edge)
        if known.sum() < 3:
            end: Float = centre + towards_base * (float(along.max()) - centre @ towards_base)
            return end
        slope, level = _straight_line(t[known] - middle, edge[known])
        towards_base = towards_base - slope * beside
        towards_base = towards_base / np.hypot(*towards_base)
        midpoint: Float = level * np.array([beside[1], -beside[0]]) + middle * beside
    return midpoint


def _chord_ends(along: Float, across: Float, level: float) -> tuple[float, float]:
    """Both ends, across, of the cut through a convex outline at `level` along."""
    following, beside = np.roll(along, -1), np.roll(across, -1)
    crosses = (along > level) != (following > level)
    share = (level - along[crosses]) / (following[crosses] - along[crosses])
    where = across[crosses] + share * (beside[crosses] - across[crosses])
    return float(where.min()), float(where.max())


def _along_rays(
    smooth: NDArray[np.float32],
    direction: Float,
    beside: Float,
    s: Float,
    t: Float,
    pixel_aspect: float,
) -> Float:
    """Values (R, M) of the smoothed mask at s (M,) along `direction` and t (R,) beside it."""
    x = direction[0] * s[None, :] + beside[0] * t[:, None]
    y = direction[1] * s[None, :] + beside[1] * t[:, None]
    return _sample(smooth, x, y, pixel_aspect)


def _straight_line(t: Float, edge: Float) -> tuple[float, float]:
    """Slope and level at t = 0 of the line with the median of all pairwise slopes (Theil-Sen)."""
    i, j = np.triu_indices(t.size, 1)
    slope = float(np.median((edge[j] - edge[i]) / (t[j] - t[i])))
    return slope, float(np.median(edge - slope * t))


def _apex(
    smooth: NDArray[np.float32],
    outline: Float,
    base: Float,
    towards_base: Float,
    pixel_aspect: float,
) -> Float:
    """The boundary point (x, y) farthest from the basal midpoint; near-ties are averaged."""
    sides = np.roll(outline, -1, axis=0) - outline  # (N, 2)
    steps = np.linspace(0, 1, 24, endpoint=False)[:, None, None]
    dense = (outline + steps * sides).reshape(-1, 2)  # (24, N, 2) -> (24 N, 2)
    side_length = np.tile(np.hypot(sides[:, 0], sides[:, 1]), 24)
    reach = dense - base
    distance = np.hypot(reach[:, 0], reach[:, 1])
    distance = np.where(reach @ towards_base < 0, distance, 0.0)
    farthest = float(distance.max())
    if farthest <= 0:
        return base
    weight = np.clip((distance / farthest - 0.97) / 0.03, 0.0, None) * (side_length + 1e-9)
    direction = (reach * weight[:, None]).sum(axis=0)
    direction = direction / max(float(np.hypot(*direction)), 1e-9)
    s = np.arange(0.0, farthest + 3.0, 0.5)
    x, y = base[0] + direction[0] * s, base[1] + direction[1] * s
    edge = float(_last_crossing(_sample(smooth, x, y, pixel_aspect)[None], s)[0])
    tip: Float = base + direction * (edge if np.isfinite(edge) else farthest)
    return tip


def _disk_diameters(
    smooth: NDArray[np.float32], outline: Float, apex: Float, base: Float, pixel_aspect: float
) -> Float:
    """Breadths (20,) of the mask across the axis at the middle of twenty equal slabs."""
    axis = (base - apex) / np.hypot(*(base - apex))
    beside = np.array([-axis[1], axis[0]])
    across = (outline - apex) @ beside
    t = np.linspace(across.min() - 2.0, across.max() + 2.0, int(np.ptp(across)) + 6)  # (M,)
    s = (np.arange(DISKS) + 0.5) / DISKS * float(np.hypot(*(base - apex)))  # (20,)
    x = apex[0] + axis[0] * s[:, None] + beside[0] * t
    y = apex[1] + axis[1] * s[:, None] + beside[1] * t
    values = _sample(smooth, x, y, pixel_aspect)  # (20, M)
    low = np.minimum(values[:, :-1], values[:, 1:])
    high = np.maximum(values[:, :-1], values[:, 1:])
    part = np.clip((high - 0.5) / np.where(high > low, high - low, 1.0), 0.0, 1.0)
    inside = np.where(low >= 0.5, 1.0, np.where(high <= 0.5, 0.0, part))
    diameters: Float = inside.sum(axis=1) * (t[1] - t[0])
    return diameters
