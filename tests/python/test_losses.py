"""Losses at their known ends."""

import pytest
import torch

from medseg.losses import dice_cross_entropy, soft_dice_loss


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
