"""How well masks, ejection fractions and beats agree with the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Mask = NDArray[np.bool_]

PERCENTILES = (2.5, 97.5)  # of a 95 % interval


@dataclass(frozen=True, eq=False)
class Overlap:
    """Pixel counts of each frame, (frame,) each, from which every Dice follows."""

    shared: Float  # pixels in both masks
    total: Float  # pixels of the one + pixels of the other

    def __add__(self, other: Overlap) -> Overlap:
        return Overlap(
            np.concatenate([self.shared, other.shared]), np.concatenate([self.total, other.total])
        )

    def at(self, frames: NDArray[np.intp]) -> Overlap:
        """The same for some of the frames."""
        return Overlap(self.shared[frames], self.total[frames])


def overlap(mask: Mask, truth: Mask) -> Overlap:
    """Count pixels of two (frame, y, x) masks, frame by frame."""
    if mask.shape != truth.shape:
        raise ValueError(f"masks of shapes {mask.shape} and {truth.shape} cannot be compared")
    axes = tuple(range(1, mask.ndim))
    shared = np.count_nonzero(mask & truth, axis=axes)
    total = np.count_nonzero(mask, axis=axes) + np.count_nonzero(truth, axis=axes)
    return Overlap(np.asarray(shared, np.float64), np.asarray(total, np.float64))


def pooled_dice(counts: Overlap) -> float:
    """Twice the shared pixels of all frames over all pixels: large hearts weigh more.

    NaN where there is no pixel at all.
    """
    total = float(counts.total.sum())
    return 2.0 * float(counts.shared.sum()) / total if total > 0 else float("nan")


def mean_frame_dice(counts: Overlap) -> tuple[float, int]:
    """Mean of the frames' own Dice and the number of frames; frames empty in both do not count."""
    known = counts.total > 0
    n = int(known.sum())
    if n == 0:
        return float("nan"), 0
    return float((2.0 * counts.shared[known] / counts.total[known]).mean()), n


@dataclass(frozen=True)
class Agreement:
    """Errors of a measured number against its truth; `n` pairs, NaN where there are too few."""

    n: int
    mae: float
    rmse: float
    bias: float  # measured - truth
    r_squared: float  # 1 - SSE / SST: falls with bias
    r2_of_correlation: float  # square of Pearson's r: blind to bias


def agreement(measured: Float, truth: Float) -> Agreement:
    """Compare (clip,) numbers; pairs with a missing number are left out and lower n."""
    known = np.isfinite(measured) & np.isfinite(truth)
    n = int(known.sum())
    nan = float("nan")
    if n == 0:
        return Agreement(0, nan, nan, nan, nan, nan)
    got, want = measured[known], truth[known]
    error = got - want
    spread = float(((want - want.mean()) ** 2).sum())
    varied = n > 1 and spread > 1e-9 * float((want**2).sum())  # more than rounding
    both = float(got.std()) * float(want.std())
    return Agreement(
        n=n,
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt((error**2).mean())),
        bias=float(error.mean()),
        r_squared=1.0 - float((error**2).sum()) / spread if varied else nan,
        r2_of_correlation=(float(((got - got.mean()) * (want - want.mean())).mean()) / both) ** 2
        if varied and both > 0
        else nan,
    )


def bootstrap_by_clip(
    statistic: Callable[[NDArray[np.intp]], float],
    clips: int,
    *,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of a statistic over clips drawn with replacement.

    `statistic` takes the indices of the drawn clips; draws for which it is NaN are left out.
    """
    if clips == 0:
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    values = np.array([statistic(rng.integers(0, clips, clips)) for _ in range(draws)])
    values = values[np.isfinite(values)]
    if values.size == 0:
        return float("nan"), float("nan")
    low, high = np.percentile(values, PERCENTILES)
    return float(low), float(high)


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
