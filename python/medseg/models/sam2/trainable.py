"""SAM 2 as a network that can be trained: its shape, what it starts from, and its own layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from medseg.models.description import Preparation
from medseg.models.sam2.checkpoints import fit_sam2
from medseg.models.sam2.package import sam2_network
from medseg.models.sam2.pixels import MEAN, STANDARD_DEVIATION
from medseg.models.sam2.shape import check_shape
from medseg.models.weights import Checkpoint

PREPARATION = Preparation(512, MEAN, STANDARD_DEVIATION)
_THERE_LOGIT = 3.0  # of an object being in the picture, before anything was learnt


@dataclass(frozen=True)
class Sam2Shape:
    """Which SAM 2, the side of the square that it sees, and which of its masks were trained."""

    size: str = "tiny"
    version: str = "2.1"
    image_size: int = 512
    single_mask: bool = False  # True: only the one for clear prompts, so no other stands in for it


def build_trainable(shape: Sam2Shape) -> nn.Module:
    """A `Sam2Learner` with random weights, which takes every object to be in the picture.

    Raises:
        InputError: no such size, version or picture size.
        MissingExtra: the package sam2 is not installed.
    """
    check_shape(shape.size, shape.version, shape.image_size)
    package = sam2_network()
    from medseg.models.sam2.learner import Sam2Learner

    network: Any = package.build_network(
        shape.size, shape.version, shape.image_size, kind=Sam2Learner
    )
    with torch.no_grad():
        network.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(_THERE_LOGIT)
    if shape.single_mask:
        keep_to_single_mask(network)
    return network


def keep_to_single_mask(network: Any) -> None:
    """Answer a clear prompt by its own mask, even one that wavers.

    SAM 2 would then take the best of its three masks for unclear prompts, which training on boxes
    alone leaves behind: after it they fit neither the pictures nor their expected overlap.
    """
    network.sam_mask_decoder.dynamic_multimask_via_stability = False


def start_trainable(network: nn.Module, checkpoint: Checkpoint, shape: Sam2Shape) -> None:
    """Load the weights that training starts from: Meta's, MedSAM2's, or those of a run of ours.

    Raises WeightsError where they are of another network.
    """
    fit_sam2(network, checkpoint, size=shape.size, version=shape.version)
