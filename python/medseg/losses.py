"""Losses for masks and landmarks: soft Dice and its sums, focal cross-entropy, heatmaps."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

SIZE_LIMIT = 1.65  # beyond it, a size is simply wrong and Dice sees to it
LEAST_PIXELS = 60  # of a structure whose change in size is worth learning


def soft_dice_loss(
    logits: torch.Tensor, labels: torch.Tensor, *, smooth: float = 1.0
) -> torch.Tensor:
    """One minus the soft Dice of each foreground class, averaged over classes and samples.

    logits (B, K, H, W), class 0 is background; labels (B, H, W) integers in 0..K-1. A class that a
    sample does not hold is scored by the false positives alone, through `smooth` (pixels).
    """
    probability = logits.softmax(1)[:, 1:]  # (B, K-1, H, W)
    classes = torch.arange(1, logits.shape[1], device=labels.device).view(-1, 1, 1)
    truth = (labels[:, None] == classes).to(probability.dtype)  # (B, K-1, H, W)
    overlap = (probability * truth).sum((2, 3))
    size = probability.sum((2, 3)) + truth.sum((2, 3))
    return 1 - ((2 * overlap + smooth) / (size + smooth)).mean()


def dice_cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Soft Dice loss plus cross-entropy, unweighted; shapes as in `soft_dice_loss`."""
    return soft_dice_loss(logits, labels) + functional.cross_entropy(logits, labels)


def size_change_loss(logits: torch.Tensor, labels: torch.Tensor, *, label: int) -> torch.Tensor:
    """How far a structure's change in size between two frames of one heart is missed.

    logits (B, K, H, W) and integer labels (B, H, W), samples 2i and 2i+1 of one heart. Sizes are
    sums of probability, and the loss is the mean of |log(found ratio) - log(true ratio)|, each size
    held within a factor `SIZE_LIMIT` of the truth; pairs that hardly show the structure are left
    out. About the relative error of an ejection fraction's ratio of areas.
    """
    found = logits.softmax(1)[:, label].sum((1, 2))
    truth = (labels == label).sum((1, 2)).to(found.dtype)
    error = (found.clamp_min(1) / truth.clamp_min(1)).log()
    error = error.clamp(-math.log(SIZE_LIMIT), math.log(SIZE_LIMIT)).view(-1, 2)
    shown = (truth.view(-1, 2) > LEAST_PIXELS).all(1)
    missed = (error[:, 0] - error[:, 1]).abs() * shown
    return missed.sum() / shown.sum().clamp_min(1)


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


def dice_binary_cross_entropy(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Soft Dice with squared sizes plus binary cross-entropy, unweighted; both (..., H, W).

    As in the fine-tuning of MedSAM: 1 - 2 sum(p y) / (sum(p^2) + sum(y^2)) of each mask, averaged.
    """
    probability, truth = logits.sigmoid(), masks.to(logits.dtype)
    shared = (probability * truth).sum((-2, -1))
    size = (probability**2).sum((-2, -1)) + (truth**2).sum((-2, -1))
    dice = 1 - (2 * shared + 1e-5) / (size + 1e-5)
    return dice.mean() + functional.binary_cross_entropy_with_logits(logits, truth)


def focal_loss(
    logits: torch.Tensor, masks: torch.Tensor, *, alpha: float = 0.25, gamma: float = 2.0
) -> torch.Tensor:
    """Focal cross-entropy (Lin 2017, arXiv:1708.02002) of each mask (..., H, W) -> (...).

    alpha weighs the pixels inside and 1 - alpha those outside; gamma discounts the sure ones.
    """
    truth = masks.to(logits.dtype)
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    right = torch.exp(-entropy)  # the probability of what is true
    weight = alpha * truth + (1 - alpha) * (1 - truth)
    return (weight * (1 - right) ** gamma * entropy).mean((-2, -1))


def mask_dice_loss(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """One minus the soft Dice of each mask (..., H, W) -> (...), one pixel added to both sums."""
    probability, truth = logits.sigmoid(), masks.to(logits.dtype)
    shared = (probability * truth).sum((-2, -1))
    size = (probability + truth).sum((-2, -1))
    return 1 - (2 * shared + 1) / (size + 1)
