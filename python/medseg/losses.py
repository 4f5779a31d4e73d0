"""Losses for masks: soft Dice and its sum with cross-entropy."""

from __future__ import annotations

import torch
from torch.nn import functional


def soft_dice_loss(
    logits: torch.Tensor, labels: torch.Tensor, *, smooth: float = 1.0
) -> torch.Tensor:
    """One minus the soft Dice of each foreground class, averaged over classes and samples.

    logits (B, K, H, W), class 0 is background; labels (B, H, W) integers in 0..K-1. A class that a
    sample does not hold is scored by the false positives alone, through `smooth` (pixels).
    """
    probability = logits.softmax(1)[:, 1:]  # (B, K-1, H, W)
    truth = (
        functional.one_hot(labels, logits.shape[1])[..., 1:].movedim(-1, 1).to(probability.dtype)
    )
    overlap = (probability * truth).sum((2, 3))
    size = probability.sum((2, 3)) + truth.sum((2, 3))
    return 1 - ((2 * overlap + smooth) / (size + smooth)).mean()


def dice_cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Soft Dice loss plus cross-entropy, unweighted; shapes as in `soft_dice_loss`."""
    return soft_dice_loss(logits, labels) + functional.cross_entropy(logits, labels)
