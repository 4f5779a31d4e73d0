"""A data set of bright rectangles, and runs whose masks are made from the truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medseg.clip import clip_from_array
from medseg.evaluate import folder as folder_module
from medseg.segmentation import segment
from medseg.store import save_segmentation

SIDE, FRAMES, WIDTH = 64, 20, 20
HEIGHT = np.round(32 + 8 * np.cos(np.arange(FRAMES) / FRAMES * 4 * np.pi)).astype(int)
PATTERN: dict[str, object] = {}  # one store's data set, made once


def rectangles(shrink: int = 0, right: int = 0) -> np.ndarray:
    """Masks (T, H, W): rectangles of HEIGHT x WIDTH, smaller by `shrink` pixels on each side."""
    masks = np.zeros((FRAMES, SIDE, SIDE), bool)
    for mask, height in zip(masks, HEIGHT, strict=True):
        rows = slice(10 + shrink, 10 + height - shrink)
        mask[rows, 20 + shrink + right : 20 + WIDTH - shrink + right] = True
    return masks


def dice_of(shrink: int) -> float:
    """Pooled Dice of rectangles that are smaller by `shrink` on each side: of their areas."""
    whole = (HEIGHT * WIDTH).sum()
    part = ((HEIGHT - 2 * shrink) * (WIDTH - 2 * shrink)).sum()
    return float(2 * part / (whole + part))


@pytest.fixture
def dataset(tmp_path) -> Path:
    """Six clips of a simulated folder without their videos, the first two TRAIN; EF 30 to 80."""
    folder = tmp_path / "data"
    (folder / "truth").mkdir(parents=True)
    rows = ["FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split"]
    for i in range(6):
        ef = 30.0 + 10 * i
        split = "TRAIN" if i < 2 else "TEST"
        rows.append(f"clip{i},{ef},,,{SIDE},{SIDE},25,{FRAMES},{split}")
        np.savez(
            folder / "truth" / f"clip{i}.npz",
            mask=rectangles().astype(np.uint8),
            frame_time_s=np.arange(FRAMES) / 25,
            ed_time_s=np.array([0.0, 0.4]),
            es_time_s=np.array([0.2, 0.6]),
            ef_percent=np.array([ef]),
            heart_rate_bpm=150.0,
        )
    (folder / "FileList.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture
def save_store(make_thresholder) -> Callable[..., None]:
    """Save a store of given masks (T, H, W)."""

    def save(path: Path, masks: np.ndarray, **changed: object) -> None:
        if "ds" not in PATTERN:
            frames = np.where(rectangles()[..., None], 20, 120).astype(np.uint8)
            clip = clip_from_array(np.repeat(frames, 3, axis=3), name="any", frame_rate_hz=25.0)
            PATTERN["ds"] = segment(clip, make_thresholder())
        ds = PATTERN["ds"].copy(deep=True)
        area = masks.sum(axis=(1, 2))
        ds["mask"].values[:] = masks[None]
        ds["status"].values[:] = np.where(area > 0, 0, 1)
        ds["area_px"].values[:] = area
        ds["long_axis_px"].values[:] = np.where(area > 0, 30.0, np.nan)
        ds["disk_diameter_px"].values[:] = np.where(area > 0, 20.0, np.nan)[None, :, None]
        ds["confidence"].values[:] = np.where(area > 0, 0.99, np.nan)
        verdict = {**ds.attrs["quality"]["left_ventricle"], "measurable": True, "reasons": []}
        ds.attrs["quality"] = {"left_ventricle": verdict}
        ds.attrs["model"] = {**ds.attrs["model"], **changed}
        path.parent.mkdir(parents=True, exist_ok=True)
        save_segmentation(ds, path, overwrite=True)

    return save


@pytest.fixture
def make_run(save_store, tmp_path) -> Callable[..., Path]:
    """Write a folder of stores of clips 2 to 5."""

    def make(folder: str, *, shrink: int = 0, right: int = 0, clips=range(2, 6), **model) -> Path:
        for i in clips:
            path = tmp_path / folder / f"clip{i}.zarr"
            save_store(path, rectangles(shrink, right), **model)
        return tmp_path / folder

    return make


@pytest.fixture(autouse=True)
def answers(monkeypatch) -> dict[str, float | None]:
    """R's EF by run and clip, `run/clip`; else the true EF and 2 points by name."""
    given: dict[str, float | None] = {}

    def answer(stores, *, method="beatbybeat"):
        found = []
        for store in stores:
            usual = 32.0 + 10 * int(store.stem[-1])
            ef = given.get(f"{store.parent.name}/{store.stem}", usual)
            found.append({"ef_percent": ef, "heart_rate_bpm": 150.0, "beats": [{"es_s": 0.6}]})
        return found

    monkeypatch.setattr(folder_module, "analyse_batch", answer)
    return given


@pytest.fixture
def known():
    """What is known of the rectangles."""
    return {"dice_of": dice_of, "rectangles": rectangles, "frames": FRAMES}
