"""Tracings of a known outline as EchoNet-Dynamic lists them: the long axis and twenty chords."""

from __future__ import annotations

import numpy as np

CHORDS = 20


def tracing_rows(outline: np.ndarray) -> np.ndarray:
    """Trace an outline (n, 2) of (x, y) whose first and last points are the hinges.

    Returns (21, 4) rows x1, y1, x2, y2: row 0 is the long axis (apex, base), rows 1 to 20 are
    chords across it from the apex to the mitral plane.
    """
    base = (outline[0] + outline[-1]) / 2
    turn = int(np.argmax(((outline - base) ** 2).sum(1)))
    apex = outline[turn]
    length = float(np.linalg.norm(base - apex))
    along = (base - apex) / length
    across = np.array([-along[1], along[0]])
    t, u = (outline - apex) @ along, (outline - apex) @ across
    heights = np.linspace(0.02, 0.995, CHORDS) * length
    ends = []
    for part in (slice(None, turn + 1), slice(turn, None)):
        order = np.argsort(t[part], kind="stable")
        width = np.interp(heights, t[part][order], u[part][order])
        ends.append(apex + heights[:, None] * along + width[:, None] * across)
    return np.concatenate([[[*apex, *base]], np.concatenate(ends, axis=1)])
