"""Compares the masks of one store with the truth of its clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medseg.data import Case
from medseg.errors import MedsegError
from medseg.evaluate.truth import ClipTruth, MeanMask, TruthFolder
from medseg.metrics import (
    EventCount,
    Overlap,
    SurfaceDistances,
    area_jitter,
    frame_to_frame_dice,
    neighbour_overlap,
    overlap,
    surface_distances,
)
from medseg.models.description import RANDOM_WEIGHTS
from medseg.store import open_segmentation

if TYPE_CHECKING:
    import xarray as xr

NOT_DECODED = 2  # status: the mask says nothing
BLOCK_BYTES = 64 * 2**20  # of masks held at a time

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Tolerances:
    """How far an outline may lie off and still count as right in the surface Dice."""

    px: float = 2.0  # column pixels of the clip
    cm: float = 0.2  # where the clip is calibrated


@dataclass(frozen=True, eq=False)
class Closeness:
    """One set of frames against the truth: pixels in common and distances of the outlines."""

    overlap: Overlap
    surface: SurfaceDistances

    def at(self, frames: NDArray[np.intp]) -> Closeness:
        """The same for some of the frames."""
        return Closeness(self.overlap.at(frames), self.surface.at(frames))


@dataclass(frozen=True, eq=False)
class Steadiness:
    """How masks change from frame to frame, over the whole clip."""

    neighbour_dice: Float  # (frame - 1,)
    jitter: Float  # (frame - 2,), of the mean area


@dataclass
class ClipScore:
    """One clip: what was measured, what is true, and why something is missing."""

    name: str
    split: str
    patient: str | None = None  # the store's subject_key, else the data set's key
    reason: str | None = None  # why the clip could not be scored at all
    measurable: bool | None = None
    reasons: tuple[str, ...] = ()  # codes of a clip that is not measurable
    cm_per_px: float | None = None  # of a column; None where the clip is not calibrated
    not_decoded: int = 0  # frames with a truth that the store could not decode: in no measure
    masks: Closeness | None = None
    ed: Closeness | None = None
    es: Closeness | None = None
    mean_mask: Overlap | None = None
    steadiness: Steadiness | None = None
    true_steadiness: Steadiness | None = None  # where the truth has every frame
    traced: Overlap | None = None  # the traced end-diastole, then the traced end-systole
    traced_reason: str | None = None  # why there is no `traced`, where it was asked for
    ef_percent: float | None = None
    ef_true_percent: float | None = None
    ef_reason: str | None = None
    heart_rate_bpm: float | None = None
    heart_rate_true_bpm: float | None = None
    n_beats: int | None = None
    n_complete: int | None = None
    beats: EventCount | None = None


def score_clip(
    store: Path,
    folder: TruthFolder,
    video: Case,
    *,
    mean_mask: MeanMask | None,
    tolerances: Tolerances,
    traced: bool,
) -> tuple[ClipTruth | None, ClipScore, dict[str, Any] | None]:
    """Compare the masks of one clip, as far as there are some.

    `traced` asks for the published pair of traced frames too. Gives the truth, the score and what
    the store says of its model; a clip that cannot be compared has its `reason`.
    """
    score = ClipScore(video.name, video.split, patient=video.patient)
    truth = folder.truth(video)
    if not store.exists():
        score.reason = "there is no store of it"
    elif truth is None:
        score.reason = "the data set holds no truth of it"
    if truth is None or score.reason is not None:
        return None, score, None
    try:
        segmentation = open_segmentation(store)
        score.reason = _untrained(segmentation) or _mismatch(segmentation, truth)
        if score.reason is not None:
            return None, score, None
        index = segmentation.attrs["object_names"].index("left_ventricle")
        _compare(score, segmentation, index, truth, mean_mask, tolerances)
        _compare_neighbours(score, segmentation, index, truth)
        if traced:
            pair = folder.traced(video) if folder.simulated else truth
            _compare_traced(score, segmentation, index, pair)
    except (MedsegError, ValueError) as error:
        why = " ".join(str(error).split())
        return None, ClipScore(video.name, video.split, score.patient, reason=why), None
    quality = segmentation.attrs["quality"]["left_ventricle"]
    score.patient = segmentation.attrs["subject_key"] or score.patient
    score.measurable = bool(quality["measurable"])
    score.reasons = tuple(reason["code"] for reason in quality["reasons"])
    score.ef_true_percent = truth.ef_percent
    score.heart_rate_true_bpm = truth.heart_rate_bpm
    return truth, score, dict(segmentation.attrs["model"])


def _untrained(segmentation: xr.Dataset) -> str | None:
    """Masks of a network that nobody trained mean nothing, so they are never compared."""
    if segmentation.attrs["model"]["training_data"] == RANDOM_WEIGHTS:
        return "made with random weights, which mean nothing; segment it with trained ones"
    return None


def _mismatch(segmentation: xr.Dataset, truth: ClipTruth) -> str | None:
    """Why a store and a truth are not of the same clip, in words; None if they may be."""
    sizes = segmentation.sizes
    if (sizes["y"], sizes["x"]) != truth.mask.shape[1:]:
        return (
            f"the store's frames are {sizes['y']} x {sizes['x']} pixels, "
            f"the truth's {truth.mask.shape[1]} x {truth.mask.shape[2]}"
        )
    if truth.frames.max() >= sizes["frame"]:
        return f"the store has {sizes['frame']} frames, the truth more"
    return None


def _compare(
    score: ClipScore,
    segmentation: xr.Dataset,
    index: int,
    truth: ClipTruth,
    mean_mask: MeanMask | None,
    tolerances: Tolerances,
) -> None:
    """Fill in pixels in common and distances; frames that were not decoded are left out."""
    mask = _masks(segmentation, index, truth.frames)
    decoded = _decoded(segmentation, index)[truth.frames]
    spacing = segmentation.attrs["spacing_cm"]
    allowed = [tolerances.px]
    if spacing is not None:
        score.cm_per_px = float(spacing[1])
        allowed.append(tolerances.cm / score.cm_per_px)
    surface = surface_distances(
        mask,
        truth.mask,
        tolerances_px=allowed,
        pixel_aspect=float(segmentation.attrs["pixel_aspect"]),
    )
    every = Closeness(overlap(mask, truth.mask), surface)
    score.not_decoded = int((~decoded).sum())
    kept = np.flatnonzero(decoded)
    score.masks = every.at(kept)
    score.ed = every.at(truth.ed[decoded[truth.ed]])
    score.es = every.at(truth.es[decoded[truth.es]])
    if mean_mask is not None:
        constant = np.broadcast_to(mean_mask.at(truth.mask.shape[1:]), truth.mask.shape)
        score.mean_mask = overlap(constant, truth.mask).at(kept)


def _compare_neighbours(
    score: ClipScore, segmentation: xr.Dataset, index: int, truth: ClipTruth
) -> None:
    """Fill in how steady the masks are, and the true ones where every frame has one."""
    time_s = np.asarray(segmentation["frame_time"].values, np.float64)
    known = _decoded(segmentation, index)
    counts = Overlap(np.zeros(0), np.zeros(0))
    areas = []
    for block in _overlapping_blocks(segmentation, index):
        counts = counts + neighbour_overlap(block)
        areas.append(np.count_nonzero(block[1 if areas else 0 :], axis=(1, 2)))
    area = np.concatenate(areas).astype(np.float64)
    score.steadiness = Steadiness(
        frame_to_frame_dice(counts, known), area_jitter(area, time_s, known)
    )
    if np.array_equal(truth.frames, np.arange(time_s.size)):
        true_area = np.count_nonzero(truth.mask, axis=(1, 2)).astype(np.float64)
        score.true_steadiness = Steadiness(
            frame_to_frame_dice(neighbour_overlap(truth.mask), known),
            area_jitter(true_area, time_s, known),
        )


def _compare_traced(
    score: ClipScore, segmentation: xr.Dataset, index: int, traced: ClipTruth | None
) -> None:
    """Fill in the pair of traced frames that the published protocols score."""
    if traced is None or not (traced.ed.size and traced.es.size):
        score.traced_reason = "fewer than two traced frames"
        return
    score.traced_reason = _mismatch(segmentation, traced)
    if score.traced_reason is not None:
        return
    pair = np.array([traced.ed[0], traced.es[0]])
    frames = traced.frames[pair]
    if not _decoded(segmentation, index)[frames].all():
        score.traced_reason = "a traced frame was not decoded"
        return
    score.traced = overlap(_masks(segmentation, index, frames), traced.mask[pair])


def _decoded(segmentation: xr.Dataset, index: int) -> NDArray[np.bool_]:
    """Which frames were decoded, (frame,)."""
    status = np.asarray(segmentation["status"].values)[index]
    return np.asarray(status != NOT_DECODED)


def _masks(
    segmentation: xr.Dataset, index: int, frames: NDArray[np.intp] | slice
) -> NDArray[np.bool_]:
    """Masks (len(frames), y, x) of an object."""
    masks: NDArray[np.bool_] = (
        segmentation["mask"].isel(object=index, frame=frames).values.astype(bool)
    )
    return masks


def _overlapping_blocks(segmentation: xr.Dataset, index: int) -> Iterator[NDArray[np.bool_]]:
    """All masks in blocks (n, y, x), each of which begins with the last frame of the one before."""
    frames, y, x = (segmentation.sizes[axis] for axis in ("frame", "y", "x"))
    step = max(1, BLOCK_BYTES // (y * x))
    for start in range(0, frames, step):
        yield _masks(segmentation, index, slice(max(start - 1, 0), start + step))
