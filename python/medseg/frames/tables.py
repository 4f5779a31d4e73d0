"""The tables of a run: coverage by picture, masks, and a summary by resolution, tools and group."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

from medseg.figures import save_distributions_png
from medseg.files import write_whole
from medseg.frames.highlights import highlight_words
from medseg.frames.rule import on_highlight
from medseg.frames.run import FramesRun

COVERAGE = (
    "frame", "group", "resolution", "tools", "verdict", "success", "coverage_percent", "masks",
    "largest_percent", "highlight_masks", "highlight_percent", "dice_best_mean", "seconds",
)  # fmt: skip
MASKS = (
    "frame", "label", "name", "area_px", "area_percent", "confidence", "highlight_share",
    "on_highlight", "top", "left", "bottom", "right",
)  # fmt: skip
SUMMARY = (
    "by", "value", "frames", "success", "success_percent", "coverage_percent_median", "masks",
    "masks_per_frame_median", "area_percent_quartiles", "confidence_median", "highlight_masks",
    "highlight_masks_percent", "dice_best_mean", "seconds_per_frame",
)  # fmt: skip
MOST_GROUPS = 30  # groups of their own in the printed table; the file has all
_COLUMNS = (
    "by", "", "frames", "success", "%", "coverage %", "masks", "a frame", "area % (quartiles)",
    "confidence", "on highlights", "%", "Dice", "s/frame",
)  # fmt: skip


def write_tables(run: FramesRun, *, figure: bool = True) -> list[Path]:
    """Write coverage.csv, masks.csv, excluded.csv, summary.csv and areas.png; raises OutputError.

    The first lines of coverage.csv and summary.csv, which begin with #, state the rules.
    """
    stated = [
        f"model: {run.card['name']}; weights sha256: {run.card.get('weights_sha256')}; "
        f"trained on: {run.card.get('training_data')}; {run.card['intended_use']}",
        run.rule.words(),
        highlight_words(),
    ]
    tables = {
        "coverage.csv": (COVERAGE, [_coverage_row(run, r) for r in run.records], stated),
        "masks.csv": (MASKS, [_mask_row(r, m) for r in run.records for m in r["masks"]], []),
        "summary.csv": (SUMMARY, summary_rows(run), stated),
        "excluded.csv": (
            ("file", "reason", "code"),
            [(e.name, e.reason, e.code) for e in run.pictures.excluded],
            [],
        ),
    }
    written = []
    for name, (header, rows, comments) in tables.items():
        text = io.StringIO(newline="")
        for line in comments:
            text.write(f"# {line}\n")
        table = csv.writer(text, lineterminator="\n")
        table.writerow(header)
        table.writerows([_cell(value) for value in row] for row in rows)
        write_whole(run.out / name, text.getvalue().encode())
        written.append(run.out / name)
    if figure:
        written.append(_figure(run))
    return written


def summary_rows(run: FramesRun) -> list[tuple[Any, ...]]:
    """One row for all pictures, then by resolution, by number of tools, and by group."""
    rows = [_summary(run, "all", "", run.records)]
    for by in ("resolution", "tools", "group"):
        values = {record[by] for record in run.records if record[by] is not None}
        if len(values) < 2 and by != "resolution":
            continue
        for value in sorted(values, key=_natural):
            part = [record for record in run.records if record[by] == value]
            rows.append(_summary(run, by, value, part))
    return rows


def printed_rows(run: FramesRun) -> tuple[list[str], list[list[str]]]:
    """The summary as (columns, rows) for a terminal; many groups are left to the file."""
    rows = summary_rows(run)
    groups = sum(row[0] == "group" for row in rows)
    shown = [row for row in rows if row[0] != "group" or groups <= MOST_GROUPS]
    return list(_COLUMNS), [[_cell(value, 3) for value in row] for row in shown]


def _summary(
    run: FramesRun, by: str, value: object, records: list[dict[str, Any]]
) -> tuple[Any, ...]:
    masks = [mask for record in records for mask in record["masks"]]
    areas = [mask["area_percent"] for mask in masks]
    sure = [mask["confidence"] for mask in masks if mask["confidence"] is not None]
    dice = [one for record in records for one in record["dice"] or []]
    wins = sum(run.rule.verdict(record["masks"]) == "success" for record in records)
    shiny = sum(on_highlight(mask) for mask in masks)
    quartiles = (
        " / ".join(f"{q:.3g}" for q in np.percentile(areas, (25, 50, 75))) if areas else None
    )
    return (
        by, value, len(records), wins, _percent(wins, len(records)),
        _or_none(median, [record["coverage_percent"] for record in records]), len(masks),
        _or_none(median, [len(record["masks"]) for record in records]), quartiles,
        _or_none(median, sure), shiny, _percent(shiny, len(masks)), _or_none(mean, dice),
        _or_none(mean, [record["seconds"] for record in records]),
    )  # fmt: skip


def _coverage_row(run: FramesRun, record: dict[str, Any]) -> tuple[Any, ...]:
    masks = record["masks"]
    verdict = run.rule.verdict(masks)
    return (
        record["frame"], record["group"], record["resolution"], record["tools"], verdict,
        int(verdict == "success"), record["coverage_percent"], len(masks),
        max((mask["area_percent"] for mask in masks), default=None),
        sum(on_highlight(mask) for mask in masks), record["highlight_percent"],
        _or_none(mean, record["dice"] or []), record["seconds"],
    )  # fmt: skip


def _mask_row(record: dict[str, Any], mask: dict[str, Any]) -> tuple[Any, ...]:
    return (
        record["frame"], mask["label"], mask["name"], mask["area_px"], mask["area_percent"],
        mask["confidence"], mask["highlight_share"], int(on_highlight(mask)), *mask["box"],
    )  # fmt: skip


def _figure(run: FramesRun) -> Path:
    path = run.out / "areas.png"
    areas: dict[str, list[float]] = {}
    coverage: dict[str, list[float]] = {}
    shine: dict[str, list[float]] = {}
    for record in run.records:
        key = record["resolution"]
        coverage.setdefault(key, []).append(record["coverage_percent"])
        for mask in record["masks"]:
            areas.setdefault(key, []).append(mask["area_percent"])
            shine.setdefault(key, []).append(100 * mask["highlight_share"])
    verdicts = [run.rule.verdict(record["masks"]) for record in run.records]
    save_distributions_png(
        path,
        title=f"{run.card['name']}: {len(run.records)} pictures",
        histograms={
            "area of a mask (% of the picture)": areas,
            "coverage by all masks (%)": coverage,
            "share of a mask on highlights (%)": shine,
        },
        bars={
            "pictures by verdict (rule: coverage.csv)": {
                v: verdicts.count(v) for v in dict.fromkeys(verdicts)
            }
        },
    )
    return path


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def _or_none(statistic: Any, values: Iterable[float]) -> float | None:
    known = list(values)
    return float(statistic(known)) if known else None


def _natural(value: Any) -> tuple[int, str]:
    digits = "".join(c for c in str(value).split("x")[0] if c.isdigit())
    return (int(digits) if digits else 0, str(value))


def _cell(value: object, digits: int = 6) -> str:
    if value is None:
        return ""
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)
