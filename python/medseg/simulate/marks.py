"""What a scanner writes over its pictures: text, a depth scale and an ECG trace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from medseg.simulate.rhythm import Beat

WORDS = ("Adult Echo", "X5-1", "50Hz", "2D", "HGen", "Gn 51", "C 50", "P Low", "MI 1.2", "TIS 0.8")


@dataclass(frozen=True)
class Marks:
    """Words with their places (x, y in pixels), and whether a scale and an ECG are drawn."""

    words: tuple[tuple[int, int, str], ...]
    scale: bool
    ecg: bool
    colour: tuple[int, int, int]


def draw_marks(rng: np.random.Generator, size: tuple[int, int]) -> Marks:
    """Draw the marks of a full scanner screen of `size` (height, width)."""
    height, width = size
    words = [
        (int(width * rng.choice([0.01, 0.86])), 4 + 14 * i, str(rng.choice(WORDS)))
        for i in range(int(rng.integers(2, 8)))
    ]
    words.append((int(width * 0.3), height - 14, str(rng.choice(WORDS))))
    green = (90, 230, 90)
    return Marks(tuple(words), rng.random() < 0.7, rng.random() < 0.6, green)


def _ecg(phase_s: np.ndarray, cycle_s: float) -> np.ndarray:
    """Height of a schematic ECG (R = 1) at seconds since end-diastole, which is the R wave."""
    wave = np.exp(-((phase_s / 0.012) ** 2)) - 0.25 * np.exp(-(((phase_s - 0.03) / 0.015) ** 2))
    wave += np.exp(-(((phase_s - cycle_s) / 0.012) ** 2))
    wave += 0.22 * np.exp(-(((phase_s - 0.3 * cycle_s**0.5) / 0.05) ** 2))
    return wave + 0.12 * np.exp(-(((phase_s - cycle_s + 0.16) / 0.03) ** 2))


def ecg_curve(beats: list[Beat], time_s: np.ndarray) -> np.ndarray:
    """The ECG's height at each time."""
    height = np.zeros(time_s.shape)
    for beat in beats:
        inside = (time_s >= beat.ed_s) & (time_s < beat.next_ed_s)
        height[inside] = _ecg(time_s[inside] - beat.ed_s, beat.next_ed_s - beat.ed_s)
    return height


def write_marks(
    picture: np.ndarray, marks: Marks, *, beats: list[Beat], now_s: float, duration_s: float
) -> np.ndarray:
    """Write the marks on one RGB picture (H, W, 3) uint8 and return a new one."""
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default()
    height, width = picture.shape[:2]
    for x, y, word in marks.words:
        pen.text((x, y), word, fill=(200, 200, 200), font=font)
    if marks.scale:
        for y in range(10, height - 10, max(height // 16, 4)):
            pen.line([(width - 6, y), (width - 3, y)], fill=(220, 220, 220))
    if marks.ecg:
        shown_s = np.linspace(0, max(now_s, 1e-3), max(int(width * now_s / duration_s), 2))
        x = shown_s / duration_s * width
        y = height * (0.97 - 0.05 * ecg_curve(beats, shown_s))
        pen.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=marks.colour)
    return np.asarray(image)
