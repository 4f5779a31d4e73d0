"""The image encoder is run once a frame, several frames at a time, for all objects together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from medseg.models.sam2.load import Sam2
from medseg.models.sam2.pixels import normalise

Given = ParamSpec("Given")
Found = TypeVar("Found")

_CPU_PIXELS = 8 * 256 * 256  # of the squares encoded at once; more are no faster on a CPU
_GPU_PIXELS = 8 * 1024 * 1024


@dataclass(frozen=True, eq=False)
class Features:
    """What the encoder makes of one frame; S is the square's side, C = 256."""

    fine: Tensor  # (1,32,S/4,S/4)
    middle: Tensor  # (1,64,S/8,S/8)
    coarse: Tensor  # (1,C,S/16,S/16)
    position: Tensor  # (1,C,S/16,S/16) where each cell of `coarse` lies

    def tokens(self, objects: int) -> Tensor:
        """`coarse` as (cells,objects,C), the same for each object."""
        return _tokens(self.coarse).expand(-1, objects, -1)

    def position_tokens(self, objects: int) -> Tensor:
        """`position` as (cells,objects,C)."""
        return _tokens(self.position).expand(-1, objects, -1)

    def for_decoder(self, objects: int) -> list[Tensor]:
        """`fine` and `middle`, repeated for each object without being copied."""
        return [level.expand(objects, -1, -1, -1) for level in (self.fine, self.middle)]


def without_gradients(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """Run a function whose first argument is a Sam2 without gradients, in its precision.

    A decorator, since a context that is open across a generator's `yield` leaks to its caller; and
    no inference mode, since the tables that SAM 2 keeps would then be of no use in training.
    """

    @wraps(function)
    def run(*given: Given.args, **named: Given.kwargs) -> Found:
        sam2: Any = given[0]
        low = sam2.precision != "float32"
        with (
            torch.no_grad(),
            torch.autocast(sam2.device.type, dtype=torch.bfloat16, enabled=low),
        ):
            return function(*given, **named)

    return run


def frames_at_once(sam2: Sam2) -> int:
    """How many frames are worth encoding together."""
    pixels = _CPU_PIXELS if sam2.device.type == "cpu" else _GPU_PIXELS
    return max(1, min(16, pixels // sam2.image_size**2))


@without_gradients
def encode(sam2: Sam2, squares: Tensor) -> list[Features]:
    """Encode squares (T,3,S,S) of 0..255, all at once; gives the features of each frame."""
    network: Any = sam2.network
    encoder = network.image_encoder
    with torch.autocast(sam2.device.type, enabled=False):  # the encoder's weights are of its type
        pictures = normalise(squares, sam2.device).to(sam2.dtype, memory_format=torch.channels_last)
        fine, middle, coarse = _levels(network, encoder.trunk(pictures))
        position = encoder.neck.position_encoding(coarse[:1]).to(sam2.dtype)
    return [
        Features(fine[i : i + 1], middle[i : i + 1], coarse[i : i + 1], position)
        for i in range(len(squares))
    ]


def _levels(network: Any, stages: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Fine, middle and coarse features of the trunk's four stages, the finest first.

    As the package's neck makes them, but for the positions of the finer two, which nobody reads,
    and their 256 channels, which the decoder would reduce again at once.
    """
    decoder = network.sam_mask_decoder
    laterals = [level.conv for level in network.image_encoder.neck.convs]  # the deepest first
    fine = _both(laterals[3], decoder.conv_s0, stages[0])
    middle = _both(laterals[2], decoder.conv_s1, stages[1])
    above = functional.interpolate(laterals[0](stages[3]), scale_factor=2.0, mode="nearest")
    return fine, middle, laterals[1](stages[2]) + above


def _both(first: Any, second: Any, grid: Tensor) -> Tensor:
    """Two convolutions of single cells, one after the other, computed as one."""
    inner, outer = (layer.weight.float().flatten(1) for layer in (first, second))
    weight = (outer @ inner)[..., None, None]
    bias = outer @ first.bias.float() + second.bias.float()
    return functional.conv2d(grid, weight.type_as(grid), bias.type_as(grid))


def _tokens(grid: Tensor) -> Tensor:
    return grid.flatten(2).permute(2, 0, 1)  # (1,C,h,w) -> (h*w,1,C)
