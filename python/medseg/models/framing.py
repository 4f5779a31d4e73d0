"""Between a clip's pixels and the square that a network sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from medseg.sector import Sector, blank_outside

ECHONET_SIZE = 112  # rows and columns of EchoNet-Dynamic's clips
FRAMES_AT_ONCE = 16


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


@dataclass(frozen=True)
class Square:
    """The square of the clip that a network sees, and the frame that it was taken from."""

    box: tuple[int, int, int, int]  # (y0,x0,y1,x1); it may reach past the frame
    height: int
    width: int


def frames_to_square(
    frames: np.ndarray, sector: Sector, size: int, device: torch.device
) -> tuple[Tensor, Square]:
    """Bring a clip's frames to the square that a network sees.

    Frames of 112 by 112 pixels are EchoNet's own shape, cropped and masked already, and are taken
    whole; of others the square around the sector is taken, black outside the sector.

    Args:
        frames: (T,H,W,3) uint8 RGB.
        sector: where the ultrasound is.
        size: pixels of the square's side after resizing.
        device: where the pixels are wanted.

    Returns:
        (T,3,size,size) float32 in 0..255, and where they come from.
    """
    height, width = frames.shape[1:3]
    if (height, width) == (ECHONET_SIZE, ECHONET_SIZE):
        box = (0, 0, height, width)
    else:
        frames, box = blank_outside(frames, sector), square_around(sector.box)
    pixels = torch.from_numpy(np.ascontiguousarray(frames)).to(device)
    square = cut(pixels.permute(0, 3, 1, 2).float(), box)  # (T,H,W,3) -> (T,3,side,side)
    return resize(square, size), Square(box, height, width)


def square_to_frames(probability: Tensor, square: Square) -> np.ndarray:
    """Put probabilities (T,C,size,size) back into the frame: (T,C,H,W) float32, 0 outside."""
    y0, x0, y1, _ = square.box
    whole = resize(probability, y1 - y0)  # (T,C,side,side)
    placed = cut(whole, (-y0, -x0, square.height - y0, square.width - x0))
    return placed.cpu().numpy()


def normalise(
    pixels: Tensor, mean: tuple[float, ...], standard_deviation: tuple[float, ...]
) -> Tensor:
    """Bring (T,3,H,W) pixels in 0..255 to the mean and spread that a network was trained with.

    `mean` and `standard_deviation` are those of each channel for pixels in 0..1.
    """
    centre = pixels.new_tensor(mean).view(3, 1, 1) * 255
    spread = pixels.new_tensor(standard_deviation).view(3, 1, 1) * 255
    return (pixels - centre) / spread


def frame_by_frame(
    probability: Callable[[Tensor], Tensor],
    frames: np.ndarray,
    *,
    sector: Sector,
    size: int,
    device: torch.device,
) -> np.ndarray:
    """Run a network that sees one frame at a time over a clip.

    Args:
        probability: gives (B,1,size,size) in 0..1 for pixels (B,3,size,size) in 0..255.
        frames: (T,H,W,3) uint8 RGB.
        sector: where the ultrasound is.
        size: pixels of the square that the network sees.
        device: where the network is.

    Returns:
        (T,1,H,W) float32 in 0..1.
    """
    found = np.zeros((len(frames), 1, *frames.shape[1:3]), np.float32)
    for start in range(0, len(frames), FRAMES_AT_ONCE):
        part = slice(start, start + FRAMES_AT_ONCE)
        pixels, square = frames_to_square(frames[part], sector, size, device)
        with torch.inference_mode():
            found[part] = square_to_frames(probability(pixels), square)
    return found
