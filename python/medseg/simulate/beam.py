"""Ultrasound image formation: scatterers to speckle in beam space, then to a fan of pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from medseg.simulate.tissue import GRID_CM, TissueMap

SCATTERER_CM = 0.07
MYOCARDIUM_LEVEL = 0.68  # share of the dynamic range at which ordinary myocardium is shown
SLICES = 6  # planes of scatterers, one behind the other
SLICE_CM = 0.3  # what the beam is thick: so far through the plane, all scatterers are others


@dataclass(frozen=True)
class Scanner:
    """The probe, its settings and the acoustic window, for one clip."""

    depth_cm: float
    half_angle: float  # radians
    steer: float  # radians by which the fan's middle leans
    lines: int
    samples: int
    pulse_samples: float  # SD of the pulse along the beam
    beam_lines: float  # SD of the beam across lines, at the focus
    focus: float  # share of the depth
    defocus: float  # how much wider the beam is away from the focus
    gain_db: float
    dynamic_range_db: float
    gamma: float
    depth_gain_db: tuple[float, ...]  # at equally spaced depths
    lateral_gain_db: tuple[float, ...]  # at equally spaced angles
    window_db: float  # SD of slow dropout over the fan
    edge_loss_db: float
    noise_db: float
    haze_db: float
    haze_reach: float  # share of the depth
    shadows: tuple[tuple[float, float, float], ...]  # centre (-1..1), width, loss in dB
    clutter_db: float
    ring_db: float  # reverberations under the probe
    persistence: float  # share of the previous frame kept
    smoothing: tuple[float, float]  # SD of the scanner's own smoothing of grey, samples and lines


def draw_scanner(rng: np.random.Generator) -> Scanner:
    """Draw a scanner and a window; the depth is refined by the caller to hold the heart."""
    shadows = tuple(
        (float(rng.uniform(-1, 1)), float(rng.uniform(0.03, 0.16)), float(rng.uniform(6, 30)))
        for _ in range(int(rng.choice([0, 0, 0, 1, 1, 2])))
    )
    return Scanner(
        depth_cm=rng.uniform(12, 19),
        half_angle=np.deg2rad(rng.uniform(30, 50)),
        steer=np.deg2rad(rng.normal(0, 2)),
        lines=int(rng.integers(88, 150)),
        samples=int(rng.integers(200, 330)),
        pulse_samples=rng.uniform(0.7, 1.9),
        beam_lines=rng.uniform(0.55, 1.7),
        focus=rng.uniform(0.35, 0.8),
        defocus=rng.uniform(0.2, 1.6),
        gain_db=rng.normal(0, 5),
        dynamic_range_db=rng.uniform(36, 75),
        gamma=rng.uniform(0.75, 2.2),
        depth_gain_db=tuple(float(v) for v in rng.normal(0, 4, 6)),
        lateral_gain_db=tuple(float(v) for v in rng.normal(0, 2.5, 7)),
        window_db=rng.uniform(1, 7),
        edge_loss_db=rng.uniform(0, 26) * (rng.random() < 0.75),
        noise_db=rng.uniform(-62, -32),
        haze_db=rng.uniform(-40, -12),
        haze_reach=rng.uniform(0.06, 0.3),
        shadows=shadows,
        clutter_db=rng.uniform(-50, -22),
        ring_db=rng.uniform(-20, 6),
        persistence=rng.uniform(0.0, 0.3),
        smoothing=(float(rng.uniform(0.0, 1.6)), float(rng.uniform(0.0, 1.0))),
    )


def width_cm(scanner: Scanner, depth_cm: float) -> float:
    """SD of the beam across its lines at a depth, the scanner's smoothing of grey included."""
    off = np.clip(abs(depth_cm / scanner.depth_cm - scanner.focus) / 0.5, 0, 1)
    lines = np.hypot(scanner.beam_lines * (1 + scanner.defocus * off), scanner.smoothing[1])
    return float(lines * 2 * scanner.half_angle / (scanner.lines - 1) * depth_cm)


def black_db(scanner: Scanner) -> float:
    """Level, relative to ordinary myocardium, that is shown as 3 % of white: black to the eye."""
    level = 0.03 ** (1 / scanner.gamma)
    return float(scanner.dynamic_range_db * (level - MYOCARDIUM_LEVEL) - scanner.gain_db)


def at_plane(planes: np.ndarray, through_cm: float, apart_cm: float) -> np.ndarray:
    """The random field at a place along the first axis of (planes, ...), which goes round.

    Between two planes `apart_cm` apart, one fades into the other and the field's SD stays.
    """
    place = through_cm / apart_cm
    first = int(np.floor(place))
    part = (place - first) * np.pi / 2
    near, far = planes[first % len(planes)], planes[(first + 1) % len(planes)]
    field: np.ndarray = near * planes.dtype.type(np.cos(part))
    return field + far * planes.dtype.type(np.sin(part))


def _complex_noise(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    out = np.empty(shape, dtype=np.complex64)
    out.real = rng.standard_normal(shape, dtype=np.float32)
    out.imag = rng.standard_normal(shape, dtype=np.float32)
    return out


@dataclass(frozen=True)
class FixedFields:
    """Random fields that stay with one clip."""

    scatterers: np.ndarray  # (SLICES, n, n) complex, tiled over the tissue
    clutter: np.ndarray  # (samples, lines) complex, static
    window_db: np.ndarray  # (samples, lines) gain of the acoustic window
    haze: np.ndarray  # (samples, lines) amplitude


def draw_fields(rng: np.random.Generator, scanner: Scanner) -> FixedFields:
    """Draw what does not change from frame to frame."""
    shape = (scanner.samples, scanner.lines)
    r = np.linspace(0, 1, scanner.samples, dtype=np.float32)[:, None]
    u = np.linspace(-1, 1, scanner.lines, dtype=np.float32)[None, :]
    slow = ndimage.zoom(rng.standard_normal((7, 7)), (shape[0] / 7, shape[1] / 7), order=2)
    window = scanner.window_db * slow[: shape[0], : shape[1]]
    left, right = rng.uniform(0.3, 1.0, 2)
    edge = np.where(u < 0, left, right) * np.clip((np.abs(u) - 0.45) / 0.55, 0, 1) ** 1.5
    window = window - scanner.edge_loss_db * edge
    steps = np.linspace(0, 1, len(scanner.depth_gain_db))
    window = window + np.interp(r[:, 0], steps, scanner.depth_gain_db)[:, None]
    steps = np.linspace(-1, 1, len(scanner.lateral_gain_db))
    window = window + np.interp(u[0], steps, scanner.lateral_gain_db)[None, :]
    for centre, width, loss in scanner.shadows:
        window = window - loss * np.exp(-(((u - centre) / width) ** 2)) * np.clip(r / 0.15, 0, 1)
    blobs = ndimage.zoom(rng.standard_normal((9, 6)), (shape[0] / 9, shape[1] / 6), order=2)
    haze = np.exp(-((r / scanner.haze_reach) ** 1.6)) * 10 ** (
        (scanner.haze_db + 4 * blobs[: shape[0], : shape[1]]) / 20
    )
    ring = np.exp(-r / 0.03) * (1 + 0.6 * np.cos(r * rng.uniform(200, 500)))
    return FixedFields(
        scatterers=_complex_noise(rng, (SLICES, 384, 384)),
        clutter=_complex_noise(rng, shape),
        window_db=window.astype(np.float32),
        haze=(haze + ring * 10 ** (scanner.ring_db / 20)).astype(np.float32),
    )


def beam_image(
    rng: np.random.Generator,
    scanner: Scanner,
    fields: FixedFields,
    tissue: TissueMap,
    *,
    through_cm: float = 0.0,
) -> np.ndarray:
    """Envelope of one frame in dB, (samples, lines), relative to ordinary myocardium.

    The heart lies `through_cm` off the plane in which it was drawn. Muscle keeps its scatterers
    while it moves within the plane; flowing blood has others in each frame.
    """
    radius = np.linspace(0.02, 1, scanner.samples, dtype=np.float32)[:, None] * scanner.depth_cm
    angle = np.linspace(-1, 1, scanner.lines, dtype=np.float32)[None, :] * scanner.half_angle
    angle = angle + scanner.steer
    rows = radius * np.cos(angle) / GRID_CM
    columns = (radius * np.sin(angle) - tissue.x_min) / GRID_CM
    where = np.stack([rows, columns])
    amplitude, mx, my = (
        ndimage.map_coordinates(plane, where, order=1, mode="nearest")
        for plane in (tissue.amplitude, tissue.material_x, tissue.material_y)
    )
    flowing = ndimage.map_coordinates(tissue.flowing, where, order=0, mode="nearest")
    scatterers = at_plane(fields.scatterers, through_cm, SLICE_CM)
    n = scatterers.shape[0]
    flown = rng.uniform(0, n, 2)
    grain = [
        np.mod(m / SCATTERER_CM + cells * flowing, n)
        for m, cells in zip((my, mx), flown, strict=True)
    ]
    field = amplitude * ndimage.map_coordinates(scatterers, grain, order=1, mode="grid-wrap")
    moving = _complex_noise(rng, field.shape)
    haze = 0.75 * fields.clutter + 0.66 * moving
    field = field + fields.haze * haze + 10 ** (scanner.clutter_db / 20) * fields.clutter
    field = field * 10 ** (fields.window_db / 20) + 10 ** (scanner.noise_db / 20) * moving[::-1]
    field = ndimage.gaussian_filter1d(field, scanner.pulse_samples, axis=0, truncate=3)
    sharp = ndimage.gaussian_filter1d(field, scanner.beam_lines, axis=1, truncate=3)
    wide = ndimage.gaussian_filter1d(
        field, scanner.beam_lines * (1 + scanner.defocus), axis=1, truncate=3
    )
    off = np.clip(np.abs(radius / scanner.depth_cm - scanner.focus) / 0.5, 0, 1)
    field = sharp * (1 - off) + wide * off
    # Blurring white noise lowers its power; undo that, so that levels keep their meaning.
    power = 2 * np.sqrt(np.pi * scanner.pulse_samples * scanner.beam_lines)
    return 20 * np.log10(np.abs(field) * power + 1e-5)


def compress(scanner: Scanner, envelope_db: np.ndarray) -> np.ndarray:
    """Log compression to 0-1 grey: `gain_db` shifts, `dynamic_range_db` spreads, `gamma` bends."""
    level = (
        envelope_db + scanner.gain_db + MYOCARDIUM_LEVEL * scanner.dynamic_range_db
    ) / scanner.dynamic_range_db
    grey = np.clip(level, 0, 1) ** scanner.gamma
    return ndimage.gaussian_filter(grey, scanner.smoothing, truncate=2.5)


@dataclass(frozen=True)
class Raster:
    """Where the fan lands on the picture: pixels of `spacing_cm`, probe at (probe_x, probe_y)."""

    height: int
    width: int
    spacing_cm: float
    probe_x: float  # pixels
    probe_y: float

    def to_pixels(self, points: np.ndarray) -> np.ndarray:
        """Image coordinates in cm, (n, 2) of (x, z), to pixel coordinates (n, 2) of (x, y)."""
        return points / self.spacing_cm + np.array([self.probe_x, self.probe_y])

    def to_cm(self) -> tuple[np.ndarray, np.ndarray]:
        """x (width,) and z (height,) of the pixel centres, in cm from the probe."""
        x = (np.arange(self.width, dtype=np.float32) - self.probe_x) * self.spacing_cm
        z = (np.arange(self.height, dtype=np.float32) - self.probe_y) * self.spacing_cm
        return x, z


def scan_coordinates(scanner: Scanner, raster: Raster) -> tuple[np.ndarray, np.ndarray]:
    """Beam-space coordinates (2, height, width) of the pixels, and the fan (height, width)."""
    x, z = raster.to_cm()
    radius = np.hypot(x[None, :], z[:, None])
    angle = np.arctan2(x[None, :], z[:, None]) - scanner.steer
    row = (radius / scanner.depth_cm - 0.02) / 0.98 * (scanner.samples - 1)
    column = (angle / scanner.half_angle + 1) / 2 * (scanner.lines - 1)
    fan = (
        (radius <= scanner.depth_cm)
        & (radius > 0.02 * scanner.depth_cm)
        & (np.abs(angle) <= scanner.half_angle)
    )
    return np.stack([row, column]), fan


def scan_convert(grey: np.ndarray, coordinates: np.ndarray, fan: np.ndarray) -> np.ndarray:
    """Beam-space grey (samples, lines) to a picture (height, width), black outside the fan."""
    picture = ndimage.map_coordinates(grey, coordinates, order=1, mode="nearest")
    return np.where(fan, picture, 0).astype(np.float32)
