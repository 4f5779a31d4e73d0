"""Echo and surgical video to masks and per-frame measurements."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "Clip": "medseg.clip",
    "clip_from_array": "medseg.clip",
    "open_clip": "medseg.decode",
    "segment": "medseg.segmentation",
    "open_segmentation": "medseg.store",
    "save_segmentation": "medseg.store",
    "validate_segmentation": "medseg.store",
    "MedsegError": "medseg.errors",
}

__all__ = ["__version__", *sorted(_WHERE)]


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that ``import medseg`` stays light."""
    if name not in _WHERE:
        raise AttributeError(f"module 'medseg' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])
