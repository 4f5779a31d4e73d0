"""Compares every store of a folder with the truth of its clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from medseg.data import Case
from medseg.errors import InputError, MedsegError, RUnavailable
from medseg.evaluate.truth import ClipTruth, MeanMask, TruthFolder, mean_training_mask, open_truth
from medseg.metrics import EventCount, Overlap, match_events, overlap
from medseg.rscript import analyse_batch
from medseg.store import open_segmentation

Progress = Callable[[int, int], None]


@dataclass
class ClipScore:
    """One clip: what was measured, what is true, and why something is missing."""

    name: str
    split: str
    reason: str | None = None  # why the clip could not be scored at all
    measurable: bool | None = None
    reasons: tuple[str, ...] = ()  # codes of a clip that is not measurable
    masks: Overlap | None = None
    ed: Overlap | None = None
    es: Overlap | None = None
    mean_mask: Overlap | None = None
    ef_percent: float | None = None
    ef_true_percent: float | None = None
    ef_reason: str | None = None
    heart_rate_bpm: float | None = None
    heart_rate_true_bpm: float | None = None
    n_beats: int | None = None
    n_complete: int | None = None
    beats: EventCount | None = None


@dataclass
class Evaluation:
    """All clips, and what could not be done."""

    predictions: Path
    dataset: Path
    split: str | None
    method: str
    clips: list[ClipScore]
    mean_mask: str | None  # where the mean training mask comes from; None: there is none
    problems: list[str] = field(default_factory=list)
    model: dict[str, Any] | None = None


def evaluate_folder(
    predictions: Path,
    dataset: Path,
    *,
    split: str | None = None,
    train: Path | None = None,
    method: str = "beatbybeat",
    progress: Progress | None = None,
) -> Evaluation:
    """Score the stores in `predictions` against `dataset`.

    Clips of the data set (of one split, if given) without a store are listed with the reason, not
    left out silently. Beats, EF and heart rate come from one run of R; without R they are missing
    and `problems` says why. The mean mask is that of the TRAIN split of `train`, or of `dataset`.

    Raises InputError where nothing can be compared, ClipNotFound where the folders are none.
    """
    if not predictions.is_dir():
        raise InputError(f"{predictions}: is no folder of stores; make one with medseg segment")
    folder = open_truth(dataset)
    videos = list(folder.listed.of_split(split))
    if not videos:
        raise InputError(f"{dataset}: no clip of split {split}; leave --split out to score all")
    mean_mask = mean_training_mask(open_truth(train) if train is not None else folder)
    clips, truths = [], {}
    model = None
    for done, video in enumerate(videos, start=1):
        truth, score, found_model = _score_masks(predictions, folder, video, mean_mask)
        clips.append(score)
        model = model or found_model
        if truth is not None and score.reason is None:
            truths[video.name] = truth
        if progress is not None:
            progress(done, len(videos))
    if not truths:
        why = next((clip.reason for clip in clips if clip.reason), "no truth")
        raise InputError(f"{predictions}: no store fits a clip of {dataset}, as {why}")
    evaluation = Evaluation(
        predictions=predictions,
        dataset=dataset,
        split=split.upper() if split else None,
        method=method,
        clips=clips,
        mean_mask=f"{mean_mask.hearts} TRAIN clips of {mean_mask.source}" if mean_mask else None,
        model=model,
    )
    _ask_r(evaluation, truths)
    unscored = sum(clip.reason is not None for clip in clips)
    if unscored:
        first = next(clip for clip in clips if clip.reason)
        evaluation.problems.append(
            f"{unscored} of {len(clips)} clips are not scored, first {first.name}: {first.reason}"
        )
    return evaluation


def _score_masks(
    predictions: Path, folder: TruthFolder, video: Case, mean_mask: MeanMask | None
) -> tuple[ClipTruth | None, ClipScore, dict[str, Any] | None]:
    """Compare the masks of one clip, as far as there are some."""
    score = ClipScore(video.name, video.split)
    store = predictions / f"{video.name}.zarr"
    if not store.exists():
        score.reason = "there is no store of it"
        return None, score, None
    truth = folder.truth(video)
    if truth is None:
        score.reason = "the data set holds no truth of it"
        return None, score, None
    try:
        segmentation = open_segmentation(store)
        sizes = segmentation.sizes
        if (sizes["y"], sizes["x"]) != truth.mask.shape[1:]:
            score.reason = (
                f"the store's frames are {sizes['y']} x {sizes['x']} pixels, "
                f"the truth's {truth.mask.shape[1]} x {truth.mask.shape[2]}"
            )
            return None, score, None
        if truth.frames.max() >= sizes["frame"]:
            score.reason = f"the store has {sizes['frame']} frames, the truth more"
            return None, score, None
        index = segmentation.attrs["object_names"].index("left_ventricle")
        mask = segmentation["mask"].isel(object=index, frame=truth.frames).values.astype(bool)
    except (MedsegError, ValueError) as error:
        score.reason = " ".join(str(error).split())
        return None, score, None
    score.masks = overlap(mask, truth.mask)
    score.ed, score.es = score.masks.at(truth.ed), score.masks.at(truth.es)
    if mean_mask is not None:
        constant = np.broadcast_to(mean_mask.at(truth.mask.shape[1:]), truth.mask.shape)
        score.mean_mask = overlap(constant, truth.mask)
    quality = segmentation.attrs["quality"]["left_ventricle"]
    score.measurable = bool(quality["measurable"])
    score.reasons = tuple(reason["code"] for reason in quality["reasons"])
    score.ef_true_percent = truth.ef_percent
    score.heart_rate_true_bpm = truth.heart_rate_bpm
    return truth, score, dict(segmentation.attrs["model"])


def _ask_r(evaluation: Evaluation, truths: dict[str, ClipTruth]) -> None:
    """Fill in beats, EF and heart rate of all scored clips, from one run of R."""
    scored = [clip for clip in evaluation.clips if clip.name in truths]
    stores = [evaluation.predictions / f"{clip.name}.zarr" for clip in scored]
    try:
        results = analyse_batch(stores, method=evaluation.method)
    except RUnavailable as error:
        evaluation.problems.append(f"no beats, EF and heart rate: {error}")
        for clip in scored:
            clip.ef_reason = "R is not available"
        return
    for clip, result in zip(scored, results, strict=True):
        _take_answer(clip, result, truths[clip.name])


def _take_answer(clip: ClipScore, result: dict[str, Any], truth: ClipTruth) -> None:
    """Compare R's answer for one store with the truth."""
    if result.get("error"):
        clip.ef_reason = str(result["error"].get("message", "R could not read the store"))
        return
    clip.ef_percent = result.get("ef_percent")
    clip.heart_rate_bpm = result.get("heart_rate_bpm")
    clip.n_beats, clip.n_complete = result.get("n_beats"), result.get("n_complete")
    if clip.ef_percent is None:
        why = ", ".join(clip.reasons) or "no beat with an end-diastole and an end-systole"
        clip.ef_reason = why
    if truth.es_time_s is not None and truth.counted_s is not None:
        found = [b["es_s"] for b in result.get("beats") or [] if b.get("es_s") is not None]
        clip.beats = match_events(
            np.array(found, np.float64), truth.es_time_s, counted_s=truth.counted_s
        )
