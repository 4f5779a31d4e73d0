"""What a run starts from: its normalisation, and the weights of chance or of another run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from medseg.errors import InputError, TrainingError
from medseg.models.medivista import load_sam_encoder
from medseg.models.medivista.sam_weights import PUBLISHED_AT as SAM_PUBLISHED_AT
from medseg.models.sam2.trainable import start_trainable
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


def freeze(config: Config, network: nn.Module) -> None:
    """Leave the parts that a configuration names as they are; raises InputError for no such part.

    Whatever is not named is trained, also where the network froze it when it was built.
    """
    network.requires_grad_(True)
    for part in config.network.frozen:
        own = [p for name, p in network.named_parameters() if name.startswith(part)]
        if not own:
            parts = ", ".join(name for name, _ in network.named_children())
            raise InputError(f"network.frozen: no parameter begins with {part!r}; parts: {parts}")
        for parameter in own:
            parameter.requires_grad_(False)
    if not any(p.requires_grad for p in network.parameters()):
        raise InputError("network.frozen: nothing is left to be trained")


def _start_sam2(config: Config, network: nn.Module) -> None:
    if config.network.pretrained:
        checkpoint = read_start(Path(config.network.pretrained))
        start_trainable(network, checkpoint, config.network.shape)


def _start_medivista(config: Config, network: nn.Module) -> None:
    """From a run of ours, or SAM's encoder beside parts that start from chance."""
    if not config.network.pretrained:
        if "image_encoder" not in config.network.frozen:
            return
        raise TrainingError(
            "medivista: its image encoder is frozen, and nobody has trained it; give SAM's weights "
            f"({SAM_PUBLISHED_AT}) with --pretrained, or set frozen = [] under [network]"
        )
    checkpoint = read_start(Path(config.network.pretrained))
    if any(key.startswith("decoder.") for key in checkpoint.tensors):
        start_from(network, checkpoint, encoder_only=False)
    else:
        load_sam_encoder(network.get_submodule("image_encoder"), checkpoint)  # type: ignore[arg-type]


OWN_STARTS: dict[str, Callable[[Config, nn.Module], None]] = {
    "sam2": _start_sam2,
    "medivista": _start_medivista,
}


def start_network(config: Config, network: nn.Module, cohort: Cohort) -> None:
    """Copy the weights to start from, and set what an EF network says before it has learnt."""
    if config.network.model in OWN_STARTS:
        OWN_STARTS[config.network.model](config, network)
        return
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
