"""A simulated instrument: a shaft with two jaws that turns about its port in the wall."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

JAW_STATES = 8  # pictures between closed and open
_STEEL, _BLACK = (172, 176, 180), (46, 46, 50)
_FINER = 2  # the sprite's polygons are drawn so much larger, then averaged


@dataclass(frozen=True)
class Instrument:
    """One instrument; lengths are in frame heights, times in seconds."""

    port: tuple[float, float]  # (x, y) of the port, outside the frame
    home: tuple[float, float]  # (x, y) about which the tip wanders
    reach: tuple[float, float]  # how far it wanders
    period_s: tuple[float, float, float]
    phase: tuple[float, float, float]
    breadth: float  # of the shaft
    black: bool  # insulated shaft, or steel
    seed: int

    def tip(self, time_s: float) -> tuple[float, float]:
        """Where the tip is at a time, (x, y)."""
        slow = np.sin(2 * np.pi * time_s / self.period_s[0] + self.phase[0])
        fast = np.sin(2 * np.pi * time_s / self.period_s[1] + self.phase[1])
        x = self.home[0] + self.reach[0] * (0.75 * slow + 0.25 * fast)
        y = self.home[1] + self.reach[1] * (0.75 * np.cos(2.1 * fast) * slow + 0.25 * fast)
        return float(x), float(y)

    def jaw_state(self, time_s: float) -> int:
        """How far the jaws are open, 0 to JAW_STATES - 1."""
        turn = np.sin(2 * np.pi * time_s / self.period_s[2] + self.phase[2])
        return round((JAW_STATES - 1) * float(np.clip(0.5 + 0.9 * turn, 0, 1)))


def draw_instrument(
    rng: np.random.Generator, index: int, total: int, aspect: float, seed: int
) -> Instrument:
    """Draw the `index`-th of `total` instruments; ports are spread around the frame."""
    side = np.linspace(-0.15, np.pi + 0.15, total + 2)[1:-1][index] + rng.uniform(-0.2, 0.2)
    port = (
        aspect * (0.5 + 0.95 * float(np.cos(side))),
        0.5 + 0.95 * float(np.sin(side)),
    )
    inwards = rng.uniform(0.6, 0.95)
    home = (
        port[0] + inwards * (0.5 * aspect - port[0]),
        port[1] + inwards * (0.5 - port[1]),
    )
    period_s = (rng.uniform(4, 9), rng.uniform(1.5, 3.5), rng.uniform(2, 6))
    phase = rng.uniform(0, 2 * np.pi, 3)
    return Instrument(
        port=port,
        home=home,
        reach=(float(rng.uniform(0.06, 0.16)), float(rng.uniform(0.06, 0.14))),
        period_s=(float(period_s[0]), float(period_s[1]), float(period_s[2])),
        phase=(float(phase[0]), float(phase[1]), float(phase[2])),
        breadth=float(rng.uniform(0.075, 0.12)),
        black=bool(rng.random() < 0.55),
        seed=seed,
    )


def place(
    instrument: Instrument, time_s: float, size: tuple[int, int]
) -> tuple[Image.Image, tuple[int, int]] | None:
    """The instrument at a time as an RGBA picture and its (left, top) in a (height, width) frame.

    None where it is not in the frame.
    """
    height, width = size
    sprite, tip_x, axis_y = sprite_of(instrument, instrument.jaw_state(time_s), height)
    x, y = (height * value for value in instrument.tip(time_s))
    angle = np.arctan2(y - height * instrument.port[1], x - height * instrument.port[0])
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    corners = np.array([[0, 0], [sprite.width, 0], [0, sprite.height], sprite.size], float)
    corners -= (tip_x, axis_y)
    turned = corners @ np.array([[cos, sin], [-sin, cos]]) + (x, y)
    left, top = np.maximum(np.floor(turned.min(0)).astype(int), 0).tolist()
    right, bottom = np.minimum(np.ceil(turned.max(0)).astype(int), (width, height)).tolist()
    if right <= left or bottom <= top:
        return None
    # frame (u, v) -> sprite: turned back about the tip
    dx, dy = left - x, top - y
    data = (cos, sin, cos * dx + sin * dy + tip_x, -sin, cos, -sin * dx + cos * dy + axis_y)
    box = (right - left, bottom - top)
    shown = sprite.transform(box, Image.Transform.AFFINE, data, Image.Resampling.BILINEAR)
    return shown, (left, top)


@lru_cache(maxsize=64)
def sprite_of(instrument: Instrument, state: int, height: int) -> tuple[Image.Image, int, int]:
    """The instrument pointing right, as (RGBA, column of its tip, row of its axis)."""
    n = _FINER
    breadth = instrument.breadth * height
    jaw = 2.3 * breadth
    gap = 0.4 * state / (JAW_STATES - 1)  # radians of each jaw
    length = int(1.6 * height * max(1.0, np.hypot(*instrument.port) / 1.2))
    tall = int(2 * (jaw * np.sin(gap) + breadth)) + 4
    axis = tall / 2
    wrist, tip = length - jaw, float(length)
    image = Image.new("L", (n * length, n * tall))
    draw = ImageDraw.Draw(image)

    def polygon(points: list[tuple[float, float]], value: int) -> None:
        draw.polygon([(n * px, n * py) for px, py in points], fill=value)

    half = breadth / 2
    for sign in (-1, 1):  # the jaws
        cos, sin = np.cos(gap), sign * np.sin(gap)
        blade = [(0, 0.0), (0, 0.85 * half), (0.6 * jaw, 0.62 * half), (jaw, 0.2 * half), (jaw, 0)]
        turned = [
            (wrist + bx * cos - sign * by * sin, axis + bx * sin + sign * by * cos)
            for bx, by in blade
        ]
        polygon(turned, 255)
    shaft_end = wrist - 1.1 * breadth
    wrist_end = wrist + 0.25 * jaw
    for left, right, near, far in (
        (0.0, shaft_end, half, half),
        (shaft_end, wrist_end, 0.8 * half, 0.7 * half),
    ):
        polygon(
            [(left, axis - near), (right, axis - far), (right, axis + far), (left, axis + near)],
            255,
        )
    alpha = image.resize((length, tall), Image.Resampling.BOX)
    picture = _metal(instrument, length, tall, axis, half, shaft_end)
    return Image.merge("RGBA", (*Image.fromarray(picture).split(), alpha)), round(tip), round(axis)


def _metal(
    instrument: Instrument, length: int, tall: int, axis: float, half: float, shaft_end: float
) -> np.ndarray:
    """Colours (tall, length, 3) of a cylinder lit from the camera; fills the whole sprite."""
    rng = np.random.default_rng(instrument.seed)
    across = np.clip((np.arange(tall) + 0.5 - axis) / half, -1, 1)
    round_off = np.sqrt(1 - 0.92 * across**2)
    stripe = np.exp(-(((across + 0.25) / 0.13) ** 2)) + 0.35 * np.exp(
        -(((across - 0.5) / 0.08) ** 2)
    )
    along = np.arange(length)
    brushed = 1 + 0.03 * np.cumsum(rng.normal(0, 0.4, length)) / np.sqrt(length)
    steel = along[None, :] > shaft_end
    joint = (np.abs(along - shaft_end) < 0.09 * half * 2)[None, :]
    teeth = 1 - 0.16 * ((along // max(2, int(0.16 * half * 2))) % 2) * (
        along > shaft_end + 3 * half
    )
    colour = np.where(
        (steel | (not instrument.black))[..., None],
        np.array(_STEEL, np.float32),
        np.array(_BLACK, np.float32),
    )
    body = (0.25 + 0.7 * round_off)[:, None] * (brushed * teeth)[None, :]
    shine = np.where(steel | (not instrument.black), 95, 70) * stripe[:, None]
    picture = colour * body[..., None] + shine[..., None]
    picture[np.broadcast_to(joint, picture.shape[:2])] *= 0.55
    # towards the port it grows dark: the light is at the camera and points at the middle
    picture *= np.linspace(0.55, 1.0, length)[None, :, None] ** 1.2
    return np.clip(picture, 0, 255).astype(np.uint8)
