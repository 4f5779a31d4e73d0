"""Sums an evaluation up: one table, one CSV row a clip, one JSON."""

from __future__ import annotations

import csv
import json
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import medseg
from medseg.errors import OutputError
from medseg.evaluate.folder import ClipScore, Evaluation
from medseg.metrics import (
    EventCount,
    Overlap,
    agreement,
    bootstrap_by_clip,
    mean_frame_dice,
    pooled_dice,
)

BOOTSTRAP_SEED = 1
COLUMNS = (
    "name", "split", "reason", "measurable", "reasons", "frames", "pooled_dice",
    "mean_frame_dice", "ed_dice", "es_dice", "mean_mask_dice", "ef_percent", "ef_true_percent",
    "ef_reason", "heart_rate_bpm", "heart_rate_true_bpm", "n_beats", "n_complete", "beats_true",
    "beats_true_found", "beats_detected", "beats_detected_true",
)  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """One line of the summary; NaN where nothing could be measured."""

    key: str
    label: str
    value: float
    low: float  # 2.5th percentile over clips drawn with replacement
    high: float  # 97.5th
    n: int
    of: str  # what n counts
    unit: str = ""


def summarise(evaluation: Evaluation) -> list[Measure]:
    """All measures of an evaluation, in the order of the table."""
    scored = [clip for clip in evaluation.clips if clip.masks is not None]
    measures = [
        _pooled("pooled_dice", "pooled Dice, all frames", [c.masks for c in scored]),
        _mean_frame("mean_frame_dice", "mean of the frames' Dice", [c.masks for c in scored]),
        _mean_frame("ed_dice", "mean Dice at end-diastole", [c.ed for c in scored]),
        _mean_frame("es_dice", "mean Dice at end-systole", [c.es for c in scored]),
        _pooled("mean_mask_dice", "pooled Dice of the mean mask", [c.mean_mask for c in scored]),
    ]
    measures += _errors("ef", "EF", "points", scored, "ef_percent", "ef_true_percent")
    measures += _errors(
        "heart_rate", "heart rate", "bpm", scored, "heart_rate_bpm", "heart_rate_true_bpm"
    )
    counts = [clip.beats for clip in scored if clip.beats is not None]
    measures.append(_events("beat_sensitivity", "beats found, of the true", counts, "true"))
    measures.append(_events("beat_precision", "beats true, of the found", counts, "detected"))
    return measures


def _pooled(key: str, label: str, overlaps: Sequence[Overlap | None]) -> Measure:
    known = [o for o in overlaps if o is not None]
    shared = np.array([o.shared.sum() for o in known])
    total = np.array([o.total.sum() for o in known])

    def dice(clips: Any) -> float:
        whole = float(total[clips].sum())
        return 2.0 * float(shared[clips].sum()) / whole if whole else float("nan")

    frames = sum(len(o.total) for o in known)
    return _measure(key, label, dice, len(known), n=frames, of="frames")


def _mean_frame(key: str, label: str, overlaps: Sequence[Overlap | None]) -> Measure:
    pairs = [mean_frame_dice(o) for o in overlaps if o is not None]
    n = np.array([count for _, count in pairs], float)
    sums = np.array([mean * count if count else 0.0 for mean, count in pairs])

    def dice(clips: Any) -> float:
        return float(sums[clips].sum() / n[clips].sum()) if n[clips].sum() else float("nan")

    return _measure(key, label, dice, len(pairs), n=int(n.sum()), of="frames")


def _errors(
    key: str, label: str, unit: str, clips: list[ClipScore], got: str, want: str
) -> list[Measure]:
    pairs = [(getattr(c, got), getattr(c, want)) for c in clips]
    known = np.array([(a, b) for a, b in pairs if a is not None and b is not None], float)
    known = known.reshape(-1, 2)
    kinds = (
        ("mae", "mean absolute error", unit),
        ("rmse", "root mean square error", unit),
        ("bias", "bias, measured - true", unit),
        ("r_squared", "R² (1 - SSE/SST)", ""),
        ("r2_of_correlation", "r² of the correlation", ""),
    )
    measures = []
    for kind, words, kind_unit in kinds:

        def value(clips: Any, kind: str = kind) -> float:
            return float(getattr(agreement(known[clips, 0], known[clips, 1]), kind))

        measures.append(
            _measure(
                f"{key}_{kind}",
                f"{label}: {words}",
                value,
                len(known),
                n=len(known),
                of="clips",
                unit=kind_unit,
            )
        )
    return measures


def _events(key: str, label: str, counts: list[EventCount], side: str) -> Measure:
    whole = np.array([getattr(c, side) for c in counts], float)
    right = np.array([c.true_found if side == "true" else c.detected_true for c in counts], float)

    def share(clips: Any) -> float:
        return (
            float(right[clips].sum() / whole[clips].sum()) if whole[clips].sum() else float("nan")
        )

    return _measure(key, label, share, len(counts), n=int(whole.sum()), of="beats")


def _measure(
    key: str,
    label: str,
    statistic: Callable[[Any], float],
    clips: int,
    *,
    n: int,
    of: str,
    unit: str = "",
) -> Measure:
    value = statistic(np.arange(clips)) if clips else float("nan")
    low, high = bootstrap_by_clip(statistic, clips, draws=1000, seed=BOOTSTRAP_SEED)
    return Measure(key, label, value, low, high, n, of, unit)


def summary_rows(evaluation: Evaluation) -> list[list[str]]:
    """The table's rows: measure, value, interval, n."""
    rows = []
    for m in summarise(evaluation):
        if m.n == 0 or not np.isfinite(m.value):
            rows.append([m.label, "missing", "", _why_missing(m.key, evaluation)])
            continue
        digits = 2 if m.unit else 4
        unit = f" {m.unit}" if m.unit else ""
        interval = f"{m.low:.{digits}f} to {m.high:.{digits}f}" if np.isfinite(m.low) else ""
        rows.append([m.label, f"{m.value:.{digits}f}{unit}", interval, f"{m.n} {m.of}"])
    scored = [clip for clip in evaluation.clips if clip.masks is not None]
    refused = sum(clip.measurable is False for clip in scored)
    rows.append(["clips scored", str(len(scored)), "", f"{len(evaluation.clips)} clips"])
    rows.append(["of them not measurable", str(refused), "", f"{len(scored)} clips"])
    return rows


def _why_missing(key: str, evaluation: Evaluation) -> str:
    """A few words on why a measure is absent."""
    if key == "mean_mask_dice":
        return "no TRAIN clip with a truth; name a folder with --train"
    scored = [clip for clip in evaluation.clips if clip.masks is not None]
    if any(clip.ef_reason == "R is not available" for clip in scored):
        return "R is not available"
    return "nothing to compare"


def write_evaluation(evaluation: Evaluation, folder: Path) -> tuple[Path, Path]:
    """Write evaluation.csv, one row a clip, and evaluation.json; raises OutputError."""
    table, document = folder / "evaluation.csv", folder / "evaluation.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_whole(table, _csv_text(evaluation))
        _write_whole(document, json.dumps(_document(evaluation), indent=2) + "\n")
    except OSError as error:
        raise OutputError(
            f"{folder}: the evaluation cannot be written ({error.strerror}); choose another --out"
        ) from None
    return table, document


def _write_whole(path: Path, text: str) -> None:
    """Write a file under its name only when it is complete."""
    stage = path.with_name(f".{path.name}.partial-{secrets.token_hex(4)}")
    try:
        with stage.open("w", encoding="utf-8", newline="") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        stage.replace(path)
    finally:
        stage.unlink(missing_ok=True)


def _csv_text(evaluation: Evaluation) -> str:
    import io

    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for clip in evaluation.clips:
        writer.writerow({key: _cell(value) for key, value in _row(clip).items()})
    return text.getvalue()


def _row(clip: ClipScore) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    for key in COLUMNS:
        if hasattr(clip, key):
            row[key] = getattr(clip, key)
    row["reasons"] = " ".join(clip.reasons)
    if clip.masks is not None:
        row["frames"] = len(clip.masks.total)
        row["pooled_dice"] = pooled_dice(clip.masks)
        row["mean_frame_dice"] = mean_frame_dice(clip.masks)[0]
    if clip.ed is not None:
        row["ed_dice"] = mean_frame_dice(clip.ed)[0]
    if clip.es is not None:
        row["es_dice"] = mean_frame_dice(clip.es)[0]
    if clip.mean_mask is not None:
        row["mean_mask_dice"] = pooled_dice(clip.mean_mask)
    if clip.beats is not None:
        row.update({f"beats_{key}": value for key, value in asdict(clip.beats).items()})
    row.pop("mean_mask", None)
    return {key: row[key] for key in COLUMNS}


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return "NA"
    return f"{value:.6g}" if isinstance(value, float) else value


def _document(evaluation: Evaluation) -> dict[str, Any]:
    def number(value: float) -> float | None:
        return value if np.isfinite(value) else None

    return {
        "software": {"name": "medseg", "version": medseg.__version__},
        "dataset": evaluation.dataset.name,
        "split": evaluation.split,
        "method": evaluation.method,
        "model": evaluation.model,
        "mean_mask": evaluation.mean_mask,
        "bootstrap": {"draws": 1000, "seed": BOOTSTRAP_SEED, "unit": "clip", "interval": "95 %"},
        "clips": len(evaluation.clips),
        "problems": evaluation.problems,
        "measures": {
            m.key: {
                "value": number(m.value),
                "low": number(m.low),
                "high": number(m.high),
                "n": m.n,
                "of": m.of,
                "unit": m.unit or None,
            }
            for m in summarise(evaluation)
        },
    }
