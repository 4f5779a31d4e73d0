"""The heart's outlines in one apical plane, in centimetres, for a volume and a valve opening."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

VIEWS = ("A4C", "A2C")


class Region(NamedTuple):
    """A segment of a side wall that moves less than the rest, or more."""

    side: float  # -1 septal, 1 lateral
    centre: float  # share of the length
    stillness: float  # 1 stands still, 0 moves with the rest, below 0 moves more


class Bulge(NamedTuple):
    """A stretch of a side wall that stands into the cavity, or hollows the muscle."""

    side: float  # -1 septal, 1 lateral
    centre: float  # share of the length
    spread: float  # SD, share of the length
    depth: float  # share of the half width that it takes from the cavity; 0 for none


@dataclass(frozen=True)
class Heart:
    """One person's heart in one view, at the reference end-diastolic volume; lengths in cm.

    Heart coordinates: origin at the left ventricle's apex, y along its long axis towards the
    mitral plane, x towards the lateral wall (septum on the negative side).
    """

    view: str
    length: float  # apex to mitral plane
    half_width_septal: float
    half_width_lateral: float
    widest_at: float  # share of the length at which the cavity is widest
    apex_power_septal: float  # 2 is an ellipse; less is pointed, more is blunt
    apex_power_lateral: float
    base_taper_septal: float  # share of the half width lost between the widest place and the base
    base_taper_lateral: float
    bend: float  # sideways bow of the long axis at mid length
    base_tilt: float  # cm by which the lateral hinge lies nearer to the apex than the septal one
    longitudinal_share: float  # exponent by which length follows volume
    regional: Region
    bulge: Bulge
    wall_septal: float
    wall_lateral: float
    wall_apex: float  # thickness of the wall at the apex, share of that at the sides
    right_apex: float  # where the right ventricle begins along the septum, share of the length
    right_width: float
    right_tilt: float
    left_atrium_length: float
    left_atrium_width: float
    right_atrium_length: float
    right_atrium_width: float
    atrial_emptying: float  # share of its length and width that an atrium lacks at end-diastole
    atrial_emptying_power: float  # 1 empties as the ventricle fills; more, at the very end
    atrial_septum: float
    anterior_leaflet: float
    posterior_leaflet: float
    tenting: float  # cm by which the closed leaflets meet on the ventricular side of the annulus
    leaflet_thickness: float
    leaflet_spread: float  # how far an open leaflet's tip stays from its wall, share of its reach
    papillary: tuple[
        float, float, float, float
    ]  # side, centre (share of length), length, thickness
    apex_motion: float  # share of the long-axis shortening that pulls the apex down
    strands: tuple[tuple[float, float, float], ...]  # x, y and radius of chords inside the cavity


def draw_heart(rng: np.random.Generator, *, view: str = "A4C") -> Heart:
    """Draw a heart: adult sizes, from small and lively to dilated and round."""
    length = rng.uniform(6.2, 10.2)
    sphericity = np.clip(rng.normal(0.56, 0.09), 0.42, 0.85)
    width = length * sphericity
    left = rng.uniform(0.42, 0.58)
    wall = rng.uniform(0.55, 1.35)
    side = 1.0 if rng.random() < 0.5 else -1.0
    return Heart(
        view=view,
        length=length,
        half_width_septal=width * left,
        half_width_lateral=width * (1 - left),
        widest_at=rng.uniform(0.4, 0.75),
        apex_power_septal=rng.uniform(1.6, 4.5),
        apex_power_lateral=rng.uniform(1.6, 4.5),
        base_taper_septal=rng.uniform(0.0, 0.35),
        base_taper_lateral=rng.uniform(0.0, 0.35),
        bend=rng.normal(0, 0.25),
        base_tilt=rng.normal(0.0, 0.35),
        longitudinal_share=rng.uniform(0.16, 0.4),
        regional=Region(
            side,
            rng.uniform(0.1, 0.9),
            float(
                rng.choice([rng.uniform(0.3, 0.8), rng.uniform(-0.6, 0), 0], p=[0.25, 0.2, 0.55])
            ),
        ),
        bulge=Bulge(
            1.0 if rng.random() < 0.5 else -1.0,
            rng.uniform(0.25, 0.95),
            rng.uniform(0.1, 0.3),
            rng.uniform(-0.1, 0.3) * (rng.random() < 0.55),
        ),
        wall_septal=wall * rng.uniform(0.85, 1.25),
        wall_lateral=wall * rng.uniform(0.8, 1.2),
        wall_apex=rng.uniform(0.5, 1.6),
        right_apex=rng.uniform(0.12, 0.45),
        right_width=rng.uniform(1.8, 4.6),
        right_tilt=rng.uniform(-0.3, 0.8),
        left_atrium_length=1.2 + 5.3 * rng.random() ** 1.5,
        left_atrium_width=rng.uniform(1.7, 3.2),
        right_atrium_length=rng.uniform(1.5, 6.0),
        right_atrium_width=rng.uniform(1.6, 3.0),
        atrial_emptying=rng.uniform(0.0, 0.7),
        atrial_emptying_power=rng.uniform(1.0, 4.0),
        atrial_septum=rng.uniform(0.15, 0.6),
        anterior_leaflet=rng.uniform(0.5, 0.75),
        posterior_leaflet=rng.uniform(0.3, 0.5),
        tenting=rng.uniform(-0.25, 0.7),
        leaflet_thickness=rng.uniform(0.09, 0.24),
        leaflet_spread=rng.uniform(0.02, 0.5),
        papillary=(side, rng.uniform(0.4, 0.65), rng.uniform(1.2, 2.6), rng.uniform(0.0, 0.75)),
        apex_motion=rng.uniform(0.0, 0.15),
        strands=tuple(
            (
                float(rng.uniform(-0.8, 0.8) * width / 2),
                float(rng.uniform(0.08, 0.85) * length),
                float(rng.uniform(0.06, 0.28)),
            )
            for _ in range(int(rng.integers(0, 6)))
        ),
    )


@dataclass(frozen=True)
class Outlines:
    """The structures of one frame as polygons and lines, (n, 2) arrays of (x, y) in cm."""

    left_ventricle: np.ndarray  # closed; first point septal hinge, last point lateral hinge
    unbulged: np.ndarray  # the same without the bulge, which is the muscle's own
    right_ventricle: np.ndarray | None
    left_atrium: np.ndarray
    right_atrium: np.ndarray | None
    leaflets: tuple[np.ndarray, ...]
    papillary: np.ndarray | None
    length: float  # current cavity length along y
    apex_y: float
    septal_hinge: np.ndarray
    lateral_hinge: np.ndarray
    wall_septal: float
    wall_lateral: float
    length_ratio: float  # current over reference
    width_ratio: float


def _profile(s: np.ndarray, widest_at: float, power: float, taper: float) -> np.ndarray:
    """Half width at s in 0 (apex) to 1 (base), 1 at the widest place."""
    rise = (1 - np.clip(1 - s / widest_at, 0, 1) ** 2) ** (1 / power)
    fall = 1 - taper * np.clip((s - widest_at) / (1 - widest_at), 0, 1) ** 2
    return rise * fall


def cavity_polygon(heart: Heart, relative_volume: float, n: int = 60) -> np.ndarray:
    """Endocardium as (2n, 2) points in cm, from the septal hinge round to the lateral hinge."""
    length_ratio = relative_volume**heart.longitudinal_share
    length = heart.length * length_ratio
    width_ratio = relative_volume ** ((1 - heart.longitudinal_share) / 2)
    apex_y = heart.apex_motion * (heart.length - length)
    bulge = heart.bulge
    s = 1 - np.cos(np.linspace(0, np.pi / 2, n))  # dense at the apex, where the outline turns
    sides = []
    for side, half, power, taper in (
        (-1, heart.half_width_septal, heart.apex_power_septal, heart.base_taper_septal),
        (1, heart.half_width_lateral, heart.apex_power_lateral, heart.base_taper_lateral),
    ):
        ratio = _width_ratios(heart.regional, side, s, width_ratio)
        x = side * half * ratio * _profile(s, heart.widest_at, power, taper)
        if bulge.side == side:
            x = x * (1 - bulge.depth * np.exp(-(((s - bulge.centre) / bulge.spread) ** 2) / 2))
        y = apex_y + s * (length - apex_y) - side * 0.5 * heart.base_tilt * s**3
        x = x + heart.bend * 4 * s * (1 - 0.5 * s) * 0.5
        sides.append(np.stack([x, y], axis=1))
    return np.concatenate([sides[0][::-1], sides[1]])


def _width_ratios(region: Region, side: int, s: np.ndarray, width_ratio: float) -> np.ndarray:
    """Current over reference half width at s, where one segment moves unlike the rest."""
    if region.side != side:
        return np.full(len(s), width_ratio)
    unlike = region.stillness * np.exp(-(((s - region.centre) / 0.22) ** 2))
    return width_ratio + (1 - width_ratio) * unlike


def polygon_area(polygon: np.ndarray) -> float:
    """Area of a closed polygon (shoelace), in the square of its unit."""
    x, y = polygon[:, 0], polygon[:, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def long_axis(polygon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mid point of the mitral plane and the outline's farthest point from it (the apex)."""
    base = (polygon[0] + polygon[-1]) / 2
    return base, polygon[np.argmax(((polygon - base) ** 2).sum(1))]


def disk_volume_ml(polygon: np.ndarray, disks: int = 200) -> float:
    """Volume of the body of rotation by stacked disks across the long axis, in mL for cm."""
    base, apex = long_axis(polygon)
    length = float(np.linalg.norm(base - apex))
    along = (base - apex) / length
    across = np.array([-along[1], along[0]])
    t = (polygon - apex) @ along
    u = (polygon - apex) @ across
    turn = int(np.argmin(t))
    heights = (np.arange(disks) + 0.5) / disks * length
    sides = []
    for part in (slice(None, turn + 1), slice(turn, None)):
        order = np.argsort(t[part])
        sides.append(np.interp(heights, t[part][order], u[part][order]))
    diameter = np.abs(sides[1] - sides[0])
    return float(np.pi / 4 * (diameter**2).sum() * length / disks)


def outlines(heart: Heart, relative_volume: float, opening: float) -> Outlines:
    """Every structure of one frame, for a relative volume (1 = reference) and an opening 0-1."""
    cavity = cavity_polygon(heart, relative_volume)
    length_ratio = relative_volume**heart.longitudinal_share
    width_ratio = relative_volume ** ((1 - heart.longitudinal_share) / 2)
    septal, lateral = cavity[0], cavity[-1]
    # Muscle keeps its volume: a shorter, narrower cavity has a thicker wall.
    half = (heart.half_width_septal + heart.half_width_lateral) / 2
    walls = [
        np.sqrt((half + w) ** 2 / length_ratio - half**2 / length_ratio + (half * width_ratio) ** 2)
        - half * width_ratio
        for w in (heart.wall_septal, heart.wall_lateral)
    ]
    # An atrium is smallest when the ventricle is full.
    full = 1 - heart.atrial_emptying * min(relative_volume, 1.0) ** heart.atrial_emptying_power
    floor_y = heart.length + heart.left_atrium_length * full
    left_atrium = _atrium(septal, lateral, floor_y, heart.left_atrium_width * full, -0.15)
    right_ventricle = right_atrium = None
    leaflets = list(_leaflets(septal, lateral, heart, opening, length_ratio))
    if heart.view == "A4C":
        right_ventricle, tricuspid = _right_ventricle(heart, cavity, walls[0], length_ratio)
        right_floor = heart.length + heart.right_atrium_length * full
        right_atrium = _atrium(
            tricuspid[0], tricuspid[1], right_floor, heart.right_atrium_width * full, 0.1
        )
        leaflets += _leaflets(tricuspid[1], tricuspid[0], heart, opening, length_ratio)
    return Outlines(
        left_ventricle=cavity,
        unbulged=cavity_polygon(
            replace(heart, bulge=heart.bulge._replace(depth=0.0)), relative_volume
        ),
        right_ventricle=right_ventricle,
        left_atrium=left_atrium,
        right_atrium=right_atrium,
        leaflets=tuple(leaflets),
        papillary=_papillary(heart, cavity),
        length=heart.length * length_ratio,
        apex_y=float(cavity[:, 1].min()),
        septal_hinge=septal,
        lateral_hinge=lateral,
        wall_septal=float(walls[0]),
        wall_lateral=float(walls[1]),
        length_ratio=float(length_ratio),
        width_ratio=float(width_ratio),
    )


def _atrium(
    left: np.ndarray, right: np.ndarray, floor_y: float, half_width: float, lean: float
) -> np.ndarray:
    """A closed outline that hangs from the annulus left-right down to the roof at floor_y."""
    middle = (left + right) / 2
    depth = max(float(floor_y - middle[1]), 0.6)
    annulus = float(np.linalg.norm(right - left)) / 2
    sides = [
        _atrial_side(hinge, middle, depth, half_width, annulus, side, lean)
        for hinge, side in ((right, 1), (left, -1))
    ]
    # The two cavities share the open annulus: the atrium reaches a little past the mitral plane.
    up = np.array([[0.0, -0.25]])
    return np.concatenate([right[None] + up, sides[0], sides[1][::-1], left[None] + up])


def _atrial_side(
    hinge: np.ndarray,
    middle: np.ndarray,
    depth: float,
    half_width: float,
    annulus: float,
    side: int,
    lean: float,
) -> np.ndarray:
    """One side of an atrium from its hinge to the roof, (20, 2)."""
    s = np.linspace(0, 1, 20)
    ellipse = np.sqrt(np.clip(1 - np.clip((s - 0.45) / 0.55, 0, 1) ** 2, 0, 1))
    neck = annulus + (half_width - annulus) * np.clip(s / 0.45, 0, 1) ** 0.7
    x = middle[0] + side * neck * ellipse + lean * depth * s
    x[0] = hinge[0]
    y = hinge[1] + (middle[1] + depth - hinge[1]) * s
    return np.stack([x, y], axis=1)


def _right_ventricle(
    heart: Heart, cavity: np.ndarray, septum: float, length_ratio: float
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Right-ventricular outline beside the septum, and its annulus (outer hinge, septal hinge)."""
    n = len(cavity) // 2
    septal = cavity[:n][::-1]  # apex to base
    s = np.clip((septal[:, 1] - septal[0, 1]) / (septal[-1, 1] - septal[0, 1]), 0, 1)
    inner = septal - np.array([septum, 0.0])
    part = s >= heart.right_apex
    inner, s = inner[part], s[part]
    if len(inner) < 4:
        inner, s = septal[-6:] - np.array([septum, 0.0]), np.linspace(0.7, 1, 6)
    t = np.clip((s - heart.right_apex) / (0.97 - heart.right_apex), 0, 1)
    bulge = heart.right_width * (0.75 + 0.25 * length_ratio) * (np.sin(np.pi * 0.5 * t**0.8) ** 0.9)
    outer = inner - np.stack([bulge, -heart.right_tilt * t], axis=1)
    keep = t < 1.0
    keep[:3] = True
    inner, outer = inner[keep], outer[keep]
    return np.concatenate([inner, outer[::-1]]), (outer[-1], inner[-1])


def _leaflets(
    septal: np.ndarray, lateral: np.ndarray, heart: Heart, opening: float, length_ratio: float
) -> list[np.ndarray]:
    """The two leaflets of one valve as curved lines, (16, 2), from the hinge to the tip."""
    across = lateral - septal
    width = float(np.linalg.norm(across))
    across = across / max(width, 1e-6)
    up = np.array([across[1], -across[0]])  # towards the apex
    if up[1] > 0:
        up = -up
    meet = heart.anterior_leaflet / (heart.anterior_leaflet + heart.posterior_leaflet)
    lines = []
    for hinge, direction, share in ((septal, across, meet), (lateral, -across, 1 - meet)):
        reach = width * share
        closed_tip = hinge + direction * reach + up * heart.tenting
        slack = 1.05 + 0.25 * (1 - share)
        open_tip = hinge + direction * reach * heart.leaflet_spread + up * reach * slack
        tip = (1 - opening) * closed_tip + opening * open_tip
        middle = (
            (hinge + tip) / 2
            + up * reach * (0.12 - 0.35 * opening)
            + direction * reach * 0.22 * opening
        )
        t = np.linspace(0, 1, 16)[:, None]
        lines.append((1 - t) ** 2 * hinge + 2 * t * (1 - t) * middle + t**2 * tip)
    return lines


def _papillary(heart: Heart, cavity: np.ndarray) -> np.ndarray | None:
    """A papillary muscle as a line along the inside of the wall, or None."""
    side, centre, length, thickness = heart.papillary
    if thickness < 0.25:
        return None
    n = len(cavity) // 2
    wall = cavity[:n][::-1] if side < 0 else cavity[n:]
    y0, y1 = wall[0, 1], wall[-1, 1]
    y = np.linspace(-length / 2, length / 2, 10) + y0 + centre * (y1 - y0)
    x = np.interp(y, wall[:, 1], wall[:, 0]) - side * thickness * 0.6
    return np.stack([x, y], axis=1)
