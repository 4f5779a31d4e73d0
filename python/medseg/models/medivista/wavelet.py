"""The fine detail of a picture: the high bands of Haar's wavelet, merged and scaled."""

from __future__ import annotations

import torch
from torch import Tensor


def haar_bands(pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One level of the orthonormal Haar transform of (...,2h,2w): LL, LH, HL, HH of (...,h,w).

    The first letter is the filter along the rows' direction (x), the second along the columns'
    (y): HL answers to vertical edges, LH to horizontal ones. Haar 1910; as Mallat 1989 lays it out.
    """
    a, b = pictures[..., 0::2, 0::2], pictures[..., 0::2, 1::2]
    c, d = pictures[..., 1::2, 0::2], pictures[..., 1::2, 1::2]
    return (
        (a + b + c + d) / 2,
        (a + b - c - d) / 2,
        (a - b + c - d) / 2,
        (a - b - c + d) / 2,
    )


def high_bands(frames: Tensor) -> Tensor:
    """HH + HL + LH of each frame's grey, scaled to 0..1 by its least and greatest value.

    (N,3,2h,2w) -> (N,1,h,w). A frame without any detail gives 0 everywhere.
    """
    _, lh, hl, hh = haar_bands(frames.mean(1, keepdim=True))
    merged = hh + hl + lh
    least = merged.amin((2, 3), keepdim=True)
    spread = merged.amax((2, 3), keepdim=True) - least
    flat = spread <= torch.finfo(merged.dtype).eps * merged.abs().amax().clamp_min(1.0)
    return torch.where(flat, 0.0, (merged - least) / spread.masked_fill(flat, 1.0))
