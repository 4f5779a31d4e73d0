"""Writes an evaluation: one CSV row a clip, one JSON of all measures."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import medseg
from medseg.evaluate.definitions import group_by_patient
from medseg.evaluate.folder import Evaluation
from medseg.evaluate.protocols import DRAWS as PUBLISHED_DRAWS
from medseg.evaluate.protocols import INTERVAL, PROTOCOLS
from medseg.evaluate.scores import ClipScore, Closeness, Steadiness
from medseg.evaluate.summary import Measure, Summary
from medseg.files import write_whole
from medseg.metrics import mean_and_n, mean_frame_dice, mean_frame_iou, pooled_dice, pooled_iou

CLOSENESS = (
    "pooled_dice", "mean_frame_dice", "pooled_iou", "mean_frame_iou", "hd95_px", "assd_px",
    "surface_dice_px", "hd95_cm", "assd_cm", "surface_dice_cm",
)  # fmt: skip
COLUMNS = (
    "name", "split", "patient_number", "reason", "measurable", "reasons", "frames",
    "frames_one_empty", "frames_not_decoded",
    *CLOSENESS, *(f"ed_{key}" for key in CLOSENESS), *(f"es_{key}" for key in CLOSENESS),
    "mean_mask_dice", "frame_to_frame_dice", "frame_to_frame_dice_true", "area_jitter_percent",
    "area_jitter_percent_true", "ef_percent", "ef_true_percent", "ef_error", "ef_reason",
    "heart_rate_bpm", "heart_rate_true_bpm", "n_beats", "n_complete", "beats_true",
    "beats_true_found", "beats_detected", "beats_detected_true", "traced_dice", "traced_ed_dice",
    "traced_es_dice", "traced_reason",
)  # fmt: skip


def write_evaluation(evaluation: Evaluation, summary: Summary, folder: Path) -> tuple[Path, Path]:
    """Write evaluation.csv, one row a clip, and evaluation.json; raises OutputError."""
    table, document = folder / "evaluation.csv", folder / "evaluation.json"
    write_whole(table, _csv_text(evaluation))
    write_whole(document, json.dumps(_document(evaluation, summary), indent=2) + "\n")
    return table, document


def _csv_text(evaluation: Evaluation) -> str:
    """One row a clip; `patient_number` tells which clips are of one patient, not who."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    numbers = group_by_patient(evaluation.clips).patient + 1
    for clip, number in zip(evaluation.clips, numbers, strict=True):
        row = {**clip_row(clip), "patient_number": int(number)}
        writer.writerow({key: csv_cell(row.get(key)) for key in COLUMNS})
    return text.getvalue()


def clip_row(clip: ClipScore) -> dict[str, Any]:
    """One clip's measures by column; what is not known is not there or None."""
    row: dict[str, Any] = {key: getattr(clip, key) for key in COLUMNS if hasattr(clip, key)}
    row["reasons"] = " ".join(clip.reasons)
    for prefix, close in (("", clip.masks), ("ed_", clip.ed), ("es_", clip.es)):
        if close is not None:
            row.update({prefix + k: v for k, v in _closeness(close, clip.cm_per_px).items()})
    if clip.masks is not None:
        row["frames"] = clip.masks.overlap.total.size
        row["frames_one_empty"] = int(clip.masks.surface.one_empty.sum())
        row["frames_not_decoded"] = clip.not_decoded
    if clip.mean_mask is not None:
        row["mean_mask_dice"] = pooled_dice(clip.mean_mask)
    for suffix, steady in (("", clip.steadiness), ("_true", clip.true_steadiness)):
        if steady is not None:
            row.update(_steadiness(steady, suffix))
    if clip.ef_percent is not None and clip.ef_true_percent is not None:
        row["ef_error"] = clip.ef_percent - clip.ef_true_percent
    if clip.beats is not None:
        row.update({f"beats_{key}": value for key, value in asdict(clip.beats).items()})
    if clip.traced is not None:
        row["traced_dice"] = pooled_dice(clip.traced)
        row["traced_ed_dice"] = pooled_dice(clip.traced.at(np.array([0])))
        row["traced_es_dice"] = pooled_dice(clip.traced.at(np.array([1])))
    return row


def _closeness(close: Closeness, cm_per_px: float | None) -> dict[str, float]:
    hd95, assd = (mean_and_n(v)[0] for v in (close.surface.hd95_px, close.surface.assd_px))
    values = {
        "pooled_dice": pooled_dice(close.overlap),
        "mean_frame_dice": mean_frame_dice(close.overlap)[0],
        "pooled_iou": pooled_iou(close.overlap),
        "mean_frame_iou": mean_frame_iou(close.overlap)[0],
        "hd95_px": hd95,
        "assd_px": assd,
        "surface_dice_px": mean_and_n(close.surface.surface_dice[0])[0],
    }
    if cm_per_px is not None:
        values |= {
            "hd95_cm": hd95 * cm_per_px,
            "assd_cm": assd * cm_per_px,
            "surface_dice_cm": mean_and_n(close.surface.surface_dice[1])[0],
        }
    return values


def _steadiness(steady: Steadiness, suffix: str) -> dict[str, float]:
    return {
        f"frame_to_frame_dice{suffix}": mean_and_n(steady.neighbour_dice)[0],
        f"area_jitter_percent{suffix}": 100.0 * mean_and_n(steady.jitter)[0],
    }


def csv_cell(value: Any) -> Any:
    """A value as a table shows it: NA where it is missing, six digits of a number."""
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return "NA"
    return f"{value:.6g}" if isinstance(value, float) else value


def _document(evaluation: Evaluation, summary: Summary) -> dict[str, Any]:
    reasons = Counter(clip.reason for clip in evaluation.clips if clip.reason)
    return {
        "software": {"name": "medseg", "version": medseg.__version__},
        "dataset": evaluation.dataset.name,
        "split": evaluation.split,
        "method": evaluation.method,
        "model": evaluation.model,
        "mean_mask": evaluation.mean_mask,
        "mean_ef": asdict(evaluation.mean_ef) if evaluation.mean_ef else None,
        "without_masks": evaluation.without_masks,
        "surface_dice_tolerance": asdict(evaluation.tolerances),
        "bootstrap": {
            "draws": summary.draws,
            "seed": summary.seed,
            "unit": summary.unit,
            "units": summary.drawn,
            "interval": "95 % interval",
            "percentiles": [2.5, 97.5],
        },
        "clips": len(evaluation.clips),
        "clips_not_scored": dict(reasons),
        "problems": evaluation.problems,
        "measures": {m.key: _measure(m) for m in summary.measures},
        "protocol": _protocol(evaluation, summary),
    }


def _protocol(evaluation: Evaluation, summary: Summary) -> dict[str, Any] | None:
    """The published measures, and which videos they leave out; None without a protocol."""
    if evaluation.protocol is None:
        return None
    table = evaluation.without_masks is not None
    kept = [c.reason is None if table else c.traced is not None for c in evaluation.clips]
    left_out = Counter(
        clip.traced_reason or clip.reason
        for clip, there in zip(evaluation.clips, kept, strict=True)
        if not there
    )
    protocol = PROTOCOLS[evaluation.protocol]
    return {
        "name": evaluation.protocol,
        "note": protocol.table_note if table else protocol.note,
        "interval": INTERVAL,
        "draws": PUBLISHED_DRAWS,
        "seed": summary.seed,
        "videos": sum(kept),
        "videos_left_out": dict(left_out),
        "measures": {m.key: _measure(m) for m in summary.published},
    }


def _measure(measure: Measure) -> dict[str, Any]:
    def number(value: float) -> float | None:
        return value if np.isfinite(value) else None

    return {
        "value": number(measure.value),
        "low": number(measure.low),
        "high": number(measure.high),
        "n": measure.n,
        "of": measure.of,
        "patients": measure.patients,
        "unit": measure.unit or None,
        "reason": measure.reason,
    }
