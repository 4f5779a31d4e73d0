"""The learning rate and the running mean's decay, as functions of the step alone."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from medseg.train.config import Config, Optimiser

_BLOCKS = "image_encoder.trunk.blocks."


def learning_rate(config: Config, step: int, steps: int) -> float:
    """The rate of step 0..steps-1, when the whole training has `steps` of them.

    Milestones are in epochs of the configuration's `epochs`, stretched over all steps. A cosine
    falls from the full rate to its end's share over what follows the warm-up (Loshchilov 2017,
    arXiv:1608.03983, without restarts).
    """
    plan, full = config.schedule, config.optimiser.learning_rate
    warm = plan.warm_up * steps
    if step < warm:
        return full * (step + 1) / warm
    if plan.kind == "cosine":
        left = 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))
        return full * (plan.end_share + (1 - plan.end_share) * left)
    if plan.kind == "poly":
        return full * (1 - (step - warm) / max(steps - warm, 1)) ** plan.power
    if plan.kind == "steps":
        epoch = step * config.run.epochs / steps
        passed = sum(epoch >= milestone - 1e-9 for milestone in plan.milestones)
        return full * plan.gamma**passed
    return full


def make_optimiser(plan: Optimiser, network: nn.Module) -> torch.optim.Optimizer:
    """The optimiser over what is trained of a network; groups hold their share of the rate."""
    parameters = _groups(plan, network)
    if plan.name == "sgd":
        return torch.optim.SGD(
            parameters,
            lr=plan.learning_rate,
            momentum=plan.momentum,
            weight_decay=plan.weight_decay,
        )
    kind = torch.optim.Adam if plan.name == "adam" else torch.optim.AdamW
    return kind(
        parameters,
        lr=plan.learning_rate,
        betas=(plan.betas[0], plan.betas[1]),
        weight_decay=plan.weight_decay,
        amsgrad=plan.amsgrad,
    )


def _groups(plan: Optimiser, network: nn.Module) -> list[dict[str, Any]]:
    """Parameters by their share of the rate and their weight decay."""
    spared = set() if plan.decay_biases else _biases_and_norms(network)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    trained = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    blocks = len({name.split(".")[3] for name, _ in trained if name.startswith(_BLOCKS)})
    for name, parameter in trained:
        share = _share(plan, name, blocks)
        decay = 0.0 if name in spared else plan.weight_decay
        groups.setdefault((share, decay), []).append(parameter)
    return [
        {"params": parameters, "share": share, "weight_decay": decay}
        for (share, decay), parameters in groups.items()
    ]


def _share(plan: Optimiser, name: str, blocks: int) -> float:
    """Of the rate, for a parameter; less in a trunk of `blocks` blocks, the nearer to its input.

    The layer `fc`, of a network that says EF, has a share of its own: Adam moves all weights alike
    far, and this one's answers are tens of percent.

    By SAM 2's own training: the last block has one step less than the rest of the network, the
    patches' embedding one less than the first block, the positions' embedding none.
    """
    if name.startswith("fc."):
        return plan.head_share
    if not name.startswith("image_encoder."):
        return 1.0
    if name.startswith(_BLOCKS):
        return plan.encoder_share * plan.block_share ** (blocks - int(name.split(".")[3]))
    if name.startswith("image_encoder.trunk.patch_embed"):
        return plan.encoder_share * plan.block_share ** (blocks + 1)
    return plan.encoder_share


def _biases_and_norms(network: nn.Module) -> set[str]:
    """Names of the biases and of all that a layer norm has."""
    norms = {
        f"{module}.{name}"
        for module, part in network.named_modules()
        if isinstance(part, nn.LayerNorm)
        for name, _ in part.named_parameters(recurse=False)
    }
    return norms | {name for name, _ in network.named_parameters() if "bias" in name}


def average_into(
    average: dict[str, Tensor], now: dict[str, Tensor], *, decay: float, step: int
) -> None:
    """Move a running mean towards the weights that step 0, 1, ... left, in place.

    average <- d average + (1 - d) now, where d = min(decay, (1 + step) / (10 + step)) forgets the
    random start; whole numbers, such as counts of batches, are copied.
    """
    share = 1 - min(decay, (1 + step) / (10 + step))
    for key, kept in average.items():
        if kept.dtype.is_floating_point:
            kept.lerp_(now[key], share)
        else:
            kept.copy_(now[key])
