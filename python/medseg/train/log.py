"""What a run writes down as it goes: log.csv, TensorBoard events and curves.png."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

from medseg.files import write_whole

Row = dict[str, Any]  # epoch, step, split, loss, the task's figure, learning_rate, seconds
TITLES = {"loss": "loss", "dice": "pooled Dice", "mae_ef": "mean absolute error of EF (%)"}
COLOURS = {"TRAIN": "#0b6e99", "VAL": "#d1760c"}


def columns(figure: str) -> list[str]:
    """The columns of log.csv for a task's figure; without one the column dice is empty."""
    return ["epoch", "step", "split", "loss", figure or "dice", "learning_rate", "seconds"]


def write_csv(path: Path, rows: list[Row], figure: str) -> None:
    """Write every row so far; what was not measured is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = columns(figure)
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in names])
    write_whole(path, text.getvalue().encode())


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def add_to_tensorboard(writer: Any, row: Row, figure: str) -> None:
    """Add a row's values as scalars, such as loss/VAL."""
    for name in ("loss", figure):
        value = row.get(name)
        if name and value is not None and math.isfinite(value):
            writer.add_scalar(f"{name}/{row['split']}", value, row["step"])
    if row["split"] == "TRAIN":
        writer.add_scalar("learning_rate", row["learning_rate"], row["step"])


def draw_curves(path: Path, rows: list[Row], figure: str, *, title: str, best_step: int) -> None:
    """Draw loss, figure and learning rate over the steps; the best weights' step is marked."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = ["loss", *([figure] if figure else []), "learning_rate"]
    picture = Figure(figsize=(4.2 * len(shown), 3.4), dpi=110, layout="constrained")
    FigureCanvasAgg(picture)
    picture.suptitle(title, x=0.01, ha="left", fontsize=10)
    panels = picture.subplots(1, len(shown))
    for axes, name in zip(panels, shown, strict=True):
        splits = ("TRAIN",) if name == "learning_rate" else ("TRAIN", "VAL")
        for split in splits:
            points = [(row["step"], row[name]) for row in rows if row["split"] == split]
            known = [(x, y) for x, y in points if y is not None and math.isfinite(y)]
            if known:
                axes.plot(*zip(*known, strict=True), ".-", color=COLOURS[split], label=split)
        axes.axvline(best_step, color="#b0b0b0", linewidth=1, linestyle="--", zorder=0)
        axes.set_xlabel("step")
        axes.set_ylabel(TITLES.get(name, "learning rate"))
        axes.set_xlim(left=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    named = panels[0].get_legend_handles_labels()
    picture.legend(*named, loc="outside upper right", ncols=2, frameon=False, fontsize=8)
    content = io.BytesIO()
    picture.savefig(content, format="png")
    write_whole(path, content.getvalue())
