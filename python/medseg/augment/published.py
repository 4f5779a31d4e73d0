"""The published systems' augmentation of colour clips: one draw a clip, the same for its masks."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import cos, radians, sin
from typing import NamedTuple

import numpy as np
import torch
from kornia.enhance import (
    adjust_brightness_accumulative,
    adjust_contrast_with_mean_subtraction,
    adjust_hue,
    adjust_saturation,
    equalize_clahe,
)
from kornia.geometry.transform import warp_affine
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
CLAHE_TILES = (8, 8)


def _of(default: float, about: str) -> float:
    value: float = field(default=default, metadata={"about": about})
    return value


@dataclass(frozen=True)
class Augmentation:
    """How far each change may go; no change by default."""

    colour_jitter: float = _of(
        0.0, "brightness, contrast, saturation and hue change by up to this share"
    )
    colour_jitter_probability: float = _of(0.5, "")
    clahe_probability: float = _of(0.0, "of equalising contrast by tiles")
    clahe_clip_limit: float = _of(4.0, "drawn from 1 to this")
    rotation_deg: float = _of(0.0, "up to so much to either side")
    crop_px: int = field(
        default=0,
        metadata={"about": "pad by so much and crop at a random place: 6 makes 124 out of 112"},
    )


NO_AUGMENTATION = Augmentation()


class AugmentationDraw(NamedTuple):
    """One clip's draw; stacked, a batch's, every tensor's first axis then being B."""

    matrix: Tensor  # (2,3) from a pixel's (x,y) before to its place after
    colour: Tensor  # (4,) factors of brightness, contrast, saturation; shift of hue in turns
    coloured: Tensor  # () bool: whether the colours change
    clahe: Tensor  # () clip limit; 0 is none


def draw_for_clip(
    rng: np.random.Generator, augmentation: Augmentation, size: int
) -> AugmentationDraw:
    """Draw one clip's augmentation, for squares of `size` pixels; always the same count of draws.

    Shifts are whole pixels, so that without a rotation no pixel is interpolated.
    """
    angle = radians(augmentation.rotation_deg) * rng.uniform(-1, 1)
    shift = rng.integers(-augmentation.crop_px, augmentation.crop_px + 1, size=2)
    spread = augmentation.colour_jitter
    factors = 1 + spread * rng.uniform(-1, 1, 3)
    hue = spread * rng.uniform(-1, 1)
    coloured = spread > 0 and rng.random() < augmentation.colour_jitter_probability
    limit = rng.uniform(1, max(augmentation.clahe_clip_limit, 1))
    equalised = rng.random() < augmentation.clahe_probability
    middle = (size - 1) / 2
    turn = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
    offset = middle - turn @ np.full(2, middle) + shift
    return AugmentationDraw(
        matrix=torch.from_numpy(np.concatenate([turn, offset[:, None]], 1)).float(),
        colour=torch.tensor([*factors, hue], dtype=torch.float32),
        coloured=torch.tensor(bool(coloured)),
        clahe=torch.tensor(limit if equalised else 0.0, dtype=torch.float32),
    )


def augment_pixels(
    pixels: Tensor, draw: AugmentationDraw, *, fill: tuple[float, ...] = (0.0, 0.0, 0.0)
) -> Tensor:
    """Change and move clips (B,T,3,H,W) in 0..255: all frames of a clip alike.

    `fill` is the colour, in 0..255, of what comes in from beyond the edge.
    """
    if draw.coloured.any():
        pixels = torch.where(
            draw.coloured.view(-1, 1, 1, 1, 1), _recoloured(pixels, draw.colour), pixels
        )
    if (draw.clahe > 0).any():
        pixels = torch.stack(
            [_equalised(clip, float(limit)) for clip, limit in zip(pixels, draw.clahe, strict=True)]
        )
    if _stands_still(draw.matrix):
        return pixels
    behind = pixels.new_tensor(fill).view(3, 1, 1)
    return _moved(pixels - behind, draw.matrix, "bilinear") + behind


def augment_masks(masks: Tensor, draw: AugmentationDraw) -> Tensor:
    """Move masks (B,M,H,W), 0 or 1, as their clips are moved; what they become is 0 or 1."""
    if _stands_still(draw.matrix):
        return masks
    moved = _moved(masks.float()[:, :, None], draw.matrix, "bilinear")[:, :, 0]
    return (moved > 0.5).to(masks.dtype)


def augment_points(points: Tensor, draw: AugmentationDraw) -> Tensor:
    """Move points (B,T,K,2) of x and y as their clips are moved."""
    turn, offset = draw.matrix[:, :, :2], draw.matrix[:, :, 2]  # (B,2,2), (B,2)
    moved = points.flatten(1, 2) @ turn.to(points).transpose(1, 2)  # (B,T*K,2)
    return (moved + offset.to(points)[:, None]).view_as(points)


def _stands_still(matrix: Tensor) -> bool:
    return bool((matrix == torch.eye(2, 3, device=matrix.device)).all())


def _moved(clips: Tensor, matrix: Tensor, mode: str) -> Tensor:
    """Warp (B,T,C,H,W) by (B,2,3), 0 coming in from beyond the edge."""
    size = (clips.shape[-2], clips.shape[-1])
    flat = warp_affine(clips.flatten(1, 2), matrix.to(clips), size, mode=mode, align_corners=True)
    return flat.unflatten(1, clips.shape[1:3])  # (B,T*C,H,W) -> (B,T,C,H,W)


def _recoloured(pixels: Tensor, factors: Tensor) -> Tensor:
    """Jitter colours, contrast about the mean of the whole clip."""
    batch, length, _, height, width = pixels.shape
    tall = pixels.transpose(1, 2).reshape(batch, 3, length * height, width) / 255
    brightness, contrast, saturation, hue = (factors[:, i].to(tall) for i in range(4))
    tall = adjust_brightness_accumulative(tall.clamp(0, 1), brightness)
    tall = adjust_contrast_with_mean_subtraction(tall, contrast)
    tall = adjust_hue(adjust_saturation(tall, saturation), hue * 2 * torch.pi)
    return tall.view(batch, 3, length, height, width).transpose(1, 2) * 255


def _equalised(clip: Tensor, limit: float) -> Tensor:
    """Equalise the luma of a clip (T,3,H,W) by tiles, frame by frame; its colour stays."""
    if limit <= 0:
        return clip
    luma = (clip * clip.new_tensor(LUMA).view(3, 1, 1)).sum(1, keepdim=True) / 255
    luma = luma.clamp(0, 1)
    equalised = equalize_clahe(luma, clip_limit=limit, grid_size=CLAHE_TILES)
    return (clip + (equalised - luma) * 255).clamp(0, 255)
