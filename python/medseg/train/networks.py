"""Which networks can be trained, how narrow, and what their weights files say of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from medseg.errors import InputError, WeightsError
from medseg.models.description import ECHONET_MEAN, ECHONET_STANDARD_DEVIATION, Preparation
from medseg.models.echonet import EchoNetShape
from medseg.models.echonet import build_network as build_echonet
from medseg.models.echonet_ef import EchoNetEFShape, EFPreparation
from medseg.models.echonet_ef import build_network as build_echonet_ef
from medseg.models.landmarks import POINTS
from medseg.models.simlvseg_3d import SimLVSeg3D, SimLVSeg3DShape
from medseg.models.simlvseg_superimage import (
    ENCODERS,
    SuperimageNet,
    SuperimageShape,
    pad_tiles,
    tile,
    untile,
)
from medseg.models.study_unet import StudyUNet, StudyUNetShape
from medseg.models.unet_landmarks import LandmarkPreparation
from medseg.models.weights import Checkpoint, compare_keys, read_checkpoint


@dataclass(frozen=True)
class LandmarkUNetShape(StudyUNetShape):
    """The study's U-Net with a channel for each landmark."""

    channels: int = POINTS


SHAPES: dict[str, type[Any]] = {
    "echonet": EchoNetShape,
    "unet": StudyUNetShape,
    "unet-landmarks": LandmarkUNetShape,
    "simlvseg-3d": SimLVSeg3DShape,
    "simlvseg-superimage": SuperimageShape,
    "echonet-ef": EchoNetEFShape,
}
BUILDERS: dict[str, Callable[[Any], nn.Module]] = {
    "echonet": build_echonet,
    "unet": StudyUNet,
    "unet-landmarks": StudyUNet,
    "simlvseg-3d": SimLVSeg3D,
    "simlvseg-superimage": SuperimageNet,
    "echonet-ef": build_echonet_ef,
}
NORMALISATIONS = {
    "echonet": (ECHONET_MEAN, ECHONET_STANDARD_DEVIATION),
    "none": ((0.0,) * 3, (1.0,) * 3),
}
# Before an encoder's keys, where a file holds the encoder alone: torchvision's ImageNet ResNet-50.
PREFIXES = ("", "model.", "backbone.", "encoder.")
ENCODER_KEYS = ("backbone.", "encoder", "downs.", "bottleneck.", "stem.", "layer")


def narrower(model: str, shape: Any, share: float) -> Any:
    """The same architecture with `share` of its channels, at least 4 at each width.

    The super image's encoder has two widths, its own and uniformer-narrow, a quarter as wide.
    """
    if not 0 < share <= 1:
        raise InputError(f"--width {share}: give a share of the channels, above 0 and up to 1")

    def less(width: int) -> int:
        return max(4, round(width * share))

    changes: dict[str, Any] = {}
    for name in ("width", "head_width"):
        if hasattr(shape, name):
            changes[name] = less(getattr(shape, name))
    for name in ("widths", "decoder_widths"):
        if hasattr(shape, name):
            changes[name] = tuple(less(width) for width in getattr(shape, name))
    if model == "simlvseg-superimage" and share <= 0.5 and shape.encoder == "uniformer-small":
        changes["encoder"] = "uniformer-narrow"
    return replace(shape, **changes)


def build(model: str, shape: Any) -> nn.Module:
    """A network with random weights; raises InputError for a shape that cannot be built."""
    if model == "simlvseg-superimage" and shape.encoder not in ENCODERS:
        raise InputError(
            f"network.shape.encoder is {shape.encoder!r}; choose {', '.join(ENCODERS)}"
        )
    try:
        return BUILDERS[model](shape)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise InputError(f"model {model}: cannot be built as {shape} ({error})") from None


def preparation_of(
    model: str,
    *,
    size: int,
    frames: int,
    period: int,
    sigma_px: float,
    mean: tuple[float, ...],
    standard_deviation: tuple[float, ...],
) -> Any:
    """What travels inside the weights file: how frames become the network's input."""
    if model == "echonet-ef":
        return EFPreparation(size, mean, standard_deviation, frames, period)
    if model == "unet-landmarks":
        return LandmarkPreparation(size, mean, standard_deviation, sigma_px)
    return Preparation(size, mean, standard_deviation)


def frame_logits(model: str, network: Any, ready: Tensor) -> Tensor:
    """Logits of frames, each seen by itself: (N,3,H,W) normalised -> (N,K,H,W)."""
    found = network(ready)
    logits: Tensor = found["out"] if model == "echonet" else found
    return logits


def clip_logits(
    model: str, network: Any, pixels: Tensor, normalise: Callable[[Tensor], Tensor]
) -> Tensor:
    """Logits (B,T,H,W) of clips (B,T,3,H,W) in 0..255 that a network sees as a whole."""
    if model == "simlvseg-3d":
        ready = normalise(pixels).permute(0, 2, 3, 4, 1)  # (B,T,3,H,W) -> (B,3,H,W,T)
        return network(ready)[:, 0].permute(0, 3, 1, 2)  # (B,1,H,W,T) -> (B,T,H,W)
    size, per_side = pixels.shape[-1], round(pixels.shape[1] ** 0.5)
    pictures = [tile(normalise(pad_tiles(clip)), per_side=per_side) for clip in pixels]
    logits = network(torch.stack(pictures))  # (B,1,per_side*side,per_side*side)
    tiles = torch.stack([untile(picture, per_side=per_side)[:, 0] for picture in logits])
    return tiles[..., :size, :size]


def read_start(path: Path) -> Checkpoint:
    """The weights that training starts from: a file, or a run folder's best ones."""
    return read_checkpoint(path / "weights.safetensors" if path.is_dir() else path)


def start_from(network: nn.Module, checkpoint: Checkpoint, *, encoder_only: bool) -> list[str]:
    """Copy the tensors that fit into a network and give the keys that stayed random.

    Raises:
        WeightsError: less than half of what was wanted is in the file, or it is not finite.
    """
    own = network.state_dict()
    wanted = {key for key in own if not encoder_only or key.startswith(ENCODER_KEYS)}
    best: dict[str, Tensor] = {}
    for prefix in PREFIXES:
        for renamed in (
            {prefix + key: value for key, value in checkpoint.tensors.items()},
            {key.removeprefix(prefix): value for key, value in checkpoint.tensors.items()},
        ):
            fits = {
                k: renamed[k] for k in wanted & renamed.keys() if renamed[k].shape == own[k].shape
            }
            if len(fits) > len(best):
                best = fits
    if 2 * len(best) < len(wanted):
        raise WeightsError(
            f"{checkpoint.path}: fits {len(best)} of the network's {len(wanted)} tensors "
            f"({compare_keys(network, checkpoint.tensors)}); give weights of the same architecture "
            "and width, or leave out --pretrained"
        )
    bad = next((key for key, value in best.items() if not torch.isfinite(value).all()), None)
    if bad is not None:
        raise WeightsError(f"{checkpoint.path}: {bad} holds values that are not numbers")
    network.load_state_dict(best, strict=False)
    return [key for key in own if key not in best]
