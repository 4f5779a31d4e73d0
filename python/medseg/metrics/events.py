"""How many of the true events were found: sensitivity and precision of event times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class EventCount:
    """How many true events were found, and how many found ones are true."""

    true: int
    true_found: int
    detected: int
    detected_true: int

    def __add__(self, other: EventCount) -> EventCount:
        return EventCount(
            self.true + other.true,
            self.true_found + other.true_found,
            self.detected + other.detected,
            self.detected_true + other.detected_true,
        )

    @property
    def sensitivity(self) -> float:
        """Share of the true events that were found; NaN without any."""
        return self.true_found / self.true if self.true else float("nan")

    @property
    def precision(self) -> float:
        """Share of the detected events that are true; NaN without any."""
        return self.detected_true / self.detected if self.detected else float("nan")


def match_events(
    detected_s: Float,
    true_s: Float,
    *,
    counted_s: tuple[float, float],
    within_s: float = 0.10,
) -> EventCount:
    """Match event times one to one, nearest first, at most `within_s` apart.

    Events outside the span `counted_s` are not counted, but may match those inside.
    """
    detected, true = np.sort(detected_s), np.sort(true_s)
    matched_detected, matched_true = np.zeros(detected.size, bool), np.zeros(true.size, bool)
    if detected.size and true.size:
        gap = np.abs(detected[:, None] - true[None, :])
        for flat in np.argsort(gap, axis=None, kind="stable"):
            i, j = np.unravel_index(flat, gap.shape)
            if gap[i, j] > within_s + 1e-9:
                break
            if not matched_detected[i] and not matched_true[j]:
                matched_detected[i] = matched_true[j] = True

    def inner(times: Float) -> Mask:
        kept: Mask = (times >= counted_s[0]) & (times <= counted_s[1])
        return kept

    return EventCount(
        true=int(inner(true).sum()),
        true_found=int((matched_true & inner(true)).sum()),
        detected=int(inner(detected).sum()),
        detected_true=int((matched_detected & inner(detected)).sum()),
    )
