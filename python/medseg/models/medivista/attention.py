"""Attention of one set of tokens to another, in several heads, scaled by 1/sqrt(head width)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

FINEST = 64.0  # half waves of the finest position code, enough for SAM's 64 cells a side


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
    """Softmax(q k^T / sqrt(C / heads)) v in each head: (N,n,C), (N,m,C), (N,m,C) -> (N,n,C)."""
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    found = functional.scaled_dot_product_attention(q, k, v)  # (N,heads,n,c)
    return found.transpose(1, 2).flatten(2)


def grid_tokens(x: Tensor) -> Tensor:
    """(N,h,w,C) -> (N,h*w,C), row by row."""
    return x.flatten(1, 2)


def map_tokens(x: Tensor) -> Tensor:
    """(N,C,h,w) -> (N,h*w,C), row by row."""
    return x.flatten(2).transpose(1, 2)


def grid_positions(size: tuple[int, int], width: int, *, like: Tensor) -> Tensor:
    """Fixed sines and cosines of each cell's place, 0..1 by row and column: (1,h*w,width).

    Places are shares of the picture, so that grids of several sizes agree on where a thing is.
    """
    count = width // 4
    steps = torch.arange(count, device=like.device) / max(count - 1, 1)
    frequencies = math.pi * FINEST**steps  # half a wave over the picture to FINEST of them
    rows, columns = (
        ((torch.arange(side, device=like.device) + 0.5) / side)[:, None] * frequencies
        for side in size
    )
    h, w = size
    rows, columns = rows[:, None].expand(h, w, -1), columns[None].expand(h, w, -1)
    waves = torch.cat([rows.sin(), rows.cos(), columns.sin(), columns.cos()], -1)
    full = functional.pad(waves, (0, width - waves.shape[-1]))
    return full.reshape(1, h * w, width).to(like.dtype)


class CrossAttention(nn.Module):
    """Learned projections around `attend`."""

    def __init__(self, width: int, inner: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, inner)
        self.k = nn.Linear(width, inner)
        self.v = nn.Linear(width, inner)
        self.out = nn.Linear(inner, width)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """(N,n,C), (N,m,C), (N,m,C) -> (N,n,C)."""
        return self.out(attend(self.q(query), self.k(key), self.v(value), self.heads))
