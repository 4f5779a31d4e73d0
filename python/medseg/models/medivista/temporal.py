"""The temporal adapter: each frame attends to keys and values fused over the frames around it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from medseg.models.medivista.attention import attend, grid_tokens


def temporal_kernel(time: Tensor, decay: float) -> Tensor:
    """Weights of every frame for every frame: exp(-|t - tau| / decay), rows summing to 1.

    Args:
        time: (B,T) of the frames, in any unit.
        decay: in the same unit; within it a weight falls to 1/e.

    Returns:
        (B,T,T), row t for frame t.
    """
    gap = (time[:, :, None] - time[:, None, :]).abs()
    return torch.softmax(-gap / decay, dim=-1)


def fuse_over_time(tokens: Tensor, kernel: Tensor) -> Tensor:
    """Weighted means over the frames: (B,T,n,C) by (B,T,T) -> (B,T,n,C)."""
    return torch.einsum("bts,bsnc->btnc", kernel, tokens)


class TemporalAdapter(nn.Module):
    """Softmax(Q K^T / sqrt(d)) V of one frame's queries with keys and values fused over time.

    It works at a fraction of the encoder's width. What it gives is added to the tokens; its last
    layer begins at zero, so that an untrained adapter leaves the encoder as it was.
    """

    def __init__(self, width: int, inner: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.down = nn.Linear(width, inner)
        self.q = nn.Linear(inner, inner)
        self.k = nn.Linear(inner, inner)
        self.v = nn.Linear(inner, inner)
        self.up = nn.Linear(inner, width)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor, kernel: Tensor) -> Tensor:
        """Change of tokens (B*T,h,w,C), the frames of a clip side by side; kernel (B,T,T)."""
        clips, frames = kernel.shape[:2]
        y = grid_tokens(self.down(self.norm(x)))  # (B*T,h*w,inner)
        k, v = (
            fuse_over_time(turn(y).unflatten(0, (clips, frames)), kernel).flatten(0, 1)
            for turn in (self.k, self.v)
        )
        return self.up(attend(self.q(y), k, v, self.heads)).view(x.shape)
