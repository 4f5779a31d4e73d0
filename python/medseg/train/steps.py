"""The loss of a batch by its task, and the sums that a split's figures are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from medseg.augment import augment_masks, augment_pixels, augment_points
from medseg.losses import binary_dice_loss, heatmap_cross_entropy
from medseg.models.framing import normalise
from medseg.models.landmarks import find_landmarks, heatmaps_of, outline, soft_mask
from medseg.train.config import Config
from medseg.train.networks import clip_logits, frame_logits

Batch = dict[str, Any]
# What a split's figures are sums of: loss x samples, samples, and by task shared and total pixels
# or absolute errors of EF.
SUMS = ("loss", "samples", "shared", "total", "error")


def batch_loss(
    config: Config, network: Any, batch: Batch, preparation: Any, *, training: bool
) -> tuple[Tensor, Tensor]:
    """The mean loss of a batch's samples, and its SUMS (5,) in float64, without gradient."""
    pixels = batch["pixels"].float()  # (B,T,3,S,S) in 0..255
    if training:
        mean = tuple(255 * value for value in preparation.mean)
        fill = mean if config.objective.task == "ef" else (0.0, 0.0, 0.0)
        pixels = augment_pixels(pixels, batch["draw"], fill=fill)
    loss, more = TASK_LOSSES[config.objective.task](
        config, network, pixels, batch, preparation, training
    )
    count = loss.new_tensor(len(pixels))
    sums = {"loss": loss.detach() * count, "samples": count} | more
    nothing = torch.zeros_like(count)
    return loss, torch.stack([sums.get(name, nothing).double() for name in SUMS])


def gradient_scale(config: Config) -> float:
    """What the mean loss is multiplied by before its gradient is taken.

    EchoNet-Dynamic sums over the pixels and samples of a batch, so that its learning rate is small.
    """
    if config.objective.reduction == "mean":
        return 1.0
    return float(config.run.batch * config.run.accumulate * config.data.size**2)


def figures_of(sums: Tensor) -> dict[str, float]:
    """Loss, pooled Dice and mean absolute error of EF from summed SUMS; NaN where not measured."""
    loss, samples, shared, total, error = sums.tolist()
    nan = float("nan")
    return {
        "loss": loss / samples if samples else nan,
        "dice": 2 * shared / total if total else nan,
        "mae_ef": error / samples if error else nan,
    }


def ready(pixels: Tensor, preparation: Any) -> Tensor:
    """Pixels (...,3,S,S) in 0..255, normalised."""
    return normalise(pixels, preparation.mean, preparation.standard_deviation)


def _masks(
    config: Config, network: Any, pixels: Tensor, batch: Batch, preparation: Any, training: bool
) -> tuple[Tensor, dict[str, Tensor]]:
    """Traced frames by themselves, or that of a clip: only the frames `at` bear the loss."""
    masks = batch["masks"].float()  # (B,M,S,S)
    if training:
        masks = augment_masks(masks, batch["draw"])
    model = config.network.model
    if config.objective.task == "clips":
        logits = clip_logits(model, network, pixels, lambda x: ready(x, preparation))
    else:
        flat = frame_logits(model, network, ready(pixels.flatten(0, 1), preparation))
        logits = flat[:, 0].unflatten(0, pixels.shape[:2])  # (B*T,1,S,S) -> (B,T,S,S)
    bearing = bearing_logits(logits, batch["at"]).float()  # (B,M,S,S)
    found = bearing.detach() > 0
    sums = {"shared": (found & (masks > 0.5)).sum(), "total": found.sum() + (masks > 0.5).sum()}
    return mask_loss(config.objective.loss, bearing, masks), sums


def bearing_logits(logits: Tensor, at: Tensor) -> Tensor:
    """Of logits (B,T,S,S) those (B,M,S,S) of the frames `at` (B,M): the only ones in the loss."""
    return logits.gather(1, at[:, :, None, None].expand(-1, -1, *logits.shape[2:]))


def mask_loss(name: str, logits: Tensor, masks: Tensor) -> Tensor:
    """Binary cross-entropy or Dice of (B,M,S,S)."""
    if name == "bce":
        return functional.binary_cross_entropy_with_logits(logits, masks)
    return binary_dice_loss(logits, masks, pooled=name == "dice-pooled")


def _landmarks(
    config: Config, network: Any, pixels: Tensor, batch: Batch, preparation: Any, training: bool
) -> tuple[Tensor, dict[str, Tensor]]:
    points, masks = batch["points"], batch["masks"]  # (B,T,7,2), (B,T,S,S)
    if training:
        points = augment_points(points, batch["draw"])
    heatmaps = heatmaps_of(points, config.data.size, config.objective.sigma_px)
    model = config.network.model
    flat = frame_logits(model, network, ready(pixels.flatten(0, 1), preparation)).float()
    loss = heatmap_cross_entropy(flat, heatmaps.flatten(0, 1))
    if training:  # drawing the outlines takes longer than a small network's step
        return loss, {}
    found, _ = find_landmarks(flat.detach(), config.objective.sigma_px)
    drawn = [soft_mask(outline(p), config.data.size) for p in found.double().cpu().numpy()]
    mask, truth = torch.from_numpy(np.stack(drawn) > 0.5).to(masks.device), masks.flatten(0, 1)
    return loss, {"shared": (mask & truth).sum(), "total": mask.sum() + truth.sum()}


def _masked(
    config: Config, network: Any, pixels: Tensor, batch: Batch, preparation: Any, training: bool
) -> tuple[Tensor, dict[str, Tensor]]:
    """Guess every frame's first channel, normalised, from a clip with frames blacked out."""
    target = ready(pixels, preparation)[:, :, 0]  # (B,T,S,S)
    shown = blacked_out(pixels, batch["seen"])
    guess = clip_logits(
        config.network.model, network, shown, lambda x: ready(x, preparation)
    ).float()
    return functional.mse_loss(guess, target), {}


def blacked_out(pixels: Tensor, seen: Tensor) -> Tensor:
    """Clips (B,T,3,S,S) in 0..255 with the frames that are not `seen` (B,T) black, all zero.

    Before normalisation, as published: a blacked-out frame then looks like a black one.
    """
    return pixels * seen[:, :, None, None, None].to(pixels)


def _ef(
    config: Config, network: Any, pixels: Tensor, batch: Batch, preparation: Any, training: bool
) -> tuple[Tensor, dict[str, Tensor]]:
    clips = ready(pixels, preparation).transpose(1, 2)  # (B,T,3,S,S) -> (B,3,T,S,S)
    said = network(clips)[:, 0].float()  # (B,)
    error = (said.detach() - batch["ef"]).abs().sum()
    return functional.mse_loss(said, batch["ef"]), {"error": error}


TASK_LOSSES: dict[str, Callable[..., tuple[Tensor, dict[str, Tensor]]]] = {
    "traced-pairs": _masks,
    "traced-frames": _masks,
    "landmarks": _landmarks,
    "clips": _masks,
    "masked-clips": _masked,
    "ef": _ef,
}
