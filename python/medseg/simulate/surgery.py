"""A simulated operation: breathing organs, instruments, smoke and highlights, and true masks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from medseg.simulate.surgery_tissue import WORLD, Tissue, fractal, paint_tissue
from medseg.simulate.surgery_tools import Instrument, draw_instrument, place

FRAME_RATE_HZ = 30.0
_NODES = (10, 17)  # rows and columns of the mesh that the tissue is bent by
_NOISE_LEVELS = 12  # the noise tile holds 0 .. 2 * 12
_SMOKE = (206, 206, 210)
_HIGHLIGHT_LEVEL = 128  # of 255: more of the mirrored light makes a pixel a highlight


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame and its truth."""

    picture: NDArray[np.uint8]  # (H, W, 3)
    labels: NDArray[np.uint8]  # (H, W): 0 background, then objects in the scene's order
    highlights: NDArray[np.bool_]  # (H, W): where mirrored light hides the tissue


@dataclass(frozen=True)
class Motion:
    """How the camera and the organs move; lengths in frame heights, times in seconds."""

    breath_period_s: float
    breath: tuple[float, float]  # (x, y)
    beat_period_s: float
    beat: float
    camera: tuple[float, float, float, float]  # pan x, pan y, turn (radians), zoom
    camera_period_s: tuple[float, float, float, float]
    phase: tuple[float, ...]
    organ: tuple[tuple[float, float], ...]  # each organ's own (x, y)


@dataclass(eq=False)
class Scene:
    """Everything drawn by chance for one clip; `render` adds none but the sensor's noise."""

    size: tuple[int, int]  # (height, width)
    tissue: Tissue
    instruments: tuple[Instrument, ...]
    motion: Motion
    smoke_bursts_s: tuple[tuple[float, float, float], ...]  # (start, length, density)
    smoke: NDArray[np.uint8]
    vignette: Image.Image
    noise: NDArray[np.uint8]
    seed: int
    _layers: tuple[Image.Image, Image.Image] | None = field(default=None, repr=False)
    _pull: NDArray[np.float32] | None = field(default=None, repr=False)

    @property
    def object_names(self) -> tuple[str, ...]:
        """Names of the labels 1, 2, ...: the organs, then the instruments."""
        count = len(self.instruments)
        return (*self.tissue.organs, *(f"instrument_{i + 1}" for i in range(count)))


def draw_scene(
    seed: int, size: tuple[int, int], *, instruments: int, duration_s: float = 60.0
) -> Scene:
    """Draw a scene from a seed for frames of (height, width) pixels."""
    rng = np.random.default_rng(seed)
    height, width = size
    aspect = width / height
    tissue = paint_tissue(rng, size)
    motion = Motion(
        breath_period_s=float(rng.uniform(3, 5)),
        breath=(float(rng.normal(0, 0.008)), float(rng.uniform(0.012, 0.03))),
        beat_period_s=float(rng.uniform(0.7, 1.0)),
        beat=float(rng.uniform(0.001, 0.003)),
        camera=tuple(rng.uniform(0.3, 1, 4) * (0.035, 0.03, 0.05, 0.04)),
        camera_period_s=tuple(rng.uniform(8, 25, 4)),
        phase=tuple(rng.uniform(0, 2 * np.pi, 8 + len(tissue.organs))),
        organ=tuple(tuple(rng.normal(0, 0.014, 2)) for _ in tissue.organs),
    )
    bursts = []
    start = float(rng.uniform(0.0, 4.0))
    while start < duration_s:
        bursts.append((start, float(rng.uniform(2, 7)), float(rng.uniform(0.35, 0.95))))
        start += float(rng.uniform(6, 16))
    smoke = fractal(rng, (108, 288), 4, 4, 0.55)
    noise = rng.normal(_NOISE_LEVELS, 2.0, (height + 64, width + 64, 1))
    noise = noise + rng.normal(0, 1.0, (height + 64, width + 64, 3))
    return Scene(
        size=size,
        tissue=tissue,
        instruments=tuple(
            draw_instrument(rng, i, instruments, aspect, seed + i) for i in range(instruments)
        ),
        motion=motion,
        smoke_bursts_s=tuple(bursts),
        smoke=np.clip(128 + 60 * smoke, 0, 255).astype(np.uint8),
        vignette=_vignette(rng, size),
        noise=np.clip(noise, 0, 2 * _NOISE_LEVELS).astype(np.uint8),
        seed=seed,
    )


def render(scene: Scene, time_s: float) -> Frame:
    """Render the frame at a time; the same scene and time give the same frame."""
    height, width = scene.size
    rng = np.random.default_rng((scene.seed, round(1e6 * time_s)))
    colours, labels_world = _layers(scene)
    mesh = _mesh(scene, time_s, colours.size)
    bent = colours.transform((width, height), Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)
    labels = labels_world.transform(
        (width, height), Image.Transform.MESH, mesh, Image.Resampling.NEAREST
    )
    red, green, blue, mirror = bent.split()
    picture = Image.merge("RGB", (red, green, blue))
    spark = _smooth_field(scene, time_s, 0.31, 0.9).resize(
        (width, height), Image.Resampling.BILINEAR
    )
    shine = ImageChops.multiply(mirror, spark).point(_STEEP)
    placed = [place(tool, time_s, scene.size) for tool in scene.instruments]
    picture = ImageChops.multiply(picture, _shadow(placed, scene.size).convert("RGB"))
    highlights = shine
    for number, found in enumerate(placed, start=1 + len(scene.tissue.organs)):
        if found is None:
            continue
        sprite, corner = found
        alpha = sprite.getchannel("A")
        solid = alpha.point(_HALF)
        picture.paste(sprite.convert("RGB"), corner, alpha)
        labels.paste(number, corner, solid)
        highlights.paste(0, corner, solid)
    density = smoke_density(scene, time_s)
    if density > 0:
        cloud = _smooth_field(scene, time_s, 0.12, 1.0).point(
            [round(density * max(0, value - 50) * 0.95) for value in range(256)]
        )
        veil = cloud.resize((width, height), Image.Resampling.BICUBIC)
        picture.paste(_SMOKE, (0, 0), veil)
    picture = ImageChops.multiply(picture, scene.vignette)
    # far brighter than the tissue, a highlight stays white where the light is weak
    highlights = ImageChops.multiply(highlights, scene.vignette.getchannel("R").point(_LIT))
    picture.paste((255, 252, 248), (0, 0), highlights)
    y, x = rng.integers(0, 64, 2)
    tile = Image.fromarray(scene.noise[y : y + height, x : x + width])
    picture = ImageChops.add(picture, tile, 1.0, -_NOISE_LEVELS)
    return Frame(np.asarray(picture), np.asarray(labels), np.asarray(highlights) > _HIGHLIGHT_LEVEL)


_STEEP = [round(255 * min(1.0, max(0.0, (value - 104) / 45))) for value in range(256)]
_LIT = [255 if value > 60 else 0 for value in range(256)]
_HALF = [255 if value > 127 else 0 for value in range(256)]


def smoke_density(scene: Scene, time_s: float) -> float:
    """How dense the smoke is at a time, 0 to 1: it comes quickly and clears slowly."""
    density = 0.0
    for start, length, strength in scene.smoke_bursts_s:
        since = (time_s - start) / length
        if 0 < since < 3:
            density = max(density, strength * min(1.0, 4 * since) * float(np.exp(-since)))
    return density


def _layers(scene: Scene) -> tuple[Image.Image, Image.Image]:
    """The tissue's colours with its wetness as a fourth band, and its labels."""
    if scene._layers is None:
        colour = Image.fromarray(scene.tissue.picture).split()
        packed = Image.merge("RGBX", (*colour, Image.fromarray(scene.tissue.wetness)))
        scene._layers = packed, Image.fromarray(scene.tissue.labels)
    return scene._layers


def _organ_pull(scene: Scene) -> NDArray[np.float32]:
    """How strongly each mesh node follows each organ, (organ, rows, columns), 0..1."""
    if scene._pull is None:
        rows, columns = _NODES
        pulls = []
        for label in range(1, len(scene.tissue.organs) + 1):
            mask = Image.fromarray(((scene.tissue.labels == label) * 255).astype(np.uint8))
            small = mask.resize((4 * columns, 4 * rows), Image.Resampling.BOX)
            small = small.filter(ImageFilter.GaussianBlur(4))
            pulls.append(np.asarray(small.resize((columns, rows)), np.float32) / 255)
        scene._pull = np.array(pulls, np.float32).reshape(-1, rows, columns)
    return scene._pull


def _mesh(
    scene: Scene, time_s: float, world: tuple[int, int]
) -> list[tuple[tuple[int, int, int, int], tuple[float, ...]]]:
    """Frame rectangles and the tissue quadrilaterals that they show."""
    height, width = scene.size
    rows, columns = _NODES
    motion = scene.motion
    v = np.linspace(0, height, rows).round()
    u = np.linspace(0, width, columns).round()
    x, y = np.meshgrid(u / height - 0.5 * width / height, v / height - 0.5)  # frame heights
    turns = [
        np.sin(2 * np.pi * time_s / period + phase)
        for period, phase in zip(motion.camera_period_s, motion.phase, strict=False)
    ]
    pan_x, pan_y, angle, zoom = (a * t for a, t in zip(motion.camera, turns, strict=True))
    cos, sin = np.cos(angle) / (1 + zoom), np.sin(angle) / (1 + zoom)
    breath = np.sin(2 * np.pi * time_s / motion.breath_period_s + motion.phase[4])
    breath += 0.3 * np.sin(4 * np.pi * time_s / motion.breath_period_s + motion.phase[4])
    beat = motion.beat * max(0.0, np.sin(2 * np.pi * time_s / motion.beat_period_s)) ** 3
    shown_x = cos * x - sin * y + pan_x + motion.breath[0] * breath * (1 + 0.4 * y)
    shown_y = sin * x + cos * y + pan_y + motion.breath[1] * breath * (0.7 + 0.5 * x**2) + beat
    for pull, (own_x, own_y), phase in zip(
        _organ_pull(scene), motion.organ, motion.phase[8:], strict=True
    ):
        swing = np.sin(2 * np.pi * time_s / (1.7 * motion.breath_period_s) + phase)
        shown_x = shown_x + pull * own_x * swing
        shown_y = shown_y + pull * own_y * swing
    per_height = world[1] / WORLD
    px = world[0] / 2 + per_height * shown_x
    py = world[1] / 2 + per_height * shown_y
    px, py = np.clip(px, 0, world[0] - 1.01), np.clip(py, 0, world[1] - 1.01)
    mesh = []
    for i in range(rows - 1):
        for j in range(columns - 1):
            corners = ((i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1))  # NW, SW, SE, NE
            quad = tuple(float(value) for c in corners for value in (px[c], py[c]))
            mesh.append(((int(u[j]), int(v[i]), int(u[j + 1]), int(v[i + 1])), quad))
    return mesh


def _smooth_field(scene: Scene, time_s: float, speed: float, stretch: float) -> Image.Image:
    """A drifting cloud (108 rows), seen through a window that never leaves the noise."""
    window = round(0.6 * 288 * stretch)
    swing = 0.5 + 0.5 * np.sin(speed * time_s + scene.motion.phase[5])
    left = float((288 - window) * swing)
    top = float(20 + 20 * np.sin(0.7 * speed * time_s + scene.motion.phase[6]))
    whole = Image.fromarray(scene.smoke)
    box = (left, top, left + window, top + 66)
    return whole.resize((240, 135), Image.Resampling.BICUBIC, box=box)


def _shadow(
    placed: list[tuple[Image.Image, tuple[int, int]] | None], size: tuple[int, int]
) -> Image.Image:
    """What the instruments leave of the light, (H, W): 255 is all of it."""
    height, width = size
    cell = max(1, height // 135)
    small = Image.new("L", (-(-width // cell), -(-height // cell)), 255)
    for found in placed:
        if found is None:
            continue
        sprite, (left, top) = found
        alpha = sprite.getchannel("A").reduce(cell) if min(sprite.size) >= cell else None
        if alpha is not None:
            dark = alpha.point([round(0.55 * value) for value in range(256)])
            small.paste(0, (left // cell + 5, top // cell + 6), dark)
    return small.filter(ImageFilter.GaussianBlur(4)).resize((width, height))


def _vignette(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """How much light reaches each pixel; some scopes show their round field."""
    height, width = size
    y, x = np.ogrid[:height, :width]
    radius = np.hypot((y - height / 2) / height, (x - width / 2) / height).astype(np.float32)
    light = 1.12 / (1 + (radius / rng.uniform(0.75, 1.05)) ** 3)
    if rng.random() < 0.3:
        edge = rng.uniform(0.72, 0.85)
        light = light * np.clip((edge - radius) / 0.01, 0, 1)
    return Image.fromarray(np.clip(255 * light, 0, 255).astype(np.uint8)).convert("RGB")
