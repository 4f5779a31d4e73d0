"""Scores on numbers small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from medseg.metrics import (
    Overlap,
    agreement,
    bootstrap_by_clip,
    match_events,
    mean_frame_dice,
    overlap,
    pooled_dice,
)


def masks(*counts: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Frames with (shared, only measured, only true) pixels each."""
    a, b = np.zeros((len(counts), 10, 10), bool), np.zeros((len(counts), 10, 10), bool)
    for i, (shared, mine, theirs) in enumerate(counts):
        flat_a, flat_b = a[i].ravel(), b[i].ravel()
        flat_a[: shared + mine] = True
        flat_b[:shared] = True
        flat_b[shared + mine : shared + mine + theirs] = True
    return a, b


def test_pooled_dice_weighs_pixels_and_mean_dice_weighs_frames():
    counts = overlap(*masks((80, 0, 0), (1, 1, 1)))
    # frame 1: 160 / 160; frame 2: 2 / 4; pooled: 162 / 164
    assert pooled_dice(counts) == pytest.approx(162 / 164)
    assert mean_frame_dice(counts) == (pytest.approx(0.75), 2)


def test_frames_empty_in_both_do_not_count_and_a_missed_heart_counts_as_zero():
    counts = overlap(*masks((0, 0, 0), (0, 0, 10), (10, 0, 0)))
    assert mean_frame_dice(counts) == (pytest.approx(0.5), 2)
    assert pooled_dice(counts) == pytest.approx(20 / 30)
    nothing = overlap(*masks((0, 0, 0)))
    assert np.isnan(pooled_dice(nothing))
    assert mean_frame_dice(nothing)[1] == 0


def test_overlaps_join_and_part():
    both = overlap(*masks((5, 0, 0))) + overlap(*masks((0, 3, 4)))
    assert both.total.tolist() == [10.0, 7.0]
    assert pooled_dice(both.at(np.array([1]))) == 0.0
    assert isinstance(both, Overlap)


def test_masks_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(1, 4, 4\)"):
        overlap(np.zeros((1, 4, 4), bool), np.zeros((1, 5, 4), bool))


def test_agreement_tells_bias_from_correlation():
    truth = np.array([40.0, 50.0, 60.0, 70.0])
    shifted = agreement(truth + 5, truth)
    assert (shifted.mae, shifted.rmse, shifted.bias, shifted.n) == (5.0, 5.0, 5.0, 4)
    assert shifted.r2_of_correlation == pytest.approx(1.0)
    assert shifted.r_squared == pytest.approx(1 - 100 / 500)
    mixed = agreement(np.array([43.0, 49.0, 60.0, np.nan]), truth)
    assert mixed.n == 3
    assert mixed.mae == pytest.approx(4 / 3)
    assert mixed.bias == pytest.approx(2 / 3)
    assert mixed.rmse == pytest.approx(np.sqrt(10 / 3))


def test_agreement_of_nothing_is_missing_and_not_zero():
    empty = agreement(np.array([np.nan]), np.array([50.0]))
    assert empty.n == 0
    assert np.isnan(empty.mae)
    one = agreement(np.array([51.0]), np.array([50.0]))
    assert one.mae == 1.0
    assert np.isnan(one.r_squared)
    alike = agreement(np.array([40.0, 41.0, 42.0]), np.full(3, 36.4) + np.array([0, 1e-14, 0]))
    assert np.isnan(alike.r_squared)


def test_bootstrap_interval_of_a_mean_is_that_of_the_normal_law():
    values = np.random.default_rng(0).normal(10.0, 2.0, 400)
    low, high = bootstrap_by_clip(lambda clips: float(values[clips].mean()), 400, seed=3)
    assert high - low == pytest.approx(2 * 1.96 * 2.0 / 20, rel=0.12)
    assert low < 10 < high
    again = bootstrap_by_clip(lambda clips: float(values[clips].mean()), 400, seed=3)
    assert again == (low, high)
    assert np.isnan(bootstrap_by_clip(lambda clips: 1.0, 0)[0])


def test_events_match_one_to_one_within_a_tenth_of_a_second():
    true = np.array([0.1, 1.0, 2.0, 3.0])
    found = np.array([1.05, 1.08, 2.11, 3.09])
    count = match_events(found, true, counted_s=(0.25, 3.75))
    # 1.05 takes 1.0, 1.08 is left over; 2.11 is too late; 0.1 is too near to the end to count
    assert (count.true, count.true_found) == (3, 2)
    assert (count.detected, count.detected_true) == (4, 2)
    assert count.sensitivity == pytest.approx(2 / 3)
    assert count.precision == pytest.approx(0.5)


def test_an_event_outside_the_counted_span_may_still_match_one_inside():
    count = match_events(np.array([0.24]), np.array([0.26]), counted_s=(0.25, 2.0))
    assert (count.true, count.true_found, count.detected) == (1, 1, 0)


def test_no_events_at_all_have_no_sensitivity():
    count = match_events(np.zeros(0), np.zeros(0), counted_s=(0.0, 1.0))
    assert np.isnan(count.sensitivity)
    assert np.isnan((count + count).precision)
