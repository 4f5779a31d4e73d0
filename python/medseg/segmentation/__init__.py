"""The engine: streams windows of frames through a network into masks, curves and a verdict."""

from __future__ import annotations

from medseg.segmentation.protocols import Follower, Promptable, Segmenter
from medseg.segmentation.run import make_folder, segment, segment_to_store, store_path

__all__ = [
    "Follower",
    "Promptable",
    "Segmenter",
    "make_folder",
    "segment",
    "segment_to_store",
    "store_path",
]
