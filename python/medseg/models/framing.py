"""Between a clip's pixels and the square that a network sees."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def square_around(box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Widen a box (y0,x0,y1,x1) about its centre to a square, which may reach past the frame."""
    y0, x0, y1, x1 = box
    side = max(y1 - y0, x1 - x0)
    top, left = (y0 + y1 - side) // 2, (x0 + x1 - side) // 2
    return top, left, top + side, left + side


def cut(pictures: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    """Cut a box (y0,x0,y1,x1) out of (T,C,H,W) pictures; what lies past their edge is 0."""
    y0, x0, y1, x1 = box
    height, width = pictures.shape[-2:]
    return functional.pad(pictures, (-x0, x1 - width, -y0, y1 - height))


def resize(pictures: Tensor, side: int) -> Tensor:
    """Resize (T,C,H,W) pictures bilinearly to (T,C,side,side), smoothing where they shrink."""
    if pictures.shape[-2:] == (side, side):
        return pictures
    return functional.interpolate(
        pictures, size=(side, side), mode="bilinear", align_corners=False, antialias=True
    )
