"""The frequency branch: a convolutional pyramid of fine detail, read by the encoder's blocks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from medseg.models.medivista.attention import (
    CrossAttention,
    grid_positions,
    grid_tokens,
    map_tokens,
)
from medseg.models.medivista.vit import LayerNorm2d
from medseg.models.medivista.wavelet import high_bands


def _level(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
        LayerNorm2d(after),
        nn.GELU(),
        nn.Conv2d(after, after, 3, padding=1, bias=False),
        LayerNorm2d(after),
        nn.GELU(),
    )


class FrequencyBranch(nn.Module):
    """Pyramid at 1/4, 1/8, 1/16 and 1/32 of frames' high wavelet bands.

    Input (N,3,H,W) normalised RGB, H and W divisible by 32; output four maps (N,C,H/s,W/s).
    """

    def __init__(self, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        befores = (1, *widths[:-1])
        self.levels = nn.ModuleList(map(_level, befores, widths))

    def forward(self, frames: Tensor) -> list[Tensor]:
        """Maps at 1/4, 1/8, 1/16 and 1/32."""
        x, pyramid = high_bands(frames), []
        for level in self.levels:
            x = level(x)
            pyramid.append(x)
        return pyramid


class BranchContext(nn.Module):
    """The pyramid's two coarsest maps as tokens of one width, each with its place."""

    def __init__(self, widths: tuple[int, int], inner: int) -> None:
        super().__init__()
        self.project = nn.ModuleList(nn.Linear(width, inner) for width in widths)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps (N,C,h,w) -> (N,tokens of all maps,inner)."""
        found = []
        for layer, x in zip(self.project, maps, strict=True):
            tokens = layer(map_tokens(x))
            size = (x.shape[2], x.shape[3])
            found.append(tokens + grid_positions(size, tokens.shape[-1], like=tokens))
        return torch.cat(found, 1)


class CrossBranchAttention(nn.Module):
    """What a block's tokens learn from the branch: they ask, the branch's tokens answer.

    Added to the tokens by the caller; its last layer begins at zero.
    """

    def __init__(self, width: int, inner: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.down = nn.Linear(width, inner)
        self.attention = CrossAttention(inner, inner, heads)
        self.up = nn.Linear(inner, width)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Change of tokens (N,h,w,C); context (N,m,inner)."""
        query = self.down(self.norm(x))
        size = (x.shape[1], x.shape[2])
        asked = grid_tokens(query) + grid_positions(size, query.shape[-1], like=query)
        return self.up(self.attention(asked, context, context)).view(x.shape)
