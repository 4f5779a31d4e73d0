"""Beats follow physiology: who ejects what, when, and which valve stands open."""

from dataclasses import replace

import numpy as np
import pytest

from medseg.simulate.rhythm import (
    Beat,
    draw_beats,
    draw_rhythm,
    relative_volume,
    systole_s,
    valve_opening,
)


def one_beat(*, atrium: bool = True) -> Beat:
    return Beat(0.0, 0.34, 1.0, 1.0, 0.4, 1.0, 0.7, atrium)


def test_volume_is_largest_at_end_diastole_and_smallest_at_end_systole():
    time_s = np.linspace(0, 0.999, 2000)
    volume = relative_volume([one_beat()], time_s)
    assert volume[0] == pytest.approx(1.0)
    assert volume.min() == pytest.approx(0.4, abs=1e-4)
    assert time_s[volume <= 0.4 + 1e-6][0] == pytest.approx(0.34, abs=0.002)
    assert volume[-1] == pytest.approx(1.0, abs=1e-3)


def test_without_atrial_contraction_the_last_filling_is_slow():
    late = np.array([0.85, 0.999])
    kicked = np.diff(relative_volume([one_beat()], late))[0]
    steady = np.diff(relative_volume([one_beat(atrium=False)], late))[0]
    assert kicked > 2 * steady > 0


def test_valves_are_shut_in_systole_and_open_in_early_filling():
    opening = valve_opening([one_beat()], np.array([0.1, 0.3, 0.46, 0.99]))
    assert opening[0] == opening[1] == 0
    assert opening[2] > 0.9
    assert opening[3] < 0.2


def test_the_more_the_atrium_brings_the_wider_it_opens_the_valve_again():
    beats = [replace(one_beat(), early_filling_fraction=early) for early in (0.9, 0.75, 0.55)]
    late = np.array([0.7, 0.92])  # before and in the atrium's contraction
    before, opened = np.array([valve_opening([beat], late) for beat in beats]).T
    np.testing.assert_allclose(before, before[0])
    assert before[0] < opened[0] < opened[1] < opened[2]
    assert opened[2] > 0.9


def test_systole_shortens_with_the_cycle_but_never_fills_it():
    assert systole_s(1.0) == pytest.approx(0.34)
    assert systole_s(0.375) < systole_s(0.75) < systole_s(1.5)
    assert systole_s(0.2) <= 0.55 * 0.2


@pytest.mark.parametrize("rate_bpm", [40.0, 90.0, 160.0])
def test_sinus_beats_keep_their_rate_and_ejection_fraction(rate_bpm):
    rng = np.random.default_rng(3)
    rhythm = draw_rhythm(rng, kind="sinus", heart_rate_bpm=rate_bpm, ejection_fraction=0.6)
    beats = draw_beats(rng, rhythm, duration_s=20.0)
    cycles = np.array([b.next_ed_s - b.ed_s for b in beats])
    assert 60 / cycles.mean() == pytest.approx(rate_bpm, rel=0.03)
    fractions = np.array([1 - b.esv / b.edv for b in beats])
    assert fractions.mean() == pytest.approx(0.6, abs=0.02)
    assert beats[0].ed_s <= 0 < 20 <= beats[-1].next_ed_s


def test_fibrillation_is_irregular_and_an_ectopic_beat_is_early_then_pauses():
    rng = np.random.default_rng(4)

    def cycles(kind: str) -> np.ndarray:
        rhythm = draw_rhythm(rng, kind=kind, heart_rate_bpm=70, ejection_fraction=0.6)
        return np.array([b.next_ed_s - b.ed_s for b in draw_beats(rng, rhythm, duration_s=30.0)])

    fibrillation = cycles("atrial_fibrillation")
    assert fibrillation.std() / fibrillation.mean() > 0.1
    ectopic = cycles("ectopic")
    early = int(ectopic.argmin())
    usual = np.median(ectopic)
    assert ectopic[early] < 0.8 * usual
    assert ectopic[early + 1] > 1.2 * usual
