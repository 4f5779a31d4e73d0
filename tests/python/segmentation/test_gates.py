"""Each gate shuts on its own fault and stays open for hearts at their limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medseg.segmentation.gates import ObjectCurves, area_jumps, reasons_against
from medseg.segmentation.picture import Picture

PICTURE = Picture(
    sector_found=True,
    sector_share_of_frame=0.5,
    sector_share_of_box=0.7,
    sector_area_px=6000.0,
    change_levels=5.0,
    motion_ratio=1.5,
    coloured_share=0.0,
    sectors=1,
    colour_flow=None,
)


def heart(*, rate_hz: float = 50.0, bpm: float = 70.0, swing: float = 0.4, seconds: float = 2.0):
    """Curves of a healthy ventricle whose area falls by `swing` in systole."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    area = 900.0 * (1 - swing * (0.5 - 0.5 * np.cos(2 * np.pi * bpm / 60 * time_s)))
    return ObjectCurves(
        time_s=time_s,
        decoded=np.ones(time_s.size, bool),
        area_px=area,
        confidence=np.full(time_s.size, 0.93),
        solidity=np.full(time_s.size, 0.95),
        length_to_width=np.full(time_s.size, 1.8),
        base_breadth=np.full(time_s.size, 0.8),
        overlap=np.full(time_s.size, 0.96),
    )


def codes(curves: ObjectCurves, picture: Picture = PICTURE) -> set[str]:
    return {reason.code for reason in reasons_against(curves, picture)}


@pytest.mark.parametrize(
    "limits",
    [
        {"rate_hz": 25.0, "bpm": 160.0, "swing": 0.6, "seconds": 1.2},
        {"rate_hz": 100.0, "bpm": 40.0, "swing": 0.08, "seconds": 3.0},
        {"rate_hz": 50.0, "bpm": 140.0, "swing": 0.7},
        {"rate_hz": 30.0, "bpm": 60.0, "seconds": 1.0},
    ],
)
def test_hearts_at_their_limits_pass(limits):
    assert codes(heart(**limits)) == set()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sector_found": False}, "sector_not_found"),
        ({"sector_share_of_frame": 0.01}, "sector_not_found"),
        ({"sector_share_of_box": 1.0}, "sector_not_found"),
        ({"sectors": 2}, "split_screen"),
        ({"colour_flow": True}, "colour_doppler"),
        ({"coloured_share": 0.08}, "colour_doppler"),
        ({"change_levels": 0.0}, "static"),
        ({"motion_ratio": 1.0}, "static"),
        ({"sector_area_px": 1500.0}, "too_large"),
        ({"sector_area_px": 80000.0}, "too_small"),
    ],
)
def test_each_fault_of_the_picture_has_its_code(change, code):
    assert codes(heart(), replace(PICTURE, **change)) == {code}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"confidence": 0.5}, "low_confidence"),
        ({"solidity": 0.6}, "not_apical_shape"),
        ({"length_to_width": 1.0}, "not_apical_shape"),
        ({"length_to_width": 6.0}, "not_apical_shape"),
        ({"base_breadth": 0.2}, "not_apical_shape"),
        ({"overlap": 0.4}, "unsteady"),
    ],
)
def test_each_fault_of_the_masks_has_its_code(change, code):
    curves = heart()
    (name, value), *_ = change.items()
    assert codes(replace(curves, **{name: np.full(curves.time_s.size, value)})) == {code}


def test_an_area_that_jumps_is_unsteady_and_one_that_rests_is_static():
    curves = heart()
    noise = np.random.default_rng(1).normal(1.0, 0.25, curves.time_s.size)
    assert codes(replace(curves, area_px=curves.area_px * noise)) == {"unsteady"}
    assert codes(heart(swing=0.005)) == {"static"}


def test_one_odd_frame_is_no_reason_for_refusal():
    curves = heart()
    area = curves.area_px.copy()
    area[40] *= 1.5
    assert codes(replace(curves, area_px=area)) == set()


def test_a_mask_in_few_frames_is_no_object():
    curves = heart()
    area = np.where(np.arange(curves.time_s.size) % 3 == 0, curves.area_px, 0.0)
    assert "no_object" in codes(replace(curves, area_px=area))
    empty = replace(curves, area_px=np.zeros(curves.time_s.size))
    assert codes(empty) == {"no_object", "few_frames"}


def test_frames_that_were_not_decoded_do_not_count_against_the_object():
    curves = heart()
    lost = np.arange(curves.time_s.size) % 3 == 0
    area = np.where(lost, np.nan, curves.area_px)
    assert codes(replace(curves, decoded=~lost, area_px=area)) == set()


def test_a_single_frame_is_too_few():
    curves = heart(seconds=0.02)
    assert curves.time_s.size == 1
    assert codes(curves) == {"few_frames"}


def test_jumps_are_judged_in_seconds():
    slow, fast = heart(rate_hz=30.0), heart(rate_hz=90.0)
    assert np.percentile(area_jumps(slow), 90) < 0.05
    assert np.percentile(area_jumps(fast), 90) < 0.05


def test_a_reason_is_a_sentence_without_code_words():
    for reason in reasons_against(heart(swing=0.005), replace(PICTURE, sectors=2)):
        assert len(reason.message) > 15
        assert "_" not in reason.message
