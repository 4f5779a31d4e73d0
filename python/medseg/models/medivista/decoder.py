"""The decoder: class tokens and features attend to each other, then features grow to full size.

After SAM's mask decoder (Kirillov 2023, arXiv:2304.02643), without prompts and with the fine maps
of the frequency branch and of the first block added on the way up.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from medseg.models.medivista.attention import CrossAttention, grid_positions, map_tokens
from medseg.models.medivista.vit import LayerNorm2d

LEAST_CHANNELS = 8  # of the features that grow to full size


class TwoWayBlock(nn.Module):
    """Tokens among themselves, tokens to the picture, a perceptron, the picture to the tokens."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        inner = width // 2  # as SAM's: attention across is at half the width
        self.among = CrossAttention(width, width, heads)
        self.to_picture = CrossAttention(width, inner, heads)
        self.perceptron = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.from_picture = CrossAttention(width, inner, heads)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))

    def forward(self, tokens: Tensor, picture: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (N,k,D), picture (N,hw,D) and its positions (1,hw,D) -> tokens, picture."""
        tokens = self.norms[0](tokens + self.among(tokens, tokens, tokens))
        tokens = self.norms[1](tokens + self.to_picture(tokens, picture + place, picture))
        tokens = self.norms[2](tokens + self.perceptron(tokens))
        return tokens, self.norms[3](picture + self.from_picture(picture + place, tokens, tokens))


def _doubled(before: int, after: int, *, bare: bool = False) -> nn.Sequential:
    rise = nn.ConvTranspose2d(before, after, 2, stride=2)
    return (
        nn.Sequential(rise, nn.GELU())
        if bare
        else nn.Sequential(rise, LayerNorm2d(after), nn.GELU())
    )


class Decoder(nn.Module):
    """One logit map for each class, at the pictures' own size.

    Args:
        classes: background included.
        width: of the encoder's neck.
        heads: of its attention.
        early: width of the first block's tokens.
        fine: widths of the branch's maps at 1/4 and 1/8.
    """

    def __init__(
        self, classes: int, *, width: int, heads: int, early: int, fine: tuple[int, int]
    ) -> None:
        super().__init__()
        self.tokens = nn.Parameter(torch.randn(classes, width) * 0.02)
        self.blocks = nn.ModuleList(TwoWayBlock(width, heads) for _ in range(2))
        self.last = CrossAttention(width, width // 2, heads)
        self.last_norm = nn.LayerNorm(width)
        steps = [max(width >> k, LEAST_CHANNELS) for k in (2, 3, 4, 5)]
        self.early = nn.Conv2d(early, width, 1)
        self.skip8 = nn.Conv2d(fine[1], steps[0], 1)
        self.skip4 = nn.Conv2d(fine[0], steps[1], 1)
        self.to8 = _doubled(width, steps[0])
        self.to4 = _doubled(steps[0], steps[1])
        self.to2 = _doubled(steps[1], steps[2])
        self.to1 = _doubled(steps[2], steps[3], bare=True)
        self.mixtures = nn.ModuleList(
            nn.Sequential(
                nn.Linear(width, width),
                nn.ReLU(),
                nn.Linear(width, width),
                nn.ReLU(),
                nn.Linear(width, steps[3]),
            )
            for _ in range(classes)
        )

    def forward(self, embedding: Tensor, early: Tensor, pyramid: list[Tensor]) -> Tensor:
        """Embedding (N,D,h,w), first block's tokens (N,C,h,w), pyramid -> (N,K,16h,16w)."""
        n, width, h, w = embedding.shape
        picture = map_tokens(embedding)  # (N,h*w,D)
        place = grid_positions((h, w), width, like=picture)
        tokens = self.tokens.expand(n, -1, -1)
        for block in self.blocks:
            tokens, picture = block(tokens, picture, place)
        tokens = self.last_norm(tokens + self.last(tokens, picture + place, picture))
        x = picture.transpose(1, 2).reshape(n, width, h, w) + self.early(early)
        x = self.to8(x) + self.skip8(pyramid[1])
        x = self.to4(x) + self.skip4(pyramid[0])
        x = self.to1(self.to2(x))  # (N,c,16h,16w)
        weights = [mix(tokens[:, k]) for k, mix in enumerate(self.mixtures)]
        return torch.einsum("nkc,nchw->nkhw", torch.stack(weights, 1), x)


def padded_to(pictures: Tensor, step: int) -> Tensor:
    """Pictures (N,C,H,W) with their last row and column repeated until both sides divide by `step`.

    Repeated, since an edge where the picture ends would be the strongest detail in it.
    """
    height, width = pictures.shape[-2:]
    return functional.pad(pictures, (0, -width % step, 0, -height % step), mode="replicate")
