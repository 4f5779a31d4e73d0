"""A tiny EchoNet-shaped folder of beating bullets, and configurations small enough for seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medseg.export.video import VideoWriter
from medseg.train.config import Config
from medseg.train.recipes import RECIPES, with_frames, with_model

SPLITS = ("TRAIN", "TRAIN", "TRAIN", "TRAIN", "VAL", "VAL", "TEST")
FRAMES = 24
ED, ES = 0, 12  # of a beat of 24 frames


def chords(mask: np.ndarray) -> list[tuple[float, ...]]:
    """A mask as EchoNet's 21 rows: the axis, then 20 chords from the apex to the mitral plane."""
    rows = np.flatnonzero(mask.any(1))
    middle = mask.shape[1] / 2
    found = [(middle, float(rows[0]), middle, float(rows[-1]))]
    for y in np.linspace(rows[0], rows[-1], 20).round().astype(int):
        x = np.flatnonzero(mask[y])
        found.append((float(x[0]), float(y), float(x[-1]), float(y)))
    return found


def write_folder(root: Path, beating: Callable) -> Path:
    """Seven 112 x 112 videos of 24 frames; the row of ES comes before that of ED in every other."""
    (root / "Videos").mkdir(parents=True)
    listed = ["FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split"]
    traced = ["FileName,X1,Y1,X2,Y2,Frame"]
    for i, split in enumerate(SPLITS):
        name = f"clip{i}"
        swing = 0.2 + 0.06 * i
        frames, masks = beating(FRAMES, rate_hz=FRAMES * 75 / 60, swing=swing, seed=i)
        path = root / "Videos" / f"{name}.avi"
        with VideoWriter(path, frame_rate_hz=30, height=112, width=112) as video:
            video.write(frames)
        esv = 100 * (1 - swing) ** 3
        listed.append(f"{name},{100 - esv:.3f},{esv:.3f},100,112,112,30,{FRAMES},{split}")
        for frame in (ED, ES) if i % 2 else (ES, ED):
            traced += [f"{name}.avi,{','.join(map(str, c))},{frame}" for c in chords(masks[frame])]
    (root / "FileList.csv").write_text("\n".join(listed) + "\n")
    (root / "VolumeTracings.csv").write_text("\n".join(traced) + "\n")
    return root


MADE: dict[str, Path] = {}  # slow to make, and not changed


@pytest.fixture
def folder(tmp_path_factory, make_beating) -> Path:
    if "tiny" not in MADE:
        MADE["tiny"] = write_folder(tmp_path_factory.mktemp("train") / "tiny", make_beating)
    return MADE["tiny"]


def small(name: str, folder: Path, *, model: str | None = None, steps: int = 4) -> Config:
    """A recipe at 32 pixels, narrow, with no worker, a step an epoch."""
    config = RECIPES[name]
    config = with_model(config, model or config.network.model, 0.0625)
    if name in ("unilvseg", "unilvseg-ssl"):
        config = with_frames(config, 4 if model == "simlvseg-superimage" else 16)
    if name == "echonet-ef":
        config = with_frames(config, 8)
    return replace(
        config,
        data=replace(config.data, path=str(folder), size=32, workers=0, normalisation_clips=4),
        run=replace(config.run, steps=steps, steps_per_epoch=1, batch=2, tensorboard=False),
    )


@pytest.fixture
def make_small(folder) -> Callable[..., Config]:
    return lambda name, **more: small(name, folder, **more)
