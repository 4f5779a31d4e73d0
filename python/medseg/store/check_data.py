"""Level D of the specification: do times, curves and masks agree with each other?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from medseg.store.findings import Finding
from medseg.store.layout import (
    ARRAYS,
    CALIBRATED,
    NO_OBJECT,
    NOT_DECODED,
    WITH_MEASURES,
)

RATE_TOLERANCE = 1e-3
TOLERANCE = 1e-4  # of the larger value: float32 rounding and nothing else

Curves = Mapping[str, np.ndarray]


def check_times(frame_time_s: np.ndarray, frame_rate_hz: float | None) -> Iterator[Finding]:
    """D2 to D4 for times of shape (frame,), in seconds."""
    if not np.isfinite(frame_time_s).all():
        first = int(np.flatnonzero(~np.isfinite(frame_time_s))[0])
        yield Finding("D2", "frame_time", f"is not a finite number at frame {first}")
        return
    intervals_s = np.diff(frame_time_s)
    if (intervals_s <= 0).any():
        first = int(np.flatnonzero(intervals_s <= 0)[0]) + 1
        yield Finding("D3", "frame_time", f"does not increase at frame {first}")
        return
    if frame_rate_hz is not None and intervals_s.size:
        rate = 1 / float(np.median(intervals_s))
        if abs(rate - frame_rate_hz) > RATE_TOLERANCE * frame_rate_hz:
            said = f"is {frame_rate_hz:.6g}, the times make it {rate:.6g}"
            yield Finding("D4", "frame_rate_hz", said)


def check_curves(
    curves: Curves,
    attributes: Mapping[str, Any],
    pixel_count: np.ndarray | None = None,
) -> list[Finding]:
    """D2 to D4, D6 to D13 for all curves.

    ``pixel_count`` (object, frame) holds each mask's pixels; without it, the rules that need the
    mask are left out.
    """
    found = list(check_times(curves["frame_time"], attributes["frame_rate_hz"]))
    status = curves["status"]
    unknown = status > max(WITH_MEASURES)
    if unknown.any():
        said = f"holds {status[unknown][0]} at {_first(unknown)}"
        return [*found, Finding("D6", "status", said)]
    with_measures = np.isin(status, WITH_MEASURES)
    found += _check_measured(curves, with_measures)
    found += _check_absent(curves, status)
    found += _check_confidence(curves["confidence"])
    if pixel_count is not None:
        found += _check_masks(curves, status, pixel_count)
        if not any(finding.code == "D7" for finding in found):
            aspect = float(attributes["pixel_aspect"])
            found += _check_area(curves["area_px"], pixel_count * aspect, with_measures)
    found += _check_twins(curves, attributes["spacing_cm"])
    found += _check_verdict(status, attributes)
    return found


def _measures(curves: Curves) -> Iterator[tuple[str, np.ndarray]]:
    for name in ARRAYS:
        if name.startswith(("area", "long_axis", "disk_diameter")) and name in curves:
            yield name, curves[name]


def _per_frame(flags: np.ndarray) -> np.ndarray:
    """(object, frame) or (object, frame, disk) flags -> (object, frame): any of the disks."""
    return np.asarray(flags.any(axis=2) if flags.ndim == 3 else flags)


def _first(flags: np.ndarray) -> str:
    index = np.argwhere(flags)[0]
    return f"object {index[0]}, frame {index[1]}"


def _check_measured(curves: Curves, frames: np.ndarray) -> Iterator[Finding]:
    for name, values in [*_measures(curves), ("confidence", curves["confidence"])]:
        bad = _per_frame(~np.isfinite(values)) & frames
        if bad.any():
            yield Finding("D7", name, f"is not a finite number at {_first(bad)}, a measured frame")
            continue
        if name == "confidence":
            continue
        low = values <= 0 if name.startswith("area") else values < 0
        bad = _per_frame(low) & frames
        if bad.any():
            sign = "not above 0" if name.startswith("area") else "negative"
            yield Finding("D7", name, f"is {sign} at {_first(bad)}, a measured frame")


def _check_absent(curves: Curves, status: np.ndarray) -> Iterator[Finding]:
    for name, values in _measures(curves):
        no_object, not_decoded = status == NO_OBJECT, status == NOT_DECODED
        if ARRAYS[name].px_twin is None:  # D12 speaks of the centimetres
            is_area = name == "area_px"
            wrong = values != 0 if is_area else ~np.isnan(values)
            bad = _per_frame(wrong) & no_object
            if bad.any():
                wanted = "0" if is_area else "NaN"
                said = f"is not {wanted} at {_first(bad)}, where there is no object"
                yield Finding("D8", name, said)
            bad = _per_frame(~np.isnan(values)) & not_decoded
            if bad.any():
                said = f"is not NaN at {_first(bad)}, which was not decoded"
                yield Finding("D9", name, said)
    confidence = curves["confidence"]
    bad = ~np.isnan(confidence) & (status == NOT_DECODED)
    if bad.any():
        yield Finding("D9", "confidence", f"is not NaN at {_first(bad)}, which was not decoded")


def _check_confidence(confidence: np.ndarray) -> Iterator[Finding]:
    bad = (confidence < 0) | (confidence > 1)  # NaN compares false
    if bad.any():
        yield Finding("D10", "confidence", f"is not between 0 and 1 at {_first(bad)}")


def _check_masks(curves: Curves, status: np.ndarray, pixel_count: np.ndarray) -> Iterator[Finding]:
    for code, value in (("D8", NO_OBJECT), ("D9", NOT_DECODED)):
        bad = (status == value) & (pixel_count > 0)
        if bad.any():
            yield Finding(code, "mask", f"is not empty at {_first(bad)}, of status {value}")


def _check_area(area_px: np.ndarray, expected: np.ndarray, frames: np.ndarray) -> Iterator[Finding]:
    bad = ~_agree(area_px, expected) & frames
    if bad.any():
        index = tuple(np.argwhere(bad)[0])
        said = f"is {area_px[index]:g} at {_first(bad)}, the mask makes it {expected[index]:g}"
        yield Finding("D11", "area_px", said)


def _check_twins(curves: Curves, spacing_cm: list[float] | None) -> Iterator[Finding]:
    if spacing_cm is None:
        return
    column_cm = float(spacing_cm[1])
    for name in CALIBRATED:
        twin = ARRAYS[name].px_twin
        if name not in curves or twin is None:
            continue
        scale = column_cm**2 if name == "area_cm2" else column_cm
        bad = _per_frame(~_agree(curves[name], curves[twin].astype(np.float64) * scale))
        if bad.any():
            yield Finding("D12", name, f"is not {twin} in centimetres at {_first(bad)}")


def _check_verdict(status: np.ndarray, attributes: Mapping[str, Any]) -> Iterator[Finding]:
    gaps = np.isin(status, (NO_OBJECT, NOT_DECODED, max(WITH_MEASURES)))
    for row, name in enumerate(attributes["object_names"]):
        if not attributes["quality"][name]["measurable"] and not gaps[row].all():
            frame = int(np.flatnonzero(~gaps[row])[0])
            said = f"calls frame {frame} of {name} measured, quality calls it not measurable"
            yield Finding("D13", "status", said)


def _agree(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Equal within the tolerance, NaN beside NaN included."""
    left, right = np.asarray(left, np.float64), np.asarray(right, np.float64)
    with np.errstate(invalid="ignore"):
        close = np.abs(left - right) <= TOLERANCE * np.maximum(np.abs(left), np.abs(right))
    return np.asarray(close | (left == right) | (np.isnan(left) & np.isnan(right)))
