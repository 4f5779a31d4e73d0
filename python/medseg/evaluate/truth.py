"""The truth of a clip, from a simulated folder or another data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medseg.data import Case, Dataset, ed_es, open_case, open_dataset
from medseg.errors import InputError

EVENT_MARGIN_S = 0.25  # events nearer to a clip's end are not counted

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ClipTruth:
    """What is known of one clip; None or empty where the folder does not say."""

    frames: NDArray[np.intp]  # the clip's frames whose mask is known
    mask: NDArray[np.bool_]  # (len(frames), y, x)
    ed: NDArray[np.intp]  # positions in `frames` of end-diastoles
    es: NDArray[np.intp]
    ef_percent: float | None
    heart_rate_bpm: float | None
    es_time_s: Float | None  # None: beats are not known
    counted_s: tuple[float, float] | None  # the span in which every ES is known


@dataclass(frozen=True, eq=False)
class TruthFolder:
    """A data set: its list of videos and where their truth is."""

    path: Path
    listed: Dataset
    simulated: bool  # truth/<name>.npz holds every frame's mask and every beat

    def truth(self, video: Case) -> ClipTruth | None:
        """The truth of one clip; None where the folder holds none for it."""
        return self._simulated(video) if self.simulated else self.traced(video)

    def _simulated(self, video: Case) -> ClipTruth | None:
        path = self.path / "truth" / f"{video.name}.npz"
        if not path.is_file():
            return None
        with np.load(path, allow_pickle=False) as truth:
            mask = truth["mask"].astype(bool)
            time_s = truth["frame_time_s"]
            ed_s, es_s = truth["ed_time_s"], truth["es_time_s"]
            ef = truth["ef_percent"]
            rate = float(truth["heart_rate_bpm"])
        # Beats that began before the clip are not in the truth, so an earlier ES cannot be judged.
        start = max(EVENT_MARGIN_S, float(ed_s[0])) if ed_s.size else 0.0
        counted = (start, float(time_s[-1]) - EVENT_MARGIN_S)
        return ClipTruth(
            frames=np.arange(len(mask)),
            mask=mask,
            ed=_nearest(time_s, ed_s),
            es=_nearest(time_s, es_s),
            ef_percent=float(ef.mean()) if ef.size else None,
            heart_rate_bpm=rate if np.isfinite(rate) else None,
            es_time_s=es_s if es_s.size else None,
            counted_s=counted if es_s.size else None,
        )

    def traced(self, video: Case) -> ClipTruth | None:
        """What an expert traced of a clip, the published truth; None without a tracing."""
        traced = video.traced
        if not traced:
            return None
        pair = ed_es(video)
        shape = self._frame_shape(video)
        order = [tracing.frame for tracing in traced]
        return ClipTruth(
            frames=np.array(order, np.intp),
            mask=np.stack([tracing.mask(shape) for tracing in traced]),
            ed=np.array([order.index(pair[0].frame)] if pair else [], np.intp),
            es=np.array([order.index(pair[1].frame)] if pair else [], np.intp),
            ef_percent=video.ef_percent,
            heart_rate_bpm=None,
            es_time_s=None,
            counted_s=None,
        )

    def _frame_shape(self, video: Case) -> tuple[int, int]:
        """Height and width of a video's frames, as opened; tracings are in its pixels."""
        if not video.path.exists():
            return (112, 112)
        clip = open_case(video)
        return clip.height, clip.width


def open_truth(path: Path, *, ef_is_enough: bool = False) -> TruthFolder:
    """Open a data set; raises ClipNotFound or InputError where it is none, or holds no truth.

    `ef_is_enough` takes a list with EF, where only EF is to be scored.
    """
    listed = open_dataset(path)
    simulated = (path / "truth").is_dir()
    cases = listed.cases.values()
    if ef_is_enough and any(case.ef_percent is not None for case in cases):
        return TruthFolder(path, listed, simulated)
    if not simulated and not any(case.traced for case in cases):
        raise InputError(f"{path}: neither truth/ nor a traced frame, so nothing to score against")
    return TruthFolder(path, listed, simulated)


@dataclass(frozen=True, eq=False)
class MeanMask:
    """The one mask that fits all training hearts best: what a network must beat."""

    mask: NDArray[np.bool_]  # (y, x)
    hearts: int
    source: str

    def at(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The mask at another frame size, by nearest pixels."""
        return _resized(self.mask, shape)


@dataclass(frozen=True)
class MeanEF:
    """The EF of the mean training clip: what a network must beat."""

    ef_percent: float
    clips: int
    source: str


def mean_training_ef(folder: TruthFolder) -> MeanEF | None:
    """Average the TRAIN split's EF as listed; None where no TRAIN clip has one."""
    known = [v.ef_percent for v in folder.listed.of_split("TRAIN") if v.ef_percent is not None]
    if not known:
        return None
    return MeanEF(float(np.mean(known)), len(known), str(folder.path))


def mean_training_mask(folder: TruthFolder) -> MeanMask | None:
    """Average the TRAIN split's masks and cut at the level of the best pooled Dice.

    None where the folder has no TRAIN clip with a truth.
    """
    total, frames, hearts = None, 0, 0
    for video in folder.listed.of_split("TRAIN"):
        truth = folder.truth(video)
        if truth is None or not len(truth.mask):
            continue
        shape = truth.mask.shape[1:] if total is None else total.shape
        fitted = np.stack([_resized(mask, shape) for mask in truth.mask])
        total = fitted.sum(axis=0, dtype=np.float64) + (0.0 if total is None else total)
        frames += len(fitted)
        hearts += 1
    if total is None or not total.any():
        return None
    share = total / frames
    levels = np.linspace(0.05, 0.95, 19) * share.max()
    # Pooled Dice of the cut mask M with all T: 2 sum_M(share) / (|M| + sum(share)).
    dice = [2 * share[share > v].sum() / ((share > v).sum() + share.sum()) for v in levels]
    return MeanMask(share > levels[int(np.argmax(dice))], hearts, str(folder.path))


def _resized(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    rows = ((np.arange(shape[0]) + 0.5) * mask.shape[0] / shape[0]).astype(int)
    columns = ((np.arange(shape[1]) + 0.5) * mask.shape[1] / shape[1]).astype(int)
    return mask[np.ix_(rows, columns)]


def _nearest(time_s: Float, event_s: Float) -> NDArray[np.intp]:
    if event_s.size == 0:
        return np.zeros(0, np.intp)
    nearest: NDArray[np.intp] = np.abs(time_s[None, :] - event_s[:, None]).argmin(axis=1)
    return nearest
