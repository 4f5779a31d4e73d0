"""Scores a folder of stores against clips whose truth is known."""

from __future__ import annotations

from medseg.evaluate.folder import Evaluation, evaluate_folder
from medseg.evaluate.summary import summary_rows, write_evaluation

__all__ = ["Evaluation", "evaluate_folder", "summary_rows", "write_evaluation"]
