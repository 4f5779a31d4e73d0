"""The still tissue of a simulated operation: organs, vessels and wetness, with true labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

Float = NDArray[np.float32]

WORLD = 1.3  # the painted tissue's edges, in frames: what the camera may wander over
TALLEST_PX = 1000  # taller worlds are enlarged from this, so edges are as soft as a lens's
ORGANS: dict[str, tuple[tuple[int, int, int], float, float]] = {
    # colour (RGB), relative size, elongation: looked at beside pictures of laparoscopy
    "liver": ((118, 50, 42), 1.0, 1.5),
    "gallbladder": ((154, 142, 110), 0.45, 1.9),
    "stomach": ((206, 128, 112), 0.8, 1.5),
    "spleen": ((98, 42, 56), 0.6, 1.4),
    "bowel": ((196, 116, 104), 0.62, 1.9),
}
_FAT, _PERITONEUM, _BLOOD = (212, 172, 100), (176, 92, 80), (112, 22, 24)
_SMALLEST_SHARE = 0.02  # of the frame, still seen of an organ behind the others


@dataclass(frozen=True, eq=False)
class Tissue:
    """Painted once for a clip; (height, width) is WORLD frames."""

    picture: NDArray[np.uint8]  # (h, w, 3)
    wetness: NDArray[np.uint8]  # (h, w): how much light the wet surface mirrors to the camera
    labels: NDArray[np.uint8]  # (h, w): 0 background, then the organs in order
    organs: tuple[str, ...]


def fractal(
    rng: np.random.Generator, size: tuple[int, int], cells: float, octaves: int, fade: float = 0.5
) -> Float:
    """Smooth noise (h, w) of mean 0 and SD 1; `cells` blobs fit in the height at first."""
    height, width = size
    total = np.zeros(size, np.float32)
    for octave in range(octaves):
        n = max(2, round(cells * 2**octave))
        shape = (min(n, height) + 1, min(round(n * width / height), width) + 1)
        coarse = Image.fromarray(rng.standard_normal(shape).astype(np.float32))
        total += fade**octave * np.asarray(
            coarse.resize((width, height), Image.Resampling.BICUBIC), np.float32
        )
    total -= total.mean()
    smooth: Float = total / total.std()
    return smooth


def paint_tissue(rng: np.random.Generator, size: tuple[int, int]) -> Tissue:
    """Paint organs over fat and peritoneum for frames of (height, width) pixels."""
    scale = min(1.0, TALLEST_PX / (WORLD * size[0]))
    height, width = (round(WORLD * scale * edge) for edge in size)
    shape = (height, width)
    mixed = 1 / (1 + np.exp(-2.5 * fractal(rng, shape, 3, 4)))[..., None]
    colour = (mixed * _FAT + (1 - mixed) * _PERITONEUM).astype(np.float32)
    relief = 0.55 * fractal(rng, shape, 7, 3)  # lobules of fat
    labels = np.zeros(shape, np.uint8)
    names = [str(n) for n in rng.permutation(list(ORGANS))[: rng.integers(2, 4)]]
    names.sort(key=lambda name: -ORGANS[name][1])  # large ones lie below
    shade = np.ones(shape, np.float32)
    for label, name in enumerate(names, start=1):
        base, share, long = ORGANS[name]
        mask = _organ_outline(rng, shape, share, long, label / len(names))
        dome = _dome(mask)
        soft = ndimage.uniform_filter(mask.astype(np.float32), max(3, height // 160))
        shadow = ndimage.shift(soft, (height // 60, height // 90), order=0)
        shade *= 1 - 0.45 * ndimage.uniform_filter(shadow, height // 30) * (1 - soft)
        mottled = 1 + 0.07 * fractal(rng, shape, 14, 4)[..., None]
        colour += soft[..., None] * (np.array(base, np.float32) * mottled - colour)
        relief = np.where(mask, 9.0 * dome + 0.16 * fractal(rng, shape, 11, 4), relief)
        shade = shade + soft * (1 - shade)
        labels[mask] = label
    seen = [n for i, n in enumerate(names, 1) if (labels == i).mean() > _SMALLEST_SHARE]
    labels = np.array([0, *((seen.index(n) + 1) if n in seen else 0 for n in names)], np.uint8)[
        labels
    ]
    _add_vessels(rng, colour)
    light, mirror = _lighting(rng, relief.astype(np.float32), height)
    colour *= (shade * light)[..., None]
    fine = 1 + 0.035 * fractal(rng, shape, 60, 3)[..., None]
    return Tissue(
        picture=np.clip(colour * fine, 0, 255).astype(np.uint8),
        wetness=np.clip(255 * mirror, 0, 255).astype(np.uint8),
        labels=labels,
        organs=tuple(seen),
    )


def _organ_outline(
    rng: np.random.Generator, size: tuple[int, int], share: float, long: float, turn: float
) -> NDArray[np.bool_]:
    """A smooth closed shape (h, w), somewhere around the middle."""
    height, width = size
    angle = np.linspace(0, 2 * np.pi, 181)
    radius = np.ones_like(angle)
    for k in range(2, 7):
        radius += rng.normal(0, 0.22 / k) * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
    around = 2 * np.pi * turn + rng.uniform(-0.6, 0.6)
    y = height * (0.5 + 0.24 * np.sin(around))
    x = width * (0.5 + 0.24 * np.cos(around))
    length, breadth = 0.34 * height * share * np.array([long, 1.0])
    tilt = rng.uniform(0, np.pi)
    along, across = length * radius * np.cos(angle), breadth * radius * np.sin(angle)
    points = np.stack(
        [
            x + along * np.cos(tilt) - across * np.sin(tilt),
            y + along * np.sin(tilt) + across * np.cos(tilt),
        ],
        axis=1,
    )
    image = Image.new("L", (width, height))
    ImageDraw.Draw(image).polygon([(float(px), float(py)) for px, py in points], fill=1)
    return np.asarray(image, bool)


def _dome(mask: NDArray[np.bool_]) -> Float:
    """How far the organ bulges (h, w), 0 at its edge and 1 in its middle; at a quarter's size."""
    small = mask[::4, ::4]
    depth = ndimage.distance_transform_edt(small)
    depth = np.sqrt(np.clip(depth / max(depth.max(), 1), 0, 1))
    depth = ndimage.gaussian_filter(depth, small.shape[0] / 90).astype(np.float32)
    size = (mask.shape[1], mask.shape[0])
    return np.asarray(Image.fromarray(depth).resize(size, Image.Resampling.BICUBIC), np.float32)


def _add_vessels(rng: np.random.Generator, colour: Float) -> None:
    """Draw branching vessels into the colours (h, w, 3), in place."""
    height, width = colour.shape[:2]
    image = Image.new("L", (width, height))
    draw = ImageDraw.Draw(image)

    def grow(x: float, y: float, heading: float, breadth: float, left: int) -> None:
        for _ in range(int(rng.integers(10, 26))):
            heading += rng.normal(0, 0.22)
            step = height / 70
            to = (x + step * np.cos(heading), y + step * np.sin(heading))
            strength = int(np.clip(90 + 40 * breadth, 60, 190))
            draw.line([(x, y), to], fill=strength, width=max(1, round(breadth * height / 700)))
            x, y = to
            if left and rng.random() < 0.09:
                grow(x, y, heading + rng.choice([-1, 1]) * 0.6, 0.65 * breadth, left - 1)
            breadth *= 0.985

    for _ in range(int(rng.integers(9, 16))):
        start = rng.uniform(0, width), rng.uniform(0, height)
        grow(*start, rng.uniform(0, 2 * np.pi), rng.uniform(0.8, 2.6), 3)
    soft = ndimage.uniform_filter(np.asarray(image, np.float32), max(2, height // 500)) / 255
    colour += soft[..., None] * (np.array(_BLOOD, np.float32) - colour)


def _lighting(rng: np.random.Generator, relief: Float, height: int) -> tuple[Float, Float]:
    """Brightness (h, w) about 1 of a surface lit from the camera, and what it mirrors, 0..1."""
    wet = relief + 0.05 * fractal(rng, relief.shape, 26, 3)
    down, right = np.gradient(wet * height / 24)
    facing = 1 / np.sqrt(1 + down**2 + right**2)
    tilt_down, tilt_right = rng.normal(0, 0.12, 2)  # the light sits beside the lens
    towards = (1 - tilt_down * down - tilt_right * right) * facing
    light = (0.5 + 0.55 * np.clip(towards, 0, 1.3)).astype(np.float32)
    mirror = np.clip(towards, 0, 1) ** 60 * np.clip(
        0.55 + 0.45 * fractal(rng, relief.shape, 8, 5, 0.7), 0, 1
    )
    return light, mirror.astype(np.float32)
