"""How are the pictures of a case read: all, or chosen frames, grey or in colour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medseg.clip import Clip
from medseg.data.dataset import Case
from medseg.data.nifti import is_nifti, open_nifti
from medseg.data.npz_folder import SUFFIX, open_npz
from medseg.decode import open_clip
from medseg.errors import InputError


def open_case(case: Case) -> Clip:
    """Open a case's video, DICOM, NIfTI, NPZ or folder of pictures as a Clip, without its pictures.

    The frame rate that the data set gives counts where the file has none of its own. Raises as
    medseg.open_clip does, and MissingExtra for NIfTI without nibabel.
    """
    view = None if case.view == "unknown" else case.view
    if is_nifti(case.path):
        return open_nifti(case.path, frame_rate_hz=case.frame_rate_hz, view=case.view)
    if case.path.suffix.lower() == SUFFIX:
        return open_npz(case.path)
    clip = open_clip(case.path, view=view)
    if clip.frame_time_s is None and case.frame_rate_hz is not None:
        clip = open_clip(case.path, view=view, frame_rate_hz=case.frame_rate_hz)
    return clip


def read_frames(
    case: Case, frames: Sequence[int] | None = None, *, colour: bool = False
) -> NDArray[np.uint8]:
    """Frames of a case as uint8 (T, H, W), or RGB (T, H, W, 3), in the order asked; None: all.

    Only the frames asked for are decoded, and pixels are the file's own: where they are not square,
    `pixel_aspect` says so. Raises as open_case does, and InputError for a frame outside the clip.
    """
    clip = open_case(case)
    wanted = range(clip.frame_count) if frames is None else [int(frame) for frame in frames]
    outside = [frame for frame in wanted if not 0 <= frame < clip.frame_count]
    if outside:
        raise InputError(
            f"{case.path}: frame {outside[0]} is outside its {clip.frame_count} frames; "
            "medseg data check names such cases"
        )
    shape = (len(wanted), clip.height, clip.width, 3)[: 4 if colour else 3]
    pictures = np.empty(shape, np.uint8)
    distinct = sorted(set(wanted))
    place: dict[int, list[int]] = {frame: [] for frame in distinct}
    for position, frame in enumerate(wanted):
        place[frame].append(position)
    for start, stop in _runs(distinct):
        for frame, picture in zip(range(start, stop), clip.read(start, stop), strict=True):
            pictures[place[frame]] = picture if colour else grey_of(picture)
    return pictures


def grey_of(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey levels (..., H, W) of RGB pictures (..., H, W, 3), by the weights of ITU-R BT.601."""
    total = rgb[..., 0].astype(np.uint16) * 77
    total += rgb[..., 1].astype(np.uint16) * 150
    total += rgb[..., 2].astype(np.uint16) * 29
    return (total >> 8).astype(np.uint8)


def pixel_aspect(clip: Clip) -> float | None:
    """Row spacing / column spacing, so that shapes can be kept; None where it is not known."""
    return None if clip.spacing_cm is None else clip.spacing_cm[0] / clip.spacing_cm[1]


def _runs(frames: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending frames as half-open runs without gaps."""
    runs: list[tuple[int, int]] = []
    for frame in frames:
        if runs and runs[-1][1] == frame:
            runs[-1] = (runs[-1][0], frame + 1)
        else:
            runs.append((frame, frame + 1))
    return runs
