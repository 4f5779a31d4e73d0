"""Writes a comparison: the page and three tables, each under its name only when complete."""

from __future__ import annotations

from pathlib import Path

from medseg.compare.cases import Compared
from medseg.compare.costs import Costs
from medseg.compare.differences import Measured
from medseg.compare.page import Pictures, page
from medseg.compare.tables import clip_table, difference_table, run_table
from medseg.files import write_whole


def write_comparison(
    compared: Compared, measured: Measured, costs: Costs, pictures: Pictures, folder: Path
) -> list[Path]:
    """Write compare.html, compare.csv, differences.csv and per-video.csv; raises OutputError."""
    texts = {
        "compare.html": page(compared, measured, costs, pictures),
        "compare.csv": run_table(compared, measured, costs),
        "differences.csv": difference_table(measured.differences),
        "per-video.csv": clip_table(compared),
    }
    for name, text in texts.items():
        write_whole(folder / name, text)
    return [folder / name for name in texts]
