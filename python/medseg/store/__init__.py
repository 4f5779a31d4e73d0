"""The segmentation store: one folder of masks and curves that Python writes and R reads."""

from __future__ import annotations

from medseg.store.findings import Finding
from medseg.store.validate import validate_segmentation

__all__ = ["Finding", "validate_segmentation"]
