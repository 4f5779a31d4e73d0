"""Dice and IoU of masks small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pytest

from medseg.metrics import (
    Overlap,
    mean_frame_dice,
    mean_frame_iou,
    overlap,
    pooled_dice,
    pooled_iou,
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


def test_iou_counts_the_union_once():
    counts = overlap(*masks((80, 0, 0), (1, 1, 1)))
    # frame 1: 80 / 80; frame 2: 1 / 3; pooled: 81 / 83
    assert pooled_iou(counts) == pytest.approx(81 / 83)
    assert mean_frame_iou(counts) == (pytest.approx(2 / 3), 2)


def test_pooled_dice_is_the_published_formula_of_intersections_and_unions():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 7, 20, 20)) < 0.4
    both, either = (a & b).sum(axis=(1, 2)), (a | b).sum(axis=(1, 2))
    published = 2 * both.sum() / (either.sum() + both.sum())
    assert pooled_dice(overlap(a, b)) == pytest.approx(published)


def test_dice_is_not_pixel_accuracy():
    counts = overlap(*masks((2, 1, 1)))
    # 98 of 100 pixels agree, most of them background
    assert pooled_dice(counts) == pytest.approx(4 / 6)


def test_frames_empty_in_both_do_not_count_and_a_missed_heart_counts_as_zero():
    counts = overlap(*masks((0, 0, 0), (0, 0, 10), (10, 0, 0)))
    assert mean_frame_dice(counts) == (pytest.approx(0.5), 2)
    assert mean_frame_iou(counts) == (pytest.approx(0.5), 2)
    assert pooled_dice(counts) == pytest.approx(20 / 30)
    nothing = overlap(*masks((0, 0, 0)))
    assert np.isnan(pooled_dice(nothing))
    assert np.isnan(pooled_iou(nothing))
    assert mean_frame_dice(nothing)[1] == 0


def test_overlaps_join_and_part():
    both = overlap(*masks((5, 0, 0))) + overlap(*masks((0, 3, 4)))
    assert both.total.tolist() == [10.0, 7.0]
    assert both.union.tolist() == [5.0, 7.0]
    assert pooled_dice(both.at(np.array([1]))) == 0.0
    assert isinstance(both, Overlap)


def test_masks_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(1, 4, 4\)"):
        overlap(np.zeros((1, 4, 4), bool), np.zeros((1, 5, 4), bool))
