"""Surgical pictures: prepared, segmented one by one, and summed up in tables."""

from __future__ import annotations

from medseg.frames.finders import Finder, FoundMask, load_finder
from medseg.frames.rule import SuccessRule
from medseg.frames.run import FramesRun, segment_frames
from medseg.frames.tables import printed_rows, summary_rows, write_tables

__all__ = [
    "Finder",
    "FoundMask",
    "FramesRun",
    "SuccessRule",
    "load_finder",
    "printed_rows",
    "segment_frames",
    "summary_rows",
    "write_tables",
]
