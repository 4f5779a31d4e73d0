"""When each frame of a DICOM clip was taken, by the first of its attributes that makes sense."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from medseg.clip import Times

SHORTEST_INTERVAL_S = 1e-4
LONGEST_INTERVAL_S = 10.0
DISAGREEMENT = 0.05  # of the rate


def dicom_frame_times(ds: Dataset, frame_count: int) -> tuple[Times | None, str, tuple[str, ...]]:
    """Give (times in seconds from the first frame, source, warnings).

    Asked in this order: FrameTimeVector, FrameTime, RecommendedDisplayFrameRate, CineRate
    (DICOM PS3.3 C.7.6.5). A value that cannot be (zero, negative, not a number, a vector of
    another length, under 0.1 ms or over 10 s) is passed over with a warning. (None, "unknown")
    if nothing is left.
    """
    if frame_count == 1:
        return np.zeros(1), "single frame", ()
    notes: list[str] = []
    found: list[tuple[str, Times]] = []
    for keyword in ("FrameTimeVector", "FrameTime", "RecommendedDisplayFrameRate", "CineRate"):
        value = _value(ds, keyword)
        if value is None:
            continue
        times = _times(keyword, value, frame_count)
        if isinstance(times, str):
            notes.append(f"{keyword} {times}: not used")
        else:
            found.append((keyword, times))
    if not found:
        return None, "unknown", tuple(notes)
    source, times = found[0]
    rate_hz = _median_rate_hz(times)
    for other, other_times in found[1:]:
        other_rate_hz = _median_rate_hz(other_times)
        if abs(other_rate_hz / rate_hz - 1) > DISAGREEMENT:
            notes.append(
                f"{source} says {rate_hz:.4g} frames a second and {other} {other_rate_hz:.4g}: "
                f"{source} is used"
            )
    return times, source, tuple(notes)


def _value(ds: Dataset, keyword: str) -> Any:
    """Give an attribute's value; None where it is absent, empty or cannot be parsed."""
    try:
        value = ds.get(keyword)
    except Exception:
        return "unreadable"
    return None if value is None or value == "" or _is_empty_list(value) else value


def _is_empty_list(value: Any) -> bool:
    return not isinstance(value, (str, bytes)) and hasattr(value, "__len__") and len(value) == 0


def _times(keyword: str, value: Any, frame_count: int) -> Times | str:
    """Give times from one attribute, or the words that say why not."""
    numbers = _numbers(value)
    if numbers is None:
        return "is not a number"
    if keyword == "FrameTimeVector":
        if len(numbers) != frame_count:
            return f"has {len(numbers)} entries for {frame_count} frames"
        intervals_s: Times = numbers[1:] / 1000.0  # ms; the first entry belongs to the first frame
    elif len(numbers) != 1:
        return "has several values"
    elif not np.isfinite(numbers[0]) or numbers[0] <= 0:
        return f"is {numbers[0]:g}"
    elif keyword == "FrameTime":
        intervals_s = np.full(frame_count - 1, numbers[0] / 1000.0)
    else:
        intervals_s = np.full(frame_count - 1, 1.0 / numbers[0])
    if not np.isfinite(intervals_s).all() or (intervals_s <= 0).any():
        return "has an interval that is not a positive time"
    if intervals_s.min() < SHORTEST_INTERVAL_S or intervals_s.max() > LONGEST_INTERVAL_S:
        return f"has an interval of {_extreme(intervals_s) * 1000:.4g} ms"
    if keyword == "FrameTimeVector":
        return np.concatenate([[0.0], np.cumsum(intervals_s)])
    return np.arange(frame_count, dtype=np.float64) * float(intervals_s[0])


def _extreme(intervals_s: Times) -> float:
    shortest = float(intervals_s.min())
    return shortest if shortest < SHORTEST_INTERVAL_S else float(intervals_s.max())


def _numbers(value: Any) -> Times | None:
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
        value = [value]
    try:
        return np.array([float(entry) for entry in value], dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None


def _median_rate_hz(times: Times) -> float:
    return float(1.0 / np.median(np.diff(times)))
