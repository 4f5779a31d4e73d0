"""Augmentation of simulated bursts, for the default model: one draw for a clip and its labels."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import torch
from kornia.enhance import adjust_gamma
from kornia.filters import gaussian_blur2d
from kornia.geometry.transform import get_affine_matrix2d, remap
from torch.nn import functional


@dataclass(frozen=True)
class Strength:
    """How far each change may go, as half ranges around no change."""

    rotation_deg: float = 30.0
    zoom: float = 0.25
    shift: float = 0.08  # share of the picture
    shear_deg: float = 10.0
    squeeze: float = 0.15  # change of aspect
    elastic: float = 0.03  # share of the picture
    flip: float = 0.5  # probability
    log_gamma: float = 0.7
    gain: float = 0.4
    offset: float = 0.12
    blur_pixels: float = 1.6
    noise: float = 0.1
    dropout: float = 0.5  # probability of each of two dark patches
    marks: float = 0.3  # probability of bright marks (text, rulers, an ECG trace)
    texture: float = 0.3  # SD of the taps of two random 3 x 3 filters


@dataclass(frozen=True)
class Draw:
    """One draw for a batch of B clips: every tensor's first axis is B."""

    matrix: torch.Tensor  # (B, 3, 3) from output to input pixels
    bend: torch.Tensor  # (B, 2, 4, 4) shares of the picture
    gamma: torch.Tensor
    gain: torch.Tensor
    offset: torch.Tensor
    blur: torch.Tensor
    noise: torch.Tensor
    noise_seed: int
    dark: torch.Tensor  # (B, 2, 4) centre x, centre y, radius, loss; loss 0 is none
    mark: torch.Tensor  # (B, 3, 5) x0, y0, x1, y1 shares, brightness; 0 is none
    filters: torch.Tensor  # (B, 2, 3, 3), the sum of each is 1


def draw_augmentation(
    generator: torch.Generator, batch: int, size: int, *, strength: Strength
) -> Draw:
    """Draw one augmentation per clip for square pictures of `size` pixels.

    Each clip gets a share of the strength for all its changes but the mirroring, none in a third of
    them and else uniform in 0-1: a batch holds clean clips, from which exact edges are learnt,
    beside badly spoilt ones.
    """
    share = (torch.rand(batch, generator=generator) * 1.5 - 0.5).clamp(min=0)

    def along(shape: tuple[int, ...]) -> torch.Tensor:
        return share.view(batch, *(1 for _ in shape))

    def spread(half: float, *shape: int) -> torch.Tensor:
        return (torch.rand(batch, *shape, generator=generator) * 2 - 1) * half * along(shape)

    def chance(p: float, *shape: int) -> torch.Tensor:
        return (torch.rand(batch, *shape, generator=generator) < p * along(shape)).float()

    centre = torch.full((batch, 2), (size - 1) / 2)
    zoom = torch.exp(spread(strength.zoom))
    squeeze = torch.exp(spread(strength.squeeze))
    scale = torch.stack([zoom * squeeze, zoom / squeeze], 1)
    matrix = get_affine_matrix2d(
        translations=spread(strength.shift * size, 2),
        center=centre,
        scale=scale,
        angle=spread(strength.rotation_deg),
        sx=spread(strength.shear_deg) * pi / 180,
        sy=torch.zeros(batch),
    )
    flip = torch.eye(3).repeat(batch, 1, 1)
    mirrored = torch.rand(batch, generator=generator) < strength.flip
    flip[mirrored, 0, 0] = -1.0
    flip[mirrored, 0, 2] = size - 1.0
    dark = torch.cat(
        [
            torch.rand(batch, 2, 2, generator=generator),
            0.08 + 0.22 * torch.rand(batch, 2, 1, generator=generator),
            (chance(strength.dropout, 2) * torch.rand(batch, 2, generator=generator))[..., None],
        ],
        -1,
    )
    corner = torch.rand(batch, 3, 2, generator=generator)
    extent = torch.rand(batch, 3, 2, generator=generator) * torch.tensor([0.25, 0.04]) + 0.01
    bright = chance(strength.marks, 3) * (0.4 + 0.6 * torch.rand(batch, 3, generator=generator))
    taps = torch.randn(batch, 2, 3, 3, generator=generator) * strength.texture
    taps = (taps - taps.mean((2, 3), keepdim=True)) * along((2, 3, 3))
    taps[:, :, 1, 1] += 1
    return Draw(
        matrix=torch.linalg.inv(matrix @ flip),
        bend=spread(strength.elastic, 2, 4, 4),
        gamma=torch.exp(spread(strength.log_gamma)),
        gain=1 + spread(strength.gain),
        offset=spread(strength.offset),
        blur=torch.rand(batch, generator=generator) ** 2 * strength.blur_pixels * share,
        noise=torch.rand(batch, generator=generator) ** 2 * strength.noise * share,
        noise_seed=int(torch.randint(2**31, (1,), generator=generator)),
        dark=dark,
        mark=torch.cat([corner, corner + extent, bright[..., None]], -1),
        filters=taps,
    )


def _warp(pictures: torch.Tensor, draw: Draw, mode: str) -> torch.Tensor:
    """Move pictures (B, C, H, W): the affine part and the bending in one resampling."""
    height, width = pictures.shape[-2:]
    bend = functional.interpolate(draw.bend, (height, width), mode="bicubic", align_corners=True)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    grid = torch.stack([x, y, torch.ones_like(x)]).flatten(1).float()  # (3, H*W)
    moved = (draw.matrix.float() @ grid)[:, :2].unflatten(-1, (height, width))  # (B, 2, H, W)
    moved = moved + bend * width
    return remap(pictures, moved[:, 0], moved[:, 1], mode=mode, align_corners=True)


def augment_labels(labels: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Move labels (B, H, W), integers, by nearest neighbour: they stay the same integers."""
    return _warp(labels[:, None].float(), draw, "nearest")[:, 0].to(labels.dtype)


def _retexture(clip: torch.Tensor, filters: torch.Tensor, lit: torch.Tensor) -> torch.Tensor:
    """Give each clip (B, T, H, W) a texture of its own: random filters, the second one wider.

    Grain changes its shape and contrast, the grey of larger parts does not. After the random
    convolutions of C. Ouyang et al., "Causality-inspired single-source domain generalization for
    medical image segmentation", IEEE TMI 42:1095, 2023.
    """
    frames = clip.transpose(0, 1)  # (T, B, H, W): one group of channels for each clip
    for i, apart in enumerate((1, 2)):
        padded = functional.pad(frames, (apart, apart, apart, apart), mode="replicate")
        frames = functional.conv2d(
            padded, filters[:, i, None], dilation=apart, groups=len(filters)
        ).clamp(0, 1)
    return torch.where(lit > 0, frames.transpose(0, 1), clip)


def augment_clip(clip: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Move and change clips (B, T, H, W) in 0-1: all frames alike, but fresh noise in each."""
    batch, _, height, width = clip.shape
    clip = _warp(clip, draw, "bilinear").clamp(0, 1)
    column = (batch, 1, 1, 1)
    lit = (clip > 0.004).float()
    clip = _retexture(clip, draw.filters, lit)
    clip = adjust_gamma(clip, draw.gamma)
    clip = (clip * draw.gain.view(column)).addcmul_(draw.offset.view(column), lit)
    y = torch.linspace(0, 1, height)[:, None]
    x = torch.linspace(0, 1, width)[None, :]
    for i, spot in draw.dark[..., 3].nonzero().tolist():
        cx, cy, radius, loss = draw.dark[i, spot]
        clip[i] *= 1 - torch.exp(-((x - cx) ** 2 + (y - cy) ** 2) / radius**2) * loss
    generator = torch.Generator().manual_seed(draw.noise_seed)
    grain = torch.randn(clip.shape, generator=generator) * draw.noise.view(column)
    clip = clip.addcmul(clip, grain, value=2).addcmul_(grain.flip(-1), lit, value=0.5)
    for i, mark in draw.mark[..., 4].nonzero().tolist():
        x0, y0, x1, y1, bright = draw.mark[i, mark]
        box = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
        clip[i] = torch.where(box, bright, clip[i])
    sigma = draw.blur.clamp(min=0.05)[:, None].repeat(1, 2)
    return gaussian_blur2d(clip.clamp_(0, 1), (7, 7), sigma)
