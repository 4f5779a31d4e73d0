"""Motion, colour and the number of sectors, from frames alone."""

from __future__ import annotations

import numpy as np
import pytest

from medseg.segmentation.picture import PictureStatistics, count_sectors, luma


def statistics(frames: np.ndarray, sector: np.ndarray, *, interval_s: float = 0.02):
    gathered = PictureStatistics(sector, interval_s)
    for start in range(0, len(frames), 16):
        gathered.add(frames[start : start + 16])
    return gathered.picture(found=True, sectors=1, colour_flow=None, pixel_aspect=1.0)


def test_grey_frames_keep_their_grey_level():
    ramp = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1), 3, axis=3)
    assert np.array_equal(luma(ramp), ramp[..., 0])


def test_a_beating_picture_moves_and_is_not_coloured(make_beating, make_fan):
    picture = statistics(make_beating(60)[0], make_fan())
    assert picture.change_levels > 1
    assert picture.motion_ratio > 1.03
    assert picture.coloured_share == 0.0


def test_a_fan_leaves_the_corners_of_its_box_and_a_rectangle_fills_it(make_beating, make_fan):
    frames = make_beating(4)[0]
    assert 0.5 < statistics(frames, make_fan()).sector_share_of_box < 0.9
    box = np.zeros((112, 112), bool)
    box[20:90, 5:100] = True
    assert statistics(frames, box).sector_share_of_box == 1.0
    assert statistics(frames, np.zeros_like(box)).sector_share_of_box == 0.0


def test_a_still_picture_does_not_change(make_beating, make_fan):
    frames = np.repeat(make_beating(1)[0], 30, axis=0)
    assert statistics(frames, make_fan()).change_levels == 0.0


def test_noise_over_a_still_picture_changes_no_more_in_longer_time(make_beating, make_fan):
    rng = np.random.default_rng(2)
    still = np.repeat(make_beating(1)[0], 40, axis=0)[..., 0].astype(int)
    noisy = np.clip(still + rng.integers(-8, 9, still.shape), 0, 255).astype(np.uint8)
    picture = statistics(np.repeat(noisy[..., None], 3, axis=3), make_fan())
    assert picture.motion_ratio == pytest.approx(1.0, abs=0.02)


def test_windows_do_not_change_the_statistics(make_beating, make_fan):
    frames = make_beating(50)[0]
    whole = PictureStatistics(make_fan(), 0.02)
    whole.add(frames)
    expected = whole.picture(found=True, sectors=1, colour_flow=None, pixel_aspect=1.0)
    assert statistics(frames, make_fan()) == expected


def test_red_and_blue_flow_is_coloured_and_a_sepia_grey_map_is_not(make_beating, make_fan):
    frames = make_beating(10)[0]
    flow = frames.copy()
    flow[:, 40:60, 45:65] = (200, 30, 20)
    assert statistics(flow, make_fan()).coloured_share > 0.04
    sepia = (frames * np.array([1.0, 0.87, 0.7])).astype(np.uint8)
    assert statistics(sepia, make_fan()).coloured_share == 0.0


def test_two_fans_side_by_side_are_two_sectors(make_beating):
    one = make_beating(8)[0][..., 0]
    assert count_sectors(one) == 1
    assert count_sectors(np.concatenate([one, one], axis=2)) == 2
    assert count_sectors(np.zeros_like(one)) == 1


def test_one_fan_with_black_cavities_is_one_sector(make_fan):
    fan = make_fan()
    height, width = fan.shape
    y, x = np.mgrid[:height, :width]
    cavity = (y > 0.3 * height) & (np.abs(x - 0.5 * width) < 0.14 * width)  # down to the bottom
    beside = (y > 0.3 * height) & (np.abs(x - 0.25 * width) < 0.06 * width)
    walls = (fan & ~cavity & ~beside).astype(np.uint8) * 90
    assert count_sectors(walls[None]) == 1
    assert count_sectors(np.concatenate([walls, walls], axis=1)[None]) == 2
