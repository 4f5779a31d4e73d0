"""SimLVSeg's super-image network: a window's frames are tiled into one picture and segmented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import resnet18, resnet34, resnet50

from medseg.errors import WeightsError
from medseg.models import windows
from medseg.models.description import Preparation, card, read_description
from medseg.models.framing import normalise
from medseg.models.uniformer import UniFormer, UniFormerShape
from medseg.models.weights import fit, read_given, without_prefix
from medseg.sector import Sector

MODEL = "simlvseg-superimage"
TILE_STEP = 32  # a frame's tile is padded to a multiple of it: 112 to 128, as published


@dataclass(frozen=True)
class SuperimageShape:
    """Everything that fixes the architecture and its window."""

    encoder: str = "uniformer-small"
    frames_per_side: int = 4  # the window is its square
    decoder_widths: tuple[int, ...] = (256, 128, 64, 32, 16)


class _ResNet(nn.Module):
    """A torchvision ResNet without its classifier; features at 1/2, 1/4, 1/8, 1/16 and 1/32."""

    def __init__(self, build: Callable[..., nn.Module]) -> None:
        super().__init__()
        network = build(weights=None)
        expansion = network.fc.in_features // 512
        self.channels = (64, *(width * expansion for width in (64, 128, 256, 512)))
        for name, part in network.named_children():
            if name not in ("avgpool", "fc"):
                self.add_module(name, part)

    def forward(self, x: Tensor) -> list[Tensor]:
        features = [self.relu(self.bn1(self.conv1(x)))]
        x = self.maxpool(features[0])
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            features.append(x)
        return features


def _narrow() -> nn.Module:
    return UniFormer(UniFormerShape((16, 32, 64, 128), (1, 1, 2, 1), head_width=16, classes=0))


ENCODERS: dict[str, Callable[[], nn.Module]] = {
    "uniformer-small": lambda: UniFormer(UniFormerShape()),  # the published 24.83 M parameters
    "uniformer-narrow": _narrow,  # our own, for machines without a GPU
    "resnet18": lambda: _ResNet(resnet18),
    "resnet34": lambda: _ResNet(resnet34),
    "resnet50": lambda: _ResNet(resnet50),
}


def _convolution(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


class _Rise(nn.Module):
    """Doubles a picture and joins the encoder's features; keys ``conv1`` and ``conv2``."""

    def __init__(self, before: int, skip: int, after: int) -> None:
        super().__init__()
        self.conv1 = _convolution(before + skip, after)
        self.conv2 = _convolution(after, after)

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        return self.conv2(self.conv1(x if skip is None else torch.cat([x, skip], 1)))


class _Decoder(nn.Module):
    """From the coarsest features to the full picture; keys ``blocks.0`` to ``blocks.4``."""

    def __init__(self, channels: tuple[int, ...], widths: tuple[int, ...]) -> None:
        super().__init__()
        coarse_first = channels[::-1]
        skips = (*coarse_first[1:], *[0] * (len(widths) - len(channels) + 1))
        befores = (coarse_first[0], *widths[:-1])
        self.blocks = nn.ModuleList(
            _Rise(*three) for three in zip(befores, skips, widths, strict=True)
        )

    def forward(self, features: list[Tensor]) -> Tensor:
        x, *skips = features[::-1]
        for i, block in enumerate(self.blocks):
            x = block(x, skips[i] if i < len(skips) else None)
        return x


class SuperimageNet(nn.Module):
    """2-D U-Net over a super image; keys as in segmentation_models_pytorch's ``Unet``.

    Input (B,3,H,W) with H and W divisible by 32, output logits (B,1,H,W). Keys ``encoder``,
    ``decoder.blocks``, ``segmentation_head.0``.
    """

    def __init__(self, shape: SuperimageShape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = ENCODERS[shape.encoder]()
        self.decoder = _Decoder(self.encoder.channels, shape.decoder_widths)
        self.segmentation_head = nn.Sequential(nn.Conv2d(shape.decoder_widths[-1], 1, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B,1,H,W) for a super image (B,3,H,W)."""
        return self.segmentation_head(self.decoder(self.encoder(x)))


def tile(frames: Tensor, *, per_side: int) -> Tensor:
    """Lay frames (T,C,H,W) into one picture (C, per_side*H, per_side*W), row by row."""
    rows = frames.unflatten(0, (per_side, per_side))  # (T,C,H,W) -> (row,column,C,H,W)
    return rows.permute(2, 0, 3, 1, 4).flatten(3, 4).flatten(1, 2)


def untile(picture: Tensor, *, per_side: int) -> Tensor:
    """Take a picture (C, per_side*H, per_side*W) apart into its frames (T,C,H,W)."""
    rows = picture.unflatten(2, (per_side, -1)).unflatten(1, (per_side, -1))  # (C,row,H,column,W)
    return rows.permute(1, 3, 0, 2, 4).flatten(0, 1)


def pad_tiles(pixels: Tensor) -> Tensor:
    """Pad (T,C,H,W) by black below and at the right to sides divisible by 32: 112 to 128."""
    height, width = pixels.shape[-2:]
    return functional.pad(pixels, (0, -width % TILE_STEP, 0, -height % TILE_STEP))


def load_simlvseg_superimage(
    weights: Path | None, device: torch.device
) -> SimLVSegSuperimageSegmenter:
    """Load weights that `medseg train` wrote, or a checkpoint laid out like the authors' code's.

    A checkpoint without our description is taken for the published shape: UniFormer-S, 16 frames
    in 4 rows of 4, normalised as its authors print.

    Raises:
        WeightsError: no file given, or one that does not fit.
    """
    cure = "train some with --recipe unilvseg and this model (none were published)"
    checkpoint = without_prefix(read_given(weights, MODEL, cure=cure), "model.")
    shape, preparation = read_description(
        checkpoint, MODEL, published=(SuperimageShape(), Preparation())
    )
    if shape.encoder not in ENCODERS:
        raise WeightsError(
            f"{checkpoint.path}: no encoder named {shape.encoder!r}; train again with one of: "
            f"{', '.join(ENCODERS)}"
        )
    network = SuperimageNet(shape)
    fit(network, checkpoint, architecture=f"SimLVSeg's super-image U-Net ({shape.encoder})")
    block = card(
        checkpoint,
        f"SimLVSeg super-image U-Net ({shape.encoder})",
        training_data="given by the user; the file does not say",
        licence="the weights' own",
        intended_use="research on apical clips like its training data; not for clinical use",
    )
    return SimLVSegSuperimageSegmenter(network.eval().to(device), preparation, block)


class SimLVSegSuperimageSegmenter:
    """Outlines the left ventricle in overlapping windows of tiled frames."""

    name = MODEL
    object_names: tuple[str, ...] = ("left_ventricle",)

    def __init__(
        self, network: SuperimageNet, preparation: Preparation, card: dict[str, Any]
    ) -> None:
        self.network = network
        self.preparation = preparation
        self.card = card
        self.per_side = network.shape.frames_per_side
        self.frames_per_input = self.per_side**2
        self.halo_s = windows.halo_s(self.frames_per_input)
        tile_side = preparation.size + -preparation.size % TILE_STEP
        self.input_shape = (1, 3, self.per_side * tile_side, self.per_side * tile_side)

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
        wanted = self.preparation
        ready = normalise(pad_tiles(pixels), wanted.mean, wanted.standard_deviation)
        logits = self.network(tile(ready, per_side=self.per_side)[None])
        tiles = untile(torch.sigmoid(logits[0]), per_side=self.per_side)
        return tiles[..., : wanted.size, : wanted.size]
