"""Sets any number of runs side by side: accuracy, paired differences, cost and pictures."""

from __future__ import annotations

from medseg.compare.cases import Compared, LeftOut, ScoredRun, score_runs, wanted_split
from medseg.compare.costs import Cost, Costs, weigh_runs
from medseg.compare.differences import Difference, Measured, measure_runs
from medseg.compare.draw import draw_all
from medseg.compare.page import page
from medseg.compare.predict import make_missing
from medseg.compare.record import Record, read_record
from medseg.compare.runs import EF_MODEL, Run, find_runs
from medseg.compare.write import write_comparison

__all__ = [
    "EF_MODEL",
    "Compared",
    "Cost",
    "Costs",
    "Difference",
    "LeftOut",
    "Measured",
    "Record",
    "Run",
    "ScoredRun",
    "draw_all",
    "find_runs",
    "make_missing",
    "measure_runs",
    "page",
    "read_record",
    "score_runs",
    "wanted_split",
    "weigh_runs",
    "write_comparison",
]
