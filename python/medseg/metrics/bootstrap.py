"""How sure a number is: intervals from drawing patients, or clips, with replacement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medseg.metrics.agreement import Kind, agreement_of_sums, agreement_sums
from medseg.metrics.discrimination import area_under_curve

Float = NDArray[np.float64]
Groups = NDArray[np.intp]

DRAWS = 10_000
PERCENTILES = (2.5, 97.5)  # of a 95 % interval
PUBLISHED_SHARES = (0.05, 0.95)  # of the published code's interval, which holds 90 % of the draws
CHUNK = 250  # draws at a time; part of what a seed means

Statistic = Callable[[Float], Float]
"""A number as a function of how often each group was drawn: (draw, group) to (draw,)."""


@dataclass(frozen=True)
class Interval:
    """The ends of an interval and the draws it rests on; NaN where it cannot be had."""

    low: float
    high: float
    draws: int  # those in which the number existed


NO_INTERVAL = Interval(float("nan"), float("nan"), 0)


def draw_groups(groups: int, *, draws: int, seed: int) -> Iterator[Float]:
    """How often each group is drawn, (up to CHUNK, group) at a time; each draw takes `groups`."""
    rng = np.random.default_rng(seed)
    for start in range(0, draws, CHUNK):
        rows = min(CHUNK, draws - start)
        drawn = rng.integers(0, groups, (rows, groups)) + groups * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * groups)
        yield counts.reshape(rows, groups).astype(np.float64)


def bootstrap(
    statistics: Mapping[str, Statistic], groups: int, *, draws: int = DRAWS, seed: int = 0
) -> dict[str, Float]:
    """The values (draw,) of each statistic over groups drawn with replacement.

    A group is what is independent: a patient with all clips, or a clip. All statistics see the same
    draws, so that the difference of two is paired.
    """
    if groups == 0:
        return {key: np.zeros(0) for key in statistics}
    parts: dict[str, list[Float]] = {key: [] for key in statistics}
    for weights in draw_groups(groups, draws=draws, seed=seed):
        for key, statistic in statistics.items():
            parts[key].append(statistic(weights))
    return {key: np.concatenate(values) for key, values in parts.items()}


def percentile_interval(values: Float) -> Interval:
    """The 95 % interval: from the 2.5th to the 97.5th percentile of the draws that are known."""
    known = values[np.isfinite(values)]
    if known.size == 0:
        return NO_INTERVAL
    low, high = np.percentile(known, PERCENTILES)
    return Interval(float(low), float(high), known.size)


def published_interval(values: Float) -> Interval:
    """The 90 % interval of EchoNet-Dynamic and UniLVSeg, which papers print as one of 95 %.

    The sorted draws' values at the indices round(0.05 N) and round(0.95 N).
    """
    known = np.sort(values[np.isfinite(values)])
    if known.size == 0:
        return NO_INTERVAL
    low, high = (known[min(round(s * known.size), known.size - 1)] for s in PUBLISHED_SHARES)
    return Interval(float(low), float(high), known.size)


def group_sums(values: Float, group: Groups, groups: int) -> Float:
    """Sum values (item,) or (item, column) of each group, (group,) or (group, column)."""
    summed = np.zeros((groups, *values.shape[1:]))
    np.add.at(summed, group, values)
    return summed


def ratio_statistic(part: Float, whole: Float, group: Groups, groups: int) -> Statistic:
    """Sum of `part` over sum of `whole`, (item,) each: pooled Dice, means, shares.

    Items whose part is NaN count in neither. NaN where the sum of `whole` is zero.
    """
    known = np.isfinite(part)
    sums = np.stack([np.where(known, part, 0.0), np.where(known, whole, 0.0)], axis=1)
    by_group = group_sums(sums, group, groups)

    def statistic(weights: Float) -> Float:
        drawn = weights @ by_group  # (draw, group) @ (group, 2)
        zero = np.full(len(drawn), np.nan)
        return np.divide(drawn[:, 0], drawn[:, 1], out=zero, where=drawn[:, 1] > 0)

    return statistic


def mean_statistic(values: Float, group: Groups, groups: int) -> Statistic:
    """Mean of the known values (item,), each with the same weight."""
    return ratio_statistic(values, np.ones(values.size), group, groups)


def agreement_statistic(
    measured: Float, truth: Float, kind: Kind, group: Groups, groups: int
) -> Statistic:
    """One number of `agreement` of (item,) pairs; pairs with a missing number do not count."""
    known = np.isfinite(measured) & np.isfinite(truth)
    sums = agreement_sums(measured[known], truth[known])
    by_group = group_sums(sums, group[known], groups)
    return lambda weights: agreement_of_sums(weights @ by_group, kind)


def auc_statistic(
    score: Float, positive: NDArray[np.bool_], group: Groups, groups: int
) -> Statistic:
    """Area under the ROC curve of (item,) scores; items whose score is NaN do not count."""
    known = np.isfinite(score)
    asked, truly, of = score[known], positive[known], group[known]
    return lambda weights: area_under_curve(asked, truly, weights[:, of])


def group_numbers(keys: Sequence[str]) -> tuple[Groups, int]:
    """Each item's group as a number, (item,), and how many groups there are, by first sight."""
    numbers: dict[str, int] = {}
    group = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.intp)
    return group, len(numbers)


def bootstrap_by_clip(
    statistic: Callable[[Groups], float],
    clips: int,
    *,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of a statistic over clips drawn with replacement.

    `statistic` takes the indices of the drawn clips; draws for which it is NaN are left out. For
    numbers that are no function of weights; `bootstrap` is faster.
    """
    if clips == 0:
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    values = np.array([statistic(rng.integers(0, clips, clips)) for _ in range(draws)])
    interval = percentile_interval(values)
    return interval.low, interval.high
