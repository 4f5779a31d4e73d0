"""How scan values become the grey levels that a network sees: windows for CT, percentiles for MR.

As the published 2-D and 3-D pipelines of MedSAM and its successors prepare scans: CT by a window's
level and width, other scans by the 0.5th and 99.5th percentile of the values above 0, zeros kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.errors import InputError

CT_WINDOWS: dict[str, tuple[float, float]] = {  # level, width, in HU
    "abdomen": (40, 400),
    "soft-tissue": (40, 400),
    "lung": (-160, 1500),
    "brain": (40, 80),
    "bone": (400, 1800),
}
PERCENTILES = (0.5, 99.5)
MODALITIES = ("ct", "mr", "pet", "grey")


def to_grey(
    values: NDArray[Any],
    modality: str,
    *,
    window: str | tuple[float, float] = "abdomen",
    name: str = "scan",
) -> NDArray[np.uint8]:
    """Grey levels 0..255 of a scan (D, H, W); NaN counts as the darkest value.

    `modality` is ct (with a preset of CT_WINDOWS or a level and width), mr or pet (percentiles), or
    grey (uint8 already). Raises InputError for another, a window without width, or a scan without
    a finite value.
    """
    if modality == "grey":
        if values.dtype != np.uint8:
            raise InputError(
                f"{name}: its values are {values.dtype}, no grey levels: say what it is with "
                "--modality ct, mr or pet"
            )
        return np.asarray(values, np.uint8)
    finite = np.isfinite(values)
    if not finite.any():
        raise InputError(f"{name}: holds no finite value: export it again")
    scan = np.where(finite, values, values[finite].min()).astype(np.float32)
    if modality == "ct":
        level, width = window_of(window)
        return window_grey(scan, level, width)
    if modality in ("mr", "pet"):
        return percentile_grey(scan)
    raise InputError(f"{name}: modality {modality!r}: choose of {', '.join(MODALITIES)}")


def window_of(window: str | tuple[float, float]) -> tuple[float, float]:
    """Level and width of a preset's name or of two numbers; raises InputError."""
    if isinstance(window, str):
        if window not in CT_WINDOWS:
            raise InputError(f"window {window!r}: choose of {', '.join(CT_WINDOWS)}")
        return CT_WINDOWS[window]
    level, width = window
    if not (np.isfinite(level) and width > 0):
        raise InputError(f"window {window}: give a level and a width above 0, in HU")
    return float(level), float(width)


def window_grey(values: NDArray[np.float32], level: float, width: float) -> NDArray[np.uint8]:
    """Bring level - width / 2 to 0 and level + width / 2 to 255."""
    share = (values - (level - width / 2)) / width
    return (np.clip(share, 0, 1) * 255).astype(np.uint8)


def percentile_grey(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Bring the 0.5th and 99.5th percentile of values above 0 to 0 and 255; others stay 0."""
    above = values > 0
    if not above.any():
        return np.zeros(values.shape, np.uint8)
    low, high = np.percentile(values[above], PERCENTILES)
    if not high > low:
        return np.where(above, np.uint8(255), np.uint8(0))
    grey = np.clip((values - low) / (high - low), 0, 1) * 255
    return np.where(above, grey, 0).astype(np.uint8)
