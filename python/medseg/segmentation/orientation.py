"""Where the probe lies: the narrow upper end of the ultrasound sector, turned pictures included."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medseg.sector import is_upside_down, skewness

_SMALLEST_SKEWNESS = 0.05  # below it the sector has no narrow end
_WIDEST_TURN_DEG = 60.0  # of the picture; a fan's two far corners are as narrow as its near one
_UPRIGHT_BONUS = 0.25  # of skewness, for a picture that is not turned
_POINTS = 4000


def probe_direction(sector: NDArray[np.bool_]) -> tuple[float, float]:
    """Unit vector (row, column) from the middle of a (H, W) sector towards the probe.

    A fan's pixels thin out towards its narrow end, so their projections are skewed along the
    fan's axis. The probe lies in the upper half, or in the lower one where the whole fan stands on
    its narrow end; a sector without a narrow end counts as scanned from above.
    """
    y, x = np.nonzero(sector)
    if y.size < 3:
        return (-1.0, 0.0)
    step = max(1, y.size // _POINTS)
    points = np.stack([y[::step], x[::step]]).astype(float)  # (2, N)
    turn = np.deg2rad(np.arange(-_WIDEST_TURN_DEG, _WIDEST_TURN_DEG + 1, 5.0))  # clockwise
    directions = np.stack([-np.cos(turn), np.sin(turn)], axis=1)  # (K, 2) as (row, column)
    if is_upside_down(sector):
        directions = -directions
    skewed = skewness(directions @ points)  # (K, N) -> (K,)
    best = int((skewed + _UPRIGHT_BONUS * np.cos(turn)).argmax())
    if skewed[best] < _SMALLEST_SKEWNESS:
        return (-1.0, 0.0)
    return float(directions[best, 0]), float(directions[best, 1])
