"""The segmentation store: one folder of masks and curves that Python writes and R reads."""

from __future__ import annotations

from medseg.store.findings import Finding
from medseg.store.read import open_segmentation
from medseg.store.save import save_segmentation
from medseg.store.validate import validate_segmentation
from medseg.store.write import StoreWriter

__all__ = [
    "Finding",
    "StoreWriter",
    "open_segmentation",
    "save_segmentation",
    "validate_segmentation",
]
