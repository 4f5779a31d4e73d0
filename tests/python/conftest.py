"""A beating bullet in a fan, and a network that only needs a threshold to see it."""

from __future__ import annotations

import sys
from typing import ClassVar

import numpy as np
import pytest

from medseg.clip import Clip, clip_from_array


@pytest.fixture(autouse=True)
def same_numbers_every_run():
    """Start the global generators alike before each test; torch's only if something needs torch."""
    np.random.seed(0)  # noqa: NPY002
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


def fan(height: int = 112, width: int = 112) -> np.ndarray:
    """A sector from the top's middle, 80 degrees wide, that leaves the corners dark."""
    y, x = np.mgrid[:height, :width].astype(float)
    dy, dx = y + 4, x - (width - 1) / 2
    return (np.abs(np.arctan2(dx, dy)) < np.deg2rad(40)) & (np.hypot(dy, dx) < height)


def cavity(
    shrink: float, *, height: int = 112, width: int = 112, tip: float = 0.2, long: float = 0.55
) -> np.ndarray:
    """A bullet, apex up, whose length and breadth are `shrink` of their greatest."""
    y, x = np.mgrid[:height, :width].astype(float)
    base = (tip + long) * height
    length = long * height * (0.5 + 0.5 * shrink)
    half = 0.14 * width * shrink
    return (y <= base) & ((x - 0.5 * width) ** 2 / half**2 + ((y - base) / length) ** 2 <= 1)


def beating(
    frames: int = 100,
    *,
    rate_hz: float = 50.0,
    bpm: float = 75.0,
    swing: float = 0.35,
    height: int = 112,
    width: int = 112,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Frames (T, H, W, 3) and true masks (T, H, W): a dark bullet in moving grey speckle."""
    rng = np.random.default_rng(seed)
    phase = 2 * np.pi * bpm / 60 * np.arange(frames) / rate_hz
    inside = fan(height, width)
    speckle = rng.integers(90, 200, (height, 2 * width)).astype(np.uint8)
    grey = np.zeros((frames, height, width), np.uint8)
    truth = np.zeros((frames, height, width), bool)
    for i in range(frames):
        truth[i] = cavity(1 - swing * (0.5 - 0.5 * np.cos(phase[i])), height=height, width=width)
        drift = round(width / 4 * (1 + np.sin(phase[i])))
        grey[i] = np.where(inside, speckle[:, drift : drift + width], 0)
        grey[i][truth[i] & inside] = 20
    return np.repeat(grey[..., None], 3, axis=3), truth & inside


class Thresholder:
    """A Segmenter: dark inside the sector is cavity, with an edge as soft as asked."""

    name = "thresholder"
    object_names = ("left_ventricle",)
    halo_s = 0.1
    card: ClassVar = {
        "name": "thresholder",
        "weights_sha256": None,
        "training_data": "none",
        "licence": "MIT",
        "intended_use": "tests",
    }

    def __init__(self, *, certain: float = 0.98) -> None:
        self.certain = certain
        self.seen: list[tuple[int, slice]] = []

    def probabilities(self, frames, *, time_s, core, sector):
        assert len(frames) == len(time_s)
        self.seen.append((len(frames), core))
        grey = frames[core][..., 0]
        dark = (grey > 8) & (grey < 60) & sector.mask  # blood is dark, beyond the fan is black
        probability = np.where(dark, self.certain, 0.01).astype(np.float32)
        return probability[:, None]


@pytest.fixture
def thresholder() -> Thresholder:
    return Thresholder()


@pytest.fixture
def make_thresholder() -> type[Thresholder]:
    return Thresholder


@pytest.fixture
def make_beating():
    return beating


@pytest.fixture
def make_cavity():
    return cavity


@pytest.fixture
def make_fan():
    return fan


@pytest.fixture
def beating_clip() -> tuple[Clip, np.ndarray]:
    frames, truth = beating()
    clip = clip_from_array(
        frames, name="bullet", frame_rate_hz=50.0, spacing_cm=(0.1, 0.1), view="A4C"
    )
    return clip, truth
