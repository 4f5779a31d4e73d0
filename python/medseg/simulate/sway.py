"""How a heart moves as a whole before the probe: with its contraction, its beats and the breath."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medseg.simulate import rhythm

UNIT = np.array(
    [0.15, 0.12, 0.03, 0.15]
)  # cm right, cm down, radians of turn, cm through the plane
OVERTONES = 4


@dataclass(frozen=True)
class Sway:
    """Amplitudes of a heart's own movements: right, down, turn and through the plane.

    Centimetres, but for the turn, in radians from straight down towards image right.
    """

    contraction: np.ndarray  # (4,) moved by an emptied ventricle
    beat: np.ndarray  # (OVERTONES, 2, 4) of the cosines and sines that repeat with each beat
    breath: np.ndarray  # (2, 4) of the breath's cosine and sine
    breath_s: float  # from one breath to the next


def draw_sway(rng: np.random.Generator) -> Sway:
    """Draw how a heart moves, hardly at all or rocking with the beat and drifting."""
    overtone = np.arange(1, OVERTONES + 1)[:, None, None]
    return Sway(
        contraction=rng.standard_normal(4) * UNIT,
        beat=rng.uniform(0, 0.6) * rng.standard_normal((OVERTONES, 2, 4)) * UNIT / overtone,
        breath=rng.uniform(0, 2) * rng.standard_normal((2, 4)) * UNIT,
        breath_s=rng.uniform(2.5, 6.0),
    )


def displacement(
    sway: Sway, beats: list[rhythm.Beat], time_s: np.ndarray, relative_volume: np.ndarray
) -> np.ndarray:
    """Where a heart has moved to at each time: (n, 4) of right, down, turn and through the plane.

    `relative_volume` is (n,), 1 being the reference end-diastolic volume.
    """
    overtone = np.arange(1, OVERTONES + 1)
    beat = _turning(overtone * _phase(beats, time_s)[:, None])  # (n, OVERTONES, 2)
    breath = _turning(time_s / sway.breath_s)  # (n, 2)
    return np.asarray(
        np.outer(1 - relative_volume, sway.contraction)
        + np.einsum("nok,okd->nd", beat, sway.beat)
        + breath @ sway.breath
    )


def _phase(beats: list[rhythm.Beat], time_s: np.ndarray) -> np.ndarray:
    """Share of its beat that has passed at each time, 0-1: (n,)."""
    starts = [beat.ed_s for beat in beats] + [beats[-1].next_ed_s]
    return np.interp(time_s, starts, np.arange(len(starts))) % 1


def _turning(turns: np.ndarray) -> np.ndarray:
    """Cosine and sine of whole turns (...): (..., 2)."""
    angle = 2 * np.pi * turns
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)
