"""A network is chosen by name and comes ready to turn frames into probabilities."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from medseg.errors import InputError
from medseg.models.weights import available_device
from medseg.sector import Sector

__all__ = ["MODELS", "Segmenter", "load_model"]


class Segmenter(Protocol):
    """What the engine needs of a network, and what comparing networks needs of it."""

    name: str
    object_names: tuple[str, ...]
    card: dict[str, Any]  # the store's model block
    halo_s: float  # seconds of neighbouring frames wanted on each side
    network: nn.Module
    input_shape: tuple[int, ...]  # of the tensor that the network is given
    frames_per_input: int  # frames that are segmented by one such tensor

    def probabilities(
        self, frames: np.ndarray, *, time_s: np.ndarray, core: slice, sector: Sector
    ) -> np.ndarray:
        """Give each pixel's probability of lying in each object.

        Args:
            frames: (T,H,W,3) uint8 RGB, neighbours included.
            time_s: (T,) float64, seconds.
            core: the frames that are asked for; the others are their neighbours.
            sector: where the ultrasound is.

        Returns:
            (core,object,H,W) float32 in 0..1, at the clip's own resolution.
        """
        ...


def _default(weights: Path | None, device: torch.device) -> Segmenter:
    from medseg.models.default import load_default

    return load_default(weights, device)


def _echonet(weights: Path | None, device: torch.device) -> Segmenter:
    from medseg.models.echonet import load_echonet

    return load_echonet(weights, device)


def _unet(weights: Path | None, device: torch.device) -> Segmenter:
    from medseg.models.unet_masks import load_unet

    return load_unet(weights, device)


def _unet_landmarks(weights: Path | None, device: torch.device) -> Segmenter:
    from medseg.models.unet_landmarks import load_unet_landmarks

    return load_unet_landmarks(weights, device)


def _simlvseg_3d(weights: Path | None, device: torch.device) -> Segmenter:
    from medseg.models.simlvseg_3d import load_simlvseg_3d

    return load_simlvseg_3d(weights, device)


def _simlvseg_superimage(weights: Path | None, device: torch.device) -> Segmenter:
    from medseg.models.simlvseg_superimage import load_simlvseg_superimage

    return load_simlvseg_superimage(weights, device)


def _medivista(weights: Path | None, device: torch.device) -> Segmenter:
    from medseg.models.medivista import load_medivista

    return load_medivista(weights, device)


# Loaded on demand: torchvision alone takes seconds to import.
MODELS: dict[str, Callable[[Path | None, torch.device], Segmenter]] = {
    "default": _default,
    "echonet": _echonet,
    "unet": _unet,
    "unet-landmarks": _unet_landmarks,
    "simlvseg-3d": _simlvseg_3d,
    "simlvseg-superimage": _simlvseg_superimage,
    "medivista": _medivista,
}


def load_model(
    name: str = "default",
    *,
    weights: str | Path | None = None,
    device: str | torch.device = "cpu",
) -> Segmenter:
    """Load a network by name, with its own weights or with those of a file.

    Raises:
        InputError: no such model or device.
        WeightsError: the weights are missing, damaged, unsafe or of another architecture.
    """
    if name not in MODELS:
        raise InputError(f"no model named {name!r}; choose one of: {', '.join(MODELS)}")
    return MODELS[name](None if weights is None else Path(weights), available_device(device))
