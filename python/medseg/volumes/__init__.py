"""Scans and other volumes: segmented slice by slice or with a memory, scored, and compared."""

from __future__ import annotations

from medseg.volumes.benchmark import find_cases, published_loaders, run_benchmark, summarise
from medseg.volumes.methods import METHODS, segment_slices
from medseg.volumes.predictors import Predictor, RegionPredictor, Sam2Predictor
from medseg.volumes.run import Segmented, segment_volume, write_results
from medseg.volumes.score import LabelScore, score_labels

__all__ = [
    "METHODS",
    "LabelScore",
    "Predictor",
    "RegionPredictor",
    "Sam2Predictor",
    "Segmented",
    "find_cases",
    "published_loaders",
    "run_benchmark",
    "score_labels",
    "segment_slices",
    "segment_volume",
    "summarise",
    "write_results",
]
