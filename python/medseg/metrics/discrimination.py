"""How well a measured number tells two groups apart: ROC curve and the area under it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Mask = NDArray[np.bool_]


def area_under_curve(score: Float, positive: Mask, weights: Float | None = None) -> Float:
    """The chance that a positive scores above a negative one, ties counted as half, (draw,).

    `score` and `positive` (case,); `weights` (draw, case) says how often each case was drawn, once
    each without it. NaN where a draw has no positive or no negative case.
    """
    if weights is None:
        weights = np.ones((1, score.size))
    if score.size == 0:
        return np.full(len(weights), np.nan)
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf) > 0)  # of each distinct score
    drawn = weights[:, order]
    up = np.add.reduceat(np.where(positive[order], drawn, 0.0), starts, axis=1)
    down = np.add.reduceat(np.where(positive[order], 0.0, drawn), starts, axis=1)
    below = np.cumsum(down, axis=1) - down / 2  # negatives below, and half of those level
    pairs = up.sum(axis=1) * down.sum(axis=1)
    return np.divide((up * below).sum(axis=1), pairs, out=np.full(len(pairs), np.nan),
                     where=pairs > 0)  # fmt: skip


def roc_curve(score: Float, positive: Mask) -> tuple[Float, Float]:
    """False and true positive rates from (0, 0) to (1, 1), one point for each distinct score.

    Cases with the same score move the curve together, along a slope. Both are empty where one of
    the groups is.
    """
    if positive.all() or not positive.any():
        return np.zeros(0), np.zeros(0)
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), score.size - 1)
    true = np.cumsum(positive[order])[last] / positive.sum()
    false = np.cumsum(~positive[order])[last] / (~positive).sum()
    return np.append(0.0, false), np.append(0.0, true)
