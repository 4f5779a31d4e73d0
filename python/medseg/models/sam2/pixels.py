"""Between pictures of any size and the normalised square that SAM 2 sees."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from medseg.errors import InputError

# Of ImageNet, in 0..1, as SAM 2 was trained with.
MEAN = (0.485, 0.456, 0.406)
STANDARD_DEVIATION = (0.229, 0.224, 0.225)


def rgb(pictures: np.ndarray, *, where: str) -> np.ndarray:
    """Give uint8 pictures (T,H,W) or (T,H,W,3) as (T,H,W,3).

    Raises:
        InputError: another type or shape, or no pixels.
    """
    pictures = np.asarray(pictures)
    if pictures.dtype != np.uint8:
        raise InputError(f"{where}: pixels are {pictures.dtype}, not uint8: scale them to 0..255")
    if pictures.ndim == 3:
        pictures = np.broadcast_to(pictures[..., None], (*pictures.shape, 3))
    if pictures.ndim != 4 or pictures.shape[3] != 3 or 0 in pictures.shape:
        raise InputError(f"{where}: pixels have shape {pictures.shape[1:]}, not (height, width, 3)")
    return pictures


def squares_of_video(frames: np.ndarray, side: int) -> Tensor:
    """Shrink frames (T,H,W,3) uint8 to (T,3,side,side) uint8, as the package shrinks video.

    Bicubic with antialiasing, as Pillow does it, to within one grey level.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)  # (T,3,H,W)
    if pixels.shape[-2:] == (side, side):
        return pixels
    return functional.interpolate(
        pixels, size=(side, side), mode="bicubic", align_corners=False, antialias=True
    )


def square_of_image(image: np.ndarray, side: int) -> Tensor:
    """Shrink one image (H,W,3) uint8 as the package does, bilinearly, to (1,3,side,side)."""
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()
    if pixels.shape[-2:] == (side, side):
        return pixels
    return functional.interpolate(
        pixels, size=(side, side), mode="bilinear", align_corners=False, antialias=True
    )


def normalise(squares: Tensor, device: torch.device) -> Tensor:
    """Give (T,3,S,S) of 0..255 as float32 with ImageNet's mean and standard deviation taken out."""
    mean = torch.tensor(MEAN, device=device).view(3, 1, 1)
    deviation = torch.tensor(STANDARD_DEVIATION, device=device).view(3, 1, 1)
    return (squares.to(device).float() / 255 - mean) / deviation


def enlarge(logits: Tensor, height: int, width: int) -> Tensor:
    """Bring logits (N,h,w) to a picture's own size (N,height,width), bilinearly."""
    return functional.interpolate(
        logits[:, None].float(), size=(height, width), mode="bilinear", align_corners=False
    )[:, 0]
