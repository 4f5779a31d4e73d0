"""Tiny made-up data sets in the published layouts; no line of them is anybody's data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from medseg.export.video import VideoWriter

SIZE = (48, 64)  # height, width
Chords = list[tuple[float, ...]]


def chords(left: float, right: float, top: float, bottom: float) -> Chords:
    """A rectangle as 21 rows: the axis, then 20 chords from the apex to the mitral plane."""
    middle = (left + right) / 2
    rows = [(middle, top, middle, bottom)]
    return rows + [(left, y, right, y) for y in np.linspace(top, bottom, 20)]


def write_video(path: Path, *, count: int = 6, rate_hz: float = 50.0, seed: int = 0) -> Path:
    """An AVI of grey noise, different for every seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = SIZE
    grey = np.random.default_rng(seed).integers(0, 255, (count, height, width, 1))
    with VideoWriter(path, frame_rate_hz=rate_hz, height=height, width=width) as video:
        video.write(np.repeat(grey, 3, axis=3).astype(np.uint8))
    return path


class EchoNetMaker:
    """A clean folder of four videos, whose rows and tracings a test then spoils."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns = (
            "FileName", "EF", "ESV", "EDV", "FrameHeight", "FrameWidth", "FPS", "NumberOfFrames",
            "Split",
        )  # fmt: skip
        self.rows: dict[str, dict[str, object]] = {}
        self.tracings: list[tuple[str, Chords, object]] = []
        for seed, (name, split) in enumerate(
            [("0XA", "TRAIN"), ("0XB", "TRAIN"), ("0XC", "VAL"), ("0XD", "TEST")]
        ):
            values = (name, 60, 40, 100, *SIZE, 50, 6, split)
            self.rows[name] = dict(zip(self.columns, values, strict=True))
            write_video(path / "Videos" / f"{name}.avi", seed=seed)
            self.tracings += [(name, chords(10, 50, 5, 40), 1), (name, chords(20, 40, 10, 30), 4)]

    def traced(self, name: str) -> list[int]:
        """Where a video's tracings are in the list."""
        return [i for i, (whose, _, _) in enumerate(self.tracings) if whose == name]

    def write(self, extra_rows: tuple[str, ...] = ()) -> Path:
        lines = [",".join(self.columns)]
        lines += [",".join(str(row.get(c, "")) for c in self.columns) for row in self.rows.values()]
        (self.path / "FileList.csv").write_text("\n".join([*lines, *extra_rows]) + "\n")
        lines = ["FileName,X1,Y1,X2,Y2,Frame"]
        for name, rows, frame in self.tracings:
            lines += [f"{name}.avi,{','.join(map(str, row))},{frame}" for row in rows]
        (self.path / "VolumeTracings.csv").write_text("\n".join(lines) + "\n")
        return self.path


@pytest.fixture
def echonet(tmp_path: Path) -> EchoNetMaker:
    return EchoNetMaker(tmp_path / "echonet")


@pytest.fixture
def make_chords() -> Callable[..., Chords]:
    return chords


@pytest.fixture
def make_video() -> Callable[..., Path]:
    return write_video


def write_camus(root: Path, patient: str, view: str, *, first: str = "ED", **info: object) -> Path:
    """One view of a patient: 40 columns x 30 rows x 5 frames, pixels of 0.3 x 0.15 mm.

    The cavity (value 1) is a rectangle that shrinks from ED to ES by one row a frame; values 2 and
    3 are muscle and atrium. `first` is the phase of the first frame.
    """
    folder = root / "database_nifti" / patient
    folder.mkdir(parents=True, exist_ok=True)
    truth = np.zeros((5, 30, 40), np.uint8)
    for i in range(5):
        truth[i, 8:22, 9:31] = 2
        truth[i, 10 : 20 - i, 10:30] = 1
        truth[i, 24:28, 10:30] = 3
    if first == "ES":
        truth = truth[::-1]
    sequence = (np.arange(5)[:, None, None] * 10 + np.arange(40)[None, None]).astype(np.uint8)
    sequence = np.tile(sequence, (1, 30, 1))
    sequence[:, 0, :2] = int(patient[-4:]), int(view[0])  # every clip is another
    for values, end in ((sequence, ""), (truth, "_gt")):
        image = nibabel.Nifti1Image(np.ascontiguousarray(values.T), np.diag([0.3, 0.15, 1, 1]))
        image.header.set_xyzt_units("mm", "sec")
        nibabel.save(image, folder / f"{patient}_{view}_half_sequence{end}.nii.gz")
    ed, es = (1, 5) if first == "ED" else (5, 1)
    told = {"ED": ed, "ES": es, "NbFrame": 5, "Sex": "F", "Age": 50, "ImageQuality": "Good",
            "EF": 56, "FrameRate": 42.5} | info  # fmt: skip
    text = "".join(f"{key}: {value}\n" for key, value in told.items())
    (folder / f"Info_{view}.cfg").write_text(text)
    return folder


@pytest.fixture
def camus(tmp_path: Path) -> Path:
    """Three patients with two views each, one to a split; patient0002 runs from ES to ED."""
    root = tmp_path / "camus"
    splits = {"training": "patient0001", "validation": "patient0002", "testing": "patient0003"}
    (root / "database_split").mkdir(parents=True)
    for split, patient in splits.items():
        (root / "database_split" / f"subgroup_{split}.txt").write_text(f"{patient}\n")
        for view in ("2CH", "4CH"):
            write_camus(root, patient, view, first="ES" if patient == "patient0002" else "ED")
    return root


@pytest.fixture
def make_camus() -> Callable[..., Path]:
    return write_camus
