"""EchoNet-Dynamic's R(2+1)D-18, which gives a clip's ejection fraction without a mask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.video.resnet import BasicBlock, Conv2Plus1D, R2Plus1dStem, VideoResNet

from medseg.errors import InputError
from medseg.models.description import (
    ECHONET_MEAN,
    ECHONET_STANDARD_DEVIATION,
    card,
    read_description,
)
from medseg.models.echonet import PUBLISHED_AT
from medseg.models.framing import frames_to_square, normalise
from medseg.models.weights import available_device, fit, read_given
from medseg.models.windows import reflected
from medseg.sector import Sector

MODEL = "echonet-ef"
MEAN_EF_PERCENT = 55.6  # EchoNet starts from it: the bias of the last layer before training
CLIPS_AT_ONCE = 4

Padding = Literal["reflect", "mean"]


@dataclass(frozen=True)
class EchoNetEFShape:
    """Everything that fixes the architecture; R(2+1)D-18 by default."""

    width: int = 64  # channels of the first stage; the others have 2, 4 and 8 times as many
    blocks: tuple[int, ...] = (2, 2, 2, 2)


@dataclass(frozen=True)
class EFPreparation:
    """How frames become the network's input; EchoNet's published values by default."""

    size: int = 112
    mean: tuple[float, ...] = ECHONET_MEAN
    standard_deviation: tuple[float, ...] = ECHONET_STANDARD_DEVIATION
    frames: int = 32  # that the network sees
    period: int = 2  # every second frame: 32 of them span 63

    @property
    def span(self) -> int:
        """Frames from the first to the last one that the network sees."""
        return (self.frames - 1) * self.period + 1


@dataclass(frozen=True, eq=False)
class EFPrediction:
    """What the network says of one clip, in percent."""

    start: np.ndarray  # (N,) first frames
    ef_percent: np.ndarray  # (N,) one for each start
    mean_ef_percent: float


class _R2Plus1D(VideoResNet):
    """torchvision's VideoResNet, its stages narrower or wider by one factor."""

    def __init__(self, shape: EchoNetEFShape) -> None:
        self._width = shape.width
        super().__init__(BasicBlock, [Conv2Plus1D] * 4, list(shape.blocks), R2Plus1dStem)
        self.fc = nn.Linear(8 * shape.width, 1)
        nn.init.normal_(self.fc.weight, 0, 0.01)
        nn.init.constant_(self.fc.bias, MEAN_EF_PERCENT)

    def _make_layer(
        self, block: Any, conv_builder: Any, planes: int, blocks: int, stride: int = 1
    ) -> nn.Sequential:
        return super()._make_layer(block, conv_builder, planes * self._width // 64, blocks, stride)


def build_network(shape: EchoNetEFShape | None = None) -> nn.Module:
    """Build the network with random weights: 31,300,638 parameters as published.

    Input (B,3,T,H,W) normalised RGB, output (B,1), the ejection fraction in percent; before any
    training it says 55.6 and little else.
    """
    return _R2Plus1D(shape or EchoNetEFShape())


def clip_starts(count: int, preparation: EFPreparation, *, stride: int = 1) -> np.ndarray:
    """First frames of the clips that a video of `count` frames is tested by.

    With stride 1 EchoNet's own: every start from 0 to F-63, for 32 frames and period 2. A video
    shorter than frames x period is padded to that length first, as EchoNet does.

    Raises:
        InputError: the stride is not 1 or more.
    """
    if stride < 1:
        raise InputError(f"a stride of {stride} frames between clips; give 1 or more")
    padded = max(count, preparation.frames * preparation.period)
    return np.arange(0, padded - preparation.span + 1, stride)


def spread_starts(starts: np.ndarray, clips: int | None) -> np.ndarray:
    """At most `clips` of the starts, evenly from the first to the last; None: all.

    Raises:
        InputError: fewer than one clip.
    """
    if clips is None:
        return starts
    if clips < 1:
        raise InputError(f"{clips} clips of a video; give 1 or more, or all")
    if clips == 1:
        return starts[len(starts) // 2 :][:1]
    at = np.linspace(0, len(starts) - 1, clips).round().astype(int)
    return starts[np.unique(at)]


def predict_ef(
    model: EchoNetEF,
    frames: np.ndarray,
    *,
    sector: Sector | None = None,
    stride: int = 1,
    padding: Padding = "reflect",
) -> EFPrediction:
    """Predict a clip's ejection fraction from every start, and their mean.

    Args:
        model: what `load_echonet_ef` gave.
        frames: (T,H,W,3) uint8 RGB, the whole video.
        sector: where the ultrasound is; needed unless the frames are 112 by 112.
        stride: frames between starts; 1 is EchoNet's test-time average.
        padding: what fills a video that is too short: its own frames reflected in time, or
            EchoNet's mean grey (its published figures include such videos).

    Raises:
        InputError: no frames, or a stride or padding that is none.
    """
    if padding not in ("reflect", "mean"):
        raise InputError(f"no padding named {padding!r}; choose reflect or mean")
    if len(frames) == 0:
        raise InputError("a clip without frames has no ejection fraction; give one with frames")
    whole = Sector(np.ones(frames.shape[1:3], bool), (0, 0, *frames.shape[1:3]), False)
    ready = prepared(model, frames, sector or whole)
    starts = clip_starts(len(frames), model.preparation, stride=stride)
    return predict_from_starts(model, ready, starts, padding=padding)


def prepared(model: EchoNetEF, frames: np.ndarray, sector: Sector) -> Tensor:
    """Bring frames (T,H,W,3), all or some of a video, to what the network sees, (T,3,S,S)."""
    wanted = model.preparation
    device = next(model.network.parameters()).device
    pixels, _ = frames_to_square(frames, sector, wanted.size, device)
    return normalise(pixels, wanted.mean, wanted.standard_deviation)


def predict_from_starts(
    model: EchoNetEF, ready: Tensor, starts: np.ndarray, *, padding: Padding = "reflect"
) -> EFPrediction:
    """Predict from the `starts` (N,) of a whole video's prepared frames (T,3,S,S)."""
    wanted = model.preparation
    ready = _padded(ready, wanted.frames * wanted.period, padding)
    offsets = np.arange(wanted.frames) * wanted.period
    found = np.empty(len(starts), np.float32)
    for first in range(0, len(starts), CLIPS_AT_ONCE):
        part = starts[first : first + CLIPS_AT_ONCE, None] + offsets  # (B,T)
        clips = ready[torch.from_numpy(part)].transpose(1, 2)  # (B,T,3,H,W) -> (B,3,T,H,W)
        with torch.inference_mode():
            found[first : first + len(part)] = model.network(clips)[:, 0].cpu().numpy()
    return EFPrediction(starts, found, float(found.mean(dtype=np.float64)))


def _padded(ready: Tensor, length: int, padding: Padding) -> Tensor:
    """Lengthen normalised frames (T,3,H,W) to `length`, where 0 is the mean grey."""
    if len(ready) >= length:
        return ready
    if padding == "mean":
        return functional.pad(ready, (0, 0, 0, 0, 0, 0, 0, length - len(ready)))
    return ready[torch.from_numpy(reflected(len(ready), length))]


def load_echonet_ef(weights: str | Path | None, device: str | torch.device = "cpu") -> EchoNetEF:
    """Load the published ``r2plus1d_18_32_2_pretrained.pt``, or what `medseg train` wrote.

    The published file does not hold its normalisation; it is the training set's as the SimLVSeg
    authors publish it.

    Raises:
        InputError: no such device.
        WeightsError: no file given, or one that does not fit.
    """
    device = available_device(device)
    path = None if weights is None else Path(weights)
    cure = f"download r2plus1d_18_32_2_pretrained.pt from {PUBLISHED_AT}"
    checkpoint = read_given(path, MODEL, cure=cure)
    shape, preparation = read_description(
        checkpoint, MODEL, published=(EchoNetEFShape(), EFPreparation())
    )
    network = build_network(shape)
    fit(network, checkpoint, architecture="EchoNet's R(2+1)D-18")
    block = card(
        checkpoint,
        "EchoNet-Dynamic R(2+1)D-18",
        training_data=(
            "given by the user; the published weights were trained on EchoNet-Dynamic, apical "
            "four-chamber clips of one hospital"
        ),
        licence="the weights' own; EchoNet-Dynamic's authors permit no redistribution",
        intended_use=(
            "research on apical four-chamber clips like EchoNet-Dynamic's; not for clinical use"
        ),
    )
    return EchoNetEF(network.eval().to(device), preparation, block)


@dataclass(frozen=True, eq=False)
class EchoNetEF:
    """A network that says a clip's ejection fraction; `predict_ef` runs it."""

    network: nn.Module
    preparation: EFPreparation
    card: dict[str, Any]  # whose weights they are and what for
