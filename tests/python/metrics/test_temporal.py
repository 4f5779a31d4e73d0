"""Steadiness of sequences whose changes are known."""

from __future__ import annotations

import numpy as np
import pytest

from medseg.metrics import area_jitter, frame_to_frame_dice, neighbour_overlap


def test_a_still_mask_is_its_own_neighbour_and_a_moving_one_is_less():
    mask = np.zeros((4, 20, 20), bool)
    mask[:3, 5:15, 5:15] = True
    mask[3, 5:15, 10:20] = True  # half of it moved away
    dice = frame_to_frame_dice(neighbour_overlap(mask), np.ones(4, bool))
    assert dice.tolist() == [1.0, 1.0, 0.5]


def test_a_frame_that_was_not_decoded_is_not_an_empty_one():
    mask = np.ones((4, 5, 5), bool)
    mask[2] = False
    known = np.array([True, True, False, True])
    dice = frame_to_frame_dice(neighbour_overlap(mask), known)
    assert dice[0] == 1.0
    assert np.isnan(dice[1:]).all()


def test_an_area_that_changes_evenly_does_not_jitter_at_uneven_times():
    time_s = np.array([0.0, 0.02, 0.05, 0.06, 0.10])
    jitter = area_jitter(400 - 1000 * time_s, time_s, np.ones(5, bool))
    assert jitter == pytest.approx(np.zeros(3), abs=1e-12)


def test_an_area_that_flickers_jitters_by_the_flicker():
    area = np.array([90.0, 110.0, 90.0, 110.0])
    jitter = area_jitter(area, np.arange(4) / 50, np.ones(4, bool))
    assert jitter == pytest.approx([0.2, 0.2])  # 20 off the line, of a mean of 100
    assert area_jitter(10 * area, np.arange(4) / 50, np.ones(4, bool)) == pytest.approx(jitter)


def test_jitter_leaves_out_what_is_not_known():
    area = np.array([100.0, 100.0, 0.0, 100.0, 100.0, 100.0, 130.0])
    known = area > 0
    jitter = area_jitter(area, np.arange(7) / 50, known)
    assert np.isnan(jitter).tolist() == [True, True, True, False, False]
    assert jitter[3] == 0.0
    assert jitter[4] == pytest.approx(15 / 105)
    assert area_jitter(area[:2], np.arange(2) / 50, known[:2]).size == 0
    assert np.isnan(area_jitter(0 * area, np.arange(7) / 50, known)).all()
