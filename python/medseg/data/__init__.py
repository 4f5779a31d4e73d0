"""Data sets with their truth: recognised, read without opening the clips, and checked."""

from __future__ import annotations

from medseg.data.check import CheckReport, check_dataset
from medseg.data.clip_files import bare_name
from medseg.data.dataset import Case, Dataset, Excluded, TracedFrame, ed_es
from medseg.data.ef_table import EF_COLUMNS, EFTable, ef_rows, is_ef_table, read_ef_table
from medseg.data.findings import Finding
from medseg.data.frames import open_case, pixel_aspect, read_frames
from medseg.data.open import READERS, open_dataset
from medseg.data.splits import split_by_patient, splits_of_fold

__all__ = [
    "EF_COLUMNS",
    "READERS",
    "Case",
    "CheckReport",
    "Dataset",
    "EFTable",
    "Excluded",
    "Finding",
    "TracedFrame",
    "bare_name",
    "check_dataset",
    "ed_es",
    "ef_rows",
    "is_ef_table",
    "open_case",
    "open_dataset",
    "pixel_aspect",
    "read_ef_table",
    "read_frames",
    "split_by_patient",
    "splits_of_fold",
]
