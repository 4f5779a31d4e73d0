"""Reads a folder of NPZ scans and videos with labels, in the layout of MedSAM's challenge.

NAME.npz            imgs (D, H, W), (T, H, W, 3) or (H, W, 3), uint8; gts labels of the same size
train/NAME.npz      and val/, test/: the splits, where there are such folders

Each label of a file is a case, NAME__3, whose frames are the slices; each file is a patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medseg.clip import Clip, clip_from_array
from medseg.data.dataset import Case, Dataset, Excluded
from medseg.data.nifti import file_stamp
from medseg.data.volumes import Volume, read_volume
from medseg.errors import ClipNotFound, InputError

SUFFIX = ".npz"
SPLIT_FOLDERS = {"train": "TRAIN", "val": "VAL", "valid": "VAL", "test": "TEST"}


@dataclass(frozen=True)
class LabelledSlice:
    """One label in one slice of a file."""

    frame: int
    path: Path
    label: int
    area_px: float

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The label as a (H, W) mask; raises InputError where the file is of another size."""
        truth = _volume(self.path).truth
        if truth is None or truth.shape[1:] != tuple(shape):
            raise InputError(f"{self.path}: was changed while it was read: begin again")
        mask: NDArray[np.bool_] = truth[self.frame] == self.label
        return mask


def npz_files(path: Path) -> list[tuple[Path, str]]:
    """NPZ files in a folder and in its folders train, val and test, each with its split."""
    found = [(file, "") for file in _sorted(path)]
    for folder in sorted(p for p in path.iterdir() if p.is_dir()):
        if folder.name.lower() in SPLIT_FOLDERS:
            found += [(file, SPLIT_FOLDERS[folder.name.lower()]) for file in _sorted(folder)]
    return found


def _sorted(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() == SUFFIX and p.is_file())


def read_npz_folder(path: Path) -> Dataset:
    """List the labels of every file; a file that cannot be read, or without gts, is left out.

    Raises ClipNotFound where there is no NPZ file.
    """
    files = npz_files(path)
    if not files:
        raise ClipNotFound(f"{path}: holds no NPZ file, nor do folders train, val or test in it")
    cases: dict[str, Case] = {}
    excluded = []
    seen: set[str] = set()
    for file, split in files:
        if file.stem in seen:
            reason = f"{file.parent.name}/{file.name}: another file has this name; the first counts"
            excluded.append(Excluded(file.stem, reason, "duplicate-name"))
            continue
        seen.add(file.stem)
        try:
            volume = read_volume(file)
        except InputError as error:
            excluded.append(Excluded(file.stem, str(error), "unreadable-mask"))
            continue
        if volume.truth is None or not volume.truth.any():
            reason = f"{file.name}: has no labels (gts), or they are all 0"
            excluded.append(Excluded(file.stem, reason, "unreadable-mask"))
            continue
        for label, traced in _traced(file, volume.truth).items():
            name = f"{file.stem}__{label}"
            cases[name] = Case(
                name=name,
                path=file,
                patient=file.stem,
                split=split,
                view="unknown",
                ef_percent=None,
                edv_ml=None,
                esv_ml=None,
                frame_rate_hz=None,
                frame_count=len(volume.values),
                size=(int(volume.values.shape[1]), int(volume.values.shape[2])),
                traced=traced,
            )
    return Dataset(path, "npz", cases, tuple(excluded))


def _traced(file: Path, truth: NDArray[np.uint16]) -> dict[int, tuple[LabelledSlice, ...]]:
    """The slices of each label, by label."""
    found: dict[int, list[LabelledSlice]] = {}
    for frame, labels in enumerate(truth):
        areas = np.bincount(labels.ravel())
        for label in np.flatnonzero(areas[1:]) + 1:
            one = LabelledSlice(frame, file, int(label), float(areas[label]))
            found.setdefault(int(label), []).append(one)
    return {label: tuple(found[label]) for label in sorted(found)}


def open_npz(path: Path) -> Clip:
    """A file's pictures as a Clip without times; raises as read_volume does."""
    return clip_from_array(_volume(path).values, name=path.stem)


def _volume(path: Path) -> Volume:
    return _read(path, file_stamp(path))


@lru_cache(maxsize=2)  # the slices of one file are asked for one after another
def _read(path: Path, stamp: tuple[int, int] | None) -> Volume:
    return read_volume(path)
