"""EchoNet-Dynamic's DeepLabV3-ResNet50, run from its published checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.segmentation import deeplabv3_resnet50

from medseg.errors import WeightsError
from medseg.models.framing import cut, resize, square_around
from medseg.models.weights import fit, read_checkpoint
from medseg.sector import Sector, blank_outside

PUBLISHED_AT = "https://github.com/echonet/dynamic/releases/tag/v1.0.0"
INPUT_SIZE = 112  # rows and columns of EchoNet-Dynamic's clips
FRAMES_AT_ONCE = 16

# The checkpoint does not hold its normalisation. These are the training set's mean and standard
# deviation per channel (R, G, B) as the SimLVSeg authors publish them, for pixels in 0..1.
MEAN = (0.12741163, 0.1279413, 0.12912785)
STANDARD_DEVIATION = (0.19557191, 0.19562256, 0.1965878)


def build_network() -> nn.Module:
    """Build the network with random weights: 39,633,729 parameters, one channel of logits out."""
    network: nn.Module = deeplabv3_resnet50(
        weights=None, weights_backbone=None, aux_loss=False, num_classes=1
    )
    return network


def load_echonet(weights: Path | None, device: torch.device) -> EchoNetSegmenter:
    """Load the published checkpoint ``deeplabv3_resnet50_random.pt``, or one laid out like it.

    Raises:
        WeightsError: no file given, or one that does not fit.
    """
    if weights is None:
        raise WeightsError(
            "model echonet: its weights may not be shipped with medseg; download "
            f"deeplabv3_resnet50_random.pt from {PUBLISHED_AT} and give it with --weights"
        )
    checkpoint = read_checkpoint(weights)
    network = build_network()
    fit(network, checkpoint, architecture="EchoNet's DeepLabV3-ResNet50")
    return EchoNetSegmenter(network.eval().to(device), checkpoint.sha256)


class EchoNetSegmenter:
    """Outlines the left ventricle frame by frame."""

    name = "echonet"
    object_names: tuple[str, ...] = ("left_ventricle",)
    halo_s = 0.0

    def __init__(self, network: nn.Module, weights_sha256: str) -> None:
        self.network = network
        self.card: dict[str, Any] = {
            "name": "EchoNet-Dynamic DeepLabV3-ResNet50",
            "weights_sha256": weights_sha256,
            "training_data": (
                "given by the user; the published weights were trained on EchoNet-Dynamic, apical "
                "four-chamber clips of one hospital, and are normalised here by the training-set "
                "mean and standard deviation that the SimLVSeg authors publish"
            ),
            "licence": "the weights' own; EchoNet-Dynamic's authors permit no redistribution",
            "intended_use": (
                "research on apical four-chamber clips like EchoNet-Dynamic's; not for clinical use"
            ),
        }

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
        asked = frames[core]
        device = next(self.network.parameters()).device
        found = np.zeros((len(asked), 1, *frames.shape[1:3]), np.float32)
        for start in range(0, len(asked), FRAMES_AT_ONCE):
            window = asked[start : start + FRAMES_AT_ONCE]
            found[start : start + len(window)] = self._window(window, sector, device)
        return found

    @torch.inference_mode()
    def _window(self, frames: np.ndarray, sector: Sector, device: torch.device) -> np.ndarray:
        height, width = frames.shape[1:3]
        if (height, width) == (INPUT_SIZE, INPUT_SIZE):
            box = (0, 0, height, width)  # EchoNet's own shape: already cropped and masked
        else:
            frames, box = blank_outside(frames, sector), square_around(sector.box)
        pixels = torch.from_numpy(np.ascontiguousarray(frames)).to(device)
        square = cut(pixels.permute(0, 3, 1, 2).float(), box)  # (T,H,W,3) -> (T,3,side,side)
        logits = self.network(normalise(resize(square, INPUT_SIZE)))["out"]
        probability = resize(torch.sigmoid(logits), square.shape[-1])  # (T,1,side,side)
        y0, x0, _, _ = box
        return cut(probability, (-y0, -x0, height - y0, width - x0)).cpu().numpy()


def normalise(pixels: Tensor) -> Tensor:
    """Bring (T,3,H,W) pixels in 0..255 to the mean and spread that the network was trained with."""
    mean = pixels.new_tensor(MEAN).view(3, 1, 1) * 255
    standard_deviation = pixels.new_tensor(STANDARD_DEVIATION).view(3, 1, 1) * 255
    return (pixels - mean) / standard_deviation
