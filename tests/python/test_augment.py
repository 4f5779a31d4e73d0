"""A clip and its labels get the same draw, and drawing is repeatable."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from medseg.augment import Strength, augment_clip, augment_labels, draw_augmentation

SIZE = 96


def disc(batch: int = 4) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    inside = ((x - 40) ** 2 + (y - 52) ** 2 < 22**2).long()
    return inside[None].repeat(batch, 1, 1)


def draw(seed: int = 0, strength: Strength | None = None):
    generator = torch.Generator().manual_seed(seed)
    return draw_augmentation(generator, 4, SIZE, strength=strength or Strength())


MOVES_ONLY = Strength(
    log_gamma=0, gain=0, offset=0, blur_pixels=0, noise=0, dropout=0, marks=0, texture=0
)
NOTHING = Strength(
    rotation_deg=0, zoom=0, shift=0, shear_deg=0, squeeze=0, elastic=0, flip=0, log_gamma=0,
    gain=0, offset=0, blur_pixels=0, noise=0, dropout=0, marks=0, texture=0,
)  # fmt: skip


def test_clip_and_labels_move_together():
    labels = disc()
    chance = draw(strength=MOVES_ONLY)
    clip = augment_clip(labels[:, None].float().repeat(1, 3, 1, 1), chance)
    moved = augment_labels(labels, chance)
    found = clip[:, 1] > 0.5
    dice = 2 * (found & (moved > 0)).sum() / (found.sum() + (moved > 0).sum())
    assert dice > 0.985
    assert not torch.equal(moved, labels)


def test_labels_stay_the_integers_they_were():
    labels = disc() * 3
    moved = augment_labels(labels, draw())
    assert set(moved.unique().tolist()) <= {0, 3}


def test_no_strength_changes_nothing():
    clip = torch.rand(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(augment_clip(clip, draw(strength=NOTHING)), clip, atol=2e-3, rtol=0)


def test_frames_of_a_clip_differ_by_their_noise_alone():
    still = torch.rand(4, 1, SIZE, SIZE).repeat(1, 3, 1, 1)
    quiet = augment_clip(still, draw(strength=Strength(noise=0.0)))
    torch.testing.assert_close(quiet[:, 0], quiet[:, 2])
    noisy = augment_clip(still, draw(strength=Strength(noise=0.3)))
    assert not torch.equal(noisy[:, 0], noisy[:, 2])


def test_another_texture_keeps_black_black_and_the_grey_of_large_parts():
    grain = 0.1 * torch.rand(4, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(2))
    halves = torch.full((SIZE, SIZE), 0.2)
    halves[:, SIZE // 2 :] = 0.6
    clip = (halves + grain).repeat(1, 3, 1, 1)
    clip[..., :8, :] = 0
    changed = augment_clip(clip, draw(1, replace(NOTHING, texture=0.6)))
    assert (changed[..., :5, :] == 0).all()
    for part in (slice(12, SIZE // 2 - 12), slice(SIZE // 2 + 12, SIZE - 12)):
        before, after = clip[..., 16:-12, part], changed[..., 16:-12, part]
        torch.testing.assert_close(after.mean((1, 2, 3)), before.mean((1, 2, 3)), atol=0.02, rtol=0)
    assert (after.std((1, 2, 3)) / before.std((1, 2, 3)) - 1).abs().max() > 0.2


def test_the_same_seed_draws_the_same_and_another_does_not():
    clip = torch.rand(4, 3, SIZE, SIZE)
    first, again, other = (augment_clip(clip, draw(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("degrees", [90.0])
def test_a_quarter_turn_is_a_quarter_turn(degrees):
    class Fixed(torch.Generator):
        pass

    generator = torch.Generator().manual_seed(0)
    strength = Strength(**{**NOTHING.__dict__, "rotation_deg": degrees})
    chance = draw_augmentation(generator, 4, SIZE, strength=strength)
    cosine = chance.matrix[:, 0, 0]
    angles = torch.rad2deg(torch.arccos(cosine.clamp(-1, 1)))
    assert (angles <= degrees + 1e-3).all()
    np.testing.assert_allclose(torch.linalg.det(chance.matrix).numpy(), 1.0, atol=1e-4)
