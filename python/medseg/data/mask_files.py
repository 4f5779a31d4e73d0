"""Where is a frame's mask kept: in an NPZ, NIfTI or PNG file, read when it is asked for."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from medseg.data.nifti import SUFFIXES, file_stamp, is_nifti, read_nifti, read_nifti_header
from medseg.errors import InputError

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class MaskOnFile:
    """One frame's mask in a file of one or several."""

    frame: int
    path: Path
    index: int  # of the file's masks
    label: int | None  # the cavity's value; None: the one value that is not 0

    def mask(self, shape: tuple[int, int]) -> Mask:
        """The cavity as a (H, W) mask; raises InputError where the file's is of another size."""
        mask = self.own_mask()
        if mask.shape != tuple(shape):
            raise InputError(
                f"{self.path}: masks are {mask.shape[1]} x {mask.shape[0]} pixels and the clip "
                f"{shape[1]} x {shape[0]}: give masks of the clip's own size"
            )
        return mask

    def own_mask(self) -> Mask:
        """The mask in the size that the file has it."""
        masks = _read_masks(self.path, self.label, file_stamp(self.path))
        if self.index >= len(masks):
            raise InputError(f"{self.path}: holds {len(masks)} masks, none of frame {self.frame}")
        mask: Mask = masks[self.index]
        return mask

    @property
    def area_px(self) -> float:
        """The mask's pixels."""
        return float(np.count_nonzero(self.own_mask()))


def masks_in(path: Path, label: int | None = None) -> tuple[MaskOnFile, ...]:
    """The masks of an NPZ or NIfTI file, or of a folder of PNG files; only headers are read.

    NPZ: the array "mask" (n, H, W), and "frame" (n,) where they are not of frames 0 to n - 1.
    NIfTI: (x, y, frame), a mask for every frame. Folder: one PNG a frame, whose name ends in the
    frame's number. Raises InputError for a file that is not so.
    """
    if path.is_dir():
        return _pictures_in(path, label)
    if is_nifti(path):
        frames = list(range(read_nifti_header(path).frame_count))
    else:
        frames = _npz_frames(path)
    masks = (MaskOnFile(frame, path, i, label) for i, frame in enumerate(frames))
    return tuple(sorted(masks, key=lambda mask: mask.frame))


def find_masks(folder: Path) -> dict[str, list[Path]]:
    """A folder's mask files and folders by the name of their clip."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        for suffix in (".npz", *SUFFIXES):
            if path.name.lower().endswith(suffix):
                found.setdefault(path.name[: -len(suffix)], []).append(path)
                break
        else:
            if path.is_dir():
                found.setdefault(path.name, []).append(path)
    return found


def _pictures_in(folder: Path, label: int | None) -> tuple[MaskOnFile, ...]:
    masks: dict[int, MaskOnFile] = {}
    for path in sorted(folder.glob("*.png")):
        number = re.search(r"([0-9]+)$", path.stem)
        if number is None:
            raise InputError(f"{path}: its name does not end in the frame's number; rename it")
        frame = int(number[1])
        if frame in masks:
            raise InputError(f"{path}: {masks[frame].path.name} is of frame {frame} too")
        masks[frame] = MaskOnFile(frame, path, 0, label)
    if not masks:
        raise InputError(f"{folder}: holds no PNG masks; give one a traced frame")
    return tuple(masks[frame] for frame in sorted(masks))


def _npz_frames(path: Path) -> list[int]:
    try:
        shape = _npy_shape(path, "mask.npy")
        with np.load(path, allow_pickle=False) as file:
            frame = np.asarray(file["frame"]) if "frame" in file else np.arange(shape[0])
    except (OSError, KeyError, ValueError, IndexError, zipfile.BadZipFile) as error:
        raise InputError(
            f'{path}: is no NPZ file with an array "mask" that can be read ({error})'
        ) from None
    if len(shape) != 3:
        raise InputError(f'{path}: "mask" has shape {shape}, not (frames, height, width)')
    if (
        frame.shape != shape[:1]
        or frame.dtype.kind not in "iu"
        or len(set(frame.tolist())) < len(frame)
    ):
        raise InputError(
            f'{path}: "frame" must be {shape[0]} different frame numbers, one for each mask'
        )
    return [int(value) for value in frame]


def _npy_shape(path: Path, member: str) -> tuple[int, ...]:
    """The shape of one array of an NPZ file, from its header alone."""
    with zipfile.ZipFile(path) as file, file.open(member) as array:
        version = np.lib.format.read_magic(array)
        reads = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in reads:
            raise ValueError(f"array format {version}")
        return tuple(reads[version](array)[0])


@lru_cache(maxsize=4)  # the frames of one case are asked for one after another
def _read_masks(path: Path, label: int | None, stamp: tuple[int, int] | None) -> NDArray[np.bool_]:
    """All masks (n, H, W) of a file."""
    if is_nifti(path):
        values = read_nifti(path)
    elif path.suffix.lower() == ".png":
        values = _picture(path)[np.newaxis]
    else:
        try:
            with np.load(path, allow_pickle=False) as file:
                values = file["mask"]
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: its masks cannot be read ({error})") from None
    if label is not None:
        return np.asarray(values == label, bool)
    mask = np.asarray(values != 0, bool)
    if values.dtype != np.bool_ and mask.any() and len(set(np.unique(values[mask]))) > 1:
        raise InputError(
            f"{path}: masks hold the values {', '.join(f'{v:g}' for v in np.unique(values)[:6])}; "
            "give masks of the ventricle alone, 0 and one other value"
        )
    return mask


def _picture(path: Path) -> NDArray[Any]:
    try:
        with Image.open(path) as image:
            # A palette's numbers are labels; colours would be taken for several.
            return np.asarray(image if image.mode in ("1", "P", "L") else image.convert("L"))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{path}: is no PNG mask that can be read ({error})") from None
