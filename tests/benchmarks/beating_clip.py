"""A synthetic clip of any length and size: a dark cavity that beats in a speckled sector."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from PIL import Image

SPECKLES = 8  # different speckle patterns, shown in turn


def write_clip(
    path: Path, *, frame_count: int, height: int, width: int, frame_rate_hz: int = 50
) -> Path:
    """Write a Motion-JPEG AVI with 60 beats a minute, one frame in memory at a time."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width] / [[[height]], [[width]]]  # 0..1
    sector = (np.abs(x - 0.5) < 0.75 * y + 0.02) & (np.hypot(x - 0.5, y) < 0.98)
    coarse = (max(height // 4, 1), max(width // 4, 1))
    speckle = [
        np.asarray(
            Image.fromarray(rng.rayleigh(60, coarse).clip(0, 255).astype(np.uint8)).resize(
                (width, height), Image.Resampling.BICUBIC
            )
        )
        for _ in range(SPECKLES)
    ]
    with av.open(str(path), "w", format="avi") as file:
        stream = file.add_stream("mjpeg", rate=frame_rate_hz)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        for frame in range(frame_count):
            beat = 0.5 + 0.5 * np.cos(2 * np.pi * frame / frame_rate_hz)  # 1 at end-diastole
            radius = 0.09 + 0.05 * beat
            cavity = np.hypot((x - 0.55) / radius, (y - 0.45) / (1.9 * radius)) < 1
            grey = np.where(cavity, speckle[frame % SPECKLES] // 8, speckle[frame % SPECKLES])
            picture = av.VideoFrame.from_ndarray(np.where(sector, grey, 0).astype(np.uint8), "gray")
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))
    return path
