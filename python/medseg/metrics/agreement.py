"""How well measured numbers agree with the truth: errors, R², Bland-Altman limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

LIMITS_SD = 1.96  # standard deviations of the errors: 95 % of a normal law (Bland and Altman 1986)
Kind = Literal[
    "mae", "rmse", "bias", "error_sd", "limit_low", "limit_high", "r_squared", "r2_of_correlation"
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Agreement:
    """Errors of a measured number against its truth; `n` pairs, NaN where there are too few."""

    n: int
    mae: float
    rmse: float
    bias: float  # measured - truth
    error_sd: float  # standard deviation of measured - truth, n - 1
    limit_low: float  # bias - 1.96 error_sd: Bland-Altman limits of agreement
    limit_high: float  # bias + 1.96 error_sd
    r_squared: float  # 1 - SSE / SST: falls with bias
    r2_of_correlation: float  # square of Pearson's r: blind to bias


def agreement(measured: Float, truth: Float) -> Agreement:
    """Compare (clip,) numbers; pairs with a missing number are left out and lower n."""
    known = np.isfinite(measured) & np.isfinite(truth)
    sums = agreement_sums(measured[known], truth[known])
    every = np.ones((1, int(known.sum()))) @ sums
    values = {kind: float(agreement_of_sums(every, kind)[0]) for kind in KINDS}
    return Agreement(n=int(known.sum()), **values)


def agreement_sums(measured: Float, truth: Float) -> Float:
    """What each pair (pair,) adds to the sums from which `agreement_of_sums` tells everything.

    (pair, 9): 1, error, |error|, error², truth, truth², measured, measured², of numbers taken from
    the mean truth, so that squares keep their digits, and the square of the truth as it is.
    """
    centre = truth.mean() if truth.size else 0.0
    error, true, got = measured - truth, truth - centre, measured - centre
    columns: Sequence[Float] = (
        np.ones(error.size), error, np.abs(error), error**2, true, true**2, got, got**2,
        truth**2,
    )  # fmt: skip
    return np.stack(columns, axis=1)


def agreement_of_sums(sums: Float, kind: Kind) -> Float:
    """One number of `Agreement` from sums (draw, 9) over pairs, (draw,); NaN with too few pairs."""
    n, error, off, squares, true, true2, got, got2, size = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        bias = error / n
        if kind == "bias":
            return bias
        if kind == "mae":
            return off / n
        if kind == "rmse":
            return np.sqrt(squares / n)
        if kind in ("error_sd", "limit_low", "limit_high"):
            sd = np.sqrt(np.maximum(squares - error * bias, 0.0) / (n - 1))
            sd = np.where(n > 1, sd, np.nan)
            ways = {"error_sd": sd, "limit_low": bias - LIMITS_SD * sd}
            return ways.get(kind, bias + LIMITS_SD * sd)
        spread, spread_got = true2 - true**2 / n, got2 - got**2 / n
        varied = (n > 1) & (spread > 1e-9 * size)  # more than rounding
        if kind == "r_squared":
            return np.where(varied, 1.0 - squares / spread, np.nan)
        # error = measured - truth, so var(error) = var(measured) + var(truth) - 2 cov.
        both = (spread_got + spread - (squares - error * bias)) / 2
        known = varied & (spread_got > 1e-9 * size)
        return np.where(known, both**2 / (spread * spread_got), np.nan)
