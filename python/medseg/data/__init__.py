"""Data sets with their truth: recognised, read without opening the clips, and checked."""

from __future__ import annotations

from medseg.data.check import CheckReport, check_dataset
from medseg.data.dataset import Case, Dataset, Excluded, TracedFrame, ed_es
from medseg.data.findings import Finding
from medseg.data.frames import open_case, pixel_aspect, read_frames
from medseg.data.open import READERS, open_dataset
from medseg.data.splits import split_by_patient, splits_of_fold

__all__ = [
    "READERS",
    "Case",
    "CheckReport",
    "Dataset",
    "Excluded",
    "Finding",
    "TracedFrame",
    "check_dataset",
    "ed_es",
    "open_case",
    "open_dataset",
    "pixel_aspect",
    "read_frames",
    "split_by_patient",
    "splits_of_fold",
]
