"""Steadiness of sequences whose changes are known."""

from __future__ import annotations

import numpy as np
import pytest

from medseg.metrics import (
    area_jitter,
    attribute_departure,
    consistent_share,
    frame_to_frame_dice,
    mask_centre,
    neighbour_overlap,
)


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


KNOWN = np.ones(5, bool)


def test_a_departure_is_the_published_difference_from_the_neighbours_mean():
    """Painchaud 2022: scaled to 0..1, a value less the mean of the two beside it."""
    area = np.array([20.0, 30.0, 60.0, 30.0, 20.0])
    found = attribute_departure(area, np.arange(5) / 50, KNOWN, bounds=(20, 60))
    assert found == pytest.approx([(10 - 20) / 40, 30 / 40, (10 - 20) / 40])


def test_a_departure_knows_neither_unit_nor_offset_and_follows_an_uneven_clock():
    area, time_s = np.array([3.0, 5.0, 4.0, 9.0, 1.0]), np.array([0, 0.02, 0.05, 0.06, 0.1])
    found = attribute_departure(area, time_s, KNOWN, bounds=(1, 9))
    scaled = attribute_departure(7 * area + 3, time_s, KNOWN, bounds=(10, 66))
    assert found == pytest.approx(scaled)
    even = attribute_departure(8 - 50 * time_s, time_s, KNOWN, bounds=(0, 8))
    assert even == pytest.approx(np.zeros(3), abs=1e-12)


def test_the_reference_itself_is_wholly_consistent_and_a_flicker_is_not():
    truth = np.array([10.0, 9.0, 7.0, 6.0, 6.0])
    found = truth.copy()
    found[2] = 12
    time_s, bounds = np.arange(5) / 50, (6.0, 10.0)
    own = attribute_departure(truth, time_s, KNOWN, bounds=bounds)
    threshold = float(np.abs(own).max())
    assert consistent_share(own, threshold=threshold) == (1.0, 3)
    flicker = attribute_departure(found, time_s, KNOWN, bounds=bounds)
    assert consistent_share(flicker, threshold=threshold) == (0.0, 3)


def test_what_is_not_known_has_no_departure():
    known = np.array([True, True, True, True, False])
    found = attribute_departure(np.arange(5.0), np.arange(5) / 50, known, bounds=(0, 4))
    assert np.isnan(found).tolist() == [False, False, True]
    share, n = consistent_share(np.full(2, np.nan), threshold=0.1)
    assert np.isnan(share) and n == 0
    assert attribute_departure(np.ones(2), np.arange(2.0), known[:2], bounds=(0, 1)).size == 0
    with pytest.raises(ValueError, match="hold no range"):
        attribute_departure(np.ones(5), np.arange(5.0), known, bounds=(1, 1))


def test_a_mask_s_centre_is_its_pixels_mean_place():
    mask = np.zeros((2, 10, 12), bool)
    mask[0, 2:5, 7:11] = True
    centre = mask_centre(mask)
    assert centre[0].tolist() == [3.0, 8.5]
    assert np.isnan(centre[1]).all()
