"""The learning rate and the running mean's decay, as functions of the step alone."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from medseg.train.config import Config, Optimiser


def learning_rate(config: Config, step: int, steps: int) -> float:
    """The rate of step 0..steps-1, when the whole training has `steps` of them.

    Milestones are in epochs of the configuration's `epochs`, stretched over all steps. A cosine
    falls from the full rate to zero over what follows the warm-up (Loshchilov 2017,
    arXiv:1608.03983, without restarts).
    """
    plan, full = config.schedule, config.optimiser.learning_rate
    warm = plan.warm_up * steps
    if step < warm:
        return full * (step + 1) / warm
    if plan.kind == "cosine":
        return full * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))
    if plan.kind == "steps":
        epoch = step * config.run.epochs / steps
        passed = sum(epoch >= milestone - 1e-9 for milestone in plan.milestones)
        return full * plan.gamma**passed
    return full


def make_optimiser(plan: Optimiser, network: nn.Module) -> torch.optim.Optimizer:
    """The optimiser over all of a network's parameters."""
    parameters = network.parameters()
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
