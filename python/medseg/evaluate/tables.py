"""The tables that a person reads: masks by phase, then everything else, then the published."""

from __future__ import annotations

import numpy as np

from medseg.evaluate.definitions import PHASES
from medseg.evaluate.folder import Evaluation
from medseg.evaluate.protocols import INTERVAL
from medseg.evaluate.summary import Measure, Summary

MASK_KINDS = (
    "pooled_dice", "mean_frame_dice", "pooled_iou", "mean_frame_iou", "hd95_px", "assd_px",
    "surface_dice_px", "hd95_cm", "assd_cm", "surface_dice_cm",
)  # fmt: skip
MASK_COLUMNS = ["masks, 95 % interval, n frames", "all frames", "end-diastole", "end-systole"]
COLUMNS = ["measure", "value", "95 % interval", "n"]
PUBLISHED_COLUMNS = ["measure, as published", "value", INTERVAL, "n"]


def mask_rows(summary: Summary) -> list[list[str]]:
    """Rows of measure, all frames, end-diastole, end-systole: value (interval) n."""
    found = {measure.key: measure for measure in summary.measures}
    rows = []
    for kind in MASK_KINDS:
        label = found[kind].label.rsplit(", ", 1)[0]
        unit = f", {found[kind].unit}" if found[kind].unit else ""
        rows.append([label + unit, *(_cell(found[prefix + kind]) for prefix, _ in PHASES)])
    return rows


def _cell(measure: Measure) -> str:
    if not np.isfinite(measure.value):
        return f"missing: {measure.reason}"
    between = _between(measure)
    return f"{measure.value:.{measure.digits}f}{f' ({between})' if between else ''} n {measure.n}"


def _between(measure: Measure) -> str:
    if not np.isfinite(measure.low):
        return ""
    return f"{measure.low:.{measure.digits}f} to {measure.high:.{measure.digits}f}"


def summary_rows(evaluation: Evaluation, summary: Summary) -> list[list[str]]:
    """Rows of measure, value, interval and n for all that is not in `mask_rows`."""
    in_masks = {prefix + kind for prefix, _ in PHASES for kind in MASK_KINDS}
    ours = [m for m in summary.measures if m.key not in in_masks]
    if evaluation.without_masks is not None:
        ours = [m for m in ours if m.key.startswith("ef_")]
    rows = [_row(m) for m in ours]
    scored = [clip for clip in evaluation.clips if clip.reason is None]
    if evaluation.without_masks is not None:
        return rows + [_drawn_row(summary, len(scored)), _scored_row(evaluation, len(scored))]
    refused = sum(clip.measurable is False for clip in scored)
    frames = sum(clip.masks.overlap.total.size for clip in scored if clip.masks)
    alone = sum(int(clip.masks.surface.one_empty.sum()) for clip in scored if clip.masks)
    lost = sum(clip.not_decoded for clip in scored)
    rows.append(["frames where only one mask is empty: no distance, Dice 0", str(alone), "",
                 f"{frames} frames"])  # fmt: skip
    rows.append(["frames not decoded, in no measure", str(lost), "", f"{frames + lost} frames"])
    rows.append(_scored_row(evaluation, len(scored)))
    rows.append(["of them not measurable", str(refused), "", f"{len(scored)} clips"])
    rows.append(_drawn_row(summary, len(scored)))
    return rows


def _scored_row(evaluation: Evaluation, scored: int) -> list[str]:
    return ["clips scored", str(scored), "", f"{len(evaluation.clips)} clips"]


def _drawn_row(summary: Summary, scored: int) -> list[str]:
    words = f"{summary.unit} drawn for the intervals"
    return [words, str(summary.drawn), "", f"{scored} clips"]


def published_rows(evaluation: Evaluation, summary: Summary) -> list[list[str]]:
    """Rows of the protocol's measures with its 90 % interval; empty without a protocol."""
    if evaluation.protocol is None:
        return []
    every = f"{len(evaluation.clips)} videos"
    if evaluation.without_masks is not None:
        kept = sum(clip.reason is None for clip in evaluation.clips)
        return [_row(m) for m in summary.published] + [["videos with an EF", str(kept), "", every]]
    kept = sum(clip.traced is not None for clip in evaluation.clips)
    row = ["videos with two traced frames", str(kept), "", every]
    return [_row(m) for m in summary.published] + [row]


def _row(measure: Measure) -> list[str]:
    if not np.isfinite(measure.value):
        return [measure.label, "missing", "", measure.reason or ""]
    unit = f" {measure.unit}" if measure.unit else ""
    value = f"{measure.value:.{measure.digits}f}{unit}"
    return [measure.label, value, _between(measure), f"{measure.n} {measure.of}"]
