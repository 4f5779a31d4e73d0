"""A small U-Net over neighbouring frames: the network behind the default model."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval


@dataclass(frozen=True)
class UNetShape:
    """Everything that fixes the architecture; it travels inside the weights file."""

    frames: int = 3  # the middle one is outlined
    classes: int = 5
    fold: int = 2  # blocks of fold x fold pixels enter as channels and leave as pixels
    widths: tuple[int, ...] = (32, 64, 128, 192)


def _block(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
        nn.Conv2d(after, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    """U-Net (Ronneberger 2015, arXiv:1505.04597) with nearest-neighbour up-sampling.

    Pixels are folded into channels on entry and unfolded on exit (Shi 2016, arXiv:1609.05158): at
    full size the convolutions cost most and see least. Input (B, frames, H, W) standardised grey,
    H and W divisible by fold * 2**(levels-1); output logits (B, classes, H, W), class 0 background.
    """

    def __init__(self, shape: UNetShape) -> None:
        super().__init__()
        self.shape = shape
        widths = shape.widths
        self.down = nn.ModuleList(
            _block(a, b)
            for a, b in zip((shape.frames * shape.fold**2, *widths), widths, strict=False)
        )
        self.up = nn.ModuleList(_block(a + b, a) for a, b in pairwise(widths))
        self.head = nn.Conv2d(widths[0], shape.classes * shape.fold**2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (B, classes, H, W) for standardised frames (B, frames, H, W)."""
        x = functional.pixel_unshuffle(x, self.shape.fold)
        skips = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else functional.max_pool2d(x, 2))
            skips.append(x)
        x = skips.pop()
        for block in reversed(self.up):
            skip = skips.pop()
            x = functional.interpolate(x, size=skip.shape[-2:], mode="nearest")
            x = block(torch.cat([skip, x], 1))
        return functional.pixel_shuffle(self.head(x), self.shape.fold)


def fused(network: UNet) -> UNet:
    """The same network for inference, each normalisation folded into the convolution before it."""
    network.eval()
    for block in [*network.down, *network.up]:
        for i in (0, 3):
            block[i] = fuse_conv_bn_eval(block[i], block[i + 1])
            block[i + 1] = nn.Identity()
    return network
