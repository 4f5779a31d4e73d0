"""Augmentation of whole clips on the device: drawing chance and applying it are two functions."""

from __future__ import annotations

from medseg.augment.published import (
    NO_AUGMENTATION,
    Augmentation,
    AugmentationDraw,
    augment_masks,
    augment_pixels,
    augment_points,
    draw_for_clip,
)
from medseg.augment.simulated import (
    Draw,
    Strength,
    augment_clip,
    augment_labels,
    draw_augmentation,
)

__all__ = [
    "NO_AUGMENTATION",
    "Augmentation",
    "AugmentationDraw",
    "Draw",
    "Strength",
    "augment_clip",
    "augment_labels",
    "augment_masks",
    "augment_pixels",
    "augment_points",
    "draw_augmentation",
    "draw_for_clip",
]
