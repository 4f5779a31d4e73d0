"""SAM 1's image encoder (Kirillov 2023, arXiv:2304.02643), in SAM's own key layout.

A plain vision transformer after ViTDet (Li 2022, arXiv:2203.16527): patches of 16, most blocks
attending within windows and a few over the whole picture, learned positions, and relative positions
by row and by column (MViTv2, arXiv:2112.01526).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

PATCH = 16  # pixels of a patch's side
EPSILON = 1e-6  # of every normalisation


@dataclass(frozen=True)
class EncoderShape:
    """Everything that fixes the encoder; SAM's ViT-B by default."""

    width: int = 768
    depth: int = 12
    heads: int = 12
    global_blocks: tuple[int, ...] = (2, 5, 8, 11)  # they attend over the whole picture
    window: int = 14  # patches of the other blocks' windows
    size: int = 1024  # pixels of the side that the position tables are for
    neck: int = 256  # channels of what comes out

    @property
    def grid(self) -> int:
        """Patches along a side of `size` pixels."""
        return self.size // PATCH


VIT_B = EncoderShape()
VIT_L = EncoderShape(width=1024, depth=24, heads=16, global_blocks=(5, 11, 17, 23))
VIT_H = EncoderShape(width=1280, depth=32, heads=16, global_blocks=(7, 15, 23, 31))


class Change(Protocol):
    """What is added to a block's queries, keys and values."""

    def __call__(self, tokens: Tensor) -> Tensor:
        """(..., width) -> (..., 3 * width)."""
        ...


class LayerNorm2d(nn.Module):
    """Normalisation over the channels of each pixel of (N,C,H,W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(N,C,H,W) -> (N,C,H,W)."""
        last = x.movedim(1, -1)
        return functional.layer_norm(
            last, last.shape[-1:], self.weight, self.bias, EPSILON
        ).movedim(-1, 1)


class PatchEmbed(nn.Module):
    """One token for each patch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH, PATCH)

    def forward(self, x: Tensor) -> Tensor:
        """(N,3,16h,16w) -> (N,h,w,C)."""
        return self.proj(x).movedim(1, -1)


class Mlp(nn.Module):
    """Two layers with a GELU between."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.lin1 = nn.Linear(width, 4 * width)
        self.lin2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(...,C) -> (...,C)."""
        return self.lin2(functional.gelu(self.lin1(x)))


def relative_rows(table: Tensor, side: int) -> Tensor:
    """A table of relative positions (2s-1,C) as one row for each pair: (side,side,C).

    Entry (i,j) belongs to a query at i and a key at j, `i - j` apart. A table for another side is
    interpolated linearly, as SAM does.
    """
    wanted = 2 * side - 1
    if len(table) != wanted:
        table = functional.interpolate(table.T[None], wanted, mode="linear")[0].T
    at = torch.arange(side, device=table.device)
    return table[at[:, None] - at[None, :] + side - 1]


class Attention(nn.Module):
    """Self-attention over a grid of tokens, with relative positions by row and by column."""

    def __init__(self, width: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.rel_pos_h = nn.Parameter(torch.zeros(2 * side - 1, width // heads))
        self.rel_pos_w = nn.Parameter(torch.zeros(2 * side - 1, width // heads))

    def forward(self, x: Tensor, change: Change | None = None) -> Tensor:
        """(N,h,w,C) -> (N,h,w,C)."""
        n, h, w, _ = x.shape
        qkv = self.qkv(x) if change is None else self.qkv(x) + change(x)
        split = qkv.view(n, h * w, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k, v = split.unbind(0)  # (N,heads,h*w,c) each
        grid = q.reshape(n, self.heads, h, w, -1)  # positions meet the query before it is scaled
        rows = torch.einsum("nahwc,hkc->nahwk", grid, relative_rows(self.rel_pos_h, h))
        columns = torch.einsum("nahwc,wkc->nahwk", grid, relative_rows(self.rel_pos_w, w))
        bias = rows[..., :, None] + columns[..., None, :]  # (N,heads,h,w,h,w)
        bias = bias.reshape(n, self.heads, h * w, h * w)
        found = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self.proj(found.transpose(1, 2).reshape(n, h, w, -1))


def to_windows(x: Tensor, window: int) -> Tensor:
    """Cut (N,h,w,C) into (N*rows*columns,window,window,C), zeros where it does not divide."""
    n, h, w, channels = x.shape
    x = functional.pad(x, (0, 0, 0, -w % window, 0, -h % window))
    rows, columns = x.shape[1] // window, x.shape[2] // window
    x = x.view(n, rows, window, columns, window, channels).transpose(2, 3)
    return x.reshape(-1, window, window, channels)


def from_windows(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Undo `to_windows` for a grid of `size` (h,w)."""
    h, w = size
    window, channels = x.shape[1], x.shape[-1]
    rows, columns = -(-h // window), -(-w // window)
    x = x.view(-1, rows, columns, window, window, channels).transpose(2, 3)
    return x.reshape(-1, rows * window, columns * window, channels)[:, :h, :w]


class Block(nn.Module):
    """Attention and a perceptron, each added to what came in."""

    def __init__(self, width: int, heads: int, side: int, window: int) -> None:
        super().__init__()
        self.window = window  # 0: the whole picture
        self.norm1 = nn.LayerNorm(width, eps=EPSILON)
        self.attn = Attention(width, heads, window or side)
        self.norm2 = nn.LayerNorm(width, eps=EPSILON)
        self.mlp = Mlp(width)

    def forward(self, x: Tensor, change: Change | None = None) -> Tensor:
        """(N,h,w,C) -> (N,h,w,C)."""
        y = self.norm1(x)
        if self.window:
            y = self.attn(to_windows(y, self.window), change)
            y = from_windows(y, (x.shape[1], x.shape[2]))
        else:
            y = self.attn(y, change)
        x = x + y
        return x + self.mlp(self.norm2(x))


class ImageEncoder(nn.Module):
    """SAM's encoder: pictures to a map of features at a sixteenth of their size.

    Input (N,3,H,W) normalised RGB, H and W divisible by 16; output (N,neck,H/16,W/16).
    ViT-B has 89,670,912 parameters, ViT-L 308,278,272, ViT-H 637,026,048.
    """

    def __init__(self, shape: EncoderShape) -> None:
        super().__init__()
        self.shape = shape
        self.patch_embed = PatchEmbed(shape.width)
        self.pos_embed = nn.Parameter(torch.zeros(1, shape.grid, shape.grid, shape.width))
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        self.blocks = nn.ModuleList(
            Block(
                shape.width,
                shape.heads,
                shape.grid,
                0 if index in shape.global_blocks else shape.window,
            )
            for index in range(shape.depth)
        )
        self.neck = nn.Sequential(
            nn.Conv2d(shape.width, shape.neck, 1, bias=False),
            LayerNorm2d(shape.neck),
            nn.Conv2d(shape.neck, shape.neck, 3, padding=1, bias=False),
            LayerNorm2d(shape.neck),
        )

    def embed(self, pictures: Tensor) -> Tensor:
        """Tokens (N,h,w,C) with their positions; (N,3,16h,16w) in."""
        height, width = pictures.shape[-2:]
        if height % PATCH or width % PATCH:
            raise ValueError(
                f"pictures of (rows, columns) {(height, width)} are not whole patches; "
                f"give sides divisible by {PATCH}"
            )
        tokens = self.patch_embed(pictures)
        return tokens + resized_positions(self.pos_embed, tokens.shape[1:3])

    def forward(self, pictures: Tensor) -> Tensor:
        """(N,3,16h,16w) -> (N,neck,h,w)."""
        tokens = self.embed(pictures)
        for block in self.blocks:
            tokens = block(tokens)
        return self.neck(tokens.movedim(-1, 1))


def resized_positions(positions: Tensor, size: tuple[int, ...]) -> Tensor:
    """Positions (1,g,g,C) for another grid (h,w), interpolated bilinearly: (1,h,w,C)."""
    if positions.shape[1:3] == tuple(size):
        return positions
    channels_first = positions.movedim(-1, 1)
    resized = functional.interpolate(
        channels_first, size=tuple(size), mode="bilinear", align_corners=False
    )
    return resized.movedim(1, -1)
