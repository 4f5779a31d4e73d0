"""How is a NIfTI sequence read: (x, y, frame) on disk, (frame, row, column) here."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.clip import Clip, Frames, check_range, given_times
from medseg.decode.signature import sha256_of_file
from medseg.errors import ClipNotFound, ClipUnreadable, MissingExtra

SUFFIXES = (".nii.gz", ".nii")
# NIfTI's names of a unit of length, in centimetres; files that name none are in millimetres, as
# the format's readers take them.
_UNIT_CM = {"unknown": 0.1, "mm": 0.1, "meter": 100.0, "micron": 1e-4}


@dataclass(frozen=True)
class NiftiHeader:
    """What a NIfTI file says before its pixels are read."""

    frame_count: int
    height: int
    width: int
    spacing_cm: tuple[float, float] | None  # (row, column)


def is_nifti(path: Path) -> bool:
    """Whether a file is NIfTI by its name."""
    return path.name.lower().endswith(SUFFIXES)


def read_nifti_header(path: Path) -> NiftiHeader:
    """Read size and spacing.

    Raises ClipNotFound, ClipUnreadable, or MissingExtra without nibabel.
    """
    image = _load(path)
    width, height, frame_count = _three(path, image.shape)
    step = [float(value) for value in image.header.get_zooms()[:2]]
    scale = _UNIT_CM.get(image.header.get_xyzt_units()[0])
    good = scale is not None and all(np.isfinite(step)) and min(step) > 0
    spacing = (step[1] * scale, step[0] * scale) if good and scale is not None else None
    return NiftiHeader(frame_count, height, width, spacing)


def read_nifti(path: Path) -> NDArray[Any]:
    """The values (T, H, W) of a file; the caller must not change them.

    Raises as read_nifti_header does.
    """
    return _read_values(path, file_stamp(path))


def file_stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file is written again, so that nothing stale is kept of it."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=4)  # the frames of one case are asked for one after another
def _read_values(path: Path, stamp: tuple[int, int] | None) -> NDArray[Any]:
    image = _load(path)
    shape = _three(path, image.shape)
    try:
        values = np.asanyarray(image.dataobj).reshape(shape)  # (W,H,T)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ClipUnreadable(
            f"{path}: its pixels cannot be read ({error}); copy it again"
        ) from None
    return np.ascontiguousarray(values.T)  # (W,H,T) -> (T,H,W)


def open_nifti(path: Path, *, frame_rate_hz: float | None = None, view: str = "unknown") -> Clip:
    """Open a grey sequence as a Clip; NIfTI says no frame rate that can be trusted.

    Raises as read_nifti_header does.
    """
    header = read_nifti_header(path)
    times, source = given_times(header.frame_count, frame_rate_hz, name=str(path))

    def read(start: int, stop: int) -> Frames:
        check_range(start, stop, header.frame_count)
        grey = _grey(path, read_nifti(path)[start:stop])
        return np.repeat(grey[..., np.newaxis], 3, axis=3)  # (T,H,W) -> (T,H,W,3)

    return Clip(
        name=path.name[: -len(".nii.gz" if path.name.lower().endswith(".gz") else ".nii")],
        kind="nifti",
        frame_count=header.frame_count,
        height=header.height,
        width=header.width,
        frame_time_s=times,
        frame_time_source=source,
        spacing_cm=header.spacing_cm,
        spacing_reason=None if header.spacing_cm else "the file's header gives no pixel spacing",
        sha256=sha256_of_file(path),
        read=read,
        view=view,
        view_source="given" if view != "unknown" else None,
    )


def _grey(path: Path, values: NDArray[Any]) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return np.asarray(values, np.uint8)
    if values.size and not (values.min() >= 0 and values.max() <= 255):
        raise ClipUnreadable(
            f"{path}: values from {values.min():g} to {values.max():g} are no grey levels; "
            "scale them to 0..255"
        )
    grey: NDArray[np.uint8] = np.rint(values).astype(np.uint8)
    return grey


def _three(path: Path, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Width, height and frames of a file's shape, whose further axes must be of length 1."""
    if len(shape) < 2 or any(length != 1 for length in shape[3:]) or 0 in shape:
        raise ClipUnreadable(f"{path}: its shape {shape} is not (x, y, frame): export it again")
    width, height, frames = (*shape, 1)[:3]
    return int(width), int(height), int(frames)


def _load(path: Path) -> Any:
    try:
        import nibabel
    except ImportError:
        raise MissingExtra(
            f"{path}: NIfTI needs nibabel; pip install 'medseg[train]' brings it"
        ) from None
    try:
        return nibabel.load(path)
    except FileNotFoundError:
        raise ClipNotFound(f"{path}: there is no such file: check the path") from None
    except (nibabel.filebasedimages.ImageFileError, OSError, EOFError, ValueError, zlib.error):
        raise ClipUnreadable(
            f"{path}: is no NIfTI file that can be read: copy or export it again"
        ) from None
