"""The tables of a comparison: one row a run, one a difference, one a clip and run."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from medseg.compare.cases import Compared, ef_coverage
from medseg.compare.costs import Cost, Costs
from medseg.compare.differences import ACCURACY, Difference, Measured
from medseg.evaluate.definitions import group_by_patient
from medseg.evaluate.write import CLOSENESS, clip_row, csv_cell

COST_FIELDS = (
    "parameters", "gflops_per_frame", "frames_per_second", "peak_memory_mib", "training_seconds",
    "annotated_frames", "annotated_clips", "annotation_hours",
)  # fmt: skip
CLIP_COLUMNS = (
    "name", "run", "split", "patient_number", "compared", "reason", "measurable", "frames",
    "frames_not_decoded", *CLOSENESS, *(f"ed_{key}" for key in CLOSENESS),
    *(f"es_{key}" for key in CLOSENESS), "frame_to_frame_dice", "ef_percent", "ef_true_percent",
    "ef_error", "ef_reason", "heart_rate_bpm", "heart_rate_true_bpm",
)  # fmt: skip


def run_table(compared: Compared, measured: Measured, costs: Costs) -> str:
    """CSV of one row a run: every measure with its interval and n, every cost, what is missing."""
    rows = []
    for one in compared.runs:
        name = one.run.name
        given, asked = ef_coverage(one)
        card = one.evaluation.model or {}
        row: dict[str, Any] = {
            "run": name,
            "model": one.run.model or card.get("name"),
            "weights_sha256": card.get("weights_sha256"),
            "clips": len(one.clips),
            "patients": measured.patients,
            "clips_with_ef": given,
            "clips_asked_for_ef": asked,
        }
        missing = {}
        for key, measure in measured.measures[name].items():
            row |= {
                key: measure.value,
                f"{key}_low": measure.low,
                f"{key}_high": measure.high,
                f"{key}_n": measure.n,
            }
            if measure.reason is not None:
                missing[key] = measure.reason
        cost = costs.by_run[name]
        row |= {key: cost_value(cost, key) for key in COST_FIELDS}
        missing |= {_column_of(key): why for key, why in cost.reasons.items()}
        row["missing"] = "; ".join(f"{key}: {why}" for key, why in missing.items())
        rows.append(row)
    return _csv(list(rows[0]), rows)


def cost_value(cost: Cost, key: str) -> float | int | None:
    """A cost by its column's name."""
    if key == "frames_per_second":
        return None if cost.speed is None else cost.speed.frames_per_second
    value: float | int | None = getattr(cost, key)
    return value


def cost_reason(cost: Cost, key: str) -> str:
    """Why a cost is missing, by its column's name."""
    return cost.reasons.get("speed" if key == "frames_per_second" else key, "not known")


def _column_of(field: str) -> str:
    return "frames_per_second" if field == "speed" else field


def difference_table(differences: Sequence[Difference]) -> str:
    """CSV of one row a pair of runs and measure: first - second with its 95 % interval."""
    columns = (
        "measure", "label", "first", "second", "difference", "low", "high", "excludes_zero",
        "unit", "n_first", "n_second", "patients",
    )  # fmt: skip
    rows = [
        {
            "measure": d.key,
            "label": ACCURACY[d.key],
            "first": d.first,
            "second": d.second,
            "difference": d.value,
            "low": d.low,
            "high": d.high,
            "excludes_zero": bool(d.excludes_zero) if np.isfinite(d.low) else None,
            "unit": d.unit or None,
            "n_first": d.n_first,
            "n_second": d.n_second,
            "patients": d.patients,
        }
        for d in differences
    ]
    return _csv(columns, rows)


def clip_table(compared: Compared) -> str:
    """CSV of one row a clip and run, those that are left out included with the reason."""
    rows = []
    numbers = _patient_numbers(compared)
    why = {case.clip: f"{case.run}: {case.reason}" for case in compared.left_out}
    for one in compared.runs:
        for clip in one.evaluation.clips:
            known = clip.name in compared.cases
            row = clip_row(clip)
            row |= {
                "run": one.run.name,
                "compared": known,
                "patient_number": numbers.get(clip.name),
                "reason": clip.reason or (None if known else why.get(clip.name)),
            }
            rows.append(row)
    return _csv(CLIP_COLUMNS, rows)


def _patient_numbers(compared: Compared) -> dict[str, int]:
    """Which compared clips are of one patient, not who."""
    clips = compared.runs[0].clips
    numbers = group_by_patient(clips).patient + 1
    return {clip.name: int(number) for clip, number in zip(clips, numbers, strict=True)}


def _csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    for row in rows:
        writer.writerow({key: csv_cell(row.get(key)) for key in columns})
    return text.getvalue()
