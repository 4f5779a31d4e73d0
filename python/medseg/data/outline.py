"""How does an expert's tracing become a mask: chords or a polygon, drawn as published."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medseg.geometry import polygon_mask

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outline:
    """A closed polygon, points (n, 2) of x and y in pixels, in order."""

    frame: int
    points: Float

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The traced cavity as a (H, W) mask.

        Corner points are rounded and the polygon's edge is part of it, as in the published code
        (echonet/dynamic).
        """
        x, y = np.rint(self.points).T
        return polygon_mask(y, x, shape, with_edge=True)

    @property
    def area_px(self) -> float:
        """Area of the polygon in square pixels."""
        x, y = self.points.T
        return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def outline_of_chords(frame: int, rows: Float) -> Outline:
    """The outline of EchoNet-Dynamic's tracing rows (n, 4) of x1, y1, x2, y2.

    Row 0 is the long axis and bounds nothing; the others are chords from the apex to the mitral
    plane, whose ends are followed down one side and up the other.
    """
    first, second = rows[1:, :2], rows[1:, 2:]
    return Outline(frame, np.concatenate([first, second[::-1]]))
