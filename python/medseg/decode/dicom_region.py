"""Where a DICOM ultrasound frame shows tissue, what else it shows, and how large a pixel is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

Box = tuple[int, int, int, int]  # (y0, x0, y1, x1), half-open

# DICOM PS3.3 C.8.5.5.1: Region Spatial Format, Region Data Type, Physical Units
TWO_DIMENSIONAL, M_MODE, SPECTRAL = 1, 2, 3
TISSUE, COLOUR_FLOW = 1, 2
CENTIMETRES = 3
PLAUSIBLE_SPACING_CM = (0.0005, 0.5)

# DICOM PS3.16 CID 12226, SNOMED CT codes and the older SNOMED RT ones
_VIEW_OF_CODE = {
    "399214001": "A4C",
    "G-A19C": "A4C",
    "399232001": "A2C",
    "G-A19B": "A2C",
    "399139001": "PLAX",
    "G-0396": "PLAX",
    "399306005": "PSAX",
    "G-0397": "PSAX",
    "399239005": "PSAX",  # at the aortic valve
    "G-0398": "PSAX",
    "399371001": "PSAX",  # at the mitral chords
    "G-0399": "PSAX",
    "399036006": "PSAX",  # at the mitral valve
    "G-039A": "PSAX",
    "399271003": "PSAX",  # at the papillary muscles
    "G-039B": "PSAX",
}


@dataclass(frozen=True)
class Regions:
    """What SequenceOfUltrasoundRegions says that can be believed."""

    spacing_cm: tuple[float, float] | None
    spacing_reason: str | None
    tissue: Box | None
    colour_flow: bool | None
    warnings: tuple[str, ...]


def dicom_regions(ds: Dataset, height: int, width: int) -> Regions:
    """Read the ultrasound regions of a frame of ``height`` x ``width`` pixels.

    The spacing is given only where one 2-D tissue region (or several that agree) lies within
    the frame and is measured in centimetres in both directions; else the reason is given.
    """
    items = _items(ds)
    colour_flow = _colour_flow(ds, items)
    if not items:
        return Regions(None, "the file has no ultrasound regions", None, colour_flow, ())
    notes: list[str] = []
    if any(_int(item, "RegionSpatialFormat") in (M_MODE, SPECTRAL) for item in items):
        notes.append("an M-mode or spectral Doppler trace is beside the picture")
    pictures = [item for item in items if _int(item, "RegionSpatialFormat") == TWO_DIMENSIONAL]
    tissues = [item for item in pictures if _int(item, "RegionDataType") == TISSUE]
    boxes = [box for box in map(_box, pictures) if box is not None]
    split = _any_apart(boxes)
    if split:
        notes.append(f"split screen: {len(boxes)} 2-D regions stand side by side")
    if not tissues:
        return Regions(None, "the file names no 2-D tissue region", None, colour_flow, tuple(notes))
    tissue_boxes = [_box(item) for item in tissues]
    for box in tissue_boxes:
        if (trouble := _box_trouble(box, height, width)) is not None:
            untrusted = f"the file's tissue region {trouble}, so its calibration cannot be trusted"
            return Regions(None, untrusted, None, colour_flow, tuple(notes))
    largest = max((box for box in tissue_boxes if box is not None), key=_area)
    y0, x0, y1, x1 = largest
    region = None if split else (y0, x0, min(y1, height), min(x1, width))
    spacing, reason = _shared_spacing(tissues)
    return Regions(spacing, reason, region, colour_flow, tuple(notes))


def dicom_view(ds: Dataset) -> str:
    """Give the view that ViewCodeSequence names: A4C, A2C, PLAX, PSAX, else "unknown"."""
    try:
        codes = [str(item.get("CodeValue", "")).strip() for item in ds.get("ViewCodeSequence", [])]
    except Exception:
        return "unknown"
    return next((_VIEW_OF_CODE[code] for code in codes if code in _VIEW_OF_CODE), "unknown")


def _items(ds: Dataset) -> list[Dataset]:
    try:
        return list(ds.get("SequenceOfUltrasoundRegions") or [])
    except Exception:
        return []


def _colour_flow(ds: Dataset, items: list[Dataset]) -> bool | None:
    """Say whether colour flow is shown; None where the file does not tell.

    UltrasoundColorDataPresent is believed only when it says no: machines set it for a grey
    picture that is stored with a palette, too.
    """
    if any(_int(item, "RegionDataType") == COLOUR_FLOW for item in items):
        return True
    if items or _int(ds, "UltrasoundColorDataPresent") == 0:
        return False
    return None


def _box(item: Dataset) -> Box | None:
    """Give a region's box; the file's own maxima are inclusive."""
    x0, y0 = _int(item, "RegionLocationMinX0"), _int(item, "RegionLocationMinY0")
    x1, y1 = _int(item, "RegionLocationMaxX1"), _int(item, "RegionLocationMaxY1")
    if x0 is None or y0 is None or x1 is None or y1 is None:
        return None
    return y0, x0, y1 + 1, x1 + 1


def _box_trouble(box: Box | None, height: int, width: int) -> str | None:
    """Say what is wrong with a region's place, or None.

    A maximum of exactly ``width`` or ``height`` is let pass: many machines write the first
    pixel outside.
    """
    if box is None:
        return "has no place"
    y0, x0, y1, x1 = box
    words = f"(columns {x0} to {x1 - 1}, rows {y0} to {y1 - 1})"
    if y0 < 0 or x0 < 0 or y1 - 1 > height or x1 - 1 > width:
        return f"{words} lies outside its frames of {width} x {height} pixels"
    if y1 - y0 < 2 or x1 - x0 < 2:
        return f"{words} is empty"
    return None


def _shared_spacing(tissues: list[Dataset]) -> tuple[tuple[float, float] | None, str | None]:
    """Give the (row, column) spacing in cm that all tissue regions share, or (None, why)."""
    spacings: set[tuple[float, float]] = set()
    for item in tissues:
        units = (_int(item, "PhysicalUnitsYDirection"), _int(item, "PhysicalUnitsXDirection"))
        if units != (CENTIMETRES, CENTIMETRES):
            return None, "the file's tissue region is not measured in centimetres"
        row_cm, column_cm = _float(item, "PhysicalDeltaY"), _float(item, "PhysicalDeltaX")
        if row_cm is None or column_cm is None:
            return None, "the file's tissue region does not say how large a pixel is"
        row_cm, column_cm = abs(row_cm), abs(column_cm)  # rows may count upwards
        low, high = PLAUSIBLE_SPACING_CM
        if not (low <= row_cm <= high and low <= column_cm <= high):
            return None, (
                f"the file says that a pixel is {row_cm:.4g} x {column_cm:.4g} cm, which no "
                "ultrasound picture has"
            )
        spacings.add((row_cm, column_cm))
    if len(spacings) > 1:
        return None, "the file's tissue regions have different pixel sizes"
    return spacings.pop(), None


def _any_apart(boxes: list[Box]) -> bool:
    """Say whether two of the boxes share less than a tenth of the smaller one."""
    return any(
        _shared_area(a, b) < 0.1 * min(_area(a), _area(b))
        for i, a in enumerate(boxes)
        for b in boxes[i + 1 :]
    )


def _area(box: Box) -> int:
    return max(box[2] - box[0], 0) * max(box[3] - box[1], 0)


def _shared_area(a: Box, b: Box) -> int:
    return _area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))


def _int(item: Dataset, keyword: str) -> int | None:
    value = _float(item, keyword)
    return None if value is None else int(value)


def _float(item: Dataset, keyword: str) -> float | None:
    try:
        value: Any = item.get(keyword)
        number = float(value)
    except Exception:
        return None
    return number if math.isfinite(number) else None
