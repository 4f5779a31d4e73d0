"""The 3-D U-Net of SimLVSeg (formerly UniLVSeg), which sees 32 frames at a time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from medseg.models import windows
from medseg.models.description import Preparation, card, read_description
from medseg.models.framing import normalise
from medseg.models.weights import fit, read_given, without_prefix
from medseg.sector import Sector

MODEL = "simlvseg-3d"
PUBLISHED_AT = "https://github.com/BioMedIA-MBZUAI/SimLVSeg"


@dataclass(frozen=True)
class SimLVSeg3DShape:
    """Everything that fixes the architecture and its window; the published values by default."""

    frames: int = 32
    widths: tuple[int, ...] = (16, 32, 64, 128, 256)
    units: tuple[int, ...] = (2, 3, 4, 6, 3)  # residual units at each width


class _Convolution(nn.Module):
    """Convolution, instance normalisation, PReLU; keys ``conv`` and ``adn.A``, as in MONAI."""

    def __init__(self, conv: nn.Module, *, bare: bool = False) -> None:
        super().__init__()
        self.conv = conv
        self.adn = nn.Identity() if bare else nn.Sequential()
        if not bare:
            self.adn.add_module("N", nn.InstanceNorm3d(conv.out_channels))  # no parameters
            self.adn.add_module("A", nn.PReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.adn(self.conv(x))


class ResidualUnit(nn.Module):
    """Two 3x3x3 convolutions beside a shortcut, which is 1x1x1 where the width changes.

    Laid out, and named, like MONAI's ``ResidualUnit`` with two subunits. `bare_end` leaves the
    second convolution without normalisation and activation.
    """

    def __init__(self, before: int, after: int, *, bare_end: bool = False) -> None:
        super().__init__()
        self.conv = nn.Sequential()
        first, second = (nn.Conv3d(width, after, 3, padding=1) for width in (before, after))
        self.conv.add_module("unit0", _Convolution(first))
        self.conv.add_module("unit1", _Convolution(second, bare=bare_end))
        self.residual = nn.Conv3d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B,before,H,W,T) -> (B,after,H,W,T)."""
        return self.conv(x) + self.residual(x)


class SimLVSeg3D(nn.Module):
    """3-D U-Net of residual units over the frames of a window.

    Input (B,3,H,W,T) normalised RGB, H, W and T divisible by 16; output logits (B,1,H,W,T).
    18,832,525 parameters. Keys ``encoder1`` to ``encoder5``, ``upconv5`` to ``upconv2``,
    ``decoder4`` to ``decoder1``.
    """

    def __init__(self, shape: SimLVSeg3DShape) -> None:
        super().__init__()
        self.shape = shape
        widths = shape.widths
        befores = (3, *widths[:-1])
        for level, (before, after, units) in enumerate(
            zip(befores, widths, shape.units, strict=True), start=1
        ):
            inputs = (before, *[after] * (units - 1))
            block = nn.Sequential(*(ResidualUnit(width, after) for width in inputs))
            self.add_module(f"encoder{level}", block)
        for level, (after, before) in enumerate(pairwise(widths), start=1):
            rise = nn.ConvTranspose3d(before, after, 3, stride=2, padding=1, output_padding=1)
            self.add_module(f"upconv{level + 1}", _Convolution(rise))
            out, top = (1, True) if level == 1 else (after, False)
            self.add_module(f"decoder{level}", ResidualUnit(2 * after, out, bare_end=top))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B,1,H,W,T) for normalised frames (B,3,H,W,T)."""
        levels = len(self.shape.widths)
        step = 2 ** (levels - 1)
        if any(side % step for side in x.shape[2:]):
            raise ValueError(
                f"a window of (rows, columns, frames) {tuple(x.shape[2:])} cannot be halved "
                f"{levels - 1} times; give sides divisible by {step}"
            )
        skips = []
        for level in range(1, levels):
            skips.append(self.get_submodule(f"encoder{level}")(x))
            x = functional.max_pool3d(skips[-1], 2)
        x = self.get_submodule(f"encoder{levels}")(x)
        for level in range(levels - 1, 0, -1):
            x = self.get_submodule(f"upconv{level + 1}")(x)
            x = self.get_submodule(f"decoder{level}")(torch.cat([x, skips.pop()], 1))
        return x


def load_simlvseg_3d(weights: Path | None, device: torch.device) -> SimLVSeg3DSegmenter:
    """Load weights that `medseg train` wrote, or the published Lightning checkpoint.

    The published file does not hold its normalisation; it is the one that its authors print for
    EchoNet-Dynamic.

    Raises:
        WeightsError: no file given, or one that does not fit.
    """
    cure = f"download the checkpoint named at {PUBLISHED_AT}, or train with --recipe unilvseg"
    checkpoint = without_prefix(read_given(weights, MODEL, cure=cure), "model.")
    shape, preparation = read_description(
        checkpoint, MODEL, published=(SimLVSeg3DShape(), Preparation())
    )
    network = SimLVSeg3D(shape)
    fit(network, checkpoint, architecture="SimLVSeg's 3-D U-Net")
    block = card(
        checkpoint,
        "SimLVSeg 3-D U-Net",
        training_data=(
            "given by the user; the published weights were trained on EchoNet-Dynamic, apical "
            "four-chamber clips of one hospital, two traced frames in each"
        ),
        licence="the weights' own; the published ones derive from EchoNet-Dynamic",
        intended_use=(
            "research on apical four-chamber clips like EchoNet-Dynamic's; not for clinical use"
        ),
    )
    return SimLVSeg3DSegmenter(network.eval().to(device), preparation, block)


class SimLVSeg3DSegmenter:
    """Outlines the left ventricle in overlapping windows of frames."""

    name = MODEL
    object_names: tuple[str, ...] = ("left_ventricle",)

    def __init__(self, network: SimLVSeg3D, preparation: Preparation, card: dict[str, Any]) -> None:
        self.network = network
        self.preparation = preparation
        self.card = card
        self.frames_per_input = network.shape.frames
        self.halo_s = windows.halo_s(self.frames_per_input)
        self.input_shape = (1, 3, preparation.size, preparation.size, self.frames_per_input)

    def probabilities(
        self, frames: np.ndarray, *, time_s: np.ndarray, core: slice, sector: Sector
    ) -> np.ndarray:
        """Give each pixel's probability of lying in the left ventricle.

        Args:
            frames: (T,H,W,3) uint8 RGB, neighbours included.
            time_s: (T,) seconds.
            core: the frames that are asked for.
            sector: where the ultrasound is.

        Returns:
            (core,1,H,W) float32 in 0..1.
        """
        return windows.segment_in_windows(
            self._window,
            frames,
            time_s=time_s,
            core=core,
            sector=sector,
            size=self.preparation.size,
            length=self.frames_per_input,
            device=next(self.network.parameters()).device,
        )

    def _window(self, pixels: Tensor) -> Tensor:
        """Probabilities (T,1,size,size) of one window's pixels (T,3,size,size)."""
        ready = normalise(pixels, self.preparation.mean, self.preparation.standard_deviation)
        logits = self.network(ready.permute(1, 2, 3, 0)[None])  # (T,3,H,W) -> (1,3,H,W,T)
        return torch.sigmoid(logits[0]).permute(3, 0, 1, 2)  # (1,H,W,T) -> (T,1,H,W)
