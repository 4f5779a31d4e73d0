"""Facts about the sector: the whole fan of the real clip, and no text, scale or button in it."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom import examples
from scipy import ndimage

from medseg.sector import blank_outside, find_sector

# Read off the real clip's pictures, (row, column) in 240 x 320: fan corners and inner points ...
INSIDE = [
    (25, 168),
    (60, 130),
    (60, 215),
    (100, 168),
    (147, 48),
    (147, 292),
    (190, 120),
    (197, 170),
]
# ... and "PLA", "Gen THI", the marker's right side, "Crd", "MI", depth scale, "19", button bar.
OUTSIDE = [(7, 20), (18, 20), (20, 200), (18, 310), (67, 308), (100, 298), (202, 292), (233, 150)]


@pytest.fixture(scope="module")
def real() -> np.ndarray:
    return pydicom.dcmread(examples.get_path("ybr_color")).pixel_array[::2]


def gamma(frames: np.ndarray, power: float) -> np.ndarray:
    return (255 * (frames / 255.0) ** power).round().astype(np.uint8)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_real_fan_is_whole_though_its_left_third_is_dark(real: np.ndarray) -> None:
    sector = find_sector(real)
    assert sector.found
    assert sector.parts == 1
    assert [point for point in INSIDE if not sector.mask[point]] == []
    assert [point for point in OUTSIDE if sector.mask[point]] == []
    y0, x0, y1, x1 = sector.box
    assert sector.mask[y0:y1, x0:x1].sum() == sector.mask.sum()
    assert sector.mask[y0].any() and sector.mask[:, x1 - 1].any()


def test_mirrored_turned_and_gamma_changed_copies_have_the_same_sector(real: np.ndarray) -> None:
    expected = find_sector(real).mask
    assert overlap(find_sector(real[:, :, ::-1]).mask[:, ::-1], expected) > 0.97
    turned = ndimage.rotate(real, 20, axes=(1, 2), reshape=False, order=1)
    also_turned = ndimage.rotate(expected.astype(np.uint8), 20, reshape=False, order=0) > 0
    assert overlap(find_sector(turned).mask, also_turned) > 0.9
    for power in (0.6, 1.3):
        assert overlap(find_sector(gamma(real, power)).mask, expected) > 0.9


def test_larger_frames_give_the_same_sector_at_their_own_size(real: np.ndarray) -> None:
    large = real[:6].repeat(3, axis=1).repeat(3, axis=2)
    mask = find_sector(large).mask
    assert mask.shape == (720, 960)
    assert overlap(mask[1::3, 1::3], find_sector(real[:6]).mask) > 0.9


def test_frozen_picture_still_has_a_sector_without_text_or_buttons(real: np.ndarray) -> None:
    sector = find_sector(real[:1])
    assert sector.found
    assert sector.mask[100, 168]
    assert [point for point in OUTSIDE if sector.mask[point]] == []


def speckle(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).integers(20, 200, shape, dtype=np.uint8)


def test_echonet_frames_keep_all_but_their_masked_corners() -> None:
    y, x = np.mgrid[:112, :112]
    inside = (x + y > 67) & (x - y < 44)  # the corner masks that EchoNet-Dynamic was made with
    frames = speckle(1, (20, 112, 112)) * inside.astype(np.uint8)
    assert overlap(find_sector(frames).mask, inside) > 0.95


def test_the_rim_that_jpeg_smears_round_the_fan_is_left_out() -> None:
    y, x = np.mgrid[:112, :112]
    fan = (np.abs(x - 56) < 0.9 * (y - 4)) & (np.hypot(y - 4, x - 56) < 100)
    grain = ndimage.gaussian_filter(
        np.random.default_rng(6).normal(0, 1, (16, 112, 112)), (0, 1, 2)
    )
    tissue = (60 + 150 * grain).clip(2, 255) * fan
    frames = []
    for frame in tissue.astype(np.uint8):
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, "JPEG", quality=75)
        frames.append(np.asarray(Image.open(buffer)))
    assert (np.stack(frames).max(axis=0) > 0).sum() > 1.1 * fan.sum()  # there is such a rim
    assert overlap(find_sector(np.stack(frames)).mask, fan) > 0.88  # 0.77 with the rim


def test_noise_all_over_is_a_sector_of_the_whole_frame() -> None:
    sector = find_sector(np.random.default_rng(2).integers(0, 256, (8, 60, 80, 3), dtype=np.uint8))
    assert sector.found
    assert sector.mask.all()
    assert sector.box == (0, 0, 60, 80)


@pytest.mark.parametrize(
    "frames", [np.zeros((5, 60, 80, 3), np.uint8), np.zeros((1, 9, 7), np.uint8)]
)
def test_black_frames_have_no_sector_and_the_whole_frame_as_box(frames: np.ndarray) -> None:
    sector = find_sector(frames)
    assert not sector.found
    assert not sector.mask.any()
    assert sector.box == (0, 0, *frames.shape[1:3])


def test_two_pictures_side_by_side_are_counted_and_one_is_kept() -> None:
    frames = np.zeros((10, 100, 200), np.uint8)
    frames[:, 10:90, 5:90] = speckle(3, (10, 80, 85))
    frames[:, 10:90, 110:195] = speckle(4, (10, 80, 85))
    sector = find_sector(frames)
    assert sector.parts == 2
    assert sector.box[3] - sector.box[1] < 100


def test_region_of_the_file_limits_the_search(real: np.ndarray) -> None:
    sector = find_sector(real, region=(0, 0, 240, 160))
    assert sector.found
    assert not sector.mask[:, 160:].any()


def test_blanking_keeps_the_inside_and_zeroes_the_rest(real: np.ndarray) -> None:
    sector = find_sector(real)
    for frames in (real, real[..., 0]):
        blanked = blank_outside(frames, sector)
        assert blanked.dtype == np.uint8
        assert (blanked[:, sector.mask] == frames[:, sector.mask]).all()
        assert not blanked[:, ~sector.mask].any()


def test_walls_of_one_fan_divided_by_black_cavities_are_one_picture() -> None:
    y, x = np.mgrid[:112, :112]
    septum = (np.abs(x - 45) < 9) & (y > 12) & (y < 80)
    lateral = (np.abs(x - 84) < 8) & (y > 38) & (y < 84)  # its upper part has dropped out
    bridge = (np.abs(y - 45) < 3) & (x > 50) & (x < 80)
    walls = septum | lateral | bridge
    sector = find_sector(np.where(walls, speckle(7, (12, 112, 112)), 0).astype(np.uint8))
    assert sector.parts == 1
    assert sector.box[1] < 40 and sector.box[3] > 88
