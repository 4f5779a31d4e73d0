"""One heart, its rhythm, a scanner and a picture, drawn once and rendered frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from medseg.geometry import polygon_mask
from medseg.simulate import beam, heart, rhythm, sway, tissue

PATCH_PLANES, PATCH_PLANES_CM = 6, 0.8  # of muscle's slow variation, through the plane
PERSISTENCE_S = 0.02  # the scanner's persistence is stated for frames this far apart


@dataclass(frozen=True)
class Scene:
    """Everything that decides a clip, but for the per-frame noise."""

    heart: heart.Heart
    beats: list[rhythm.Beat]
    rhythm: rhythm.Rhythm
    pose: tissue.Pose
    echogenicity: tissue.Echogenicity
    scanner: beam.Scanner
    raster: beam.Raster
    fields: beam.FixedFields
    patches: np.ndarray  # (PATCH_PLANES, 2, 64, 64)
    sway: sway.Sway
    frame_seed: int


@dataclass(frozen=True)
class Frame:
    """One rendered frame and its truth."""

    picture: np.ndarray  # (height, width) float32, 0-1
    polygon: np.ndarray  # (n, 2) left ventricle in pixels (x, y); first and last are the hinges
    outline_cm: np.ndarray  # (n, 2) the same in heart coordinates
    labels: np.ndarray  # (height, width) uint8, index into tissue.LABELS


def draw_scene(
    rng: np.random.Generator,
    *,
    view: str,
    kind: str,
    heart_rate_bpm: float,
    ejection_fraction: float,
    duration_s: float,
    size: tuple[int, int],
    fill: float = 1.0,
) -> Scene:
    """Draw a scene whose fan fills the share `fill` of a picture of `size` (height, width).

    `ejection_fraction` is 0-1 and holds for an average beat.
    """
    body = heart.draw_heart(rng, view=view)
    cavity = heart.cavity_polygon(body, 1.0)
    allowed = 0.02 if rng.random() < 0.9 else 0.08  # a sliver outside the fan now and then
    while True:
        scanner, pose = _draw_pose(rng, body)
        if share_outside(pose.to_image(cavity), scanner) <= allowed:
            break
    beats_rhythm = rhythm.draw_rhythm(
        rng, kind=kind, heart_rate_bpm=heart_rate_bpm, ejection_fraction=ejection_fraction
    )
    beam_cm = beam.width_cm(scanner, pose.apex_z + body.length / 2)
    echogenicity = tissue.draw_echogenicity(rng, beam_cm=beam_cm, black_db=beam.black_db(scanner))
    return Scene(
        heart=body,
        beats=rhythm.draw_beats(rng, beats_rhythm, duration_s=duration_s),
        rhythm=beats_rhythm,
        pose=pose,
        echogenicity=echogenicity,
        scanner=scanner,
        raster=place_fan(rng, scanner, size, fill),
        fields=beam.draw_fields(rng, scanner),
        patches=rng.standard_normal((PATCH_PLANES, 2, 64, 64)).astype(np.float32),
        sway=sway.draw_sway(rng),
        frame_seed=int(rng.integers(2**31)),
    )


def _draw_pose(rng: np.random.Generator, body: heart.Heart) -> tuple[beam.Scanner, tissue.Pose]:
    """Draw a scanner and where the heart lies before it."""
    scanner = beam.draw_scanner(rng)
    apex_z = rng.uniform(0.9, 5.5)
    angle = np.deg2rad(rng.normal(0, 10))
    reach = apex_z + body.length * np.cos(angle)
    depth = np.clip(reach + max(body.left_atrium_length, 2.5) * rng.uniform(0.35, 1.5) + 0.3, 9, 22)
    width = body.half_width_lateral + body.half_width_septal
    middle = rng.normal(0.25, 0.25 * width)
    apex_x = middle - np.sin(angle) * 0.55 * body.length
    pose = tissue.Pose(float(apex_x), float(apex_z), float(angle))
    return replace(scanner, depth_cm=float(depth)), pose


def share_outside(polygon: np.ndarray, scanner: beam.Scanner) -> float:
    """Share of an outline's points, (n, 2) of (x, z) in cm, that lie outside the fan."""
    angle = np.arctan2(polygon[:, 0], polygon[:, 1]) - scanner.steer
    outside = (np.abs(angle) > scanner.half_angle) | (
        np.hypot(polygon[:, 0], polygon[:, 1]) > scanner.depth_cm
    )
    return float(outside.mean())


def place_fan(
    rng: np.random.Generator, scanner: beam.Scanner, size: tuple[int, int], fill: float
) -> beam.Raster:
    """Lay the fan in the picture: its height fills `fill` of it, sometimes cropped a little."""
    height, width = size
    fan_width = 2 * scanner.depth_cm * np.sin(min(scanner.half_angle, np.pi / 2))
    spacing = scanner.depth_cm / (height * fill)
    if rng.random() < 0.5:  # keep the whole width instead of the whole height
        spacing = max(spacing, fan_width / (width * fill))
    spacing *= rng.uniform(0.94, 1.08)
    slack_y = height - scanner.depth_cm / spacing
    slack_x = width - fan_width / spacing
    return beam.Raster(
        height=height,
        width=width,
        spacing_cm=float(spacing),
        probe_x=float(width / 2 + np.clip(slack_x, 0, None) * rng.uniform(-0.3, 0.3)),
        probe_y=float(np.clip(slack_y, -0.04 * height, None) * rng.uniform(0.1, 0.9)),
    )


def cavity_at(scene: Scene, time_s: np.ndarray) -> np.ndarray:
    """Relative left-ventricular volume at each time, floored where no heart is smaller."""
    return np.clip(rhythm.relative_volume(scene.beats, time_s), 0.08, 1.4)


def render(scene: Scene, time_s: np.ndarray) -> Iterator[Frame]:
    """Render the frames at `time_s`, in order; persistence blends each with the one before."""
    volumes = cavity_at(scene, time_s)
    openings = rhythm.valve_opening(scene.beats, time_s)
    moved = sway.displacement(scene.sway, scene.beats, time_s, volumes)
    coordinates, fan = beam.scan_coordinates(scene.scanner, scene.raster)
    half_width = scene.scanner.depth_cm * np.sin(
        scene.scanner.half_angle + abs(scene.scanner.steer)
    )
    x_reach = float(half_width + 0.2)
    rng = np.random.default_rng(scene.frame_seed)
    x, z = scene.raster.to_cm()
    before: np.ndarray | None = None
    gaps_s = np.diff(time_s, prepend=time_s[:1])
    frames = zip(volumes, openings, gaps_s, moved.tolist(), strict=True)
    for volume, opening, gap_s, (right_cm, down_cm, turn, through_cm) in frames:
        pose = replace(
            scene.pose,
            apex_x=scene.pose.apex_x + right_cm,
            apex_z=scene.pose.apex_z + down_cm,
            angle=scene.pose.angle + turn,
        )
        shape = heart.outlines(scene.heart, float(volume), float(opening))
        laid = tissue.lay_tissue(
            scene.heart,
            shape,
            pose,
            scene.echogenicity,
            beam.at_plane(scene.patches, through_cm, PATCH_PLANES_CM),
            depth_cm=scene.scanner.depth_cm,
            half_width_cm=x_reach,
        )
        envelope = beam.beam_image(rng, scene.scanner, scene.fields, laid, through_cm=through_cm)
        grey = beam.compress(scene.scanner, envelope)
        if before is not None:
            kept = scene.scanner.persistence ** max(gap_s / PERSISTENCE_S, 1e-3)
            grey = (1 - kept) * grey + kept * before
        before = grey
        polygon = scene.raster.to_pixels(pose.to_image(shape.left_ventricle))
        yield Frame(
            picture=beam.scan_convert(grey, coordinates, fan),
            polygon=polygon,
            outline_cm=shape.left_ventricle,
            labels=_labels(laid, x, z, polygon, fan),
        )


def _labels(
    laid: tissue.TissueMap, x: np.ndarray, z: np.ndarray, polygon: np.ndarray, fan: np.ndarray
) -> np.ndarray:
    """Tissue labels at the pixel centres inside the fan; the left ventricle from its outline."""
    rows = np.rint(z / tissue.GRID_CM).astype(int)
    columns = np.rint((x - laid.x_min) / tissue.GRID_CM).astype(int)
    height, width = laid.labels.shape
    on_grid = ((rows >= 0) & (rows < height))[:, None] & (columns >= 0) & (columns < width)
    picked = laid.labels[np.clip(rows, 0, height - 1)][:, np.clip(columns, 0, width - 1)]
    labels = np.where(on_grid & fan, picked, 0)
    labels[labels == 1] = 2  # what the sharp outline leaves of the coarse cavity is its wall
    labels[rasterise(polygon, (len(z), len(x))) > 0] = 1
    return labels.astype(np.uint8)


def rasterise(polygon: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pixels whose centre lies inside a polygon (n, 2) of (x, y): (height, width) uint8, 0 or 1."""
    return polygon_mask(polygon[:, 1], polygon[:, 0], size).astype(np.uint8)
