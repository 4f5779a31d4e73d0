"""EchoNet-Dynamic's DeepLabV3-ResNet50, run from its published checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.resnet import Bottleneck, ResNet
from torchvision.models.segmentation.deeplabv3 import ASPP, DeepLabV3

from medseg.errors import WeightsError
from medseg.models.description import Preparation, card, read_description
from medseg.models.framing import frame_by_frame, normalise
from medseg.models.weights import fit, read_checkpoint
from medseg.sector import Sector

MODEL = "echonet"
PUBLISHED_AT = "https://github.com/echonet/dynamic/releases/tag/v1.0.0"


@dataclass(frozen=True)
class EchoNetShape:
    """Everything that fixes the architecture; DeepLabV3-ResNet50 by default."""

    width: int = 64  # channels of the first stage, before they are quadrupled
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    head_width: int = 256


class _Backbone(ResNet):
    """torchvision's dilated ResNet, its stages narrower or wider by one factor."""

    def __init__(self, shape: EchoNetShape) -> None:
        self._width = shape.width
        dilated = [False, True, True]  # the last two stages keep an eighth of the input's size
        super().__init__(Bottleneck, list(shape.blocks), replace_stride_with_dilation=dilated)

    def _make_layer(
        self, block: Any, planes: int, blocks: int, stride: int = 1, dilate: bool = False
    ) -> nn.Sequential:
        return super()._make_layer(block, planes * self._width // 64, blocks, stride, dilate)


def build_network(shape: EchoNetShape | None = None) -> nn.Module:
    """Build the network with random weights: 39,633,729 parameters, one channel of logits out.

    Input (B,3,H,W) normalised RGB; output a dict whose ``out`` is (B,1,H,W).
    """
    shape = shape or EchoNetShape()
    head = nn.Sequential(
        ASPP(32 * shape.width, (12, 24, 36), shape.head_width),
        nn.Conv2d(shape.head_width, shape.head_width, 3, padding=1, bias=False),
        nn.BatchNorm2d(shape.head_width),
        nn.ReLU(),
        nn.Conv2d(shape.head_width, 1, 1),
    )
    backbone = IntermediateLayerGetter(_Backbone(shape), return_layers={"layer4": "out"})
    return DeepLabV3(backbone, head)


def load_echonet(weights: Path | None, device: torch.device) -> EchoNetSegmenter:
    """Load the published checkpoint ``deeplabv3_resnet50_random.pt``, or what `medseg train` wrote.

    The published file does not hold its normalisation; it is the training set's as the SimLVSeg
    authors publish it.

    Raises:
        WeightsError: no file given, or one that does not fit.
    """
    if weights is None:
        raise WeightsError(
            "model echonet: its weights may not be shipped with medseg; download "
            f"deeplabv3_resnet50_random.pt from {PUBLISHED_AT} and give it with --weights"
        )
    checkpoint = read_checkpoint(weights)
    shape, preparation = read_description(
        checkpoint, MODEL, published=(EchoNetShape(), Preparation())
    )
    network = build_network(shape)
    fit(network, checkpoint, architecture="EchoNet's DeepLabV3-ResNet50")
    block = card(
        checkpoint,
        "EchoNet-Dynamic DeepLabV3-ResNet50",
        training_data=(
            "given by the user; the published weights were trained on EchoNet-Dynamic, apical "
            "four-chamber clips of one hospital, and are normalised here by the training-set "
            "mean and standard deviation that the SimLVSeg authors publish"
        ),
        licence="the weights' own; EchoNet-Dynamic's authors permit no redistribution",
        intended_use=(
            "research on apical four-chamber clips like EchoNet-Dynamic's; not for clinical use"
        ),
    )
    return EchoNetSegmenter(network.eval().to(device), preparation, block)


class EchoNetSegmenter:
    """Outlines the left ventricle frame by frame."""

    name = MODEL
    object_names: tuple[str, ...] = ("left_ventricle",)
    halo_s = 0.0
    frames_per_input = 1

    def __init__(self, network: nn.Module, preparation: Preparation, card: dict[str, Any]) -> None:
        self.network = network
        self.preparation = preparation
        self.card = card
        self.input_shape = (1, 3, preparation.size, preparation.size)

    def probabilities(
        self, frames: np.ndarray, *, time_s: np.ndarray, core: slice, sector: Sector
    ) -> np.ndarray:
        """Give each pixel's probability of lying in the left ventricle.

        Args:
            frames: (T,H,W,3) uint8 RGB.
            time_s: (T,) seconds; every frame is looked at alone, so they are not used.
            core: the frames that are asked for.
            sector: where the ultrasound is.

        Returns:
            (core,1,H,W) float32 in 0..1.
        """
        return frame_by_frame(
            self._probability,
            frames[core],
            sector=sector,
            size=self.preparation.size,
            device=next(self.network.parameters()).device,
        )

    def _probability(self, pixels: Tensor) -> Tensor:
        ready = normalise(pixels, self.preparation.mean, self.preparation.standard_deviation)
        return torch.sigmoid(self.network(ready)["out"])
