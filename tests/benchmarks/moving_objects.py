"""Textured blobs that move, turn and change size over a textured ground, with their masks."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def texture(
    rng: np.random.Generator, height: int, width: int, grain: float, colour: np.ndarray
) -> np.ndarray:
    """Smooth noise (height, width, 3) in 0..1 around a colour."""
    small = rng.random((max(2, int(height / grain)), max(2, int(width / grain)), 3))
    zoom = (height / small.shape[0], width / small.shape[1], 1)
    noise = ndimage.zoom(small, zoom, order=1)[:height, :width]
    return np.clip(0.35 * (noise - 0.5) + colour, 0, 1)


class Scene:
    """A ground and blobs on it, each frame of which can be drawn at any time."""

    def __init__(self, seed: int, height: int, width: int, *, blobs: int = 2) -> None:
        rng = np.random.default_rng(seed)
        self.height, self.width = height, width
        dark, bright = rng.uniform(0.1, 0.4, 3), rng.uniform(0.6, 0.9, (blobs, 3))
        self.ground = texture(rng, height, width, 0.08 * height, dark)
        self.skins = [texture(rng, height, width, 0.05 * height, skin) for skin in bright]
        self.blobs = rng.random((blobs, 9))
        self.y, self.x = np.mgrid[:height, :width].astype(np.float32)

    def masks(self, frame: int) -> np.ndarray:
        """Masks (blob, height, width) bool; a later blob hides an earlier one."""
        found = np.zeros((len(self.blobs), self.height, self.width), bool)
        for i, (cx, cy, size, flat, turn, ax, ay, speed, phase) in enumerate(self.blobs):
            t = 2 * np.pi * (phase + (0.01 + 0.02 * speed) * frame)
            x = self.width * (0.3 + 0.4 * cx + 0.15 * (ax + 0.3) * np.sin(t))
            y = self.height * (0.3 + 0.4 * cy + 0.15 * (ay + 0.3) * np.cos(0.7 * t))
            radius = self.height * (0.14 + 0.16 * size) * (1 + 0.12 * np.sin(1.3 * t))
            angle = np.pi * turn + 0.3 * np.sin(t)
            dx, dy = self.x - x, self.y - y
            along = dx * np.cos(angle) + dy * np.sin(angle)
            across = dy * np.cos(angle) - dx * np.sin(angle)
            wave = 1 + 0.12 * np.cos(3 * np.arctan2(across, along) + t)
            found[i] = along**2 + (across * (1 + flat)) ** 2 < (radius * wave) ** 2
            found[:i] &= ~found[i]
        return found

    def frame(self, frame: int, masks: np.ndarray | None = None) -> np.ndarray:
        """The picture (height, width, 3) uint8."""
        masks = self.masks(frame) if masks is None else masks
        picture = self.ground.copy()
        for mask, skin in zip(masks, self.skins, strict=True):
            picture[mask] = skin[mask]
        noise = np.random.default_rng(frame).normal(0, 0.02, (self.height, self.width, 1))
        return (np.clip(picture + noise, 0, 1) * 255).astype(np.uint8)


def clip_of(seed: int, frames: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames (T,H,W,3) uint8 and masks (T,blob,H,W) bool; each blob covers 2 to 60 % of frame 0."""
    while True:
        scene = Scene(seed, height, width)
        shares = scene.masks(0).mean((1, 2))
        if shares.min() > 0.02 and shares.max() < 0.6:
            break
        seed += 10_000
    masks = np.stack([scene.masks(i) for i in range(frames)])
    return np.stack([scene.frame(i, masks[i]) for i in range(frames)]), masks
