"""Heart beats as curves: the ventricle's volume, and how far the valves stand open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RHYTHMS = ("sinus", "atrial_fibrillation", "ectopic")


@dataclass(frozen=True)
class Beat:
    """One beat: end-diastole, end-systole, and the relative volumes it moves between."""

    ed_s: float
    es_s: float
    next_ed_s: float
    edv: float  # relative to the clip's reference end-diastolic volume
    esv: float
    next_edv: float
    early_filling_fraction: float  # share of the stroke volume that enters before the rest
    atrium_contracts: bool  # the rest enters by atrial contraction, or else evenly through diastole


@dataclass(frozen=True)
class Rhythm:
    """How a heart beats: what `draw_beats` draws from.

    `ejection_fraction` is 0-1.
    """

    kind: str
    heart_rate_bpm: float
    ejection_fraction: float
    early_filling_fraction: float
    systole_scale: float  # multiplies the usual systolic duration for the heart rate
    irregularity: float  # SD of the cycle length, as a share of its mean


def draw_rhythm(
    rng: np.random.Generator, *, kind: str, heart_rate_bpm: float, ejection_fraction: float
) -> Rhythm:
    """Draw the parts of a rhythm that the caller does not fix."""
    if kind not in RHYTHMS:
        raise ValueError(f"rhythm is {kind!r}, expected one of {', '.join(RHYTHMS)}")
    fibrillation = kind == "atrial_fibrillation"
    return Rhythm(
        kind=kind,
        heart_rate_bpm=heart_rate_bpm,
        ejection_fraction=ejection_fraction,
        early_filling_fraction=rng.uniform(0.75, 0.92) if fibrillation else rng.uniform(0.5, 0.85),
        systole_scale=rng.uniform(0.92, 1.1),
        irregularity=rng.uniform(0.12, 0.25) if fibrillation else rng.uniform(0.0, 0.03),
    )


def systole_s(cycle_s: float, scale: float = 1.0) -> float:
    """Duration from end-diastole to end-systole for a cycle length, both in seconds.

    Follows the square-root law by which systole shortens with the cycle (Bazett's form), about
    0.34 s at 60 bpm, and never more than 55 % of the cycle.
    """
    return min(0.34 * scale * cycle_s**0.5, 0.55 * cycle_s)


def draw_beats(rng: np.random.Generator, rhythm: Rhythm, *, duration_s: float) -> list[Beat]:
    """Draw beats that cover 0 to `duration_s`, starting at a random phase of a beat."""
    cycle_s = 60.0 / rhythm.heart_rate_bpm
    n = int(np.ceil(duration_s / cycle_s * 1.6)) + 4
    cycles = cycle_s * np.clip(1 + rhythm.irregularity * rng.standard_normal(n + 1), 0.55, 1.8)
    if rhythm.kind == "ectopic":
        early = int(rng.integers(2, max(3, min(n - 1, int(duration_s / cycle_s) + 1))))
        shortened = rng.uniform(0.58, 0.72)
        cycles[early] *= shortened
        cycles[early + 1] *= 2 - shortened  # the compensatory pause
    # Filling depends on the cycle before: a short one leaves less time to fill (Frank-Starling).
    filling = np.clip((cycles / cycle_s) ** 0.35, 0.75, 1.15)
    fractions = rhythm.ejection_fraction * np.clip((cycles / cycle_s) ** 0.35, 0.7, 1.2)
    fractions = np.clip(fractions, 0.05, 0.85)
    start_s = -rng.uniform(0.0, 1.0) * cycles[1]
    beats = []
    for i in range(n - 1):
        edv = float(filling[i])
        ends_s = start_s + float(cycles[i + 1])
        beats.append(
            Beat(
                ed_s=start_s,
                es_s=start_s + systole_s(float(cycles[i + 1]), rhythm.systole_scale),
                next_ed_s=ends_s,
                edv=edv,
                esv=edv * (1 - float(fractions[i])),
                next_edv=float(filling[i + 1]),
                early_filling_fraction=rhythm.early_filling_fraction,
                atrium_contracts=rhythm.kind != "atrial_fibrillation",
            )
        )
        start_s = ends_s
        if start_s > duration_s:
            break
    return beats


def _ramp(x: np.ndarray) -> np.ndarray:
    """Smooth step from 0 at x <= 0 to 1 at x >= 1, with zero slope at both ends."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def relative_volume(beats: list[Beat], time_s: np.ndarray) -> np.ndarray:
    """Left-ventricular volume at each time, relative to the reference end-diastolic volume.

    Ejection; isovolumic relaxation of about 50 ms; early filling; diastasis; atrial contraction.
    """
    volume = np.full(time_s.shape, np.nan)
    for beat in beats:
        inside = (time_s >= beat.ed_s) & (time_s < beat.next_ed_s)
        since_ed = time_s[inside] - beat.ed_s
        systole = beat.es_s - beat.ed_s
        diastole = beat.next_ed_s - beat.es_s
        ejected = _ramp((since_ed - 0.06 * systole) / (0.94 * systole))
        since_es = since_ed - systole
        relaxation = min(0.05, 0.12 * diastole)
        early_s = min(0.24, 0.55 * diastole)
        atrial_s = min(0.14, 0.3 * diastole)
        early = _ramp((since_es - relaxation) / early_s)
        atrial = (
            _ramp((since_es - (diastole - atrial_s)) / atrial_s)
            if beat.atrium_contracts
            else np.clip(since_es / diastole, 0, 1)
        )
        share = beat.early_filling_fraction
        filled = share * early + (1 - share) * atrial
        volume[inside] = np.where(
            since_es < 0,
            beat.edv - (beat.edv - beat.esv) * ejected,
            beat.esv + (beat.next_edv - beat.esv) * filled,
        )
    return volume


def valve_opening(beats: list[Beat], time_s: np.ndarray) -> np.ndarray:
    """How far the mitral and tricuspid valves stand open: 0 in systole, 1 at peak early filling.

    They drift half shut, and the atrium's contraction opens them again by what it brings: all the
    way where that is 40 % of the stroke volume or more.
    """
    opening = np.zeros(time_s.shape)
    for beat in beats:
        inside = (time_s >= beat.es_s) & (time_s < beat.next_ed_s)
        since_es = time_s[inside] - beat.es_s
        diastole = beat.next_ed_s - beat.es_s
        opens = _ramp((since_es - min(0.04, 0.1 * diastole)) / min(0.06, 0.15 * diastole))
        drifts = _ramp((since_es - min(0.16, 0.4 * diastole)) / min(0.14, 0.25 * diastole))
        atrial = _ramp((since_es - (diastole - min(0.18, 0.4 * diastole))) / 0.07)
        closes = _ramp(
            (since_es - (diastole - min(0.05, 0.12 * diastole))) / min(0.05, 0.12 * diastole)
        )
        kick = 0.6 * min((1 - beat.early_filling_fraction) / 0.4, 1) * beat.atrium_contracts
        opening[inside] = np.clip(opens * (1 - 0.6 * drifts) + kick * atrial * drifts, 0, 1) * (
            1 - closes
        )
    return opening
