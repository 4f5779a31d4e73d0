"""Folders with a truth, stores whose masks are known, and an R that answers as told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medseg.clip import clip_from_array
from medseg.evaluate import folder as folder_module
from medseg.segmentation import segment, segment_to_store
from medseg.store import save_segmentation

BEAT_S = 0.8  # 75 bpm
TRACED_TOP = {0: 25, 20: 40}  # frame: first row of a shape that ends at row 84
MADE: dict[object, object] = {}  # what is slow to make and is not changed


@pytest.fixture
def simulated(make_beating, thresholder, tmp_path, tmp_path_factory) -> tuple[Path, Path]:
    """Three simulated clips (one TRAIN, two TEST) and stores of the two TEST clips."""
    if "simulated" not in MADE:
        MADE["simulated"] = tmp_path_factory.mktemp("simulated")
        simulate(MADE["simulated"], make_beating, thresholder)
    shutil.copytree(MADE["simulated"], tmp_path, dirs_exist_ok=True)
    return tmp_path / "stores", tmp_path / "data"


def simulate(folder: Path, make_beating, thresholder) -> None:
    (folder / "data" / "truth").mkdir(parents=True)
    rows = ["FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split"]
    for i, split in enumerate(("TRAIN", "TEST", "TEST")):
        frames, mask = make_beating(100, swing=0.3 + 0.05 * i, seed=i)
        name = f"sim{i}"
        rows.append(f"{name},{50 + i},,,112,112,50,100,{split}")
        np.savez(
            folder / "data" / "truth" / f"{name}.npz",
            mask=mask.astype(np.uint8),
            frame_time_s=np.arange(100) / 50,
            ed_time_s=np.array([0.0, BEAT_S]),
            es_time_s=np.array([BEAT_S / 2, 1.5 * BEAT_S]),
            ef_percent=np.array([50.0 + i, 52.0 + i]),
            heart_rate_bpm=75.0,
        )
        if split == "TEST":
            clip = clip_from_array(frames, name=name, frame_rate_hz=50.0)
            segment_to_store(clip, folder / "stores", segmenter=thresholder)
    (folder / "data" / "FileList.csv").write_text("\n".join(rows) + "\n")


@pytest.fixture
def asked(monkeypatch) -> list[list[Path]]:
    """R answers EF 50, 78 bpm, and beats of which one is 0.2 s late."""
    calls: list[list[Path]] = []

    def answer(stores, *, method="beatbybeat"):
        calls.append(list(stores))
        return [
            {
                "store": str(store),
                "error": None,
                "ef_percent": 50.0,
                "heart_rate_bpm": 78.0,
                "n_beats": 2,
                "n_complete": 1,
                "beats": [{"es_s": 0.42}, {"es_s": 1.4}, {"es_s": None}],
            }
            for store in stores
        ]

    monkeypatch.setattr(folder_module, "analyse_batch", answer)
    return calls


@pytest.fixture
def echonet_folder(tmp_path) -> Callable[[dict[str, tuple[int, ...]]], Path]:
    """Write an EchoNet-shaped folder: traced frames of each video, in the order given; EF 55."""

    def write(names: dict[str, tuple[int, ...]]) -> Path:
        dataset = tmp_path / "echonet"
        dataset.mkdir()
        rows = [f"{name}.avi,55,TEST" for name in names]
        (dataset / "FileList.csv").write_text("\n".join(["FileName,EF,Split", *rows]) + "\n")
        lines = ["FileName,X1,Y1,X2,Y2,Frame"]
        for name, frames in names.items():
            for frame in frames:
                top = TRACED_TOP[frame]
                lines.append(f"{name}.avi,56,{top},56,84,{frame}")
                lines += [f"{name}.avi,45,{y},67,{y},{frame}" for y in np.linspace(top, 84, 20)]
        (dataset / "VolumeTracings.csv").write_text("\n".join(lines) + "\n")
        return dataset

    return write


@pytest.fixture
def save_store(make_beating, thresholder) -> Callable[..., None]:
    """Save a store of 30 frames that has the traced end-diastole in the `drawn` frames only."""

    def save(
        path: Path,
        *,
        drawn: tuple[int, ...] = (0, 20),
        spacing_cm: tuple[float, float] | None = None,
        subject_key: str | None = None,
    ) -> None:
        if spacing_cm not in MADE:
            clip = clip_from_array(
                make_beating(30)[0], name="any", frame_rate_hz=50.0, spacing_cm=spacing_cm
            )
            MADE[spacing_cm] = segment(clip, thresholder)
        ds = MADE[spacing_cm].copy(deep=True)
        mask = np.zeros_like(ds["mask"].values)
        for frame in drawn:
            mask[0, frame, TRACED_TOP[0] : 85, 45:68] = 1
        area = mask.sum(axis=(2, 3))
        ds["mask"].values[:] = mask
        ds["status"].values[:] = np.where(area > 0, 0, 1)
        ds["area_px"].values[:] = area
        ds["long_axis_px"].values[:] = np.where(area > 0, 60.0, np.nan)
        ds["disk_diameter_px"].values[:] = np.where(area > 0, 23.0, np.nan)[..., None]
        ds["confidence"].values[:] = 0.99
        if spacing_cm is not None:
            ds["area_cm2"].values[:] = area * spacing_cm[0] * spacing_cm[1]
            for name in ("long_axis", "disk_diameter"):
                ds[f"{name}_cm"].values[:] = ds[f"{name}_px"].values * spacing_cm[1]
        verdict = {**ds.attrs["quality"]["left_ventricle"], "measurable": True, "reasons": []}
        ds.attrs["quality"] = {"left_ventricle": verdict}
        ds.attrs["subject_key"] = subject_key
        path.parent.mkdir(exist_ok=True)
        save_segmentation(ds, path)

    return save


@pytest.fixture
def right_at_ed(save_store, echonet_folder, tmp_path) -> tuple[Path, Path]:
    """Stores whose ED is as traced and whose ES is too long.

    The smaller frame of a is listed first, c has one traced frame, d has no store.
    """
    for name in ("a", "b", "c"):
        save_store(tmp_path / "made" / f"{name}.zarr")
    data = echonet_folder({"a": (20, 0), "b": (0, 20), "c": (0,), "d": (0, 20)})
    return tmp_path / "made", data
