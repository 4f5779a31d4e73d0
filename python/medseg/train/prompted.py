"""The loss of SAM 2's pictures and clips, in which a box around the first mask points at it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from medseg.augment import augment_masks
from medseg.losses import dice_binary_cross_entropy, focal_loss, mask_dice_loss
from medseg.models.framing import normalise
from medseg.train.config import Config

# SAM 2's own training, which MedSAM 2's keeps: focal cross-entropy of masks, Dice, expected
# overlap, presence.
MASK_WEIGHT, DICE_WEIGHT, OVERLAP_WEIGHT, PRESENCE_WEIGHT = 20.0, 1.0, 1.0, 1.0
_STEADIEST_LOGIT = 30.0  # absent objects have -1024, whose gradient would be none or endless


def boxed(
    config: Config, network: Any, pixels: Tensor, batch: dict[str, Any], preparation: Any,
    training: bool,
) -> tuple[Tensor, dict[str, Tensor]]:  # fmt: skip
    """The loss of a batch, and the pixels shared by masks and truth and in both together.

    Of clips the pictures after the first are counted: in the first the box has said most of it.
    """
    masks, known = batch["masks"].float(), batch["known"]  # (B,T,S,S), (B,T)
    if training:
        masks = augment_masks(masks, batch["draw"])
    reach = config.objective.box_jitter * config.data.size
    boxes = boxes_around(masks[:, 0], batch["jitter"].to(masks) * reach)
    ready = normalise(pixels, preparation.mean, preparation.standard_deviation)
    found = network(ready, boxes)
    if config.objective.task == "boxed-frames":
        logits = enlarged(found[0].logits.float(), config.data.size)
        return dice_binary_cross_entropy(logits, masks), shared_pixels(logits[:, 0], masks[:, 0])
    losses, sums = [], {"shared": masks.new_zeros(()), "total": masks.new_zeros(())}
    for t, outlines in enumerate(found):
        here = known[:, t]
        if not here.any():
            continue
        logits = enlarged(outlines.logits[here].float(), config.data.size)
        overlap, present = outlines.overlap[here].float(), outlines.present[here].float()
        truth = masks[here, t]
        losses.append(clip_losses(logits, overlap, present, truth))
        if t > 0:
            best = overlap.detach().argmax(1)
            chosen = logits.detach()[torch.arange(len(best)), best]
            sums = {k: sums[k] + v for k, v in shared_pixels(chosen, truth).items()}
    return torch.cat(losses).mean(), sums


def clip_losses(logits: Tensor, overlap: Tensor, present: Tensor, truth: Tensor) -> Tensor:
    """Losses (B,) of one picture's masks (B,M,S,S) by truth (B,S,S).

    Of several masks the best one bears the focal and Dice terms, and all of them that of the
    expected overlap; masks of an object that is not there bear neither.
    """
    logits = logits.clamp(-_STEADIEST_LOGIT, _STEADIEST_LOGIT)
    wide = truth[:, None].expand_as(logits)
    mask = MASK_WEIGHT * focal_loss(logits, wide) + DICE_WEIGHT * mask_dice_loss(logits, wide)
    found, inside = logits.detach() > 0, wide > 0.5
    both, either = (found & inside).sum((-2, -1)), (found | inside).sum((-2, -1))
    real = both / either.clamp_min(1)
    there = truth.flatten(1).any(1).to(logits.dtype)  # (B,)
    outlined = mask.min(1).values + OVERLAP_WEIGHT * (overlap - real).abs().mean(1)
    presence = functional.binary_cross_entropy_with_logits(present[:, 0], there, reduction="none")
    return there * outlined + PRESENCE_WEIGHT * presence


def boxes_around(masks: Tensor, outwards: Tensor) -> Tensor:
    """Boxes (B,4) x0, y0, x1, y1 around masks (B,S,S), each side moved outwards by (B,4) pixels.

    Within the picture; the whole picture where a mask is empty.
    """
    size = masks.shape[-1]
    columns, rows = masks.any(1).int(), masks.any(2).int()  # (B,S) where anything is
    empty = columns.sum(1, keepdim=True) == 0
    low = torch.stack([columns.argmax(1), rows.argmax(1)], 1)
    high = size - torch.stack([columns.flip(1).argmax(1), rows.flip(1).argmax(1)], 1)
    low = low.float().masked_fill(empty, 0.0) - outwards[:, :2]
    high = high.float().masked_fill(empty, float(size)) + outwards[:, 2:]
    return torch.cat([low, high], 1).clamp(0, size)


def enlarged(logits: Tensor, size: int) -> Tensor:
    """Logits (B,M,S/4,S/4) at the picture's own size."""
    return functional.interpolate(logits, size=(size, size), mode="bilinear", align_corners=False)


def shared_pixels(logits: Tensor, masks: Tensor) -> dict[str, Tensor]:
    """Sums for a pooled Dice of logits and masks (B,S,S)."""
    found, truth = logits.detach() > 0, masks > 0.5
    return {"shared": (found & truth).sum(), "total": found.sum() + truth.sum()}
