"""Areas under ROC curves that can be counted, and those of the rank test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from medseg.metrics import area_under_curve, roc_curve


def test_the_area_is_the_share_of_pairs_in_the_right_order():
    score = np.array([3.0, 2.0, 1.0, 2.5])
    positive = np.array([True, True, False, False])
    # pairs: 3 > 1, 3 > 2.5, 2 > 1, but 2 < 2.5
    assert area_under_curve(score, positive) == pytest.approx([0.75])


def test_a_tie_is_half_a_pair():
    assert area_under_curve(np.ones(5), np.array([1, 0, 0, 1, 0], bool)) == pytest.approx([0.5])
    score = np.array([2.0, 1.0, 1.0])
    assert area_under_curve(score, np.array([True, True, False])) == pytest.approx([0.75])


def test_the_area_is_that_of_the_rank_test_with_ties():
    rng = np.random.default_rng(4)
    positive = rng.random(400) < 0.2
    score = np.round(rng.normal(positive, 1.0), 1)  # many ties
    u = stats.mannwhitneyu(score[positive], score[~positive]).statistic
    pairs = positive.sum() * (~positive).sum()
    assert area_under_curve(score, positive)[0] == pytest.approx(u / pairs)
    false, true = roc_curve(score, positive)
    assert np.trapezoid(true, false) == pytest.approx(u / pairs)


def test_a_case_drawn_twice_counts_twice():
    score, positive = np.array([1.0, 2.0, 3.0]), np.array([False, True, False])
    twice = area_under_curve(score, positive, np.array([[2.0, 1.0, 1.0], [0.0, 1.0, 1.0]]))
    assert twice == pytest.approx([2 / 3, 0.0])


def test_one_class_alone_has_no_area():
    score = np.array([1.0, 2.0])
    assert np.isnan(area_under_curve(score, np.array([True, True]))).all()
    assert np.isnan(area_under_curve(score, np.array([True, False]), np.array([[2.0, 0.0]]))).all()
    assert np.isnan(area_under_curve(np.zeros(0), np.zeros(0, bool))).all()
    assert roc_curve(score, np.array([False, False]))[0].size == 0


def test_the_curve_goes_from_corner_to_corner():
    false, true = roc_curve(np.array([3.0, 2.0, 2.0, 1.0]), np.array([True, True, False, False]))
    assert false.tolist() == [0.0, 0.0, 0.5, 1.0]
    assert true.tolist() == [0.0, 0.5, 1.0, 1.0]
