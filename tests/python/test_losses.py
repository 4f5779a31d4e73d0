"""Losses at their known ends."""

import math

import pytest
import torch

from medseg.losses import dice_cross_entropy, size_change_loss, soft_dice_loss


def certain(labels: torch.Tensor, classes: int) -> torch.Tensor:
    return 40.0 * torch.nn.functional.one_hot(labels, classes).movedim(-1, 1).float()


def test_a_certain_and_right_answer_costs_nothing():
    labels = torch.tensor([[[0, 1], [2, 1]]])
    assert float(dice_cross_entropy(certain(labels, 3), labels)) == pytest.approx(0, abs=1e-5)


def test_a_half_overlapping_mask_has_a_soft_dice_of_one_half():
    labels = torch.tensor([[[1, 1, 0, 0]]])
    guess = torch.tensor([[[0, 1, 1, 0]]])
    assert float(soft_dice_loss(certain(guess, 2), labels, smooth=0.0)) == pytest.approx(0.5)


def test_an_absent_class_that_nobody_claims_costs_nothing():
    labels = torch.tensor([[[1, 1, 0, 0]]])
    assert float(soft_dice_loss(certain(labels, 3), labels)) == pytest.approx(0, abs=1e-5)


def squares(*sides: int) -> torch.Tensor:
    """Labels (B,40,40), each with a square of class 1 of this side."""
    labels = torch.zeros(len(sides), 40, 40, dtype=torch.long)
    for label, side in zip(labels, sides, strict=True):
        label[:side, :side] = 1
    return labels


def test_a_change_in_size_that_is_missed_costs_the_logarithm_of_its_ratio():
    found = certain(squares(22, 22, 30, 30), 2)  # the first heart's change is missed
    loss = size_change_loss(found, squares(24, 20, 30, 30), label=1)
    assert float(loss) == pytest.approx(math.log(24**2 / 20**2) / 2, rel=1e-4)


def test_an_error_that_both_frames_of_a_heart_share_costs_nothing():
    found = certain(squares(24, 12), 2)
    assert float(size_change_loss(found, squares(20, 10), label=1)) == pytest.approx(0, abs=1e-5)


def test_hearts_that_hardly_show_the_structure_are_left_out():
    found = certain(squares(20, 20), 2)
    assert float(size_change_loss(found, squares(20, 7), label=1)) == 0  # 49 pixels
