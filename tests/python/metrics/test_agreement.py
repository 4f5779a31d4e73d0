"""Errors on numbers small enough to work out by hand, and those of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from medseg.metrics import agreement


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


def test_limits_of_agreement_lie_two_standard_deviations_about_the_bias():
    found = agreement(np.array([52.0, 49.0, 65.0, 70.0]), np.array([50.0, 50.0, 60.0, 70.0]))
    # differences 2, -1, 5, 0: mean 1.5, sum of squares about it 21, n - 1 = 3
    assert found.bias == pytest.approx(1.5)
    assert found.error_sd == pytest.approx(np.sqrt(7))
    assert found.limit_low == pytest.approx(1.5 - 1.96 * np.sqrt(7))
    assert found.limit_high == pytest.approx(1.5 + 1.96 * np.sqrt(7))


def test_both_kinds_of_r_squared_are_those_of_the_textbook():
    rng = np.random.default_rng(2)
    truth = rng.normal(55, 12, 300)
    measured = 0.8 * truth + 14 + rng.normal(0, 5, 300)
    found = agreement(measured, truth)
    assert found.r2_of_correlation == pytest.approx(stats.linregress(truth, measured).rvalue ** 2)
    residual = ((measured - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()
    assert found.r_squared == pytest.approx(1 - residual)
    assert found.r_squared < found.r2_of_correlation


def test_agreement_of_nothing_is_missing_and_not_zero():
    empty = agreement(np.array([np.nan]), np.array([50.0]))
    assert empty.n == 0
    assert np.isnan(empty.mae)
    one = agreement(np.array([51.0]), np.array([50.0]))
    assert one.mae == 1.0
    assert np.isnan(one.r_squared)
    assert np.isnan(one.limit_low)
    alike = agreement(np.array([40.0, 41.0, 42.0]), np.full(3, 36.4) + np.array([0, 1e-14, 0]))
    assert np.isnan(alike.r_squared)
    flat = agreement(np.full(3, 50.0), np.array([40.0, 50.0, 60.0]))
    assert flat.r_squared == pytest.approx(0.0)
    assert np.isnan(flat.r2_of_correlation)
