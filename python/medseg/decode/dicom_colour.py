"""From stored DICOM samples to 8-bit RGB as a display would show them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi

from medseg.clip import Frames

Samples = np.ndarray[Any, Any]
MONOCHROME = ("MONOCHROME1", "MONOCHROME2")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT")
KNOWN_PHOTOMETRICS = (*MONOCHROME, *COLOUR, "PALETTE COLOR")


def to_rgb_of(ds: Dataset) -> tuple[Callable[[Samples], Frames], tuple[str, ...]]:
    """Give (function from one frame's samples to uint8 RGB (H, W, 3), what it does in words).

    Samples are (H, W) for grey and palette, (H, W, 3) for colour, and colour is RGB already.
    Grey goes through the file's VOI LUT or window where it has one that makes sense, else
    through the range of its BitsStored; MONOCHROME1 is turned round.
    """
    photometric = str(ds.PhotometricInterpretation)
    if photometric in MONOCHROME:
        table, lowest, notes = _grey_table(ds)
        if photometric == "MONOCHROME1":
            table = 255 - table
        return _Lookup(np.repeat(table[:, np.newaxis], 3, axis=1), lowest), notes
    if photometric == "PALETTE COLOR":
        return _Lookup(_palette(ds), 0), ()
    bits = int(ds.BitsStored)
    if bits > 8:
        return _Shift(bits - 8), (f"{bits}-bit colour brought to 8 bits by its stored range",)
    return _Shift(0), ()


class _Lookup:
    """Looks every sample up in a table of RGB rows whose first row is for ``lowest``."""

    def __init__(self, table: Frames, lowest: int) -> None:
        self.table, self.lowest = table, lowest

    def __call__(self, samples: Samples) -> Frames:
        rows = np.clip(samples.astype(np.int64) - self.lowest, 0, len(self.table) - 1)
        looked_up: Frames = self.table[rows]  # (H,W) -> (H,W,3)
        return looked_up


class _Shift:
    """Keeps the uppermost eight of the stored bits."""

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def __call__(self, samples: Samples) -> Frames:
        return (samples >> self.bits).astype(np.uint8) if self.bits else samples.astype(np.uint8)


def _grey_table(ds: Dataset) -> tuple[Frames, int, tuple[str, ...]]:
    """Give (table (values,) uint8, the lowest stored value, notes) for stored grey values."""
    bits = int(ds.BitsStored)
    signed = int(ds.get("PixelRepresentation", 0) or 0) == 1
    lowest = -(1 << (bits - 1)) if signed else 0
    stored = np.arange(lowest, lowest + (1 << bits), dtype=np.int64)
    notes: list[str] = []
    by_range = np.round((stored - lowest) * (255.0 / max((1 << bits) - 1, 1))).astype(np.uint8)
    by_file = _by_voi_lut(ds, stored, notes)
    if by_file is None:
        by_file = _by_window(ds, stored, notes)
    if by_file is None:
        if bits > 8:
            notes.append(f"{bits}-bit pixels brought to 8 bits by their stored range")
        return by_range, lowest, tuple(notes)
    return by_file, lowest, tuple(notes)


def _by_voi_lut(ds: Dataset, stored: Samples, notes: list[str]) -> Frames | None:
    if not ds.get("VOILUTSequence"):
        return None
    try:
        bits = int(ds.VOILUTSequence[0].LUTDescriptor[2])
        shown = apply_voi(apply_modality_lut(_typed(stored), ds), ds)
        grey = np.round(np.clip(shown, 0, (1 << bits) - 1) * (255.0 / ((1 << bits) - 1)))
    except Exception:
        notes.append("the file's VOI LUT cannot be read: not used")
        return None
    notes.append("brought to 8 bits by the file's VOI LUT")
    eight_bit: Frames = grey.astype(np.uint8)
    return eight_bit


def _by_window(ds: Dataset, stored: Samples, notes: list[str]) -> Frames | None:
    """Apply the first window (DICOM PS3.3 C.11.2.1.2), or give None where there is none."""
    centre, width = _first(ds, "WindowCenter"), _first(ds, "WindowWidth")
    if centre is None and width is None:
        return None
    function = str(ds.get("VOILUTFunction", "") or "LINEAR").upper()
    narrowest = 1.0 if function == "LINEAR" else np.nextafter(0, 1)
    if (
        centre is None
        or width is None
        or not np.isfinite([centre, width]).all()
        or width < narrowest
    ):
        notes.append("the file's window makes no sense: not used")
        return None
    try:
        values = np.asarray(apply_modality_lut(_typed(stored), ds), dtype=np.float64)
    except Exception:
        notes.append("the file's modality LUT cannot be read: not used")
        values = stored.astype(np.float64)
    if function == "SIGMOID":
        unit = 1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - centre) / width, -700, 700)))
    elif function == "LINEAR_EXACT":
        unit = (values - centre) / width + 0.5
    else:
        unit = (values - (centre - 0.5)) / max(width - 1.0, 1e-9) + 0.5
    if len(stored) > 256 or (centre, width) not in ((128.0, 256.0), (127.5, 255.0), (127.0, 255.0)):
        notes.append(f"brought to 8 bits by the file's window (centre {centre:g}, width {width:g})")
    return np.round(np.clip(unit, 0, 1) * 255.0).astype(np.uint8)


def _first(ds: Dataset, keyword: str) -> float | None:
    try:
        value = ds.get(keyword)
        if value is None or value == "":
            return None
        if not isinstance(value, (str, bytes)) and hasattr(value, "__len__"):
            value = value[0]
        return float(value)
    except Exception:
        return float("nan")


def _typed(stored: Samples) -> Samples:
    """Give stored values in the narrowest integer type, as pydicom's tables want them."""
    return stored.astype(np.int32) if stored[0] < 0 else stored.astype(np.uint32)


def _palette(ds: Dataset) -> Frames:
    """Give the palette as a (values, 3) uint8 table; 16-bit entries keep their upper byte."""
    values = np.arange(1 << min(int(ds.BitsAllocated), 16), dtype=np.uint16)
    table = np.asarray(apply_color_lut(values, ds))[:, :3]
    if table.dtype.itemsize == 1 or int(table.max(initial=0)) <= 255:
        return table.astype(np.uint8)  # 8-bit values, whatever width the file says they have
    return (table >> 8).astype(np.uint8)
