"""UniFormer, an image encoder of convolutional blocks and then attention, by its published keys."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class UniFormerShape:
    """Widths and depths of the four stages; UniFormer-S by default (Li 2022, arXiv:2201.04676)."""

    widths: tuple[int, int, int, int] = (64, 128, 320, 512)
    depths: tuple[int, int, int, int] = (3, 4, 8, 3)
    head_width: int = 64
    classes: int = 1000  # of a classifying layer that segmentation leaves unused


class _Patches(nn.Module):
    """Patches to features, normalised over the channels; keys ``norm`` and ``proj``."""

    def __init__(self, before: int, after: int, side: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(after)
        self.proj = nn.Conv2d(before, after, side, stride=side)

    def forward(self, x: Tensor) -> Tensor:
        x = self.proj(x).permute(0, 2, 3, 1)  # (B,C,h,w) -> (B,h,w,C)
        return self.norm(x).permute(0, 3, 1, 2).contiguous()


class _Mlp(nn.Module):
    """Two layers, four times as wide between; keys ``fc1`` and ``fc2``."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.fc1, self.fc2 = first, second

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(functional.gelu(self.fc1(x)))


class _ConvolutionBlock(nn.Module):
    """Local mixing by a 5x5 convolution of each channel, in place of attention."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.pos_embed = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv1 = nn.Conv2d(width, width, 1)
        self.conv2 = nn.Conv2d(width, width, 1)
        self.attn = nn.Conv2d(width, width, 5, padding=2, groups=width)
        self.norm2 = nn.BatchNorm2d(width)
        self.mlp = _Mlp(nn.Conv2d(width, 4 * width, 1), nn.Conv2d(4 * width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.pos_embed(x)
        x = x + self.conv2(self.attn(self.conv1(self.norm1(x))))
        return x + self.mlp(self.norm2(x))


class _Attention(nn.Module):
    """Self-attention over all positions; keys ``qkv`` and ``proj``."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, positions, width = x.shape
        split = self.qkv(x).view(batch, positions, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # (B,N,3,h,c) -> 3 of (B,h,N,c)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.proj(mixed.transpose(1, 2).flatten(2))  # (B,h,N,c) -> (B,N,C)


class _AttentionBlock(nn.Module):
    """Attention between all positions of the picture."""

    def __init__(self, width: int, head_width: int) -> None:
        super().__init__()
        self.pos_embed = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = _Attention(width, width // head_width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = _Mlp(nn.Linear(width, 4 * width), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.pos_embed(x)
        height, width = x.shape[-2:]
        x = x.flatten(2).transpose(1, 2)  # (B,C,h,w) -> (B,h*w,C)
        x = x + self.attn(self.norm1(x))
        x = x + self.mlp(self.norm2(x))
        return x.transpose(1, 2).unflatten(2, (height, width))


class UniFormer(nn.Module):
    """Features of a picture (B,3,H,W) at a quarter, an eighth, a 16th and a 32nd of its size.

    Keys ``patch_embed1`` to ``4``, ``blocks1`` to ``4``, ``norm``, ``head``.
    """

    def __init__(self, shape: UniFormerShape) -> None:
        super().__init__()
        self.channels = shape.widths
        befores = (3, *shape.widths[:-1])
        for stage, (before, width, depth) in enumerate(
            zip(befores, shape.widths, shape.depths, strict=True), start=1
        ):
            patches = _Patches(before, width, 4 if stage == 1 else 2)
            self.add_module(f"patch_embed{stage}", patches)
            blocks = nn.ModuleList(
                _ConvolutionBlock(width) if stage <= 2 else _AttentionBlock(width, shape.head_width)
                for _ in range(depth)
            )
            self.add_module(f"blocks{stage}", blocks)
        self.norm = nn.BatchNorm2d(shape.widths[-1])
        self.head = nn.Linear(shape.widths[-1], shape.classes) if shape.classes else nn.Identity()
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features from the finest to the coarsest."""
        features = []
        for stage in range(1, 5):
            x = self.get_submodule(f"patch_embed{stage}")(x)
            for block in self.get_submodule(f"blocks{stage}").children():
                x = block(x)
            features.append(x)
        features[-1] = self.norm(features[-1])
        return features
