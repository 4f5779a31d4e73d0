"""Losses for masks and landmarks: soft Dice, its sum with cross-entropy, heatmaps."""

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


def binary_dice_loss(logits: torch.Tensor, masks: torch.Tensor, *, pooled: bool) -> torch.Tensor:
    """One minus the soft Dice of one class against background, without smoothing.

    logits and masks (B, M, H, W), masks 0 or 1. `pooled` counts the pixels of the whole batch
    together, as SimLVSeg's training does (segmentation_models_pytorch's DiceLoss), so that the loss
    depends on how the samples fall into batches; else it is the mean of the samples' own losses.
    Without a pixel of truth the loss is 0.
    """
    axes = (0, 1, 2, 3) if pooled else (1, 2, 3)
    probability, truth = torch.sigmoid(logits), masks.to(logits.dtype)
    shared, size = (probability * truth).sum(axes), (probability + truth).sum(axes)
    loss = 1 - 2 * shared / size.clamp_min(1e-7)
    return (loss * (truth.sum(axes) > 0)).mean()


def heatmap_cross_entropy(logits: torch.Tensor, heatmaps: torch.Tensor) -> torch.Tensor:
    """Cross-entropy over the pixels between heatmaps that sum to 1 and the softmax of logits.

    Both (..., K, H, W); the mean over landmarks and whatever comes before them.
    """
    log_chance = logits.flatten(-2).log_softmax(-1)
    return -(heatmaps.flatten(-2) * log_chance).sum(-1).mean()
