"""The segmentation store: one folder of masks and curves that Python writes and R reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medseg.store.findings import Finding
from medseg.store.save import save_segmentation
from medseg.store.validate import validate_segmentation
from medseg.store.write import StoreWriter

if TYPE_CHECKING:
    from medseg.store.read import open_segmentation

__all__ = [
    "Finding",
    "StoreWriter",
    "open_segmentation",
    "save_segmentation",
    "validate_segmentation",
]


def __getattr__(name: str) -> Any:
    """Import xarray only for those who open a store: writing and validating start without it."""
    if name != "open_segmentation":
        raise AttributeError(f"module 'medseg.store' has no attribute {name!r}")
    from medseg.store.read import open_segmentation

    return open_segmentation
