"""The U-Net of the masks-against-landmarks study (Tec-AI-23, EchoNetDynamic), by its own keys."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class StudyUNetShape:
    """Everything that fixes the architecture; the study's values by default."""

    channels: int = 1  # of logits: 1 mask, or 7 landmarks
    widths: tuple[int, ...] = (64, 128, 256, 512)  # and twice the last one at the bottom


class DoubleConvolution(nn.Module):
    """Twice convolution, batch normalisation and ReLU; keys ``conv.0`` to ``conv.4``."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(before, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B,before,H,W) -> (B,after,H,W)."""
        return self.conv(x)


class StudyUNet(nn.Module):
    """U-Net (Ronneberger 2015, arXiv:1505.04597) with transposed convolutions upwards.

    Input (B,3,H,W) normalised RGB; output logits (B,channels,H,W). 31,037,633 parameters with one
    channel. Keys ``downs``, ``bottleneck``, ``ups`` (up-sampling and block by turns), and
    ``final_conv``. Sides that are not divisible by 16 are met by bilinear resizing on the way up.
    """

    def __init__(self, shape: StudyUNetShape) -> None:
        super().__init__()
        self.shape = shape
        widths = shape.widths
        befores = (3, *widths[:-1])
        self.downs = nn.ModuleList(
            DoubleConvolution(a, b) for a, b in zip(befores, widths, strict=True)
        )
        self.bottleneck = DoubleConvolution(widths[-1], 2 * widths[-1])
        self.ups = nn.ModuleList()
        for width in reversed(widths):
            self.ups.append(nn.ConvTranspose2d(2 * width, width, 2, stride=2))
            self.ups.append(DoubleConvolution(2 * width, width))
        self.final_conv = nn.Conv2d(widths[0], shape.channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B,channels,H,W) for normalised frames (B,3,H,W)."""
        skips = []
        for block in self.downs:
            skips.append(block(x))
            x = functional.max_pool2d(skips[-1], 2)
        x = self.bottleneck(x)
        for rise, block in zip(self.ups[::2], self.ups[1::2], strict=True):
            skip = skips.pop()
            x = rise(x)
            if x.shape[-2:] != skip.shape[-2:]:
                x = functional.interpolate(x, size=skip.shape[-2:], mode="bilinear", antialias=True)
            x = block(torch.cat([skip, x], 1))
        return self.final_conv(x)
