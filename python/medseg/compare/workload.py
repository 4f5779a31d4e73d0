"""What a run's network does with a clip, as one piece of work that can be timed and weighed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from medseg.clip import Clip
from medseg.compare.runs import EF_MODEL
from medseg.models import load_model
from medseg.models.echonet_ef import (
    EchoNetEF,
    clip_starts,
    load_echonet_ef,
    predict_from_starts,
    prepared,
)
from medseg.sector import Sector, find_sector

FRAMES = 64  # of a clip that are timed
EF_STARTS = 4  # the network's passes that are timed: one for each frame of a long clip


@dataclass(frozen=True, eq=False)
class Workload:
    """A loaded network and the work that is measured."""

    network: nn.Module
    input_shape: tuple[int, ...]
    frames_per_input: int
    card: dict[str, Any]  # whose weights they are and what for
    work: Callable[[], int]  # does it once, and gives the frames that it was for
    words: str  # what a frame costs, for the page


def load_workload(model: str, weights: Path | None, device: str, clip: Clip) -> Workload:
    """Load a network by name and give it up to FRAMES frames of a clip, decoded beforehand.

    For the EF network the work is EchoNet's average over all starts, one pass for each frame of a
    long clip. Raises what loading the weights and reading the clip raise.
    """
    frames = clip.read(0, min(FRAMES, clip.frame_count))
    sector = find_sector(frames, region=clip.region)
    if model == EF_MODEL:
        return _ef_workload(load_echonet_ef(weights, device), frames, sector)
    segmenter = load_model(model, weights=weights, device=device)
    time_s = clip.frame_time_s
    times = np.arange(len(frames)) / 50.0 if time_s is None else time_s[: len(frames)]

    def work() -> int:
        segmenter.probabilities(frames, time_s=times, core=slice(0, len(frames)), sector=sector)
        _wait(device)
        return len(frames)

    return Workload(
        segmenter.network,
        segmenter.input_shape,
        segmenter.frames_per_input,
        segmenter.card,
        work,
        "preparation, network and return to the clip's pixels; decoding apart",
    )


def _ef_workload(model: EchoNetEF, frames: np.ndarray, sector: Sector) -> Workload:
    wanted = model.preparation
    length = wanted.frames * wanted.period
    frames = np.resize(frames, (length + EF_STARTS, *frames.shape[1:]))
    starts = clip_starts(len(frames), wanted)[:EF_STARTS]
    device = str(next(model.network.parameters()).device)

    def work() -> int:
        predict_from_starts(model, prepared(model, frames, sector), starts)
        _wait(device)
        return len(starts)

    return Workload(
        model.network,
        (1, 3, wanted.frames, wanted.size, wanted.size),
        wanted.frames,
        model.card,
        work,
        "one clip of the network's for every frame, as published; decoding apart",
    )


def _wait(device: str) -> None:
    """Kernels of a GPU run on after the call: wait for them."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
