"""What a run starts from: its normalisation, and the weights of chance or of another run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from medseg.models.weights import Checkpoint
from medseg.train.cohort import Cohort
from medseg.train.config import Config
from medseg.train.networks import NORMALISATIONS, preparation_of, read_start, start_from
from medseg.train.pixels import Pictures, measure_normalisation

FRAMES_PER_CLIP = 16  # that normalisation is measured on, spread over the clip


def prepare(config: Config, cohort: Cohort, state: dict[str, Any] | None) -> Any:
    """How frames become the network's input: as before when resuming, else as configured.

    A network that starts from weights of ours keeps the normalisation that those were trained
    with, unless the recipe has a fixed one.
    """
    mean, spread = _normalisation(config, cohort, state)
    return preparation_of(
        config.network.model,
        size=config.data.size,
        frames=config.data.frames,
        period=config.data.period,
        sigma_px=config.objective.sigma_px,
        mean=mean,
        standard_deviation=spread,
    )


def _normalisation(
    config: Config, cohort: Cohort, state: dict[str, Any] | None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if state is not None:
        return tuple(state["mean"]), tuple(state["standard_deviation"])
    if config.data.normalisation in NORMALISATIONS:
        return NORMALISATIONS[config.data.normalisation]
    if config.network.pretrained:
        described = described_normalisation(read_start(Path(config.network.pretrained)))
        if described is not None:
            return described
    return measure_normalisation(
        Pictures(config.data.size, limit_bytes=0, whole=False),
        cohort.training_cases,
        clips=config.data.normalisation_clips,
        frames=FRAMES_PER_CLIP,
        seed=config.seed,
    )


def described_normalisation(
    checkpoint: Checkpoint,
) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Mean and standard deviation that a weights file of ours carries; None in any other."""
    try:
        told = json.loads(checkpoint.metadata["preparation"])
        mean = tuple(float(value) for value in told["mean"])
        return mean, tuple(float(value) for value in told["standard_deviation"])
    except (KeyError, TypeError, ValueError):
        return None


def start_network(config: Config, network: nn.Module, cohort: Cohort) -> None:
    """Copy the weights to start from, and set what an EF network says before it has learnt."""
    fresh = set(network.state_dict())
    if config.network.pretrained:
        checkpoint = read_start(Path(config.network.pretrained))
        encoder_only = config.network.pretrained_part == "encoder"
        fresh = set(start_from(network, checkpoint, encoder_only=encoder_only))
    if config.network.start_ef == "train-mean" and "fc.bias" in fresh:
        known = [item.case.ef_percent for item in cohort.training]
        mean = sum(ef for ef in known if ef is not None) / len(known)
        with torch.no_grad():
            network.get_parameter("fc.bias").fill_(mean)
