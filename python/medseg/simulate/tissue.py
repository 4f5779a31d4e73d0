"""Tissue of one frame on a square grid: how strongly it reflects, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from medseg.geometry import polygon_mask
from medseg.simulate.heart import Heart, Outlines

GRID_CM = 0.1  # spacing of the grid on which tissue is laid out


@dataclass(frozen=True)
class Pose:
    """Where the heart lies in the image: apex position and the angle of its axis."""

    apex_x: float  # cm, image right
    apex_z: float  # cm below the probe
    angle: float  # radians by which the long axis turns from straight down, towards image right
    mirrored: bool = False

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """Heart coordinates (n, 2) to image coordinates (n, 2) of (x, z) in cm."""
        x = -points[:, 0] if self.mirrored else points[:, 0]
        c, s = np.cos(self.angle), np.sin(self.angle)
        return np.stack(
            [self.apex_x + c * x + s * points[:, 1], self.apex_z - s * x + c * points[:, 1]], axis=1
        )

    def to_heart(self, x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Image coordinates to heart coordinates, each of any shape, in cm."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        dx, dz = x - self.apex_x, z - self.apex_z
        hx = c * dx - s * dz
        return (-hx if self.mirrored else hx), s * dx + c * dz


@dataclass(frozen=True)
class Echogenicity:
    """How strongly each kind of tissue scatters, in dB relative to ordinary myocardium."""

    septum: float
    lateral: float
    right_wall: float
    atrial_wall: float
    atrial_septum: float
    crux_cm: float  # how far below the valves the atrial septum is as bright as the ventricle's
    pericardium: float
    outside: float
    chest: float  # the tissue that lies between the probe and the heart
    chest_reach: float  # how far down it goes, share of the apex's depth; 0 for none
    blood: float
    leaflet: float
    leaflet_along: float  # dB that a leaflet loses where it runs along the beam
    annulus: float
    papillary: float
    strand: float
    dark: float  # what is told neither from blood nor from black
    border: float  # specular gain where a surface faces the beam
    rim: float  # the same where it runs along the beam, share of `border`
    anisotropy: float  # loss where muscle runs along the beam
    pericardium_cm: float
    pericardium_gap: float  # share by which the pericardium is unseen round the apex
    fade: float  # dB that muscle loses towards the cavity, most at the apex
    fade_cm: float  # distance from the cavity over which it does
    edge: float  # share of its level above `dark` that muscle lacks where it begins
    edge_cm: float  # over which it comes to its own level: a ventricle's border is no step
    patchiness: float  # SD in dB of slow variation inside muscle
    outside_patchiness: float
    trabeculation: float  # dB by which the inner rim of the cavity is lifted
    trabeculation_cm: float  # how far that rim reaches in, near the apex
    trabeculation_lateral: float  # 0 on the septal side only, 1 on the lateral side only
    blood_patchiness: float  # SD in dB of slow variation inside the cavities
    atrium: float  # dB by which the left atrium is filled by echoes from beside the plane


def draw_echogenicity(rng: np.random.Generator, *, beam_cm: float, black_db: float) -> Echogenicity:
    """Draw tissue brightnesses between a crisp and a poor acoustic window.

    Blood, trabeculated or not, is always darker than the ventricle's own muscle, by 9 dB at least,
    or half of that where muscle fades towards the cavity. A ventricle's border is no step: each
    wall rises over some widths of the beam (`beam_cm`, SD) from near blood, or from `black_db`
    where that is higher, to its own level. So the grey is about half-way up at the cavity's edge,
    where readers trace it, be the wall bright or faint. What hides the border beyond that is the
    scanner's doing: dropout, shadows, haze, noise.
    """
    septum, lateral = rng.uniform(-4, 6), rng.uniform(-12, 3)
    contrast = rng.uniform(9, 34)
    blood = min(septum, lateral) - contrast
    return Echogenicity(
        septum=septum,
        lateral=lateral,
        right_wall=rng.uniform(-26, 0),
        atrial_wall=rng.uniform(-10, 4),
        atrial_septum=rng.uniform(-20, 4),
        crux_cm=rng.uniform(0, 2.5) * (rng.random() < 0.6),
        pericardium=rng.uniform(-4, 12),
        outside=rng.uniform(-30, 0),
        chest=rng.uniform(-12, 6),
        chest_reach=rng.uniform(0.5, 1.15) * (rng.random() < 0.75),
        blood=blood,
        leaflet=rng.uniform(-18, 9),
        leaflet_along=rng.uniform(0, 36),
        annulus=rng.uniform(-4, 9),
        papillary=rng.uniform(-8, 3),
        strand=rng.uniform(-22, 2),
        dark=max(blood, black_db),
        border=rng.uniform(0, 9),
        rim=rng.uniform(-0.8, 0.6),
        anisotropy=rng.uniform(0, 9),
        fade=rng.uniform(0, min(0.6 * contrast, 14)) * (rng.random() < 0.8),
        fade_cm=rng.uniform(0.15, 1.8),
        edge=rng.uniform(0.6, 0.95),
        edge_cm=rng.uniform(1.3, 2.3) * beam_cm,
        pericardium_cm=rng.uniform(0.15, 0.6),
        pericardium_gap=rng.uniform(0, 1),
        patchiness=rng.uniform(1.5, 6),
        outside_patchiness=rng.uniform(3, 9),
        trabeculation=rng.uniform(0, contrast - 9),
        trabeculation_cm=rng.uniform(0.2, 0.8),
        trabeculation_lateral=rng.uniform(0, 1),
        blood_patchiness=rng.uniform(0, 4),
        atrium=rng.uniform(0, 18) * (rng.random() < 0.5),
    )


@dataclass(frozen=True)
class TissueMap:
    """One frame's tissue on the grid: (rows along depth z, columns along x)."""

    x_min: float
    amplitude: np.ndarray  # linear
    material_x: np.ndarray  # cm, the place that this tissue had at the reference volume
    material_y: np.ndarray
    flowing: np.ndarray  # bool, blood: its scatterers are others in each frame
    labels: np.ndarray  # uint8, index into LABELS


LABELS = ("background", "left_ventricle", "myocardium", "left_atrium", "right_heart")


def _fill(polygon: np.ndarray, x_min: float, shape: tuple[int, int]) -> np.ndarray:
    x, z = (polygon - np.array([x_min, 0.0])).T / GRID_CM
    return polygon_mask(z, x, shape)


def _distance_to(inside: np.ndarray) -> np.ndarray:
    """Distance in cm from every grid point to the nearest point inside."""
    if not inside.any():
        return np.full(inside.shape, 99.0, dtype=np.float32)
    return (ndimage.distance_transform_edt(~inside) * GRID_CM).astype(np.float32)


def _draw_lines(lines: list[np.ndarray], x_min: float, shape: tuple[int, int]) -> np.ndarray:
    canvas = Image.new("1", (shape[1], shape[0]))
    pen = ImageDraw.Draw(canvas)
    for line in lines:
        pen.line([tuple(p) for p in ((line - np.array([x_min, 0.0])) / GRID_CM).tolist()], fill=1)
    return np.asarray(canvas, dtype=bool)


def _leaflets(
    lines: list[np.ndarray], x_min: float, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Distance in cm to the nearest leaflet, and how far that one runs along the beam there, 0-1.

    A smooth sheet sends back least of what comes along it: squared cosine of the angle between.
    """
    canvas = Image.new("F", (shape[1], shape[0]), -1.0)
    pen = ImageDraw.Draw(canvas)
    for line in lines:
        steps, beam = np.diff(line, axis=0), (line[1:] + line[:-1]) / 2
        cosine = (steps * beam).sum(1) / (np.hypot(*steps.T) * np.hypot(*beam.T) + 1e-6)
        places = ((line - np.array([x_min, 0.0])) / GRID_CM).tolist()
        for start, end, running in zip(places, places[1:], (cosine**2).tolist(), strict=False):
            pen.line([tuple(start), tuple(end)], fill=running)
    drawn = np.asarray(canvas)
    if (drawn < 0).all():
        return np.full(shape, 99.0, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    cells, nearest = ndimage.distance_transform_edt(drawn < 0, return_indices=True)
    return (cells * GRID_CM).astype(np.float32), drawn[tuple(nearest)]


def _band(distance: np.ndarray, thickness: np.ndarray | float, soft: float = 0.06) -> np.ndarray:
    """1 where the distance is below the thickness, falling smoothly to 0 over `soft` cm."""
    return np.clip((thickness - distance) / soft + 0.5, 0, 1)


def lay_tissue(
    heart: Heart,
    frame: Outlines,
    pose: Pose,
    echo: Echogenicity,
    patches: np.ndarray,
    *,
    depth_cm: float,
    half_width_cm: float,
) -> TissueMap:
    """Lay out one frame's tissue.

    `patches` is (2, 64, 64), standard-normal fields for the slow variation of muscle and of what
    lies outside the heart, in the plane that is seen.
    """
    x_min = -half_width_cm
    shape = (int(np.ceil(depth_cm / GRID_CM)) + 1, int(np.ceil(2 * half_width_cm / GRID_CM)) + 1)
    x = x_min + np.arange(shape[1], dtype=np.float32) * GRID_CM
    z = np.arange(shape[0], dtype=np.float32) * GRID_CM
    hx, hy = pose.to_heart(x[None, :], z[:, None])
    hx, hy = np.broadcast_to(hx, shape), np.broadcast_to(hy, shape)

    def fill(polygon: np.ndarray | None) -> np.ndarray:
        if polygon is None:
            return np.zeros(shape, dtype=bool)
        return _fill(pose.to_image(polygon), x_min, shape)

    cavity = fill(frame.left_ventricle)
    to_cavity, to_wall = _distance_to(cavity), _distance_to(~cavity)
    tilt = (frame.lateral_hinge[1] - frame.septal_hinge[1]) / max(
        frame.lateral_hinge[0] - frame.septal_hinge[0], 0.1
    )
    base_y = frame.septal_hinge[1] + tilt * (hx - frame.septal_hinge[0])
    along = np.clip((hy - frame.apex_y) / max(frame.length - frame.apex_y, 0.1), 0, 1)
    lateral = np.clip(0.5 + hx / 2.0, 0, 1)
    wall_cm = (frame.wall_septal * (1 - lateral) + frame.wall_lateral * lateral) * (
        heart.wall_apex + (1 - heart.wall_apex) * np.clip(along / 0.35, 0, 1)
    )
    wall_cm = wall_cm * np.clip(1.15 - 0.35 * np.clip((along - 0.8) / 0.2, 0, 1), 0.3, 1.15)
    above_base = np.clip((base_y + 0.25 - hy) / 0.3, 0, 1)
    to_unbulged = _distance_to(fill(frame.unbulged))
    muscle = _band(to_unbulged, wall_cm) * above_base * ~cavity

    left_atrium = fill(frame.left_atrium) & ~cavity
    muscle = muscle * ~left_atrium
    right = fill(frame.right_ventricle) & ~cavity & (muscle < 0.5)
    right_atrium = fill(frame.right_atrium) & ~right & ~left_atrium & (muscle < 0.5)
    gap = heart.atrial_septum
    right_atrium &= _distance_to(left_atrium) > gap
    blood = cavity | right | left_atrium | right_atrium
    to_right, to_left_atrium = _distance_to(right), _distance_to(left_atrium)
    to_right_atrium = _distance_to(right_atrium)
    right_wall = _band(to_right, 0.35) * ~blood
    atrial_wall = _band(np.minimum(to_left_atrium, to_right_atrium), 0.22) * ~blood
    between = _band(np.maximum(to_left_atrium, to_right_atrium), gap + 0.05) * ~blood
    heart_solid = blood | (muscle > 0.5) | (right_wall > 0.5) | (atrial_wall > 0.5)
    outside_cm = _distance_to(heart_solid)
    pericardium = _band(outside_cm, echo.pericardium_cm, 0.12) * ~heart_solid
    pericardium = pericardium * (1 - echo.pericardium_gap * np.clip(1.3 - along / 0.3, 0, 1))

    # Muscle moves with the cavity; what lies far outside stays.
    fade = np.exp(-np.clip(outside_cm, 0, None) / 1.5)
    stretch_y = 1 + (1 / frame.length_ratio - 1) * fade * np.clip(1 - (hy - frame.length) / 3, 0, 1)
    stretch_x = 1 + (1 / frame.width_ratio - 1) * fade * 0.6 * above_base
    material_x, material_y = hx * stretch_x, hy * stretch_y

    material = np.stack([material_y, material_x])  # (2, rows, columns)

    def field(index: int, scale_cm: float) -> np.ndarray:
        return ndimage.map_coordinates(
            patches[index], material / scale_cm, order=1, mode="grid-wrap"
        )

    slow, coarse = field(0, 0.5), field(1, 0.7)
    # How squarely the nearest surface of the cavity faces the beam, 0 (along it) to 1.
    smooth = ndimage.gaussian_filter(to_cavity - to_wall, 2.0)
    gz, gx = np.gradient(smooth)
    beam = np.hypot(x[None, :], z[:, None] + 0.5)
    facing = np.abs(gz * (z[:, None] + 0.5) + gx * x[None, :]) / (np.hypot(gz, gx) + 1e-6) / beam

    def db(value: np.ndarray | float) -> np.ndarray:
        return np.asarray(10 ** (np.asarray(value) / 20), dtype=np.float32)

    patchy = echo.patchiness * slow
    amplitude = db(echo.outside + echo.outside_patchiness * field(1, 1.1))
    amplitude = amplitude * np.exp(-outside_cm / 6)

    def lay(weight: np.ndarray, level: np.ndarray | float) -> None:
        nonlocal amplitude
        amplitude = amplitude * (1 - weight) + db(level) * weight

    chest_cm = echo.chest_reach * pose.apex_z + 0.4 * field(1, 2.0)
    lay(
        np.clip((chest_cm - z[:, None]) / 0.6 + 0.5, 0, 1),
        echo.chest + 0.8 * echo.outside_patchiness * coarse,
    )
    lay(pericardium, echo.pericardium + 0.7 * echo.outside_patchiness * coarse)
    lay(right_wall, echo.right_wall + patchy)
    lay(atrial_wall, echo.atrial_wall + patchy + echo.border * (facing - 0.5))
    below_valve = np.clip((hy - base_y - echo.crux_cm) / 0.5 + 0.5, 0, 1)
    lay(between, echo.septum + (echo.atrial_septum - echo.septum) * below_valve + patchy)
    muscle_level = echo.septum * (1 - lateral) + echo.lateral * lateral
    muscle_level = muscle_level - (
        echo.fade * np.exp(-to_cavity / echo.fade_cm) * np.clip(1.2 - 1.2 * along, 0.3, 1)
    )
    lacking = echo.edge * np.clip(1 - to_cavity / echo.edge_cm, 0, 1)

    def risen(level: np.ndarray) -> np.ndarray:
        return level - lacking * np.clip(level - echo.dark, 0, None)

    lay(muscle, risen(muscle_level + patchy - echo.anisotropy * (1 - facing) ** 2 * lateral))
    rim = muscle * _band(to_cavity, 0.16, 0.1)
    specular = echo.border * (echo.rim + (1.2 - echo.rim) * facing)
    lay(rim * 0.7, risen(muscle_level + patchy + specular))
    pooled = echo.blood + echo.blood_patchiness * field(1, 1.6)
    lay(blood.astype(np.float32), pooled + echo.atrium * left_atrium)
    side = echo.trabeculation_lateral * lateral + (1 - echo.trabeculation_lateral) * (1 - lateral)
    reach = echo.trabeculation_cm * np.clip(1.3 - 1.3 * along, 0.15, 1) * (0.4 + side)
    inner = cavity * _band(to_wall, reach, 0.3)
    lay(inner * 0.6, pooled + echo.trabeculation + patchy)
    flowing = blood & (inner < 0.5)
    if frame.papillary is not None:
        line = _draw_lines([pose.to_image(frame.papillary)], x_min, shape)
        papillary = _band(_distance_to(line), 0.5 * heart.papillary[3] * 0.8) * cavity
        lay(papillary, echo.papillary + patchy)
        flowing &= papillary < 0.5
    for x_cm, y_cm, radius in heart.strands:
        dx, dy = hx - x_cm * frame.width_ratio, hy - y_cm * frame.length_ratio
        strand = np.exp(-(dx**2 + dy**2) / radius**2) * cavity
        lay(strand, echo.strand)
        flowing &= strand < 0.5
    to_valve, running = _leaflets([pose.to_image(v) for v in frame.leaflets], x_min, shape)
    behind, leaflet = amplitude, _band(to_valve, heart.leaflet_thickness, 0.08)
    leaflet_level = echo.leaflet - echo.leaflet_along * running
    lay(leaflet, leaflet_level + 1.2 * echo.patchiness * field(1, 0.45))
    flowing &= leaflet < 0.5
    amplitude = np.maximum(amplitude, behind)  # what reflects nothing is seen through
    for hinge in (frame.septal_hinge, frame.lateral_hinge):
        lay(np.exp(-((hx - hinge[0]) ** 2 + (hy - hinge[1] - 0.1) ** 2) / 0.09) * 0.8, echo.annulus)
    labels = np.zeros(shape, dtype=np.uint8)
    for index, part in (
        (2, muscle > 0.5),
        (4, right | right_atrium),
        (3, left_atrium),
        (1, cavity),
    ):
        labels[part] = index
    return TissueMap(
        x_min=x_min,
        amplitude=amplitude.astype(np.float32),
        material_x=material_x,
        material_y=material_y,
        flowing=flowing,
        labels=labels,
    )
