"""The published augmentation: a clip, its mask and its points move by one draw."""

import numpy as np
import pytest
import torch

from medseg.augment import (
    NO_AUGMENTATION,
    Augmentation,
    AugmentationDraw,
    augment_masks,
    augment_pixels,
    augment_points,
    draw_for_clip,
)

FULL = Augmentation(0.2, 0.5, 0.5, 4.0, 20.0, 6)


def draws_of(augmentation, size, count, seed=0):
    rng = np.random.default_rng(seed)
    drawn = [draw_for_clip(rng, augmentation, size) for _ in range(count)]
    return AugmentationDraw(*(torch.stack(parts) for parts in zip(*drawn, strict=True)))


def discs(centres, size, radius=5.0):
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return torch.stack([((x - cx) ** 2 + (y - cy) ** 2 <= radius**2) for cx, cy in centres])


def test_clip_mask_and_points_go_the_same_way():
    centres = torch.tensor([[20.0, 30.0], [40.0, 22.0], [33.0, 41.0]])
    masks = discs(centres.tolist(), 64)[:, None]  # (3,1,64,64)
    clips = masks[:, :, None].float().repeat(1, 4, 3, 1, 1) * 255  # (3,4,3,64,64)
    draw = draws_of(Augmentation(rotation_deg=20.0, crop_px=6), 64, 3)
    moved, mask = augment_pixels(clips, draw), augment_masks(masks, draw)
    points = augment_points(centres[:, None, None], draw)[:, 0, 0]
    assert (moved > 127.5).eq(mask[:, :, None]).float().mean() > 0.999
    assert torch.equal(moved[:, 0], moved[:, 3])  # every frame alike
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    area = mask[:, 0].sum((1, 2))
    centre = torch.stack([(mask[:, 0] * v).sum((1, 2)) / area for v in (x, y)], 1)
    assert (centre - points).abs().max() < 0.3
    assert (points - centres).abs().max() > 2
    assert mask.dtype == torch.bool


def test_without_rotation_pixels_are_moved_and_not_interpolated():
    clips = torch.randint(0, 256, (2, 3, 3, 32, 32)).float()
    draw = draws_of(Augmentation(crop_px=12), 32, 2, seed=3)
    dx, dy = (int(v) for v in draw.matrix[0, :, 2])
    assert (dx, dy) != (0, 0)
    padded = torch.nn.functional.pad(clips[0], (12, 12, 12, 12), value=7.0)
    expected = padded[..., 12 - dy : 44 - dy, 12 - dx : 44 - dx]
    moved = augment_pixels(clips, draw, fill=(7.0, 7.0, 7.0))
    torch.testing.assert_close(moved[0], expected, rtol=0, atol=1e-2)


def test_draws_reach_their_limits_and_not_past_them():
    draw = draws_of(FULL, 112, 2000)
    angle = torch.rad2deg(torch.atan2(draw.matrix[:, 1, 0], draw.matrix[:, 0, 0]))
    assert 19 < angle.max() <= 20.001
    assert draw.coloured.float().mean().item() == pytest.approx(0.5, abs=0.05)
    assert (draw.clahe > 0).float().mean().item() == pytest.approx(0.5, abs=0.05)
    assert draw.clahe[draw.clahe > 0].min() >= 1
    assert draw.clahe.max() <= 4
    assert 0.19 < (draw.colour[:, :3] - 1).abs().max() <= 0.2
    shifts = draws_of(Augmentation(crop_px=6), 112, 500).matrix[:, :, 2]
    assert set(shifts.flatten().tolist()) == set(range(-6, 7))


def test_no_augmentation_changes_nothing():
    clips = torch.rand(1, 2, 3, 16, 16) * 255
    assert torch.equal(augment_pixels(clips, draws_of(NO_AUGMENTATION, 16, 1)), clips)


def test_colours_and_contrast_stay_in_range_and_change_grey_to_grey():
    grey = torch.rand(4, 2, 1, 32, 32).repeat(1, 1, 3, 1, 1) * 255
    draw = draws_of(Augmentation(0.2, 1.0, 1.0, 4.0), 32, 4)
    changed = augment_pixels(grey, draw)
    assert 0 <= changed.min() < changed.max() <= 255
    assert (changed - changed.mean(2, keepdim=True)).abs().max() < 0.1
    assert (changed - grey).abs().mean() > 5
