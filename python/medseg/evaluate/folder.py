"""Compares every store of a folder, or a table of EF, with the truth of its clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from medseg.data import Case, bare_name, is_ef_table, read_ef_table
from medseg.errors import InputError, RUnavailable
from medseg.evaluate.protocols import PROTOCOLS
from medseg.evaluate.scores import ClipScore, Tolerances, score_clip
from medseg.evaluate.truth import (
    ClipTruth,
    MeanEF,
    TruthFolder,
    mean_training_ef,
    mean_training_mask,
    open_truth,
)
from medseg.metrics import match_events
from medseg.rscript import analyse_batch

Progress = Callable[[int, int], None]

ONLY_EF = "a table of EF holds no masks"


@dataclass
class Evaluation:
    """All clips, and what could not be done."""

    predictions: Path
    dataset: Path
    split: str | None
    method: str
    clips: list[ClipScore]
    mean_mask: str | None  # where the mean training mask comes from; None: there is none
    tolerances: Tolerances
    protocol: str | None = None
    problems: list[str] = field(default_factory=list)
    model: dict[str, Any] | None = None
    mean_ef: MeanEF | None = None  # None: no TRAIN clip has an EF
    without_masks: str | None = None  # why there are no masks, where there are none


def evaluate_folder(
    predictions: Path,
    dataset: Path,
    *,
    split: str | None = None,
    train: Path | None = None,
    method: str = "beatbybeat",
    protocol: str | None = None,
    tolerances: Tolerances | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Score the stores in `predictions`, or a table of EF, against `dataset`.

    Clips of the data set (of one split, if given) without a store are listed with the reason, not
    left out silently. Beats, EF and heart rate come from one run of R; without R they are missing
    and `problems` says why. The mean mask and the mean EF, to compare with, are those of the TRAIN
    split of `train`, or of `dataset`. Of a table, as `medseg predict-ef` writes it, EF is all that
    can be scored; `without_masks` says so.
    `protocol`, a key of PROTOCOLS, asks for the published measures beside our own.

    Raises InputError where nothing can be compared, ClipNotFound where the folders are none.
    """
    if not (predictions.is_dir() or is_ef_table(predictions)):
        raise InputError(f"{predictions}: is no folder of stores; make one with medseg segment")
    if protocol is not None and protocol not in PROTOCOLS:
        raise InputError(f"--protocol {protocol}: choose {' or '.join(PROTOCOLS)}")
    tolerances = tolerances or Tolerances()
    table = is_ef_table(predictions)
    folder = open_truth(dataset, ef_is_enough=table)
    videos = list(folder.listed.of_split(split))
    if not videos:
        raise InputError(f"{dataset}: no clip of split {split}; leave --split out to score all")
    training = open_truth(train, ef_is_enough=table) if train is not None else folder
    if table:
        return _evaluate_table(
            Evaluation(
                predictions=predictions,
                dataset=dataset,
                split=split.upper() if split else None,
                method=method,
                clips=[],
                mean_mask=None,
                tolerances=tolerances,
                protocol=protocol,
                mean_ef=mean_training_ef(training),
                without_masks=ONLY_EF,
            ),
            folder,
            videos,
        )
    mean_mask = mean_training_mask(training)
    clips, truths = [], {}
    model = None
    for done, video in enumerate(videos, start=1):
        truth, score, found_model = score_clip(
            predictions / f"{video.name}.zarr",
            folder,
            video,
            mean_mask=mean_mask,
            tolerances=tolerances,
            traced=protocol is not None,
        )
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
        tolerances=tolerances,
        protocol=protocol,
        mean_ef=mean_training_ef(training),
    )
    if protocol is not None and not any(clip.traced is not None for clip in clips):
        why = next(clip.traced_reason for clip in clips if clip.name in truths)
        raise InputError(
            f"{dataset}: no pair of traced frames for --protocol {protocol}, as {why}; leave it out"
        )
    _ask_r(evaluation, truths)
    _count_unscored(evaluation)
    return evaluation


def _count_unscored(evaluation: Evaluation) -> None:
    unscored = [clip for clip in evaluation.clips if clip.reason is not None]
    if unscored:
        evaluation.problems.append(
            f"{len(unscored)} of {len(evaluation.clips)} clips are not scored, "
            f"first {unscored[0].name}: {unscored[0].reason}"
        )


def _evaluate_table(evaluation: Evaluation, folder: TruthFolder, videos: list[Case]) -> Evaluation:
    """Score a table of EF, whose names must be of the data set."""
    table = read_ef_table(evaluation.predictions)
    protocol = evaluation.protocol
    if protocol is not None and not PROTOCOLS[protocol].ef:
        raise InputError(f"{table.path}: holds EF alone, of which --protocol {protocol} has none")
    for video in videos:
        score = ClipScore(video.name, video.split, patient=video.patient)
        truth = folder.truth(video)
        score.ef_percent = table.mean_ef_percent(bare_name(video.name))
        score.ef_true_percent = video.ef_percent if truth is None else truth.ef_percent
        if score.ef_percent is None:
            score.reason = score.ef_reason = "the table holds no EF of it"
        elif score.ef_true_percent is None:
            score.reason = "the data set holds no EF of it"
        evaluation.clips.append(score)
    if all(clip.reason for clip in evaluation.clips):
        raise InputError(f"{table.path}: names no clip of {folder.path} that has an EF")
    known = {bare_name(name) for name in folder.listed.cases}
    strange = [name for name in table.ef_percent if name not in known]
    if strange:
        evaluation.problems.append(
            f"{table.path}: {len(strange)} of its {len(table.ef_percent)} names are not in "
            f"{folder.path}, first {strange[0]}"
        )
    _count_unscored(evaluation)
    return evaluation


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
