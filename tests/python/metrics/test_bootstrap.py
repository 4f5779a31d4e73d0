"""Intervals that the normal law, the published code's indices and scipy foretell."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import stats

from medseg.metrics import (
    KINDS,
    agreement,
    agreement_statistic,
    area_under_curve,
    auc_statistic,
    bootstrap,
    bootstrap_by_clip,
    draw_groups,
    group_numbers,
    mean_statistic,
    percentile_interval,
    published_interval,
    ratio_statistic,
)


def normal(n: int) -> np.ndarray:
    return np.random.default_rng(0).normal(10.0, 2.0, n)


def interval_of_mean(values, group=None, *, interval=percentile_interval, seed=3):
    group = np.arange(values.size) if group is None else group
    groups = int(group.max()) + 1
    statistic = mean_statistic(values, group, groups)
    return interval(bootstrap({"mean": statistic}, groups, seed=seed)["mean"])


def test_each_draw_takes_as_many_groups_as_there_are():
    drawn = np.concatenate(list(draw_groups(30, draws=600, seed=1)))
    assert drawn.shape == (600, 30)
    assert (drawn.sum(axis=1) == 30).all()
    assert drawn.mean() == 1.0
    assert drawn.var() == pytest.approx(29 / 30, rel=0.05)  # of a multinomial count
    assert (drawn == 0).mean() == pytest.approx((29 / 30) ** 30, rel=0.05)


def test_the_interval_of_a_mean_is_that_of_the_normal_law():
    values = normal(400)
    found = interval_of_mean(values)
    error = values.std() / 20
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.05)
    assert found.low < 10 < found.high
    assert found.draws == 10_000


def test_the_interval_is_that_of_scipy():
    values = normal(60) ** 3
    reference = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=10_000,
                                rng=np.random.default_rng(1)).confidence_interval  # fmt: skip
    found = interval_of_mean(values)
    width = found.high - found.low
    assert found.low == pytest.approx(reference.low, abs=0.03 * width)
    assert found.high == pytest.approx(reference.high, abs=0.03 * width)


def test_a_published_interval_holds_90_percent_and_ours_95():
    draws = np.random.default_rng(1).permutation(10_000).astype(float)
    published = published_interval(draws)
    assert (published.low, published.high) == (500.0, 9500.0)  # round(0.05 N), round(0.95 N)
    ours = percentile_interval(draws)
    assert (ours.low, ours.high) == (pytest.approx(249.975), pytest.approx(9749.025))
    narrow = interval_of_mean(normal(400), interval=published_interval)
    assert narrow.high - narrow.low == pytest.approx(2 * 1.645 * normal(400).std() / 20, rel=0.05)


def test_clips_of_one_patient_are_drawn_together():
    values = np.repeat(normal(100), 4)  # four clips a patient, all alike: no news in the other 3
    of_patients = interval_of_mean(values, np.repeat(np.arange(100), 4))
    of_clips = interval_of_mean(values)
    alone = interval_of_mean(normal(100))
    assert of_patients == alone
    assert of_clips.high - of_clips.low == pytest.approx((alone.high - alone.low) / 2, rel=0.1)


def test_the_same_seed_draws_the_same_and_another_does_not():
    values = normal(50)
    assert interval_of_mean(values) == interval_of_mean(values)
    assert interval_of_mean(values, seed=4) != interval_of_mean(values)


def test_statistics_see_the_same_draws():
    values, each = normal(40), np.arange(40)
    better = {"a": mean_statistic(values, each, 40), "b": mean_statistic(values + 1, each, 40)}
    drawn = bootstrap(better, 40, draws=300)
    assert drawn["b"] - drawn["a"] == pytest.approx(np.ones(300))


def test_sums_over_draws_are_the_numbers_of_the_drawn_pairs():
    rng = np.random.default_rng(6)
    truth = rng.normal(55, 12, 30)
    measured = truth + rng.normal(1, 5, 30)
    measured[4] = np.nan
    group = rng.integers(0, 9, 30)
    weights = rng.integers(0, 3, (5, 9)).astype(float)
    for kind in KINDS:
        found = agreement_statistic(measured, truth, kind, group, 9)(weights)
        drawn = [np.repeat(np.arange(30), row[group].astype(int)) for row in weights]
        assert found == pytest.approx(
            [getattr(agreement(measured[i], truth[i]), kind) for i in drawn]
        ), kind
    low = truth < 50
    score = np.where(np.isfinite(measured), -measured, np.nan)
    found = auc_statistic(score, low, group, 9)(weights)
    known = [i[np.isfinite(score[i])] for i in drawn]
    assert found == pytest.approx([area_under_curve(score[i], low[i])[0] for i in known])


def test_a_pooled_number_weighs_what_it_is_of():
    statistic = ratio_statistic(np.array([1.0, 9.0, np.nan]), np.array([2.0, 10.0, 5.0]),
                                np.array([0, 1, 1]), 2)  # fmt: skip
    weights = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 0.0]])
    assert statistic(weights)[:2] == pytest.approx([10 / 12, 0.5])
    assert np.isnan(statistic(weights)[2])


def test_nothing_has_no_interval():
    assert bootstrap({"a": lambda w: w.sum(axis=1)}, 0)["a"].size == 0
    assert np.isnan(percentile_interval(np.array([np.nan])).low)
    assert published_interval(np.zeros(0)).draws == 0


def test_groups_are_numbered_by_first_sight():
    group, groups = group_numbers(["b", "a", "b", "c"])
    assert group.tolist() == [0, 1, 0, 2]
    assert groups == 3


def test_a_statistic_of_indices_has_the_same_interval():
    values = normal(400)
    low, high = bootstrap_by_clip(lambda clips: float(values[clips].mean()), 400, seed=3)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.12)
    again = bootstrap_by_clip(lambda clips: float(values[clips].mean()), 400, seed=3)
    assert again == (low, high)
    assert np.isnan(bootstrap_by_clip(lambda clips: 1.0, 0)[0])


def test_ten_thousand_draws_of_a_large_test_split_take_seconds():
    n = 1277
    start = time.process_time()
    statistic = mean_statistic(normal(n), np.arange(n), n)
    bootstrap({str(i): statistic for i in range(40)}, n)
    assert time.process_time() - start < 10
