"""Scores a folder of stores against clips whose truth is known."""

from __future__ import annotations

from medseg.evaluate.folder import Evaluation, evaluate_folder
from medseg.evaluate.pictures import draw_figures
from medseg.evaluate.protocols import PROTOCOLS
from medseg.evaluate.scores import ClipScore, Tolerances
from medseg.evaluate.summary import Measure, Summary, summarise
from medseg.evaluate.tables import mask_rows, published_rows, summary_rows
from medseg.evaluate.write import write_evaluation

__all__ = [
    "PROTOCOLS",
    "ClipScore",
    "Evaluation",
    "Measure",
    "Summary",
    "Tolerances",
    "draw_figures",
    "evaluate_folder",
    "mask_rows",
    "published_rows",
    "summarise",
    "summary_rows",
    "write_evaluation",
]
