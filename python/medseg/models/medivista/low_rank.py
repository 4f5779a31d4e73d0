"""Low-rank changes of the frozen blocks' queries and values, with factors that all blocks share.

FacT's tensor-train form (Jie and Deng 2023, arXiv:2212.03145): the change of block l's matrix is
V S_l U, with U and V common to all blocks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from medseg.models.medivista.vit import Change


class LowRankFactors(nn.Module):
    """Changes of every block's queries and values; zero before training."""

    def __init__(self, width: int, rank: int, depth: int) -> None:
        super().__init__()
        self.down = nn.Linear(width, rank, bias=False)
        self.cores = nn.Parameter(torch.randn(depth, 2, rank, rank) / rank**0.5)
        self.up = nn.Linear(rank, width, bias=False)
        nn.init.zeros_(self.up.weight)

    def of_block(self, index: int) -> Change:
        """The change of one block, a function of its tokens: (...,C) -> (...,3C)."""

        def change(tokens: Tensor) -> Tensor:
            small = self.down(tokens)
            q, v = (self.up(small @ core) for core in self.cores[index])
            return torch.cat([q, torch.zeros_like(q), v], -1)

        return change
