"""Masks are one solid piece, and neighbours in time blend by seconds, not by frames."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from medseg.segmentation.cleaning import (
    sharpness,
    smooth_in_time,
    smoothing_reach,
    solid_masks,
)


def block(rows: slice, columns: slice, value: float = 0.9) -> np.ndarray:
    probability = np.zeros((20, 20), np.float32)
    probability[rows, columns] = value
    return probability


def test_the_largest_piece_stays_and_its_holes_are_filled():
    probability = block(slice(2, 12), slice(2, 12))
    probability[6, 6] = 0.0
    probability[15:18, 15:18] = 0.99
    mask = solid_masks(probability[None])[0]
    assert mask.sum() == 100
    assert mask[6, 6]
    assert not mask[16, 16]


def test_holes_are_those_that_scipy_fills():
    noise = np.random.default_rng(4).random((12, 24, 24)).astype(np.float32)
    masks = solid_masks(noise + 0.08)  # pieces with holes, open bays and diagonal gaps
    pieces = [ndimage.label(frame > 0.5, np.ones((3, 3)))[0] for frame in noise + 0.08]
    for mask, piece in zip(masks, pieces, strict=True):
        largest = piece == 1 + np.argmax(np.bincount(piece.ravel())[1:])
        assert not np.array_equal(mask, largest)
        assert np.array_equal(mask, ndimage.binary_fill_holes(largest))


def test_a_blot_of_one_frame_does_not_displace_the_cavity():
    steady = block(slice(2, 8), slice(2, 8))  # 36 pixels in every frame
    blotted = steady.copy()
    blotted[10:18, 10:18] = 0.9  # 64 pixels in a single frame
    masks = solid_masks(np.stack([steady] * 5 + [blotted] + [steady] * 5))
    assert np.array_equal(masks[5], masks[0])


def test_an_empty_frame_stays_empty():
    assert not solid_masks(np.full((2, 8, 8), 0.4, np.float32)).any()


def test_smoothing_takes_out_a_flicker_at_100_hz_but_leaves_30_hz_alone():
    probability = np.zeros((9, 1, 4, 4), np.float32)
    probability[4] = 1.0
    fast = smooth_in_time(probability, np.arange(9) / 100, core=slice(0, 9))
    slow = smooth_in_time(probability, np.arange(9) / 30, core=slice(0, 9))
    assert fast[4].max() < 0.5
    assert fast.sum() == pytest.approx(probability.sum(), rel=1e-3)
    assert np.array_equal(slow, probability)


def test_smoothing_near_a_windows_seam_uses_the_neighbours_outside_the_core():
    rng = np.random.default_rng(0)
    probability = rng.random((30, 1, 3, 3)).astype(np.float32)
    time_s = np.arange(30) / 80
    whole = smooth_in_time(probability, time_s, core=slice(0, 30))
    reach = smoothing_reach(1 / 80)
    part = smooth_in_time(
        probability[10 - reach : 20 + reach],
        time_s[10 - reach : 20 + reach],
        core=slice(reach, reach + 10),
    )
    assert part == pytest.approx(whole[10:20], abs=1e-6)


def test_sharpness_is_one_for_a_certain_network_and_falls_with_doubt():
    certain = block(slice(2, 12), slice(2, 12), 1.0)
    mask = certain > 0.5
    assert sharpness(certain, mask) == 1.0
    assert sharpness(np.where(mask, 0.6, 0.0).astype(np.float32), mask) == pytest.approx(0.75)
    assert sharpness(np.where(mask, 1.0, 0.4).astype(np.float32), mask) < 0.65
    assert sharpness(np.zeros_like(certain), np.zeros_like(mask)) == 0.0
